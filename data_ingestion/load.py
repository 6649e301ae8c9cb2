"""Load: drops brought in from the landing to raw, one transaction a batch: one big drop, or many small ones.

An object that changes while it is read is planned again, some times.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from data_ingestion.contract import Contract
from data_ingestion.discovery import plan_again
from data_ingestion.drop_limits import (
    DropHeld,
    DropRefused,
    Finding,
    check_rows,
    check_same_shapes,
    find_same_shapes,
)
from data_ingestion.engine.retry import until_committed
from data_ingestion.engine.staged import Stage, Staged
from data_ingestion.errors import GoldworksError, ObjectChanged, WarehouseLost
from data_ingestion.events import write_load_events
from data_ingestion.grouping import SMALL_BYTES, group_drops
from data_ingestion.landing import Landing
from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState, MergePlan
from data_ingestion.merge.drops import BatchDrop, DropRead
from data_ingestion.plan import PlannedDrop
from data_ingestion.quarantine import KEPT_OF_FAILED, BadRows
from data_ingestion.warehouses.base import Warehouse

if TYPE_CHECKING:
    from data_ingestion.batch import BatchPart, BatchPrefetcher

# A landing that changes under every attempt is left to the next run.
ATTEMPTS_ON_CHANGE = 3

# Takes the key of an object and how many bytes of it were read; some are read more than once.
Progress = Callable[[str, int], None]

log = logging.getLogger(__name__)


def load_drops(
    contract: Contract,
    landing: Landing,
    warehouse: Warehouse,
    drops: Iterable[PlannedDrop],
    progress: Progress | None = None,
) -> Iterator[LoadReport]:
    """Loads drops of one dataset by batches, each in one transaction; a drop that fails does not stop the others.

    Neither does an error that nobody foresaw: the first of them is raised when all drops have been tried.
    """
    waiting = [list(batch) for batch in group_drops(drops)]
    for change in warehouse.prepare(contract) if waiting else ():
        log.info("%s", change)
    unforeseen: Exception | None = None
    with ExitStack() as opened:
        loader = Loader(contract, landing, warehouse, progress, opened)
        while waiting:
            batch = waiting.pop(0)
            try:
                if len(batch) == 1:
                    report = loader.load(batch[0])
                    write_load_events([report])
                    yield report
                    continue
                following = waiting[0] if waiting and len(waiting[0]) > 1 else None
                reports, left_out = loader.load_together(batch, following)
            except WarehouseLost:
                raise
            except Exception as error:
                if len(batch) > 1:  # who is to blame will stand alone in the end
                    half = len(batch) // 2
                    waiting[:0] = [batch[:half], batch[half:]]
                elif isinstance(error, GoldworksError):
                    raise
                else:
                    unforeseen = unforeseen or error
            else:
                write_load_events(reports)
                yield from reports
                waiting[:0] = [[planned] for planned in left_out]
    if unforeseen:
        raise unforeseen


@dataclass(frozen=True)
class Loader:
    """Brings drops of one dataset from a landing into a warehouse."""

    contract: Contract
    landing: Landing
    warehouse: Warehouse
    progress: Progress | None
    opened: ExitStack

    @cached_property
    def _batches(self) -> BatchPrefetcher:
        from data_ingestion.batch import BatchPrefetcher  # which imports Arrow

        batches = BatchPrefetcher(self.contract, self.landing, self.progress)
        self.opened.callback(batches.close)
        return batches

    def load(self, planned: PlannedDrop) -> LoadReport:
        """Brings one drop in, exactly once; a failed load is recorded and reported, not raised.

        An object that changes meanwhile, or that another loader brought in first, is planned again. Errors that
        nobody foresaw are recorded and raised: they are bugs.
        """
        dataset, key = self.contract.dataset, planned.object.key
        for attempt in range(1, ATTEMPTS_ON_CHANGE + 1):
            try:
                return self._attempt(planned)
            except ObjectChanged as change:
                again = plan_again(self.contract, self.landing, self.warehouse, key)
                if again and attempt == ATTEMPTS_ON_CHANGE:
                    with self.warehouse.attempts([planned]) as (attempt_id,):
                        failed = LoadReport(
                            dataset,
                            key,
                            planned.kind,
                            LoadState.FAILED,
                            attempt_id=attempt_id,
                            error=str(change),
                        )
                        return self.warehouse.record_failure(failed, planned, ())
                if again is None:
                    return LoadReport(
                        dataset,
                        key,
                        Kind.KNOWN,
                        LoadState.LOADED,
                        plan=MergePlan.NOTHING,
                        plan_reason=str(change),
                    )
                planned = again
        raise AssertionError("unreachable: the last attempt returns")

    def load_together(
        self, batch: Sequence[PlannedDrop], following: Sequence[PlannedDrop] | None = None
    ) -> tuple[list[LoadReport], list[PlannedDrop]]:
        """Brings small drops in by one transaction: their reports, and those that have to be loaded alone.

        They are all new, or all read again. Left out are those that are not new after all, or have to do with others,
        and those that fail: alone, their failure is recorded. While the server merges, the batch that follows is read.
        Where another transaction is in the way, all of it is read and merged once more.
        """
        return until_committed(
            self.warehouse.session,
            lambda: self._load_together(batch, following),
            f"{self.contract.dataset}: {len(batch)} drops",
        )

    def _load_together(
        self, batch: Sequence[PlannedDrop], following: Sequence[PlannedDrop] | None
    ) -> tuple[list[LoadReport], list[PlannedDrop]]:
        started = time.monotonic()
        with (
            self._batches.parts(batch, following) as parts,
            self.warehouse.attempts(batch) as attempt_ids,
            ExitStack() as opened,
        ):
            brought: list[LoadReport | None] = [None for _ in batch]
            try:
                with self.warehouse.transaction():
                    with self.warehouse.shared_stage(self.contract) as stage:
                        read = _stage_together(batch, attempt_ids, parts, stage, opened)
                        staged = stage.finish()
                    if staged.rows != sum(each.read.staged.rows for each in read):
                        raise AssertionError(f"{read} read, but {staged.rows} rows staged")
                    reports = self.warehouse.load_batch(self.contract, read, staged) if read else []
                for each, report in zip(read, reports, strict=True):
                    brought[each.position] = report
            except WarehouseLost:  # the next command finds the attempts abandoned
                raise
            except Exception:
                self.warehouse.forget_attempts(attempt_ids)
                raise
            self.warehouse.forget_attempts(
                [attempt for attempt, report in zip(attempt_ids, brought, strict=True) if report is None]
            )
        seconds = time.monotonic() - started
        done = [replace(report, seconds=seconds / len(batch)) for report in brought if report]
        return done, [planned for planned, report in zip(batch, brought, strict=True) if report is None]

    def stage_again(self, planned: PlannedDrop, bad: BadRows) -> tuple[DropRead, tuple[Finding, ...]]:
        """Reads a drop into a stage inside the caller's transaction, with the checks of a load: for a rebuild."""
        drop = self._stage(planned, bad, _Reading())
        return drop, self._check_rows(planned, drop.read, bad)

    @contextmanager
    def staged_again(
        self, batch: Sequence[PlannedDrop], following: Sequence[PlannedDrop] | None
    ) -> Iterator[tuple[list[BatchDrop], Staged]]:
        """The same for many small drops at once; those that have to be read alone are not among them."""
        with self._batches.parts(batch, following) as parts, ExitStack() as opened:
            with self.warehouse.shared_stage(self.contract) as stage:
                read = _stage_together(batch, [0] * len(batch), parts, stage, opened)
                staged = stage.finish()
            yield read, staged

    def _attempt(self, planned: PlannedDrop) -> LoadReport:
        started = time.monotonic()
        bad, reading = BadRows(), _Reading()
        with self.warehouse.attempts([planned]) as (attempt_id,):
            try:
                report = until_committed(
                    self.warehouse.session,
                    lambda: self._bring_in(planned, attempt_id, bad, reading),
                    planned.object.key,
                )
            except WarehouseLost:  # the next command finds the attempt abandoned
                raise
            except ObjectChanged:
                self.warehouse.forget_attempts([attempt_id])
                raise
            except DropHeld as held:
                report = self._unloaded(planned, LoadState.HELD, reading, bad, attempt_id, held)
                report = self.warehouse.record_held(
                    self.contract, planned, report, held.sha256, islice(bad, KEPT_OF_FAILED)
                )
            except Exception as error:
                report = self._unloaded(planned, LoadState.FAILED, reading, bad, attempt_id, error)
                report = self.warehouse.record_failure(report, planned, islice(bad, KEPT_OF_FAILED))
                if not isinstance(error, GoldworksError):
                    raise
            finally:
                bad.close()
        return replace(report, seconds=time.monotonic() - started)

    def _bring_in(self, planned: PlannedDrop, attempt_id: int, bad: BadRows, reading: _Reading) -> LoadReport:
        """The one transaction of an attempt, from the drop's first byte on: it may be tried more than once."""
        bad.clear()
        reading.rows = 0
        with self.warehouse.transaction():
            known = self._recognise(planned, attempt_id)
            if known is not None:
                return known
            drop = self._stage(planned, bad, reading)
            findings = self._check_rows(planned, drop.read, bad)
            batch = [BatchDrop(planned, attempt_id, 0, drop, bad, findings)]
            report = self.warehouse.load_batch(self.contract, batch, drop.staged)[0]
            assert report is not None, "a drop alone is loaded, or an error is raised"
        return report

    def _check_rows(self, planned: PlannedDrop, read: int, bad: BadRows) -> tuple[Finding, ...]:
        """What is to be reported of a drop that may come in. Raises `DropRefused` for one that may not."""
        key, facts = planned.object.key, bad.facts(read)
        check_rows(self.contract, key, facts)
        found = find_same_shapes(self.contract, key, facts)
        return check_same_shapes(found, self.warehouse.known_shapes(self.contract)) if found else ()

    def _unloaded(
        self,
        planned: PlannedDrop,
        state: LoadState,
        reading: _Reading,
        bad: BadRows,
        attempt_id: int,
        error: Exception,
    ) -> LoadReport:
        """The report of an attempt that has changed nothing."""
        return LoadReport(
            self.contract.dataset, planned.object.key, planned.kind, state,
            fates=Fates(read=reading.rows, quarantined=bad.count), attempt_id=attempt_id,
            plan_reason=planned.reason,
            error=str(error) if isinstance(error, GoldworksError) else f"{type(error).__name__}: {error}",
            findings=(error.finding,) if isinstance(error, DropRefused | DropHeld) else (),
        )  # fmt: skip

    def _recognise(self, planned: PlannedDrop, attempt_id: int) -> LoadReport | None:
        """The load of an object whose bytes are known: told by its ETag, else by a hash, before a row is read."""
        if planned.twin:
            return self.warehouse.load_known(self.contract, planned, attempt_id, None, planned.object.size)
        if not planned.size_known:
            return None
        with self.landing.open(planned.object) as opened:
            stream = _Hashing(opened, None)
            stream.drain()
        sha256 = self.contract.identity_of(planned.object.key, stream.digest())
        return self.warehouse.load_known(self.contract, planned, attempt_id, sha256, stream.size)

    def _stage(self, planned: PlannedDrop, bad: BadRows, reading: _Reading) -> DropRead:
        with self.warehouse.stage(self.contract, planned) as stage:
            sha256, size = self._read(planned, bad, reading, stage.write)
            staged = stage.finish()
        if staged.rows != reading.rows - bad.count:
            raise AssertionError(f"{reading.rows} rows read, {bad.count} bad, but {staged.rows} staged")
        return DropRead(sha256, size, reading.rows, staged, bad.count)

    def _read(
        self, planned: PlannedDrop, bad: BadRows, reading: _Reading, write: Callable[[Any], None]
    ) -> tuple[bytes, int]:
        """Reads the object once, from its bytes to checked rows; its hash and size, taken on the way."""
        # Arrow costs a tenth of a second to import: a run with nothing new does without.
        from data_ingestion.checked_rows import read_checked

        with self.landing.open(planned.object) as opened:
            progress = partial(self.progress, planned.object.key) if self.progress else None
            stream = _Hashing(opened, progress)
            large = planned.object.size > SMALL_BYTES  # a thread is not worth its while for less
            chunks = read_checked(cast(BinaryIO, stream), self.contract, planned.object.key, bad, ahead=large)
            with closing(chunks):
                for checked in chunks:
                    reading.rows += checked.read
                    write(checked.rows)
            stream.drain()
        return self.contract.identity_of(planned.object.key, stream.digest()), stream.size


def _stage_together(
    batch: Sequence[PlannedDrop],
    attempt_ids: Sequence[int],
    parts: Iterable[BatchPart],
    stage: Stage,
    opened: ExitStack,
) -> list[BatchDrop]:
    """Has the rows of all parts go to the stage; the drops that they are of."""
    drops = []
    for part in parts:
        for found in part.rows:
            stage.write(found.rows, found.positions)
        for drop in part.drops:
            opened.callback(drop.bad.close)
            staged = Staged(drop.read - drop.bad.count, distinct=False)
            read = DropRead(drop.sha256, drop.size, drop.read, staged, drop.bad.count)
            planned, attempt_id = batch[drop.position], attempt_ids[drop.position]
            drops.append(BatchDrop(planned, attempt_id, drop.position, read, drop.bad))
    return drops


@dataclass
class _Reading:
    """How far a drop has been read."""

    rows: int = 0


class _Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: BinaryIO, progress: Callable[[int], None] | None) -> None:
        self._stream, self._hash, self._progress = stream, hashlib.sha256(), progress
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._hash.update(data)
        self.size += len(data)
        if self._progress:
            self._progress(len(data))
        return data

    def drain(self) -> None:
        """Reads what the reader has left, after the end of an archive say: the hash is of the whole object."""
        while self.read(1 << 20):
            pass

    def digest(self) -> bytes:
        return self._hash.digest()
