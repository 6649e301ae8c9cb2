"""Dates and times from text, by declared forms: month names as the contract has them, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from data_ingestion.contract.formats import EPOCHS, EXCEL_DAYS
from data_ingestion.contract.month_names import NAMED, OR, plain

ENGLISH = (
    "january|jan", "february|feb", "march|mar", "april|apr", "may", "june|jun", "july|jul", "august|aug",
    "september|sep|sept", "october|oct", "november|nov", "december|dec",
)  # fmt: skip

# A two-digit year follows POSIX: 69-99 are of the twentieth century, 00-68 of the twenty-first.
CENTURY_PIVOT = 69

# Where counts begin, and what one looks like.
EPOCH, DAY_ZERO, FIRST_EXCEL_DAY = datetime(1970, 1, 1), datetime(1899, 12, 30), 61
COUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")

DIRECTIVES = {
    "%Y": r"(?P<year>[0-9]{4})",
    "%y": r"(?P<short_year>[0-9]{2})",
    "%m": r"(?P<month>[0-9]{1,2})",
    "%b": r"(?P<month_name>[A-Za-z]{3,4})",
    "%B": r"(?P<month_name>[A-Za-z]{3,9})",
    "%d": r"(?P<day>[0-9]{1,2})",
    "%H": r"(?P<hour>[0-9]{1,2})",
    "%I": r"(?P<half_hour>[0-9]{1,2})",
    "%p": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "%M": r"(?P<minute>[0-9]{1,2})",
    "%S": r"(?P<second>[0-9]{1,2})",
    "%f": r"(?P<fraction>[0-9]{1,6})",
    "%N": r"(?P<fraction>[0-9]{1,9})",
    "%z": r"(?P<zone>Z|[+-][0-9]{2}(?::?[0-5][0-9])?)",
    "%%": "%",
}


@lru_cache(maxsize=256)
def compile_form(form: str, months: tuple[str, ...] = ()) -> re.Pattern[str]:
    """The pattern that text of a form such as `%d-%b-%y` matches as a whole, with months of these names."""
    literals, directives = re.split(r"%.", form), re.findall(r"%.", form)
    parts = [re.escape(literals[0])]
    for index, directive in enumerate(directives):
        # Parts that touch (%Y%m%d) have nothing to tell them apart but their widths.
        between = literals[max(index, 1) : index + (index < len(directives) - 1) + 1]
        part = _one_of(months) if months and directive in NAMED else DIRECTIVES[directive]
        parts.append(part.replace("{1,2}", "{2}") if "" in between else part)
        parts.append(re.escape(literals[index + 1]))
    return re.compile("".join(parts))


def _one_of(months: tuple[str, ...]) -> str:
    """A name of these months in any case, the longest first, with a full stop at its end or without."""
    names = {spelling.removesuffix(".") for month in months for spelling in month.split(OR)}
    return f"(?P<month_name>(?i:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})\\.?)"


@lru_cache(maxsize=64)
def _number_of(months: tuple[str, ...]) -> dict[str, int]:
    """The number of each month by its names, as they are compared."""
    return {plain(name): number for number, names in enumerate(months, start=1) for name in names.split(OR)}


@lru_cache(maxsize=1 << 14)  # the same few dates come with every chunk of a file
def parse_date(text: str, forms: tuple[str, ...], months: tuple[str, ...] = ()) -> date | None:
    """The date that the first matching form makes of the text, or None. A 30 February is not a date."""
    for moment, _ in _readings(text, forms, months):
        if moment.time() == time.min:
            return moment.date()
    return None


def parse_timestamp(
    text: str,
    forms: tuple[str, ...],
    zone: str = "",
    repeated_hour: str = "",
    months: tuple[str, ...] = (),
) -> datetime | None:
    """The moment, in UTC, that the first matching form makes of the text; without an offset it is of `zone`, or UTC.

    A local time that the zone leaves out is none. One that it has twice is the one that `repeated_hour` names
    (`first`, `second`), else none.
    """
    for moment, offset in _readings(text, forms, months):
        try:
            if offset is None and zone:
                return _of_zone(moment, ZoneInfo(zone), repeated_hour)
            return moment.replace(tzinfo=offset or UTC).astimezone(UTC)
        except OverflowError:  # within a day of the first or last of all
            continue
    return None


def _readings(
    text: str, forms: tuple[str, ...], months: tuple[str, ...]
) -> Iterator[tuple[datetime, timezone | None]]:
    """What each form that fits makes of a text: a time on the clock, and its offset from UTC if it says one."""
    for form in forms:
        try:
            if form in EPOCHS or form == EXCEL_DAYS:
                if COUNT.fullmatch(text):
                    yield _counted(Decimal(text), form)
            elif match := compile_form(form, months).fullmatch(text):
                yield _written(match.groupdict(), _number_of(months or ENGLISH))
        except (ValueError, OverflowError):
            continue


def _counted(count: Decimal, form: str) -> tuple[datetime, timezone | None]:
    """A moment as the number of seconds since 1970, or of days as a spreadsheet counts them."""
    if form == EXCEL_DAYS:
        if count < FIRST_EXCEL_DAY:  # a spreadsheet has a 29 February 1900, so what is before it is a day off
            raise ValueError
        return DAY_ZERO + timedelta(microseconds=round(count * 86_400) * 1_000_000), None
    return EPOCH + timedelta(microseconds=_whole(count * 1_000_000 / EPOCHS[form])), UTC


def _whole(count: Decimal) -> int:
    if count != int(count):
        raise ValueError
    return int(count)


def _written(parts: dict[str, str], number_of: dict[str, int]) -> tuple[datetime, timezone | None]:
    offset = None
    if text := parts.get("zone"):
        minutes = 0 if text == "Z" else int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
        offset = timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    if half := parts.get("half"):
        if not 1 <= (of_twelve := int(parts["half_hour"])) <= 12:
            raise ValueError
        hour = of_twelve % 12 + (12 if half[0] in "pP" else 0)
    micro = int((parts.get("fraction") or "0")[:6].ljust(6, "0"))
    day = _date(parts, number_of)
    return datetime(day.year, day.month, day.day, hour, minute, second, micro), offset


def _date(parts: dict[str, str], number_of: dict[str, int]) -> date:
    if (short := parts.get("short_year")) is not None:
        year = int(short) + (1900 if int(short) >= CENTURY_PIVOT else 2000)
    else:
        year = int(parts["year"])
    if (name := parts.get("month_name")) is not None:
        month = number_of.get(plain(name), 0)
    else:
        month = int(parts.get("month") or 1)
    return date(year, month, int(parts.get("day") or 1))


def _of_zone(moment: datetime, zone: ZoneInfo, repeated_hour: str) -> datetime | None:
    first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != moment:
        return None  # left out when clocks are put forward
    if first != second:
        return {"first": first, "second": second}.get(repeated_hour)
    return first
