"""Formats: the forms in which dates and times may be written, and the cleanings that come before typing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from data_ingestion.contract.faults import choices
from data_ingestion.contract.terms import LogicalType

CLEANINGS: dict[str, frozenset[LogicalType]] = {
    "trim": frozenset(LogicalType),
    "strip_trailing_apostrophe": frozenset({LogicalType.STRING, LogicalType.INTEGER, LogicalType.NUMBER}),
    "strip_excel_text": frozenset({LogicalType.STRING, LogicalType.INTEGER, LogicalType.NUMBER}),
    "strip_decimal_zero": frozenset({LogicalType.STRING, LogicalType.INTEGER}),
    "strip_letter_prefix": frozenset({LogicalType.STRING, LogicalType.INTEGER}),
    "strip_grouping_commas": frozenset({LogicalType.INTEGER, LogicalType.NUMBER}),
    "number_words": frozenset({LogicalType.INTEGER, LogicalType.NUMBER}),
}

# The cleaning that takes a letter, as `strip_letter_prefix:T`. Another letter may name another thing.
LETTER_PREFIX = "strip_letter_prefix"

DEFAULT_FORMATS: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.DATE: ("%Y-%m-%d",),
    LogicalType.TIMESTAMP: ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"),
}

_MEANINGS = {
    "%Y": "year", "%y": "year", "%m": "month", "%b": "month", "%B": "month", "%d": "day",
    "%H": "hour", "%I": "hour", "%p": "half", "%M": "minute", "%S": "second", "%f": "fraction", "%N": "fraction",
    "%z": "offset",
}  # fmt: skip
_NEEDED = {
    LogicalType.DATE: ("year", "month", "day"),
    LogicalType.TIMESTAMP: ("year", "month", "day", "hour"),
}

_HALVES = ("AM", "PM")
_UTC = ("ETC/UTC", "ETC/GMT")
# What people write behind a time that is not in UTC.
_ZONES = frozenset({
    "CET", "CEST", "MET", "MEST", "MEZ", "MESZ", "WET", "WEST", "EET", "EEST", "BST", "IST", "MSK",
    "MSD", "TRT", "SAST", "CAT", "EAT", "WAT", "GST", "PKT", "NPT", "WIB", "WITA", "WIT", "SGT", "MYT",
    "PHT", "HKT", "CST", "JST", "KST", "AWST", "ACST", "ACDT", "AEST", "AEDT", "NZST", "NZDT", "NST",
    "NDT", "AST", "ADT", "EST", "EDT", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST", "BRT",
    "BRST", "ART", "CLT", "CLST", "COT", "PET", "VET", "UYT",
})  # fmt: skip

# Forms that count from a start instead of spelling a date: units per second.
EPOCHS = {"epoch seconds": 1, "epoch milliseconds": 1_000, "epoch microseconds": 1_000_000}
EXCEL_DAYS = "excel days"

Finding = tuple[str, str]  # fault, remedy


def faults_of_cleaning(names: tuple[str, ...], type_: LogicalType) -> Iterator[tuple[int, str, str]]:
    """What is wrong with a list of cleanings, as (index, fault, remedy)."""
    for index, given in enumerate(names):
        name, letter = letter_of(given)
        if name not in CLEANINGS:
            yield index, f"'{given}' is not a cleaning", choices(name, CLEANINGS)
        elif given in names[:index]:
            yield index, f"'{given}' is listed twice", "keep one; it changes nothing the second time"
        elif name == LETTER_PREFIX and not re.fullmatch("[A-Za-z]", letter):
            yield index, f"'{given}' does not say which letter", f"name it, as in {LETTER_PREFIX}:T"
        elif type_ not in CLEANINGS[name]:
            fitting = [other for other, types in CLEANINGS.items() if type_ in types]
            yield index, f"'{name}' is not for a {type_}", f"a {type_} may have {', '.join(fitting)}"


def letter_of(cleaning: str) -> tuple[str, str]:
    """A cleaning's name, and its letter if it takes one."""
    name, _, letter = cleaning.partition(":")
    return (name, letter) if name == LETTER_PREFIX else (cleaning, "")


def faults_of_format(text: str, type_: LogicalType, *, is_local: bool = False) -> Iterator[Finding]:
    """What is wrong with one form of a date or timestamp; of a column of local times the zone is known."""
    if text == EXCEL_DAYS:
        return
    if text in EPOCHS:
        if type_ is LogicalType.DATE:
            yield f"'{text}' is a moment, of which a date keeps the day alone", "make the column a timestamp"
        return
    codes = re.findall(r"%.?", text, re.DOTALL)
    unknown = [code for code in codes if code not in _MEANINGS and code != "%%"]
    for code in unknown:
        yield f"'{code}' is not a part of a date", f"the parts are {' '.join(_MEANINGS)}"
    if unknown:
        return
    given = [_MEANINGS[code] for code in codes if code != "%%"]
    if missing := [part for part in _NEEDED[type_] if part not in given]:
        yield f"'{text}' has no {' and no '.join(missing)}", f"a {type_} needs {', '.join(_NEEDED[type_])}"
    if twice := sorted({part for part in given if given.count(part) > 1}):
        yield f"'{text}' has the {' and the '.join(twice)} twice", "name each part once"
    if ("%I" in codes) != ("%p" in codes):
        yield f"'{text}' has one of '%I' and '%p'", "an hour from 1 to 12 is read together with AM or PM"
    if type_ is LogicalType.TIMESTAMP and "offset" not in given:
        yield from _faults_of_literals(text, is_local=is_local)


def _faults_of_literals(text: str, *, is_local: bool) -> Iterator[Finding]:
    """Words of a timestamp's form that say something about the time and that the loader would not honour.

    Without `%z` a timestamp is in UTC, or in the zone of its column, so a literal zone is honoured only if it is that.
    """
    literals = re.split("%.", text.replace("%%", " "))
    for index, literal in enumerate(literals):
        for word in re.findall(r"[A-Za-z]+(?:/[A-Za-z_]+)+|[A-Za-z]+", literal):
            if (word in _ZONES or "/" in word) and word.upper() not in _UTC:
                fault = f"'{text}' has the zone '{word}', but the times would be read as UTC"
                if not is_local:
                    yield fault, "name the zone by its IANA name in the setting 'timeZone'"
            # In lower case it may be a word of another language, but hardly at the end.
            elif word in _HALVES or (word.upper() in _HALVES and index == len(literals) - 1):
                fault = f"'{text}' holds '{word}', which would not change the hour"
                yield fault, "write '%p' in its place, and '%I' for the hour"
    offset = re.search(r"[+-][0-9]{1,2}(?::?[0-9]{2})?(?=\s*(?:[\[(].*)?$)", literals[-1])
    if offset and offset[0].strip("+-0:"):
        fault = f"'{text}' has the offset '{offset[0]}', but the times would be read as UTC"
        yield fault, "write '%z' in its place: it reads +02, +0200, +02:00 and Z"


def twins(formats: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    """Pairs of forms that read one text as two dates, such as 03-04-2026, as (index, form, its twin)."""
    shapes: dict[str, str] = {}
    for index, text in enumerate(text.replace("%B", "%b") for text in formats):
        shape = re.sub("%[dmyHIMS]", "%?", text)
        if shapes.get(shape, text) != text:
            yield index, text, shapes[shape]
        shapes.setdefault(shape, text)
