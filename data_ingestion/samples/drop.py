"""SampleDrop: what was written to one key, and what a loader should make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LandingWriter = Callable[[str, bytes], None]


@dataclass(frozen=True)
class SampleDrop:
    """`rows` are the file's records, `bad_rows` those of them that must end in quarantine."""

    key: str
    rows: int
    bad_rows: int
    note: str
