"""Formats: the forms in which dates and times may be written, and the cleanings that come before typing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_ingestion.contract.faults import choices
from data_ingestion.contract.terms import LogicalType

CLEANINGS: dict[str, frozenset[LogicalType]] = {
    "trim": frozenset(LogicalType),
    "strip_trailing_apostrophe": frozenset({LogicalType.STRING, LogicalType.INTEGER, LogicalType.NUMBER}),
    "strip_decimal_zero": frozenset({LogicalType.STRING, LogicalType.INTEGER}),
    "strip_letter_prefix": frozenset({LogicalType.STRING, LogicalType.INTEGER}),
    "strip_grouping_commas": frozenset({LogicalType.INTEGER, LogicalType.NUMBER}),
    "number_words": frozenset({LogicalType.INTEGER, LogicalType.NUMBER}),
}

# The cleaning that is told a letter, as `strip_letter_prefix:T`. Another letter may name another thing.
LETTER_PREFIX = "strip_letter_prefix"

DEFAULT_FORMATS: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.DATE: ("%Y-%m-%d",),
    LogicalType.TIMESTAMP: ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"),
}

_MEANINGS = {
    "%Y": "year", "%y": "year", "%m": "month", "%b": "month", "%B": "month", "%d": "day",
    "%H": "hour", "%M": "minute", "%S": "second", "%f": "fraction", "%z": "offset",
}  # fmt: skip
_NEEDED = {
    LogicalType.DATE: ("year", "month", "day"),
    LogicalType.TIMESTAMP: ("year", "month", "day", "hour"),
}

Finding = tuple[str, str]  # fault, remedy


def faults_of_cleaning(names: tuple[str, ...], type_: LogicalType) -> Iterator[tuple[int, str, str]]:
    """What is wrong with a list of cleanings, as (index, fault, remedy)."""
    for index, given in enumerate(names):
        name, letter = letter_of(given)
        if name not in CLEANINGS:
            yield index, f"'{given}' is no cleaning", choices(name, CLEANINGS)
        elif given in names[:index]:
            yield index, f"'{given}' is listed twice", "keep one; it changes nothing the second time"
        elif name == LETTER_PREFIX and not re.fullmatch("[A-Za-z]", letter):
            yield index, f"'{given}' does not say which letter", f"name it, as in {LETTER_PREFIX}:T"
        elif type_ not in CLEANINGS[name]:
            fitting = [other for other, types in CLEANINGS.items() if type_ in types]
            yield index, f"'{name}' is not for a {type_}", f"a {type_} may have {', '.join(fitting)}"


def letter_of(cleaning: str) -> tuple[str, str]:
    """A cleaning's name, and the letter that it is told if it is one that takes any."""
    name, _, letter = cleaning.partition(":")
    return (name, letter) if name == LETTER_PREFIX else (cleaning, "")


def faults_of_format(text: str, type_: LogicalType) -> Iterator[Finding]:
    """What is wrong with one form of a date or timestamp."""
    codes = re.findall(r"%.?", text, re.DOTALL)
    unknown = [code for code in codes if code not in _MEANINGS and code != "%%"]
    for code in unknown:
        yield f"'{code}' is no part of a date", f"the parts are {' '.join(_MEANINGS)}"
    if unknown:
        return
    given = [_MEANINGS[code] for code in codes if code != "%%"]
    if missing := [part for part in _NEEDED[type_] if part not in given]:
        yield f"'{text}' says no {' and no '.join(missing)}", f"a {type_} needs {', '.join(_NEEDED[type_])}"
    if twice := sorted({part for part in given if given.count(part) > 1}):
        yield f"'{text}' says the {' and the '.join(twice)} twice", "name each part once"
    if type_ is LogicalType.DATE and (times := [part for part in given if part not in _NEEDED[type_]]):
        yield f"'{text}' reads {', '.join(times)}, which a date does not keep", "make the column a timestamp"


def twins(formats: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    """Pairs of forms that read one text as two dates, such as 03-04-2026, as (index, form, its twin)."""
    shapes: dict[str, str] = {}
    for index, text in enumerate(text.replace("%B", "%b") for text in formats):
        shape = re.sub("%[dmyHMS]", "%N", text)
        if shapes.get(shape, text) != text:
            yield index, text, shapes[shape]
        shapes.setdefault(shape, text)
