"""Arrival: how a sender says that a file is whole, and how long past periods may still change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NAME, STEM = "{name}", "{stem}"
UNITS = ("hour", "day", "week", "month", "year")
_WINDOW = re.compile(rf"([1-9][0-9]{{0,3}}) ({'|'.join(UNITS)})s?")
_DAYS = {"day": 1, "week": 7}


@dataclass(frozen=True)
class DoneMarker:
    """The name of the object that a sender puts beside a file when the file is whole.

    `{name}` stands for the file's name, `{stem}` for it without its ending; without either, one marker speaks for
    its whole folder.
    """

    text: str

    def of(self, key: str) -> str:
        """The key of the marker that speaks for an object."""
        folder, _, name = key.rpartition("/")
        stem = name.removesuffix(".gz").rpartition(".")[0] or name
        marker = self.text.replace(NAME, name).replace(STEM, stem)
        return f"{folder}/{marker}" if folder else marker

    def is_one(self, key: str) -> bool:
        """Whether an object has a marker's name."""
        parts = re.split(r"\{name\}|\{stem\}", self.text)
        return re.fullmatch(".+".join(map(re.escape, parts)), key.rpartition("/")[2]) is not None


def faults_of_marker(text: str) -> tuple[str, str] | None:
    """What is wrong with the name of a done marker, as fault and remedy."""
    remedy = "write a file's name, e.g. '{name}.done' or '_SUCCESS'"
    bare = text.replace(NAME, "", 1) if NAME in text else text.replace(STEM, "", 1)
    if "/" in text:
        return f"'{text}' leads to another folder", f"{remedy}: a marker lies beside its file"
    if not bare or "{" in bare or "}" in bare or not text.isprintable():
        return f"'{text}' is not a valid name for a marker", remedy
    return None


@dataclass(frozen=True)
class Window:
    """How far back the periods reach that each run lists again."""

    count: int
    unit: str

    def since(self, now: datetime) -> str:
        """The oldest moment in the window, in the form of a period."""
        return f"{self._start(now.astimezone(UTC)):%Y-%m-%dT%H:%M:%S}".rjust(19, "0")

    def _start(self, now: datetime) -> datetime:
        first = datetime(1, 1, 1, tzinfo=UTC)
        try:
            if self.unit == "hour":
                return now - timedelta(hours=self.count)
            if self.unit in _DAYS:
                return now - timedelta(days=self.count * _DAYS[self.unit])
        except OverflowError:
            return first
        months = now.year * 12 + now.month - 1 - self.count * (12 if self.unit == "year" else 1)
        if months < 12:
            return first
        return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)  # whole months: days differ in number


def read_window(text: str) -> Window | None:
    """The window that a text such as `2 hours` or `3 months` speaks of, or None."""
    found = _WINDOW.fullmatch(text)
    return Window(int(found[1]), found[2]) if found else None
