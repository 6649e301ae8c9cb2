"""Changelog: the drops that hold a source's changes, named by the places that they cover."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter

from data_ingestion.capture.changes import Change, Committed
from data_ingestion.contract.terms import CAPTURED
from data_ingestion.landing import Landing, Walk

_NAME = re.compile(
    r"[0-9A-F]{16}(\.\d{9})?-(?P<last>[0-9A-F]{16})(?P<cut>\.\d{9})?"
    r"(?P<snapshot>_snapshot)?(_(?P<mark>[0-9a-f-]+))?\.jsonl"
)
_NOTE = re.compile(rb"[0-9A-F]{16}\n")
IN_MEMORY = 8 << 20


@dataclass(frozen=True)
class Log:
    """How far a change log in a folder of the landing goes, by the names of its newest drops."""

    folder: str
    newest: int | None = None
    """The last position covered by a drop; None before the first drop."""
    mark: str | None = None
    """The mark of the publication that the newest drop was read from, see `publication_mark`."""
    is_snapshot: bool = False
    """Whether the log ends with a snapshot, taken at that position."""
    before: int | None = None
    """The last position known before the snapshot."""
    day: str = ""
    """The newest folder with a drop, `2026/11/16`."""
    safe: int = 0
    """Up to which position we have confirmed to the source that all changes are stored here."""


@dataclass(frozen=True)
class Written:
    """What was written as drops: how many with how many changes, what someone should know of them, and up to where."""

    drops: int = 0
    changes: int = 0
    emptied: tuple[tuple[str, str], ...] = ()
    """Truncated tables, each with the drop that records it."""
    partial: tuple[str, ...] = ()
    """Tables with rows that lack large values."""
    end_lsn: int | None = None
    """Where the last transaction ends; None where there was none."""
    day: str = ""
    """The newest folder with a drop."""


def drop_key(log: Log, first: Change, last: Change, *, is_cut: bool = False) -> str:
    """`<folder>/2026/11/16/<first>-<last>_<mark>.jsonl`, sorted like the changes themselves.

    A drop that begins within a transaction, or ends there (`is_cut`), says with which ordinal.
    """
    begins = f".{first.ordinal:09}" if first.ordinal else ""
    ends = f".{last.ordinal:09}" if is_cut else ""
    places = f"{first.lsn:016X}{begins}-{last.lsn:016X}{ends}"
    return f"{log.folder}/{_day(log, first.ts_ms)}/{places}_{log.mark}.jsonl"


def snapshot_key(log: Log, lsn: int, ts_ms: int, mark: str) -> str:
    """The drop of a snapshot; it sorts before everything that follows it, and names the publication of its slot."""
    return f"{log.folder}/{_day(log, ts_ms)}/{lsn:016X}-{lsn:016X}_snapshot_{mark}.jsonl"


def _day(log: Log, ts_ms: int) -> str:
    """The day of a first commit, but none before the log's newest.

    So the newest drops lie in the newest folders, where discovery looks, even if the source's clock was set back.
    """
    return max(log.day, f"{datetime.fromtimestamp(ts_ms / 1000, UTC):%Y/%m/%d}")


def write_snapshot(landing: Landing, key: str, changes: Iterable[Change]) -> int:
    """Puts a drop whole, however large; the number of its records."""
    with _Drop() as drop:
        for change in changes:
            drop.add(change)
        drop.put(landing, key)
        return drop.count


def write_drops(
    landing: Landing, log: Log, found: Iterable[Change | Committed], changes_a_drop: int
) -> Written:
    """Puts changes as one drop, or as several where one transaction has more than fit into a drop.

    No change, no drop. Of what was read no more is held in memory than a part of a drop.
    """
    drops = count = 0
    emptied: dict[str, str] = {}
    partial: set[str] = set()
    end_lsn: int | None = None
    drop, is_cut = _Drop(), False

    def put() -> None:
        nonlocal drops, count, log, drop
        with drop:
            if drop.first and drop.last:
                key = drop_key(log, drop.first, drop.last, is_cut=is_cut)
                drop.put(landing, key)
                log = replace(log, day=_day(log, drop.first.ts_ms))
                emptied.update(dict.fromkeys(drop.emptied, key))
                partial.update(drop.partial)
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
    return Written(drops, count, tuple(sorted(emptied.items())), tuple(sorted(partial)), end_lsn, log.day)


def note_safe(landing: Landing, folder: str, place: int) -> None:
    """Records beside the drops up to which position we are about to confirm to the source that all is stored.

    A slot that is further on was moved by another reader, who has the changes in between, if anyone has.
    """
    landing.write(f"{folder}/{CAPTURED}", f"{place:016X}\n".encode(), lasting=True)


def _read_note(landing: Landing, folder: str) -> int:
    seen = landing.look(f"{folder}/{CAPTURED}")
    if seen is None:
        return 0
    with landing.open(seen) as stream:
        said = stream.read()
    return int(said, 16) if _NOTE.fullmatch(said) else 0


def read_log(landing: Landing, folder: str) -> Log:
    """Where the log of a folder stands. Listed are the newest two days that have drops, however long it goes back."""
    # Of a transaction that is there in part no more is known than what was before it.
    found = [
        (int(name["last"], 16) - bool(name["cut"]), bool(name["snapshot"]), name["mark"], day)
        for day, names in islice(_days_with_drops(landing, folder), 2)
        for name in names
    ]
    safe = _read_note(landing, folder)
    if not found:
        return Log(folder, safe=safe)
    newest, is_snapshot, mark, _ = max(found, key=itemgetter(0, 1))
    before = max((place for place, *_ in found if place < newest), default=None)
    return Log(folder, newest, mark, is_snapshot, before, max(day for *_, day in found), safe)


def _days_with_drops(landing: Landing, folder: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
    """The days of a log from its newest on, each with the names of its drops."""
    for year in _folders_in(landing, f"{folder}/", r"\d{4}"):
        for month in _folders_in(landing, f"{folder}/{year}/", r"\d\d"):
            for day in _folders_in(landing, f"{folder}/{year}/{month}/", r"\d\d"):
                place = f"{folder}/{year}/{month}/{day}/"
                keys = (item.key.removeprefix(place) for item in landing.list_objects(place))
                if names := [found for key in keys if (found := _NAME.fullmatch(key))]:
                    yield f"{year}/{month}/{day}", names


def _folders_in(landing: Landing, place: str, name: str) -> list[str]:
    """The names of the folders right in a place, the last one first."""
    found = set()

    def choose(folder: str) -> Walk:
        if folder == place:
            return Walk.DEEPER
        found.add(folder.removeprefix(place).rstrip("/"))
        return Walk.SKIP

    for _ in landing.walk(choose, place):
        pass
    return sorted((folder for folder in found if re.fullmatch(name, folder)), reverse=True)


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
        self.partial: set[str] = set()
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
        if change.is_partial:
            self.partial.add(change.source_table)
        self._file.write(change.as_line().encode())

    def put(self, landing: Landing, key: str) -> None:
        self._file.seek(0)
        landing.write(key, self._file, lasting=True)  # type: ignore[arg-type]
