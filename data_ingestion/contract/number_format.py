"""Number format: how a contract says that the numbers of its files are written."""

from __future__ import annotations

from collections.abc import Sequence

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.file_formats import JsonFormat, JsonLinesFormat
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import LogicalType, NumberFormat, Source

ANCHOR = "number-format"
PARTS = ("decimal", "grouping", "negative", "currency", "percent", "exponent")
DECIMAL_MARKS = (".", ",")
GROUPING_MARKS = (",", ".", " ", "'", "’", "_")
NEGATIVES = ("trailing_minus", "parentheses")
PERCENTS = ("divide", "keep")
OF_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
# Cleanings that say of numbers what a format says, otherwise.
RIVALS = ("strip_grouping_commas", "number_words")


def read_number_format(document: Document, given: Given | None) -> NumberFormat | None:
    """The setting `numberFormat`; None where numbers are plain."""
    if given is None or not isinstance(given.value, dict):
        return None
    for name in given.value:
        if name not in PARTS:
            fault = "is not a part of a number format"
            document.add(inside(given.place, name), fault, choices(name, PARTS), ANCHOR)
    decimal = _one_of(document, given, "decimal", DECIMAL_MARKS, ".")
    grouping = _one_of(document, given, "grouping", GROUPING_MARKS, "")
    if decimal == grouping:
        fault = f"'{grouping}' is also the mark before decimals"
        document.add(inside(given.place, "grouping"), fault, "name two marks that differ", ANCHOR)
    negative = _texts(document, given, "negative")
    for index, text in enumerate(negative):
        if text not in NEGATIVES:
            place = inside(inside(given.place, "negative"), index)
            document.add(place, f"'{text}' is not a way to write a minus", choices(text, NEGATIVES), ANCHOR)
    currency = _texts(document, given, "currency")
    for index, text in enumerate(currency):
        if not text.strip() or text != text.strip() or any(sign in "0123456789+-().," for sign in text):
            place = inside(inside(given.place, "currency"), index)
            remedy = "write it without blanks, digits, signs and marks, such as € or EUR"
            document.add(place, f"{described(text)} is not a currency", remedy, ANCHOR)
    percent = _one_of(document, given, "percent", PERCENTS, "")
    exponent = given.value.get("exponent", False)
    if not isinstance(exponent, bool):
        fault = f"{described(exponent)} is not true or false"
        document.add(inside(given.place, "exponent"), fault, "write true or false", ANCHOR)
    return NumberFormat(decimal, grouping, negative, currency, percent, exponent is True)


def check_number_format(
    document: Document, given: Given | None, type_: LogicalType, cleaning: Sequence[str]
) -> None:
    """Adds what is wrong with a column's own number format beside its type and cleanings."""
    if given and type_ not in OF_NUMBERS:
        fault, remedy = f"a {type_} has no number format", "leave it out, or make the column a number"
        document.add(given.place, fault, remedy, ANCHOR)
    if given and (rivals := [name for name in cleaning if name in RIVALS]):
        fault = f"the cleaning '{rivals[0]}' says otherwise how numbers are written"
        document.add(given.place, fault, "keep one of the two", ANCHOR)


def check_sources(document: Document, given: Given | None, sources: Sequence[Source]) -> None:
    """Adds a fault for a number format of JSON: it writes its numbers in one way."""
    if given and any(isinstance(source.format, JsonFormat | JsonLinesFormat) for source in sources):
        fault = "JSON has numbers in one form alone"
        document.add(given.place, fault, "leave it out, or give it to single columns of text", ANCHOR)


def _one_of(document: Document, given: Given, name: str, known: Sequence[str], default: str) -> str:
    assert isinstance(given.value, dict)
    value: Value = given.value.get(name, default)
    if name in given.value and value not in known:
        fault = f"{described(value)} is not a choice"
        document.add(inside(given.place, name), fault, f"write one of {', '.join(map(repr, known))}", ANCHOR)
        return default
    return str(value)


def _texts(document: Document, given: Given, name: str) -> tuple[str, ...]:
    assert isinstance(given.value, dict)
    value: Value = given.value.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        document.add(
            inside(given.place, name), f"{described(value)} is not a list of texts", "write [..]", ANCHOR
        )
        return ()
    return tuple(map(str, value))
