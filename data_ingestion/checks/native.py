"""Native: cells that come with a type of their own, from Parquet or a spreadsheet, checked by the same rules as text.

Where the cell's type agrees with the column's, the value itself is checked (range, scale, limits) and nothing is
parsed: a date is a date whatever `formats` says, a truth value needs no word. Any other cell is checked by the text
that a person would write for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checks.cells import (
    INTEGER_RANGES,
    MAX_DIGITS,
    CheckedColumn,
    arrow_type,
    check_bounds,
    check_cells,
)
from data_ingestion.contract import Column, LogicalType
from data_ingestion.excerpts import quote

# Beyond it a double no longer distinguishes one whole number from the next.
GREATEST_EXACT_FLOAT = 2**53
# A double holds any decimal of so many digits, and no more.
FLOAT_DIGITS = 15
_FIRST_DAY, _LAST_DAY = (day.toordinal() - date(1970, 1, 1).toordinal() for day in (date.min, date.max))
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_SECONDS_A_DAY = 86_400

Maker = Callable[[CheckedColumn, Any, Column], None]


def check_column(cells: Any, column: Column) -> CheckedColumn:
    """A column of the file, of whatever type, as values of the contract's type."""
    if pa.types.is_string(cells.type):
        return check_cells(cells, column)
    if pa.types.is_union(cells.type):
        return _check_mixed(cells, column)
    make = None if column.is_uuid else _maker(cells.type, column)
    if make is None:
        return _check_as_text(cells, column)
    checked = CheckedColumn(cells)
    make(checked, cells, column)
    if column.required:
        checked.refuse(pc.is_null(cells), "missing", lambda _: "a value is required")
    return checked


def as_text(cells: Any) -> Any:
    """The cells as a person would write them: no exponents, no `.0`, dates and times in ISO."""
    kind = cells.type
    if pa.types.is_string(kind):
        return cells
    if pa.types.is_union(kind):
        parts, order = _by_kind(cells)
        return pa.concat_arrays([as_text(part) for _, part in parts]).take(order)
    if pa.types.is_timestamp(kind):
        return _moments_as_text(cells)
    text = cells.cast(pa.string())
    if pa.types.is_floating(kind):
        text = pc.replace_substring_regex(text, r"\.0$", "")
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _without_exponents(text)
    return text


def _check_as_text(cells: Any, column: Column) -> CheckedColumn:
    """By the texts of the cells. A day or moment of no year has none: Arrow writes '<value out of range: …>' for it."""
    whole = CheckedColumn(cells)
    if pa.types.is_date32(cells.type) or pa.types.is_timestamp(cells.type):
        _refuse_years(whole, cells)
    checked = _check_texts(as_text(whole.without_refused(cells)), column)
    checked.refused |= whole.refused
    return checked


def _check_texts(text: Any, column: Column) -> CheckedColumn:
    """Texts of our own writing: what the contract says of the file's spelling is not about them."""
    return check_cells(text, replace(column, number_format=None, null_values=()))


def _check_mixed(cells: Any, column: Column) -> CheckedColumn:
    """Cells of several types, each checked as what it is."""
    parts, order = _by_kind(cells)
    whole = CheckedColumn(None)
    values = []
    for rows, part in parts:
        checked = check_column(part, column)
        values.append(checked.values)
        whole.refused |= {rows[row]: why for row, why in checked.refused.items()}
    whole.values = pa.concat_arrays(values).take(order) if values else pa.nulls(0, arrow_type(column))
    return whole


def _by_kind(cells: Any) -> tuple[list[tuple[list[int], Any]], Any]:
    """The cells of a dense union by type, with the rows they stand in; and how to put them in order again."""
    codes, places = cells.type_codes, cells.offsets
    parts = []
    for code in pc.unique(codes).to_pylist():
        rows = pc.indices_nonzero(pc.equal(codes, code))
        parts.append((rows.to_pylist(), cells.field(code).take(places.take(rows))))
    place_of = {row: place for place, row in enumerate(row for rows, _ in parts for row in rows)}
    return parts, pa.array([place_of[row] for row in range(len(cells))], pa.int64())


def _maker(kind: pa.DataType, column: Column) -> Maker | None:
    """How cells of this type become values of the column without becoming text, if they can."""
    match column.type:
        case LogicalType.INTEGER if pa.types.is_integer(kind):
            return _integer_of_integer
        case LogicalType.INTEGER if pa.types.is_floating(kind):
            return _integer_of_float
        case LogicalType.NUMBER if column.precision is None and pa.types.is_floating(kind):
            return _float_of_float
        case LogicalType.NUMBER if column.precision is None and pa.types.is_integer(kind):
            return _float_of_integer
        case LogicalType.NUMBER if column.precision is not None and pa.types.is_floating(kind):
            return _number_of_float
        case LogicalType.NUMBER if column.precision is not None:
            return _number_of_exact if pa.types.is_integer(kind) or pa.types.is_decimal(kind) else None
        case LogicalType.BOOLEAN if pa.types.is_boolean(kind):
            return _as_it_is
        case LogicalType.DATE if pa.types.is_date32(kind):
            return _date_of_date
        case LogicalType.DATE if pa.types.is_timestamp(kind):
            return _date_of_moment
        case LogicalType.TIMESTAMP if pa.types.is_date32(kind):
            return _moment_of_date
        case LogicalType.TIMESTAMP if pa.types.is_timestamp(kind):
            return _moment_of_moment
    return None


def _as_it_is(checked: CheckedColumn, cells: Any, column: Column) -> None:
    checked.values = cells


def _integer_of_integer(checked: CheckedColumn, cells: Any, column: Column) -> None:
    bits = INTEGER_RANGES.get(column.physical_type, 63)
    wide = cells.cast(pa.decimal128(MAX_DIGITS, 0))
    low, high = (pa.scalar(limit, wide.type) for limit in (-(2**bits), 2**bits - 1))
    checked.refuse(
        pc.or_(pc.less(wide, low), pc.greater(wide, high)),
        "out_of_range",
        lambda row: f"{_show(cells, row)} needs more than {bits + 1} bits",
    )
    checked.values = checked.without_refused(cells).cast(pa.int64())
    check_bounds(checked, column)


def _integer_of_float(checked: CheckedColumn, cells: Any, column: Column) -> None:
    cells = cells.cast(pa.float64())
    is_whole = pc.and_(pc.is_finite(cells), pc.equal(pc.floor(cells), cells))
    checked.refuse(
        pc.invert(is_whole), "not_an_integer", lambda row: f"{_show(cells, row)} is not a whole number"
    )
    checked.refuse(
        pc.greater(pc.abs(cells), GREATEST_EXACT_FLOAT),
        "too_precise",
        lambda row: f"{_show(cells, row)} has more digits than a float holds exactly",
    )
    _integer_of_integer(checked, checked.without_refused(cells).cast(pa.int64()), column)


def _float_of_float(checked: CheckedColumn, cells: Any, column: Column) -> None:
    checked.refuse(
        pc.invert(pc.is_finite(cells)), "not_a_number", lambda row: f"{cells[row].as_py()} is not a number"
    )
    checked.values = cells.cast(pa.float64())
    check_bounds(checked, column)


def _float_of_integer(checked: CheckedColumn, cells: Any, column: Column) -> None:
    checked.values = cells.cast(pa.float64(), safe=False)
    check_bounds(checked, column)


def _number_of_exact(checked: CheckedColumn, cells: Any, column: Column) -> None:
    target = arrow_type(column)
    exact = cells.cast(pa.decimal128(MAX_DIGITS, 0)) if pa.types.is_integer(cells.type) else cells
    try:
        checked.values = exact.cast(target)
    except (
        pa.ArrowInvalid
    ):  # some value has too many digits before the point or after it: which, the text shows
        by_text = _check_texts(as_text(cells), column)
        checked.values, checked.refused = by_text.values, by_text.refused
        return
    check_bounds(checked, column)


def _number_of_float(checked: CheckedColumn, cells: Any, column: Column) -> None:
    """By the shortest digits that mean this float; where these are too many, by as many as a float can hold.

    So 12.1 is 12.10, and 0.30000000000000004, which 0.1 + 0.2 leaves behind, is 0.30; 0.125 is too precise for two
    decimals all the same.
    """
    text = as_text(cells)
    scale = column.scale or 0
    too_fine = pc.fill_null(pc.match_substring_regex(text, rf"\.[0-9]{{{scale + 1},}}$"), False)
    if rows := pc.indices_nonzero(too_fine).to_pylist():
        digits = text.to_pylist()
        for row in rows:
            held = Decimal(f"{cells[row].as_py():.{FLOAT_DIGITS}g}")
            if held == round(held, scale):
                digits[row] = f"{held:f}"
        text = pa.array(digits, pa.string())
    by_text = _check_texts(text, column)
    checked.values, checked.refused = by_text.values, by_text.refused


def _date_of_date(checked: CheckedColumn, cells: Any, column: Column) -> None:
    _refuse_years(checked, cells)
    checked.values = checked.without_refused(cells)
    check_bounds(checked, column)


def _date_of_moment(checked: CheckedColumn, cells: Any, column: Column) -> None:
    """A moment is a date if it is the day's first, where its zone is."""
    _refuse_years(checked, cells)
    ticks = checked.without_refused(cells).cast(pa.int64())
    begins_a_second = _are_whole(ticks, _TICKS[cells.type.unit])
    # By seconds, for the first day's midnight, and the last hours in some zones, are beyond what nanoseconds count.
    local = checked.without_refused(cells).cast(pa.timestamp("s", cells.type.tz), safe=False)
    if local.type.tz is not None:
        try:
            local = pc.local_timestamp(local)
        except pa.ArrowInvalid:
            checked.refuse(
                pc.is_valid(cells), "not_a_date", lambda _: f"the zone {quote(local.type.tz)} is unknown"
            )
            checked.values = pa.nulls(len(cells), pa.date32())
            return
    days = local.cast(pa.date32(), safe=False)
    _refuse_years(checked, days)
    checked.refuse(
        pc.invert(pc.and_(begins_a_second, _are_whole(local.cast(pa.int64()), _SECONDS_A_DAY))),
        "not_a_date",
        lambda row: f"{_show(cells, row)} has a time of day",
    )
    checked.values = checked.without_refused(days)
    check_bounds(checked, column)


def _moment_of_date(checked: CheckedColumn, cells: Any, column: Column) -> None:
    _refuse_years(checked, cells)
    checked.values = checked.without_refused(cells).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    check_bounds(checked, column)


def _moment_of_moment(checked: CheckedColumn, cells: Any, column: Column) -> None:
    """Without a zone it is taken as UTC, as a text would be."""
    _refuse_years(checked, cells)
    ticks = cells.cast(pa.int64())
    if cells.type.unit == "ns":
        checked.refuse(
            pc.invert(_are_whole(ticks, 1000)),
            "too_precise",
            lambda row: f"{_show(cells, row)} has more than microseconds",
        )
    whole = checked.without_refused(cells).cast(pa.timestamp("us", cells.type.tz), safe=False)
    checked.values = whole.cast(pa.int64()).cast(pa.timestamp("us", "UTC"))
    check_bounds(checked, column)


def _are_whole(ticks: Any, many: int) -> Any:
    return pc.equal(pc.multiply(pc.divide(ticks, many), many), ticks)


def _refuse_years(checked: CheckedColumn, cells: Any) -> None:
    """Refuses days or moments of no year from 1 to 9999."""
    if pa.types.is_date32(cells.type):
        ticks, a_day = cells.cast(pa.int32()), 1
    elif cells.type.unit == "ns":  # which ends in 2262
        return
    else:
        ticks, a_day = cells.cast(pa.int64()), _SECONDS_A_DAY * _TICKS[cells.type.unit]
    checked.refuse(
        pc.or_(pc.less(ticks, _FIRST_DAY * a_day), pc.greater(ticks, (_LAST_DAY + 1) * a_day - 1)),
        "out_of_range",
        lambda row: f"{_show(cells, row)} is not within the years 1 to 9999",
    )


def _moments_as_text(cells: Any) -> Any:
    """ISO, with `Z` where a zone is known and no more of the second than there is."""
    zone = "" if cells.type.tz is None else "Z"
    written = cells.cast(pa.timestamp(cells.type.unit)).cast(pa.string())
    written = pc.replace_substring_regex(written, r"([0-9]) ([0-9])", r"\1T\2")
    seconds = pc.replace_substring_regex(written, r"(\.[0-9]*?)0+$", r"\1")
    return pc.binary_join_element_wise(pc.utf8_rtrim(seconds, "."), zone, "")


def _without_exponents(text: Any) -> Any:
    rows = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(text, "[0-9][eE]"), False)).to_pylist()
    if not rows:
        return text
    cells = text.to_pylist()
    for row in rows:
        cells[row] = f"{Decimal(cells[row]):f}"
    return pa.array(cells, pa.string())


def _show(cells: Any, row: int) -> str:
    return quote(as_text(cells.slice(row, 1))[0].as_py())
