"""Schedule: when a dataset asks for a run: a preset, a cron line of five fields, or `never`."""

from __future__ import annotations

import re

from data_ingestion.contract.faults import choices

PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@yearly")
NEVER = "never"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),
)
_LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_PART = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?")
_REMEDY = (
    "write a preset such as daily, five cron fields in quotes such as '0 6 * * 1-5' (06:00 UTC, Monday to "
    "Friday), or never"
)


def schedule_of(text: str) -> str:
    """A sound schedule as Airflow takes it: `@daily`, `0 6 * * *`, or `never`.

    A preset may be written without its `@`, which YAML takes only in quotes.
    """
    words = text.lower().split()
    return f"@{words[0]}" if f"@{words[0]}" in PRESETS else " ".join(words)


def faults_of_schedule(text: str) -> tuple[str, str] | None:
    """What is wrong with a schedule, as fault and remedy."""
    words = text.lower().split()
    if len(words) == 1:
        bare = [preset.removeprefix("@") for preset in PRESETS]
        if words[0] == NEVER or words[0].removeprefix("@") in bare:
            return None
        return f"'{text}' is not a schedule", choices(words[0], (*bare, NEVER), _REMEDY)
    if len(words) != len(_FIELDS):
        return f"'{text}' has {len(words)} fields, a cron line has five", _REMEDY
    numbers: list[set[int]] = []
    for word, (name, least, most, names) in zip(words, _FIELDS, strict=True):
        found = _numbers(word, least, most, names)
        if found is None:
            return f"'{word}' is not a valid {name} from {least} to {most}", _REMEDY
        numbers.append(found)
    if not _names_a_date(words, numbers):
        return f"'{text}' names a day that no month has", "correct the day or the month"
    return None


def _numbers(word: str, least: int, most: int, names: dict[str, int]) -> set[int] | None:
    """What a field stands for, None when it is not one."""
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        first, last, step = match[1], match[2], int(match[3] or 1)
        start = least if first == "*" else _number(first, names)
        # cron counts `5/15` from 5 to the end of the field
        end = _number(last, names) if last else most if first == "*" or match[3] else start
        if (first == "*" and last) or start is None or end is None or not step:
            return None
        if not least <= start <= end <= most:
            return None
        found |= set(range(start, end + 1, step))
    return found


def _number(word: str, names: dict[str, int]) -> int | None:
    return int(word) if word.isdecimal() else names.get(word)


def _names_a_date(words: list[str], numbers: list[set[int]]) -> bool:
    """Whether a day of the month comes at all; a day of the week beside it comes by itself."""
    if not words[4].startswith("*"):
        return True
    return any(min(numbers[2]) <= _LONGEST_MONTH.get(month, 31) for month in numbers[3])
