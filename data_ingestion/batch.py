"""Batch: small drops read one by one, and checked many at once."""

from __future__ import annotations

import hashlib
import io
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from data_ingestion import reading
from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import Contract
from data_ingestion.errors import DropFault, ObjectChanged
from data_ingestion.landing import Landing
from data_ingestion.plan import PlannedDrop
from data_ingestion.quarantine import BadRows, check_limit
from data_ingestion.reading import Chunk

# What is held of a drop until it is known to be good: a small file may unpack to a thousand times its size.
MOST_KEPT_BYTES, MOST_KEPT_BAD = 16 << 20, 1000
# The reading thread computes, the other one waits for the server: at Python's own interval of 5 ms it would wait as
# long again after each answer.
SWITCH_SECONDS = 0.0005
# Text that is checked at once: beyond it, what a call costs by itself is lost in what it does, and memory is not.
PART_BYTES = 4 << 20

Progress = Callable[[int], None]


@dataclass(frozen=True)
class ReadDrop:
    """A drop that was read to its end and may be loaded, by its position in the batch."""

    position: int
    sha256: bytes
    size: int
    read: int
    bad: BadRows


@dataclass(frozen=True)
class PartRows:
    """Checked rows (a record batch), and of each the position of its drop."""

    rows: Any
    positions: Any


@dataclass(frozen=True)
class BatchPart:
    """Some of a batch's drops: what was read of each, and all their checked rows."""

    drops: tuple[ReadDrop, ...]
    rows: tuple[PartRows, ...]


class BatchesAhead:
    """Reads batches in a thread: the first part of the next while one is merged."""

    def __init__(self, contract: Contract, landing: Landing, progress: Progress | None) -> None:
        self._reader = _Reader(contract, landing, progress)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._begun: dict[int, Iterator[BatchPart]] = {}
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)

    def begin(self, batch: Sequence[PlannedDrop]) -> None:
        """Has a batch read to the end of its first part, unless that was asked for before."""
        if id(batch) not in self._begun:
            self._begun[id(batch)] = reading.start_ahead(self._reader.parts(batch), self._thread)

    def parts(self, batch: Sequence[PlannedDrop]) -> Iterator[BatchPart]:
        """The parts of a batch, in its order. A drop that can't be loaded together with others is in none of them."""
        self.begin(batch)
        return self._begun.pop(id(batch))

    def close(self) -> None:
        """Nothing is read any more."""
        self._thread.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._interval)


class _TooMuch(Exception):
    """A drop turns out to be large: it is loaded alone, chunk by chunk."""


@dataclass(frozen=True)
class _Whole:
    """A drop's records as read, not checked yet."""

    position: int
    key: str
    sha256: bytes
    size: int
    header: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    kept_bytes: int


@dataclass(frozen=True)
class _Reader:
    contract: Contract
    landing: Landing
    progress: Progress | None
    # Drops of a dataset have the same header, as a rule.
    checks: dict[tuple[str, ...], RowChecks] = field(default_factory=dict)

    def parts(self, batch: Sequence[PlannedDrop]) -> Iterator[BatchPart]:
        waiting: list[_Whole] = []
        filled = 0
        for position, (planned, fetched) in enumerate(zip(batch, self._fetched(batch), strict=True)):
            try:
                whole = self._read(position, planned.object.key, fetched())
            except (DropFault, ObjectChanged, _TooMuch):
                continue
            if waiting and filled + whole.kept_bytes > PART_BYTES:
                yield self._checked(waiting)
                waiting, filled = [], 0
            waiting.append(whole)
            filled += whole.kept_bytes
        if waiting:
            yield self._checked(waiting)

    def _fetched(self, batch: Sequence[PlannedDrop]) -> Iterator[Callable[[], bytes]]:
        """What gives each drop's bytes, or raises what kept them from coming."""
        at_once = min(self.landing.at_once, len(batch))
        if at_once == 1:
            yield from (partial(self._fetch, planned) for planned in batch)
            return
        with ThreadPoolExecutor(at_once, thread_name_prefix="fetcher") as threads:
            ahead = deque(threads.submit(self._fetch, planned) for planned in batch[:at_once])
            for planned in batch[at_once:]:
                yield ahead.popleft().result
                ahead.append(threads.submit(self._fetch, planned))
            yield from (fetched.result for fetched in ahead)

    def _fetch(self, planned: PlannedDrop) -> bytes:
        with self.landing.open(planned.object) as stream:
            return stream.read()

    def _read(self, position: int, key: str, data: bytes) -> _Whole:
        if self.progress:
            self.progress(len(data))
        reader = reading.open_reader(cast(BinaryIO, io.BytesIO(data)), self.contract, key)
        if reader.header not in self.checks:
            self.checks[reader.header] = RowChecks(self.contract, reader.header, key)
        chunks, kept = [], 0
        for chunk in reader:
            kept += chunk.bytes
            if kept > MOST_KEPT_BYTES or len(chunk.bad) > MOST_KEPT_BAD:
                raise _TooMuch
            chunks.append(chunk)
        digest = hashlib.sha256(data).digest()
        return _Whole(position, key, digest, len(data), reader.header, tuple(chunks), kept)

    def _checked(self, wholes: Sequence[_Whole]) -> BatchPart:
        """The drops under the contract; of one that must not be loaded nothing is left."""
        bad = {whole.position: BadRows() for whole in wholes}
        found = []
        for group in _checked_at_once(wholes):
            checks = self.checks[group[0][0].header]
            checked = checks.check_together([chunk for _, chunk in group])
            for (whole, _), refused in zip(group, checked.bad, strict=True):
                bad[whole.position].add(refused)
            positions = np.array([whole.position for whole, _ in group], np.int32)
            found.append(PartRows(checked.rows, positions[checked.drops]))
        drops = [drop for whole in wholes if (drop := self._judged(whole, bad[whole.position]))]
        if len(drops) < len(wholes):
            good = [drop.position for drop in drops]
            found = [_of_drops(rows, good) for rows in found]
        return BatchPart(tuple(drops), tuple(found))

    def _judged(self, whole: _Whole, bad: BadRows) -> ReadDrop | None:
        """The drop, or None if it has to be loaded alone: its failure is recorded there."""
        read = sum(chunk.rows + len(chunk.bad) for chunk in whole.chunks)
        try:
            check_limit(self.contract.quarantine_limit, read, bad, whole.key)
        except DropFault:
            is_good = False
        else:
            is_good = bad.count <= MOST_KEPT_BAD
        if is_good:
            return ReadDrop(whole.position, whole.sha256, whole.size, read, bad)
        bad.close()
        return None


def _checked_at_once(wholes: Sequence[_Whole]) -> Iterator[list[tuple[_Whole, Chunk]]]:
    """Chunks that one check takes: those of text under one header, any other by itself."""
    together: dict[tuple[str, ...], list[tuple[_Whole, Chunk]]] = {}
    for whole in wholes:
        for chunk in whole.chunks:
            if reading.is_text(chunk):
                together.setdefault(whole.header, []).append((whole, chunk))
            else:
                yield [(whole, chunk)]
    yield from together.values()


def _of_drops(found: PartRows, positions: Sequence[int]) -> PartRows:
    kept = np.isin(found.positions, positions)
    return PartRows(found.rows.filter(pa.array(kept)), found.positions[kept])
