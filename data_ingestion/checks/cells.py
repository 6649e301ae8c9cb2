"""Cells: the text of one column made into values of its type, and the cells for which that can't be done.

Every rule is stated once here and judges clean and dirty chunks alike. What passes can't make COPY fail:
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

from data_ingestion.checks.dates import parse_date, parse_timestamp
from data_ingestion.checks.moments import iso_moments
from data_ingestion.checks.number_words import Unclear, parse_number_words
from data_ingestion.checks.texts import BLANKS, has_blank_ends, has_byte, has_letter, has_nul, longest
from data_ingestion.checks.uuids import UUID_BYTES, parse_uuids
from data_ingestion.contract import Column, LogicalType
from data_ingestion.contract.formats import letter_of
from data_ingestion.contract.terms import Bound

ISO_DATE = "%Y-%m-%d"
ISO_MOMENTS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
PLAIN_NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?$|^[+-]?\.[0-9]+$"
FLOAT_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
NOT_ZERO = r"^[^eE]*[1-9]"
# Thousands by three (1,234,567.80), or Indian grouping: the last three, then by two (12,34,567.80).
GROUPED_NUMBER = r"^[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,2}(,[0-9]{2})*,[0-9]{3})(\.[0-9]*)?$"
# What begins like this is a number in words, or none at all.
WORDS = "^[A-Za-z]"
TRUE_WORDS, FALSE_WORDS = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
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
class Judged:
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


def judge_cells(text: Any, column: Column) -> Judged:
    """A column of text as values of its declared type, after the declared cleaning.

    A blank cell is null, except that a column kept as text without the cleaning `trim` keeps its blanks and an
    explicitly quoted empty text.
    """
    cleaned = _clean(text, column)
    judged = Judged(cleaned)
    if "number_words" in column.cleaning and has_letter(cleaned):
        _refuse_unclear_words(judged, cleaned)
    make = _make_uuid if column.is_uuid else MAKERS[column.type]
    make(judged, cleaned, column)
    if column.required and cleaned.null_count:
        judged.refuse(pc.is_null(cleaned), "missing", lambda _: "a value is required")
    return judged


def _clean(text: Any, column: Column) -> Any:
    """The declared cleanings in their declared order; every type but text is trimmed anyway."""
    is_text = column.type is LogicalType.STRING and not column.is_uuid
    steps = column.cleaning if is_text else ("trim", *column.cleaning)
    for step in steps:
        name, letter = letter_of(step)
        text = _strip_letter_prefix(text, letter) if letter else CLEANINGS[name](text)
    return text


def _trim(text: Any) -> Any:
    if not has_blank_ends(text):
        return text
    text = pc.utf8_trim(text, BLANKS)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _strip_letter_prefix(text: Any, letter: str) -> Any:
    return pc.replace_substring_regex(text, f"^(?i:{letter})([0-9]+)$", r"\1")


def _strip_grouping_commas(text: Any) -> Any:
    if not has_byte(text, b","):
        return text
    grouped = pc.match_substring_regex(text, GROUPED_NUMBER)
    return pc.if_else(grouped, pc.replace_substring(text, ",", ""), text)


def _number_words(text: Any) -> Any:
    """Each distinct text of words is read once. What spells no number stays, and is refused with its reason."""
    if not has_letter(text):
        return text
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    in_words = pc.fill_null(pc.match_substring_regex(text, WORDS), False)
    coded = pc.dictionary_encode(text.filter(in_words))
    read = ((cell, parse_number_words(cell)) for cell in coded.dictionary.to_pylist())
    meanings = pa.array(
        [cell if isinstance(digits, Unclear) else digits for cell, digits in read], pa.string()
    )
    return pc.replace_with_mask(text, in_words, meanings.take(coded.indices))


def _refuse_unclear_words(judged: Judged, text: Any) -> None:
    def why(row: int) -> str:
        found = parse_number_words(text[row].as_py())
        return f"{_show(text, row)} is no number: {found.why}" if isinstance(found, Unclear) else ""

    judged.refuse(pc.match_substring_regex(text, WORDS), "not_number_words", why)


CLEANINGS: dict[str, Callable[[Any], Any]] = {
    "trim": _trim,
    "strip_trailing_apostrophe": lambda text: pc.replace_substring_regex(text, "'$", ""),
    "strip_decimal_zero": lambda text: pc.replace_substring_regex(text, r"^([0-9]+)\.0+$", r"\1"),
    "strip_grouping_commas": _strip_grouping_commas,
    "number_words": _number_words,
}


def _make_string(judged: Judged, text: Any, column: Column) -> None:
    if has_nul(text):
        judged.refuse(pc.match_substring(text, "\x00"), "nul_byte", lambda _: "a text can't hold a NUL byte")
    length: Any = pc.utf8_length(text) if (column.max_length, column.min_length) != (None, None) else None
    if column.max_length is not None:
        judged.refuse(
            pc.greater(length, column.max_length),
            "too_long",
            lambda row: f"{length[row]} characters, at most {column.max_length}",
        )
    if column.min_length is not None:
        judged.refuse(
            pc.less(length, column.min_length),
            "too_short",
            lambda row: f"{length[row]} characters, at least {column.min_length}",
        )
    if column.pattern is not None:
        judged.refuse(
            _unmatched(text, column.pattern),
            "pattern",
            lambda row: f"{_show(text, row)} does not match {column.pattern}",
        )
    if column.accepted_values:
        accepted = pc.is_in(text, pa.array(column.accepted_values, pa.string()), skip_nulls=True)
        judged.refuse(
            pc.and_(pc.is_valid(text), pc.invert(accepted)),
            "not_accepted",
            lambda row: f"{_show(text, row)} is no accepted value",
        )
    judged.values = text


def _make_uuid(judged: Judged, text: Any, column: Column) -> None:
    judged.values = parse_uuids(text)
    if judged.values.null_count == text.null_count:
        return
    strange = pc.and_(pc.is_valid(text), pc.is_null(judged.values))
    judged.refuse(
        strange,
        "not_a_uuid",
        lambda row: f"{_show(text, row)} is not of the form 8-4-4-4-12 hexadecimal digits",
    )


def _make_integer(judged: Judged, text: Any, column: Column) -> None:
    judged.refuse(
        _unlike(text, r"^[+-]?[0-9]+$"),
        "not_an_integer",
        lambda row: f"{_show(text, row)} is no whole number",
    )
    bits = INTEGER_RANGES.get(column.physical_type, 63)
    short = judged.without_refused(pc.replace_substring_regex(text, r"^([+-]?)0+([0-9])", r"\1\2"))
    judged.refuse(
        pc.greater(pc.utf8_length(short), 20),
        "out_of_range",
        lambda row: f"{_show(text, row)} needs more than {bits + 1} bits",
    )
    wide = pc.cast(judged.without_refused(short), pa.decimal128(MAX_DIGITS, 0))
    low, high = (pa.scalar(limit, pa.decimal128(MAX_DIGITS, 0)) for limit in (-(2**bits), 2**bits - 1))
    outside = pc.or_(pc.less(wide, low), pc.greater(wide, high))
    judged.refuse(outside, "out_of_range", lambda row: f"{_show(text, row)} needs more than {bits + 1} bits")
    judged.values = pc.cast(judged.without_refused(wide), pa.int64())
    check_bounds(judged, column)


def _make_number(judged: Judged, text: Any, column: Column) -> None:
    if column.precision is None:
        judged.refuse(
            _unlike(text, FLOAT_NUMBER), "not_a_number", lambda row: f"{_show(text, row)} is no number"
        )
        judged.values = pc.cast(judged.without_refused(text), pa.float64())
        judged.refuse(
            pc.invert(pc.is_finite(judged.values)),
            "out_of_range",
            lambda row: f"{_show(text, row)} is beyond double precision",
        )
        vanished = pc.and_(pc.equal(judged.values, 0.0), pc.match_substring_regex(text, NOT_ZERO))
        judged.refuse(
            vanished,
            "out_of_range",
            lambda row: f"{_show(text, row)} is too near to zero for double precision",
        )
        check_bounds(judged, column)
        return
    judged.refuse(_unlike(text, PLAIN_NUMBER), "not_a_number", lambda row: f"{_show(text, row)} is no number")
    whole, scale = column.precision - (column.scale or 0), column.scale or 0
    if (judged_at_once := _short_decimals(judged.without_refused(text), column.precision, scale)) is not None:
        judged.values = judged_at_once
        check_bounds(judged, column)
        return
    bare = pc.replace_substring_regex(judged.without_refused(text), "^([+-]?)0+([0-9])", r"\1\2")
    bare = pc.replace_substring_regex(bare, r"^([+-]?)\.", r"\10.")  # .0 without its zeros would be a point
    bare = pc.if_else(pc.match_substring(bare, "."), pc.utf8_rtrim(bare, "0"), bare)
    parts_whole = pc.utf8_length(pc.replace_substring_regex(bare, r"^[+-]|\..*$", ""))
    zero_whole = pc.match_substring_regex(bare, r"^[+-]?0(\.|$)")
    too_big = pc.and_(pc.greater(parts_whole, whole), pc.invert(zero_whole))
    judged.refuse(
        too_big,
        "out_of_range",
        lambda row: f"{_show(text, row)} has more than {whole} digits before the point",
    )
    too_fine = pc.match_substring_regex(bare, rf"\.[0-9]{{{scale + 1},}}$")
    judged.refuse(too_fine, "too_precise", lambda row: f"{_show(text, row)} has more than {scale} decimals")
    judged.values = pc.cast(judged.without_refused(bare), pa.decimal128(column.precision, scale))
    check_bounds(judged, column)


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


def _make_boolean(judged: Judged, text: Any, column: Column) -> None:
    lower = pc.utf8_lower(text)
    is_true, is_false = (pc.is_in(lower, pa.array(words)) for words in (TRUE_WORDS, FALSE_WORDS))
    strange = pc.and_(pc.is_valid(text), pc.invert(pc.or_(is_true, is_false)))
    judged.refuse(strange, "not_a_boolean", lambda row: f"{_show(text, row)} is neither true nor false")
    judged.values = pc.if_else(
        pc.is_valid(judged.without_refused(text)), is_true, pa.scalar(None, pa.bool_())
    )


def _make_date(judged: Judged, text: Any, column: Column) -> None:
    forms = column.formats or (ISO_DATE,)
    if forms[0] == ISO_DATE and (values := _iso_dates(text)) is not None:
        judged.values = values
    else:
        _make_moments(judged, text, lambda cell: parse_date(cell, forms), pa.date32(), "not_a_date", forms)
    check_bounds(judged, column)


def _iso_dates(text: Any) -> Any:
    """Dates of which each is written as 2026-01-31; None where one is not. Arrow knows a year 0, nobody else does."""
    try:
        values = pc.cast(text, pa.date32())
    except pa.ArrowInvalid:
        return None
    return None if pc.any(pc.less(values, pa.scalar(date.min))).as_py() else values


def _make_timestamp(judged: Judged, text: Any, column: Column) -> None:
    forms = column.formats or (*ISO_MOMENTS, "%Y-%m-%d %H:%M:%S")
    _make_moments(
        judged,
        text,
        lambda cell: parse_timestamp(cell, forms),
        pa.timestamp("us", "UTC"),
        "not_a_timestamp",
        forms,
    )
    check_bounds(judged, column)


def _make_moments(
    judged: Judged,
    text: Any,
    parse: Callable[[str], date | datetime | None],
    kind: pa.DataType,
    reason: str,
    forms: tuple[str, ...],
) -> None:
    """Each distinct text is parsed once: dates repeat, so a million cells are a few hundred parses."""
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    known = iso_moments(text) if forms[:2] == ISO_MOMENTS else None
    rest = text if known is None else pc.if_else(pc.is_valid(known), pa.scalar(None, pa.string()), text)
    coded = pc.dictionary_encode(rest)
    meanings = pa.array([parse(cell) for cell in coded.dictionary.to_pylist()], kind).take(coded.indices)
    judged.values = meanings if known is None else pc.coalesce(known, meanings)
    if judged.values.null_count == text.null_count:
        return
    strange = pc.and_(pc.is_valid(text), pc.is_null(judged.values))
    judged.refuse(
        strange, reason, lambda row: f"{_show(text, row)} is of none of the forms {', '.join(forms)}"
    )


def check_bounds(judged: Judged, column: Column) -> None:
    if column.minimum is not None:
        below = pc.less(judged.values, _as_bound(column.minimum, judged.values.type))
        judged.refuse(
            below, "out_of_bounds", lambda row: f"{judged.values[row]} is less than {column.minimum}"
        )
    if column.maximum is not None:
        above = pc.greater(judged.values, _as_bound(column.maximum, judged.values.type))
        judged.refuse(
            above, "out_of_bounds", lambda row: f"{judged.values[row]} is more than {column.maximum}"
        )


def _as_bound(bound: Bound, kind: pa.DataType) -> Any:
    """A limit in a decimal column's own type: of two types Arrow may find none that holds both."""
    return pa.scalar(Decimal(str(bound)), kind) if pa.types.is_decimal(kind) else pa.scalar(bound)


def _unlike(text: Any, pattern: str) -> Any:
    return pc.invert(pc.match_substring_regex(text, pattern))


def _unmatched(text: Any, pattern: str) -> Any:
    """Python's own expressions, once a distinct text: what the contract check compiles is what judges."""
    compiled = re.compile(pattern)
    coded = pc.dictionary_encode(text)
    verdicts = pa.array(
        [compiled.fullmatch(cell) is None for cell in coded.dictionary.to_pylist()], pa.bool_()
    )
    return verdicts.take(coded.indices)


def _show(text: Any, row: int) -> str:
    cell = text[row].as_py()
    return repr(cell if len(cell) <= 60 else f"{cell[:57]}...")


MAKERS: dict[LogicalType, Callable[[Judged, Any, Column], None]] = {
    LogicalType.STRING: _make_string,
    LogicalType.INTEGER: _make_integer,
    LogicalType.NUMBER: _make_number,
    LogicalType.BOOLEAN: _make_boolean,
    LogicalType.DATE: _make_date,
    LogicalType.TIMESTAMP: _make_timestamp,
}
