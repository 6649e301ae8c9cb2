"""Meanings: texts that stand for null, true or false in a contract's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_ingestion.contract.document import Document, inside
from data_ingestion.contract.settings import Given
from data_ingestion.contract.terms import LogicalType

# What a boolean is read from where the contract says nothing else.
TRUE_WORDS, FALSE_WORDS = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def read_null_values(document: Document, given: Given | None) -> tuple[str, ...]:
    """The texts that stand for null."""
    return _read_texts(document, given, "null-values")


@dataclass(frozen=True)
class TruthValues:
    """The texts of a boolean as its contract lists them, in lower case; empty where the usual ones are meant."""

    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # all that are read, the usual ones too; none of a column of another type


def read_truth_values(document: Document, settings: Mapping[str, Given], type_: LogicalType) -> TruthValues:
    """The texts that stand for true, and those that stand for false."""
    read: dict[str, tuple[str, ...]] = {}
    for name in ("trueValues", "falseValues"):
        given = settings.get(name)
        read[name] = tuple(text.lower() for text in _read_texts(document, given, "truth-values"))
        if given and type_ is not LogicalType.BOOLEAN:
            remedy = "leave it out, or make the column a boolean"
            document.add(given.place, f"a {type_} is neither true nor false", remedy, "truth-values")
    if type_ is not LogicalType.BOOLEAN:
        return TruthValues()
    true, false = read["trueValues"], read["falseValues"]
    words = (*(true or TRUE_WORDS), *(false or FALSE_WORDS))
    if both := sorted({word for word in words if words.count(word) > 1}):
        place = settings["trueValues" if true else "falseValues"].place
        document.add(place, f"'{both[0]}' means both true and false", "keep it in one list", "truth-values")
    return TruthValues(true, false, words)


def check_null_values(
    document: Document, place: str, null_values: Sequence[str], values: Sequence[str]
) -> None:
    """Adds a fault to a column that lists a text both as null and as a value."""
    for text in null_values:
        if text in values or text.lower() in values:
            fault = f"'{text}' means no value, and is a value of this column"
            remedy = "take it out of one list; a column's own 'nullValues' replaces the dataset's"
            document.add(place, fault, remedy, "null-values")


def _read_texts(document: Document, given: Given | None, anchor: str) -> tuple[str, ...]:
    """Texts as a cell has them, without blanks around them, each once."""
    texts = tuple(map(str, given.value)) if given and isinstance(given.value, list) else ()
    for index, text in enumerate(texts):
        place = inside(given.place, index) if given else ""
        if text != text.strip() or not text:
            fault = "is blank" if not text.strip() else f"'{text}' has blanks around it"
            remedy = "an empty cell is null anyway" if not text.strip() else "write it without them"
            document.add(place, fault, f"{remedy}; blanks are removed before cells are compared", anchor)
        elif text in texts[:index]:
            document.add(place, f"'{text}' is listed twice", "keep one", anchor)
    return texts
