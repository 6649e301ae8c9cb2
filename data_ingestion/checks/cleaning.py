"""Cleaning: what is done to the texts of a column before they are typed, as its contract declares it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checks.number_words import Unclear, parse_number_words
from data_ingestion.checks.texts import BLANKS, has_blank_ends, has_byte, has_letter
from data_ingestion.contract import Column, LogicalType
from data_ingestion.contract.formats import letter_of

# Thousands by three (1,234,567.80), or Indian grouping: the last three, then by two (12,34,567.80).
GROUPED_NUMBER = r"^[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,2}(,[0-9]{2})*,[0-9]{3})(\.[0-9]*)?$"
# What begins like this is a number in words, or none at all.
WORDS = "^[A-Za-z]"


def clean(text: Any, column: Column) -> Any:
    """The declared cleanings in their declared order; every type but text is trimmed anyway."""
    is_text = column.type is LogicalType.STRING and not column.is_uuid
    steps = column.cleaning if is_text else ("trim", *column.cleaning)
    if column.null_values:
        text = _without_null_values(text, column)
    for step in steps:
        name, letter = letter_of(step)
        text = _strip_letter_prefix(text, letter) if letter else CLEANINGS[name](text)
    return text


def _without_null_values(text: Any, column: Column) -> Any:
    """Null where the contract says that a text means none, with blanks around it or not."""
    means_null = pc.is_in(pc.utf8_trim(text, BLANKS), pa.array(column.null_values, pa.string()))
    if not pc.any(means_null).as_py():
        return text
    return pc.if_else(means_null, pa.scalar(None, pa.string()), text)


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


CLEANINGS: dict[str, Callable[[Any], Any]] = {
    "trim": _trim,
    "strip_trailing_apostrophe": lambda text: pc.replace_substring_regex(text, "'$", ""),
    # What people write so that a spreadsheet keeps digits as text: ="00123" and '00123.
    "strip_excel_text": lambda text: pc.replace_substring_regex(
        text, r"""^(?s:="([^"]*)"|'(.*))$""", r"\1\2"
    ),
    "strip_decimal_zero": lambda text: pc.replace_substring_regex(text, r"^([0-9]+)\.0+$", r"\1"),
    "strip_grouping_commas": _strip_grouping_commas,
    "number_words": _number_words,
}
