"""SampleDrop: what was written to one key, and what a loader should make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

# Takes a key and what is to lie there: its bytes, or a file that begins where it stands.
LandingWriter = Callable[[str, bytes | BinaryIO], None]


@dataclass(frozen=True)
class SampleDrop:
    """`rows` are the file's records, `bad_rows` those of them that must end in quarantine."""

    key: str
    rows: int
    bad_rows: int
    note: str
