"""Periods: the time that a drop is about, as text that sorts by time; a person writes it in the same way."""

from __future__ import annotations

import re
from datetime import datetime

PERIOD = (
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9])?)?)?)?)?"
)
# The same period by how many parts it has, as an example of each.
EXAMPLES = ("2026", "2026-03", "2026-03-31", "2026-03-31T23", "2026-03-31T23:59", "2026-03-31T23:59:59")
UNITS = ("year", "month", "day", "hour", "minute", "second")
WRITTEN = f"{', '.join(EXAMPLES[:4])} or {EXAMPLES[4]}"


def is_period(text: str) -> bool:
    """Whether a text is a year, or a time from the year down to the second.

    Each number has all its digits: 2026-3 would sort after 2026-12.
    """
    if not re.fullmatch(PERIOD, text):
        return False
    try:
        datetime.fromisoformat(text + "0001-01-01T00:00:00"[len(text) :])
    except ValueError:  # 31 June
        return False
    return True
