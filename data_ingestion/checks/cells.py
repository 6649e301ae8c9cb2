"""Cells: the text of one column made into values of its type, and the cells for which that can't be done.

Every rule is stated once here and checks clean and dirty chunks alike. What passes can't make COPY fail:
each type's whole domain (NUL bytes, digits, range, scale) is checked before the server sees a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checks.cleaning import WORDS, clean
from data_ingestion.checks.dates import parse_date, parse_timestamp
from data_ingestion.checks.moments import iso_moments
from data_ingestion.checks.number_format import make_plain
from data_ingestion.checks.number_words import Unclear, parse_number_words
from data_ingestion.checks.texts import (
    has_empty,
    has_letter,
    has_nul,
    longest,
)
from data_ingestion.checks.uuids import UUID_BYTES, parse_uuids
from data_ingestion.contract import Column, LogicalType
from data_ingestion.contract.meanings import FALSE_WORDS, TRUE_WORDS
from data_ingestion.contract.terms import Bound, NumberFormat
from data_ingestion.excerpts import quote

ISO_DATE = "%Y-%m-%d"
ISO_MOMENTS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
PLAIN_NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?$|^[+-]?\.[0-9]+$"
FLOAT_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
NOT_ZERO = r"^[^eE]*[1-9]"
# Postgres' numeric goes further, but Arrow's decimals end here.
MAX_DIGITS = 38
INTEGER_RANGES = {"smallint": 15, "integer": 31, "bigint": 63}

ARROW_TYPES: dict[LogicalType, pa.DataType] = {
    LogicalType.STRING: pa.string(),
    LogicalType.INTEGER: pa.int64(),
    LogicalType.BOOLEAN: pa.bool_(),
    LogicalType.DATE: pa.date32(),
    LogicalType.TIMESTAMP: pa.timestamp("us", "UTC"),
}


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type in which a column's values go to the warehouse."""
    if column.is_uuid:
        return UUID_BYTES
    if column.type is not LogicalType.NUMBER:
        return ARROW_TYPES[column.type]
    if column.precision is None:
        return pa.float64()
    return pa.decimal128(column.precision, column.scale or 0)


@dataclass
class CheckedColumn:
    """A column's values, and by row the first reason why a cell is refused (`reason`, `detail`)."""

    values: Any
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)

    def refuse(self, mask: Any, reason: str, detail: Callable[[int], str]) -> None:
        """Marks the rows where `mask` is true; a row that is refused already keeps its first reason."""
        for row in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist():
            self.refused.setdefault(row, (reason, detail(row)))

    def without_refused(self, values: Any) -> Any:
        """`values` with null in the refused rows, so that a cast can't meet them."""
        if not self.refused:
            return values
        mask = [False] * len(values)
        for row in self.refused:
            mask[row] = True
        return pc.if_else(pa.array(mask), pa.scalar(None, values.type), values)


def check_cells(text: Any, column: Column) -> CheckedColumn:
    """A column of text as values of its declared type, after the declared cleaning.

    A blank cell is null, except that a column kept as text without the cleaning `trim` keeps its blanks and an
    explicitly quoted empty text. Where a value is required, an empty text is none, unless the contract says so.
    """
    cleaned = clean(text, column)
    if column.required and not column.may_be_empty and has_empty(cleaned):
        cleaned = pc.if_else(pc.equal(cleaned, ""), pa.scalar(None, pa.string()), cleaned)
    checked = CheckedColumn(cleaned)
    if column.number_format:
        cleaned = _make_plain(checked, cleaned, column, column.number_format)
    if "number_words" in column.cleaning and has_letter(cleaned):
        _refuse_unclear_words(checked, cleaned)
    if column.most_bytes is not None:
        _refuse_long(checked, text if column.keep_text else cleaned, column.most_bytes)
    make = _make_uuid if column.is_uuid else MAKERS[column.type]
    make(checked, cleaned, column)
    if column.required and cleaned.null_count:
        checked.refuse(pc.is_null(cleaned), "missing", lambda _: "a value is required")
    return checked


def _refuse_long(checked: CheckedColumn, text: Any, most: int) -> None:
    """Refuses texts that a warehouse which the contract must fit does not take."""
    if (most_here := longest(text)) is None or most_here > most:
        sizes = pc.binary_length(text)
        checked.refuse(
            pc.greater(sizes, most),
            "too_long",
            lambda row: f"{sizes[row].as_py():,} bytes, the warehouses of the contract take {most:,}",
        )


def _make_plain(checked: CheckedColumn, text: Any, column: Column, form: NumberFormat) -> Any:
    is_float = column.type is LogicalType.NUMBER and column.precision is None
    plain, strange = make_plain(text, form, with_exponent=is_float)
    checked.refuse(
        strange,
        "not_an_integer" if column.type is LogicalType.INTEGER else "not_a_number",
        lambda row: (
            f"{_show(text, row)} is not a number as the contract says they are written ({form.example})"
        ),
    )
    return plain


def _refuse_unclear_words(checked: CheckedColumn, text: Any) -> None:
    def why(row: int) -> str:
        found = parse_number_words(text[row].as_py())
        return f"{_show(text, row)} is not a number: {found.why}" if isinstance(found, Unclear) else ""

    checked.refuse(pc.match_substring_regex(text, WORDS), "not_number_words", why)


def _make_string(checked: CheckedColumn, text: Any, column: Column) -> None:
    if has_nul(text):
        checked.refuse(
            pc.match_substring(text, "\x00"), "nul_byte", lambda _: "text can't contain a NUL byte"
        )
    length: Any = pc.utf8_length(text) if (column.max_length, column.min_length) != (None, None) else None
    if column.max_length is not None:
        checked.refuse(
            pc.greater(length, column.max_length),
            "too_long",
            lambda row: f"{length[row]} characters, at most {column.max_length}",
        )
    if column.min_length is not None:
        checked.refuse(
            pc.less(length, column.min_length),
            "too_short",
            lambda row: f"{length[row]} characters, at least {column.min_length}",
        )
    if column.pattern is not None:
        checked.refuse(
            _unmatched(text, column.pattern),
            "pattern",
            lambda row: f"{_show(text, row)} does not match {column.pattern}",
        )
    if column.accepted_values:
        accepted = pc.is_in(text, pa.array(column.accepted_values, pa.string()), skip_nulls=True)
        checked.refuse(
            pc.and_(pc.is_valid(text), pc.invert(accepted)),
            "not_accepted",
            lambda row: f"{_show(text, row)} is not an accepted value",
        )
    checked.values = text


def _make_uuid(checked: CheckedColumn, text: Any, column: Column) -> None:
    checked.values = parse_uuids(text)
    if checked.values.null_count == text.null_count:
        return
    strange = pc.and_(pc.is_valid(text), pc.is_null(checked.values))
    checked.refuse(
        strange,
        "not_a_uuid",
        lambda row: f"{_show(text, row)} is not of the form 8-4-4-4-12 hexadecimal digits",
    )


def _make_integer(checked: CheckedColumn, text: Any, column: Column) -> None:
    checked.refuse(
        _unlike(text, r"^[+-]?[0-9]+$"),
        "not_an_integer",
        lambda row: f"{_show(text, row)} is not a whole number{_hint(text[row].as_py())}",
    )
    bits = INTEGER_RANGES.get(column.physical_type, 63)
    short = checked.without_refused(pc.replace_substring_regex(text, r"^([+-]?)0+([0-9])", r"\1\2"))
    checked.refuse(
        pc.greater(pc.utf8_length(short), 20),
        "out_of_range",
        lambda row: f"{_show(text, row)} needs more than {bits + 1} bits",
    )
    wide = pc.cast(checked.without_refused(short), pa.decimal128(MAX_DIGITS, 0))
    low, high = (pa.scalar(limit, pa.decimal128(MAX_DIGITS, 0)) for limit in (-(2**bits), 2**bits - 1))
    outside = pc.or_(pc.less(wide, low), pc.greater(wide, high))
    checked.refuse(outside, "out_of_range", lambda row: f"{_show(text, row)} needs more than {bits + 1} bits")
    checked.values = pc.cast(checked.without_refused(wide), pa.int64())
    check_bounds(checked, column)


def _make_number(checked: CheckedColumn, text: Any, column: Column) -> None:
    if column.precision is None:
        checked.refuse(
            _unlike(text, FLOAT_NUMBER), "not_a_number", lambda row: f"{_show(text, row)} is not a number"
        )
        checked.values = pc.cast(checked.without_refused(text), pa.float64())
        checked.refuse(
            pc.invert(pc.is_finite(checked.values)),
            "out_of_range",
            lambda row: f"{_show(text, row)} is beyond double precision",
        )
        vanished = pc.and_(pc.equal(checked.values, 0.0), pc.match_substring_regex(text, NOT_ZERO))
        checked.refuse(
            vanished,
            "out_of_range",
            lambda row: f"{_show(text, row)} is too close to zero for double precision",
        )
        check_bounds(checked, column)
        return
    checked.refuse(
        _unlike(text, PLAIN_NUMBER),
        "not_a_number",
        lambda row: f"{_show(text, row)} is not a number{_hint(text[row].as_py())}",
    )
    whole, scale = column.precision - (column.scale or 0), column.scale or 0
    if (
        short_decimals := _short_decimals(checked.without_refused(text), column.precision, scale)
    ) is not None:
        checked.values = short_decimals
        check_bounds(checked, column)
        return
    bare = pc.replace_substring_regex(checked.without_refused(text), "^([+-]?)0+([0-9])", r"\1\2")
    bare = pc.replace_substring_regex(bare, r"^([+-]?)\.", r"\10.")  # .0 without its zeros would be a point
    bare = pc.if_else(pc.match_substring(bare, "."), pc.utf8_rtrim(bare, "0"), bare)
    parts_whole = pc.utf8_length(pc.replace_substring_regex(bare, r"^[+-]|\..*$", ""))
    zero_whole = pc.match_substring_regex(bare, r"^[+-]?0(\.|$)")
    too_big = pc.and_(pc.greater(parts_whole, whole), pc.invert(zero_whole))
    checked.refuse(
        too_big,
        "out_of_range",
        lambda row: f"{_show(text, row)} has more than {whole} digits before the point",
    )
    too_fine = pc.match_substring_regex(bare, rf"\.[0-9]{{{scale + 1},}}$")
    checked.refuse(too_fine, "too_precise", lambda row: f"{_show(text, row)} has more than {scale} decimals")
    checked.values = pc.cast(checked.without_refused(bare), pa.decimal128(column.precision, scale))
    check_bounds(checked, column)


def _hint(text: str) -> str:
    has_exponent = "e" in text.lower() and re.fullmatch(FLOAT_NUMBER, text)
    return " without an exponent: `numberFormat: {exponent: true}` reads it" if has_exponent else ""


def _short_decimals(text: Any, precision: int, scale: int) -> Any:
    """Plain numbers as decimals where none has more characters than may stand before the point; else None.

    Of longer ones Arrow's cast can overflow without a word. Too many decimals make it fail.
    """
    length = longest(text)
    if length is None or length > precision - scale:
        return None
    try:
        return pc.cast(text, pa.decimal128(precision, scale))
    except pa.ArrowInvalid:
        return None


def _make_boolean(checked: CheckedColumn, text: Any, column: Column) -> None:
    lower = pc.utf8_lower(text)
    words = column.true_values or TRUE_WORDS, column.false_values or FALSE_WORDS
    is_true, is_false = (pc.is_in(lower, pa.array(texts)) for texts in words)
    strange = pc.and_(pc.is_valid(text), pc.invert(pc.or_(is_true, is_false)))
    checked.refuse(strange, "not_a_boolean", lambda row: f"{_show(text, row)} is neither true nor false")
    checked.values = pc.if_else(
        pc.is_valid(checked.without_refused(text)), is_true, pa.scalar(None, pa.bool_())
    )


def _make_date(checked: CheckedColumn, text: Any, column: Column) -> None:
    forms = column.formats or (ISO_DATE,)
    if forms[0] == ISO_DATE and (values := _iso_dates(text)) is not None:
        checked.values = values
    else:
        _make_moments(
            checked,
            text,
            lambda cell: parse_date(cell, forms, column.month_names),
            pa.date32(),
            "not_a_date",
            forms,
        )
    check_bounds(checked, column)


def _iso_dates(text: Any) -> Any:
    """Dates of which each is written as 2026-01-31; None where one is not. Arrow alone has a year 0."""
    try:
        values = pc.cast(text, pa.date32())
    except pa.ArrowInvalid:
        return None
    return None if pc.any(pc.less(values, pa.scalar(date.min))).as_py() else values


def _make_timestamp(checked: CheckedColumn, text: Any, column: Column) -> None:
    forms = column.formats or (*ISO_MOMENTS, "%Y-%m-%d %H:%M:%S")
    kind = pa.timestamp("us", "UTC")
    zone, hour = column.time_zone, column.repeated_hour

    def parse(cell: str) -> datetime | None:
        return parse_timestamp(cell, forms, zone, hour, column.month_names)

    _make_moments(checked, text, parse, kind, "not_a_timestamp", forms, _unclear_times(zone, hour))
    check_bounds(checked, column)


def _make_moments(
    checked: CheckedColumn,
    text: Any,
    parse: Callable[[str], date | datetime | None],
    kind: pa.DataType,
    reason: str,
    forms: tuple[str, ...],
    unclear: str = "",
) -> None:
    """Each distinct text is parsed once: dates repeat, so a million cells are a few hundred parses."""
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    known = iso_moments(text) if forms[:2] == ISO_MOMENTS and pa.types.is_timestamp(kind) else None
    rest = text if known is None else pc.if_else(pc.is_valid(known), pa.scalar(None, pa.string()), text)
    coded = pc.dictionary_encode(rest)
    meanings = pa.array([parse(cell) for cell in coded.dictionary.to_pylist()], kind).take(coded.indices)
    checked.values = meanings if known is None else pc.coalesce(known, meanings)
    if checked.values.null_count == text.null_count:
        return
    strange = pc.and_(pc.is_valid(text), pc.is_null(checked.values))
    checked.refuse(
        strange, reason, lambda row: f"{_show(text, row)} has none of the forms {', '.join(forms)}{unclear}"
    )


def _unclear_times(zone: str, repeated_hour: str) -> str:
    """What else may be wrong with a time that is local."""
    if not zone:
        return ""
    return f", or {zone} leaves it out" + ("" if repeated_hour in ("first", "second") else " or has it twice")


def check_bounds(checked: CheckedColumn, column: Column) -> None:
    if column.minimum is not None:
        below = pc.less(checked.values, _as_bound(column.minimum, checked.values.type))
        checked.refuse(
            below, "out_of_bounds", lambda row: f"{checked.values[row]} is less than {column.minimum}"
        )
    if column.maximum is not None:
        above = pc.greater(checked.values, _as_bound(column.maximum, checked.values.type))
        checked.refuse(
            above, "out_of_bounds", lambda row: f"{checked.values[row]} is more than {column.maximum}"
        )


def _as_bound(bound: Bound, kind: pa.DataType) -> Any:
    """A limit in a decimal column's own type: of two types Arrow may find none that holds both."""
    return pa.scalar(Decimal(str(bound)), kind) if pa.types.is_decimal(kind) else pa.scalar(bound)


def _unlike(text: Any, pattern: str) -> Any:
    return pc.invert(pc.match_substring_regex(text, pattern))


def _unmatched(text: Any, pattern: str) -> Any:
    """Python's own expressions, once a distinct text: what the contract check compiles is what checks them."""
    compiled = re.compile(pattern)
    coded = pc.dictionary_encode(text)
    verdicts = pa.array(
        [compiled.fullmatch(cell) is None for cell in coded.dictionary.to_pylist()], pa.bool_()
    )
    return verdicts.take(coded.indices)


def _show(text: Any, row: int) -> str:
    return quote(text[row].as_py())


MAKERS: dict[LogicalType, Callable[[CheckedColumn, Any, Column], None]] = {
    LogicalType.STRING: _make_string,
    LogicalType.INTEGER: _make_integer,
    LogicalType.NUMBER: _make_number,
    LogicalType.BOOLEAN: _make_boolean,
    LogicalType.DATE: _make_date,
    LogicalType.TIMESTAMP: _make_timestamp,
}
