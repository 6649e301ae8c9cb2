"""Batch: small drops read one by one, and checked many at once."""

from __future__ import annotations

import hashlib
import io
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Condition, Lock
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa

from data_ingestion import reading
from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import Contract
from data_ingestion.drop_limits import check_rows, find_same_shapes
from data_ingestion.errors import DropFault, ObjectChanged
from data_ingestion.landing import Landing
from data_ingestion.plan import PlannedDrop
from data_ingestion.quarantine import BadRows
from data_ingestion.reading import Chunk

# What is held of a drop until it is known to be good: a small file may unpack to a thousand times its size.
MOST_KEPT_BYTES, MOST_KEPT_BAD = 16 << 20, 1000
# The reading thread computes, the other one waits for the server: at Python's own interval of 5 ms it would wait as
# long again after each answer. It is the whole process', so it is shorter only while a batch is merged.
SWITCH_SECONDS = 0.0005
# Text that is checked at once: beyond it, what a call costs by itself is lost in what it does, and memory is not.
PART_BYTES = 4 << 20
# Checked rows that wait for their turn.
PREFETCHED_BYTES = 32 << 20

Progress = Callable[[str, int], None]


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

    @cached_property
    def bytes(self) -> int:
        """How much memory its rows take."""
        return sum(found.rows.nbytes + found.positions.nbytes for found in self.rows)

    def close(self) -> None:
        """Lets go of the bad rows that were kept aside."""
        for drop in self.drops:
            drop.bad.close()


class BatchPrefetcher:
    """Reads batches in a thread, each from its first drop to its last: one and the next while another is merged.

    Of what was read and not taken yet, at most `PREFETCHED_BYTES` are held, and the part that the thread has in hand.
    """

    def __init__(self, contract: Contract, landing: Landing, progress: Progress | None) -> None:
        self._reader = _Reader(contract, landing, progress)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._begun: deque[_PrefetchedBatch] = deque()
        self._held = 0
        self._changed = Condition()

    @contextmanager
    def parts(
        self, batch: Sequence[PlannedDrop], following: Sequence[PlannedDrop] | None = None
    ) -> Iterator[Iterator[BatchPart]]:
        """The parts of a batch, in its order; while they are used, the batch that follows is read, too.

        A drop that can't be loaded together with others is in none of them. What reading raises is raised in its
        place. What was read of any other batch is dropped: after a failure the next batch is not the one that was to
        follow.
        """
        if self._begun and self._begun[0].batch is not batch:
            self._drop(self._begun)
        for wanted in filter(None, (batch, following)):
            if all(prefetched.batch is not wanted for prefetched in self._begun):
                self._begun.append(_PrefetchedBatch(wanted))
                self._thread.submit(self._fill, self._begun[-1])
        prefetched = self._begun[0]
        try:
            with _short_turns.taken():
                yield self._taken(prefetched)
        finally:
            self._drop([prefetched])

    def close(self) -> None:
        """Nothing is read any more, and nothing that was read is left."""
        self._drop(self._begun)
        self._thread.shutdown()

    def _fill(self, prefetched: _PrefetchedBatch) -> None:
        """Has the thread read a batch, as long as somebody wants it and there is room."""
        ending: BaseException | None = None
        try:
            if not prefetched.is_dropped:
                with closing(self._reader.parts(prefetched.batch)) as parts:
                    for part in parts:
                        if not self._hold(prefetched, part):
                            return
        except BaseException as error:
            ending = error
        with self._changed:
            prefetched.ending, prefetched.is_read = ending, True
            self._changed.notify_all()

    def _hold(self, prefetched: _PrefetchedBatch, part: BatchPart) -> bool:
        """Waits for room for a part; False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: prefetched.is_dropped or not self._held or self._held + part.bytes <= PREFETCHED_BYTES
            )
            if prefetched.is_dropped:
                part.close()
                return False
            prefetched.parts.append(part)
            self._held += part.bytes
            self._changed.notify_all()
        return True

    def _taken(self, prefetched: _PrefetchedBatch) -> Iterator[BatchPart]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: prefetched.parts or prefetched.is_read)
                if not prefetched.parts:
                    break
                part = prefetched.parts.popleft()
                self._held -= part.bytes
                self._changed.notify_all()
            yield part
        if prefetched.ending:
            raise prefetched.ending

    def _drop(self, unwanted: Iterable[_PrefetchedBatch]) -> None:
        with self._changed:
            for prefetched in tuple(unwanted):
                self._begun.remove(prefetched)
                prefetched.is_dropped = True
                for part in prefetched.parts:
                    self._held -= part.bytes
                    part.close()
                prefetched.parts.clear()
            self._changed.notify_all()


class _ShortTurns:
    """Threads of this process take turns every `SWITCH_SECONDS` while a batch is merged, else as they did before."""

    def __init__(self) -> None:
        self._changing = Lock()
        self._users = 0
        self._before = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        with self._changing:
            if not self._users:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(SWITCH_SECONDS)
            self._users += 1
        try:
            yield
        finally:
            with self._changing:
                self._users -= 1
                if not self._users:
                    sys.setswitchinterval(self._before)


_short_turns = _ShortTurns()


@dataclass(eq=False)
class _PrefetchedBatch:
    """A batch, and what was read of it and not taken yet."""

    batch: Sequence[PlannedDrop]
    parts: deque[BatchPart] = field(default_factory=deque)
    is_read: bool = False
    is_dropped: bool = False
    ending: BaseException | None = None


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

    def parts(self, batch: Sequence[PlannedDrop]) -> Generator[BatchPart]:
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
            requested = deque(threads.submit(self._fetch, planned) for planned in batch[:at_once])
            for planned in batch[at_once:]:
                yield requested.popleft().result
                requested.append(threads.submit(self._fetch, planned))
            yield from (fetched.result for fetched in requested)

    def _fetch(self, planned: PlannedDrop) -> bytes:
        with self.landing.open(planned.object) as stream:
            return stream.read()

    def _read(self, position: int, key: str, data: bytes) -> _Whole:
        if self.progress:
            self.progress(key, len(data))
        opened = reading.open_reader(cast(BinaryIO, io.BytesIO(data)), self.contract, key)
        reader = reading.with_path_values(opened, self.contract, key)
        if reader.header not in self.checks:
            self.checks[reader.header] = RowChecks(self.contract, reader.header, key)
        chunks, kept = [], 0
        for chunk in reader:
            kept += chunk.bytes
            if kept > MOST_KEPT_BYTES or len(chunk.bad) > MOST_KEPT_BAD:
                raise _TooMuch
            chunks.append(chunk)
        digest = self.contract.identity_of(key, hashlib.sha256(data).digest())
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
        drops = [drop for whole in wholes if (drop := self._accepted(whole, bad[whole.position]))]
        if len(drops) < len(wholes):
            good = [drop.position for drop in drops]
            found = [_of_drops(rows, good) for rows in found]
        return BatchPart(tuple(drops), tuple(found))

    def _accepted(self, whole: _Whole, bad: BadRows) -> ReadDrop | None:
        """The drop, or None if it has to be loaded alone: what becomes of it is decided and recorded there."""
        read = sum(chunk.rows + len(chunk.bad) for chunk in whole.chunks)
        facts = bad.facts(read)
        try:
            check_rows(self.contract, whole.key, facts)
        except DropFault:
            is_good = False
        else:
            is_good = bad.count <= MOST_KEPT_BAD and not find_same_shapes(self.contract, whole.key, facts)
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
