"""Changelog: the drops that hold a source's changes, named by the places that they cover."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from data_ingestion.capture.changes import Change
from data_ingestion.landing import Landing

_NAME = re.compile(r"([0-9A-F]{16})-([0-9A-F]{16})(_snapshot)?\.jsonl$")
IN_MEMORY = 8 << 20


@dataclass(frozen=True)
class Place:
    """How far a change log goes: everything before `lsn` is in it, as of the time of its last record."""

    lsn: int
    ts_ms: int


def drop_key(folder: str, first: int, last: int, day: datetime, *, is_snapshot: bool = False) -> str:
    """`<folder>/2026/11/16/<first>-<last>.jsonl`, sorted like the changes themselves."""
    return f"{folder}/{day:%Y/%m/%d}/{first:016X}-{last:016X}{'_snapshot' if is_snapshot else ''}.jsonl"


def write_drop(landing: Landing, key: str, changes: Iterable[Change]) -> int:
    """Puts a drop whole, however large; the number of its records."""
    count = 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as drop:
        for change in changes:
            drop.write(change.as_line().encode())
            count += 1
        drop.seek(0)
        landing.write(key, drop)  # type: ignore[arg-type]
    return count


def newest_place(landing: Landing, folder: str) -> int | None:
    """The last place that any drop of the log covers; None for a log that has none yet."""
    found = (_NAME.search(item.key) for item in landing.list_objects(f"{folder}/"))
    return max((int(name[2], 16) for name in found if name), default=None)


def day_of(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC)
