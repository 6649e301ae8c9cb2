"""Dates and times from text, by declared forms: English month names whatever the locale, never a guess."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TypeVar

Moment = TypeVar("Moment", bound=date)

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
            "august aug", "september sep sept", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

# A two-digit year follows POSIX: 69-99 are of the twentieth century, 00-68 of the twenty-first.
CENTURY_PIVOT = 69

DIRECTIVES = {
    "%Y": r"(?P<year>[0-9]{4})",
    "%y": r"(?P<short_year>[0-9]{2})",
    "%m": r"(?P<month>[0-9]{1,2})",
    "%b": r"(?P<month_name>[A-Za-z]{3,4})",
    "%B": r"(?P<month_name>[A-Za-z]{3,9})",
    "%d": r"(?P<day>[0-9]{1,2})",
    "%H": r"(?P<hour>[0-9]{1,2})",
    "%M": r"(?P<minute>[0-9]{1,2})",
    "%S": r"(?P<second>[0-9]{1,2})",
    "%f": r"(?P<fraction>[0-9]{1,6})",
    "%z": r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%%": "%",
}


@lru_cache(maxsize=256)
def compile_form(form: str) -> re.Pattern[str]:
    """The pattern that text of a form such as `%d-%b-%y` matches as a whole."""
    literals, directives = re.split(r"%.", form), re.findall(r"%.", form)
    parts = [re.escape(literals[0])]
    for index, directive in enumerate(directives):
        # Parts that touch (%Y%m%d) have nothing to tell them apart but their widths.
        between = literals[max(index, 1) : index + (index < len(directives) - 1) + 1]
        part = DIRECTIVES[directive]
        parts.append(part.replace("{1,2}", "{2}") if "" in between else part)
        parts.append(re.escape(literals[index + 1]))
    return re.compile("".join(parts))


@lru_cache(maxsize=1 << 14)  # the same few dates come with every chunk of a file
def parse_date(text: str, forms: tuple[str, ...]) -> date | None:
    """The date that the first matching form makes of the text, or None. A 30 February is no date."""
    return _first(text, forms, _date)


def parse_timestamp(text: str, forms: tuple[str, ...]) -> datetime | None:
    """The moment, in UTC, that the first matching form makes of the text; without a zone it is taken as UTC."""
    return _first(text, forms, _moment)


def _first(text: str, forms: tuple[str, ...], make: Callable[[dict[str, str]], Moment]) -> Moment | None:
    for form in forms:
        if match := compile_form(form).fullmatch(text):
            try:
                return make(match.groupdict())
            except (ValueError, OverflowError):
                continue
    return None


def _date(parts: dict[str, str]) -> date:
    if (short := parts.get("short_year")) is not None:
        year = int(short) + (1900 if int(short) >= CENTURY_PIVOT else 2000)
    else:
        year = int(parts["year"])
    if (name := parts.get("month_name")) is not None:
        month = MONTHS.get(name.lower(), 0)
    else:
        month = int(parts.get("month") or 1)
    return date(year, month, int(parts.get("day") or 1))


def _moment(parts: dict[str, str]) -> datetime:
    zone: timezone = UTC
    if (text := parts.get("zone")) and text != "Z":
        minutes = int(text[1:3]) * 60 + int(text[-2:])
        zone = timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    micro = int((parts.get("fraction") or "0").ljust(6, "0"))
    day = _date(parts)
    return datetime(day.year, day.month, day.day, hour, minute, second, micro, tzinfo=zone).astimezone(UTC)
