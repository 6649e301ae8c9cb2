"""Load: drops brought in from the landing to raw, one transaction each."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, cast

from data_ingestion.contract import Contract
from data_ingestion.discovery import plan_again
from data_ingestion.errors import DropFault, GoldworksError, ObjectChanged, WarehouseLost
from data_ingestion.landing import Landing
from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState
from data_ingestion.plan import PlannedDrop
from data_ingestion.quarantine import KEPT_OF_FAILED, BadRows, check_limit
from data_ingestion.warehouses.base import DropRead, Warehouse

# A landing that changes under every attempt is left to the next run.
ATTEMPTS_ON_CHANGE = 3

Progress = Callable[[int], None]


def load_drops(
    contract: Contract,
    landing: Landing,
    warehouse: Warehouse,
    drops: Iterable[PlannedDrop],
    progress: Progress | None = None,
) -> Iterator[LoadReport]:
    """Loads drops of one dataset, each in a transaction of its own; one that fails does not stop the others.

    Neither does an error that nobody foresaw: the first of them is raised when all drops have been tried.
    """
    warehouse.prepare(contract)
    unforeseen: Exception | None = None
    for planned in drops:
        try:
            report = load_drop(contract, landing, warehouse, planned, progress)
        except GoldworksError:
            raise
        except Exception as error:
            unforeseen = unforeseen or error
        else:
            yield report
    if unforeseen:
        raise unforeseen


def load_drop(
    contract: Contract,
    landing: Landing,
    warehouse: Warehouse,
    planned: PlannedDrop,
    progress: Progress | None = None,
) -> LoadReport:
    """Brings one drop in, exactly once, and returns its report; a failed load is recorded and reported, not raised.

    An object that changes meanwhile, or that another loader brought in first, is planned again. Errors that
    nobody foresaw are recorded and raised: they are bugs.
    """
    for attempt in range(1, ATTEMPTS_ON_CHANGE + 1):
        try:
            return _attempt(contract, landing, warehouse, planned, progress)
        except ObjectChanged as change:
            if attempt == ATTEMPTS_ON_CHANGE:
                return LoadReport(
                    contract.dataset, planned.object.key, planned.kind, LoadState.FAILED, error=str(change)
                )
            again = plan_again(contract, landing, warehouse, planned)
            if again is None:
                return LoadReport(
                    contract.dataset,
                    planned.object.key,
                    Kind.KNOWN,
                    LoadState.LOADED,
                    plan="nothing",
                    plan_reason=str(change),
                )
            planned = again
    raise AssertionError("unreachable: the last attempt returns")


def _attempt(
    contract: Contract,
    landing: Landing,
    warehouse: Warehouse,
    planned: PlannedDrop,
    progress: Progress | None,
) -> LoadReport:
    started = time.monotonic()
    bad = BadRows()
    counts = _Counts()
    with warehouse.attempt(planned) as attempt_id:
        try:
            with warehouse.transaction():
                drop = _stage_drop(contract, landing, warehouse, planned, bad, counts, progress)
                check_limit(contract.quarantine_limit, drop.read, bad, planned.object.key)
                report = warehouse.bring_in(contract, planned, attempt_id, drop, bad)
        except WarehouseLost:  # the next command finds the attempt abandoned
            raise
        except ObjectChanged:
            warehouse.forget_attempt(attempt_id)
            raise
        except Exception as error:
            report = LoadReport(
                contract.dataset, planned.object.key, planned.kind, LoadState.FAILED,
                Fates(read=counts.read, quarantined=bad.count), attempt_id, plan_reason=planned.reason,
                error=str(error) if isinstance(error, GoldworksError) else f"{type(error).__name__}: {error}",
            )  # fmt: skip
            report = warehouse.record_failure(report, islice(bad, KEPT_OF_FAILED))
            if not isinstance(error, GoldworksError):
                raise
        finally:
            bad.close()
    return replace(report, seconds=time.monotonic() - started)


@dataclass
class _Counts:
    read: int = 0


def _stage_drop(
    contract: Contract,
    landing: Landing,
    warehouse: Warehouse,
    planned: PlannedDrop,
    bad: BadRows,
    counts: _Counts,
    progress: Progress | None,
) -> DropRead:
    """Reads the object once, from its bytes to rows in the stage, and hashes it on the way."""
    # Arrow costs a tenth of a second to import: a run with nothing new does without.
    from data_ingestion.checks.rows import RowChecks
    from data_ingestion.reading import ReadError, open_reader

    try:
        with landing.open(planned.object) as opened:
            stream = _Hashing(opened, progress)
            reader = open_reader(cast(BinaryIO, stream), contract, planned.object.key)
            checks = RowChecks(contract, reader.header, planned.object.key)
            with warehouse.stage(contract) as stage:
                for chunk in reader:
                    checked = checks.check(chunk)
                    counts.read += checked.read
                    bad.add(checked.bad)
                    stage.write(checked.rows)
                staged = stage.finish()
            stream.drain()
    except ReadError as error:  # the reader does not know what it reads
        raise DropFault(f"{planned.object.key}: {error}") from error
    if staged.rows != counts.read - bad.count:
        raise AssertionError(f"{counts.read} rows read, {bad.count} bad, but {staged.rows} staged")
    return DropRead(stream.digest(), stream.size, counts.read, staged, bad.count)


class _Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: BinaryIO, progress: Progress | None) -> None:
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
