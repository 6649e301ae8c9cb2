"""Changelog: the drops that hold a source's changes, named by the places that they cover."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from data_ingestion.capture.changes import Change, Committed
from data_ingestion.landing import Landing

_NAME = re.compile(
    r"/[0-9A-F]{16}(\.\d{9})?-(?P<last>[0-9A-F]{16})(?P<cut>\.\d{9})?"
    r"(?P<snapshot>_snapshot(_(?P<mark>[0-9a-f]+))?)?\.jsonl$"
)
IN_MEMORY = 8 << 20


@dataclass(frozen=True)
class Log:
    """How far a change log on the landing goes, by the names of its drops."""

    newest: int | None = None
    """The last place that any drop covers; None for a log that has none yet."""
    snapshot: int | None = None
    """The place of the newest snapshot."""
    mark: str | None = None
    """Of what publication the newest snapshot was taken, see `Source.publication_mark`."""
    before_snapshot: int | None = None
    """The last place known before it."""


@dataclass(frozen=True)
class Written:
    """What became drops: how many with how many changes, the tables that were emptied, and up to where it is all."""

    drops: int = 0
    changes: int = 0
    emptied: tuple[tuple[str, str], ...] = ()
    """Tables, each with the drop that tells it."""
    end_lsn: int | None = None
    """Where the last transaction ends; None where there was none."""


def drop_key(folder: str, first: Change, last: Change, *, is_cut: bool = False) -> str:
    """`<folder>/2026/11/16/<first>-<last>.jsonl`, sorted like the changes themselves.

    A drop that begins within a transaction, or ends there (`is_cut`), says with which ordinal.
    """
    begins = f".{first.ordinal:09}" if first.ordinal else ""
    ends = f".{last.ordinal:09}" if is_cut else ""
    return f"{folder}/{_day(first.ts_ms)}/{first.lsn:016X}{begins}-{last.lsn:016X}{ends}.jsonl"


def snapshot_key(folder: str, lsn: int, ts_ms: int, mark: str) -> str:
    """The drop of a snapshot; it sorts before everything that follows it, and tells what its slot follows."""
    return f"{folder}/{_day(ts_ms)}/{lsn:016X}-{lsn:016X}_snapshot_{mark}.jsonl"


def write_snapshot(landing: Landing, key: str, changes: Iterable[Change]) -> int:
    """Puts a drop whole, however large; the number of its records."""
    with _Drop() as drop:
        for change in changes:
            drop.add(change)
        drop.put(landing, key)
        return drop.count


def write_drops(
    landing: Landing, folder: str, found: Iterable[Change | Committed], changes_a_drop: int
) -> Written:
    """Puts changes as one drop, or as several where one transaction has more than fit into a drop.

    No change, no drop. Of what was read no more is held in memory than a part of a drop.
    """
    drops = count = 0
    emptied: dict[str, str] = {}
    end_lsn: int | None = None
    drop, is_cut = _Drop(), False

    def put() -> None:
        nonlocal drops, count, drop
        with drop:
            if drop.first and drop.last:
                key = drop_key(folder, drop.first, drop.last, is_cut=is_cut)
                drop.put(landing, key)
                emptied.update(dict.fromkeys(drop.emptied, key))
                drops, count = drops + 1, count + drop.count
        drop = _Drop()

    try:
        for one in found:
            if isinstance(one, Committed):
                end_lsn, is_cut = one.end_lsn, False
                continue
            if is_cut and drop.count >= changes_a_drop:
                put()
            drop.add(one)
            is_cut = True
        put()
    finally:
        drop.close()
    return Written(drops, count, tuple(sorted(emptied.items())), end_lsn)


def read_log(landing: Landing, folder: str) -> Log:
    """Where the log of a folder stands."""
    names = [found for item in landing.list_objects(f"{folder}/") if (found := _NAME.search(item.key))]
    # Of a transaction that is there in part no more is known than what was before it.
    places = [int(name["last"], 16) - bool(name["cut"]) for name in names]
    snapshots = [(place, name["mark"]) for place, name in zip(places, names, strict=True) if name["snapshot"]]
    snapshot, mark = max(snapshots, key=itemgetter(0), default=(None, None))
    earlier = [place for place in places if snapshot is not None and place < snapshot]
    return Log(max(places, default=None), snapshot, mark, max(earlier, default=None))


def newest_place(landing: Landing, folder: str) -> int | None:
    """The last place that any drop of the log covers; None for a log that has none yet."""
    return read_log(landing, folder).newest


class _Drop:
    """A drop in the making."""

    def __init__(self) -> None:
        self.count = 0
        self.first: Change | None = None
        self.last: Change | None = None
        self.emptied: set[str] = set()
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the drop

    def __enter__(self) -> _Drop:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def add(self, change: Change) -> None:
        self.first, self.last, self.count = self.first or change, change, self.count + 1
        if change.op == "t":
            self.emptied.add(change.source_table)
        self._file.write(change.as_line().encode())

    def put(self, landing: Landing, key: str) -> None:
        self._file.seek(0)
        landing.write(key, self._file, lasting=True)  # type: ignore[arg-type]


def _day(ts_ms: int) -> str:
    return f"{datetime.fromtimestamp(ts_ms / 1000, UTC):%Y/%m/%d}"
