"""Postgres as a warehouse: one transaction a batch, COPY in binary, MERGE by key, the ledger beside the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg import Connection

from data_ingestion.checks import BadRow
from data_ingestion.contract import Contract
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind, KnownObject, LedgerView, LoadReport, LoadState, ObjectState
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.base import BatchDrop, DropRead, Stage, Staged
from data_ingestion.warehouses.postgres import (
    drops,
    gold,
    ledger,
    leftovers,
    migrations,
    objects,
    replays,
    tables,
    together,
    withdrawal,
)
from data_ingestion.warehouses.postgres.lake import PostgresLake
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits, may_copy
from data_ingestion.warehouses.postgres.profiles import PostgresProfiles
from data_ingestion.warehouses.postgres.session import interruptible, open_session, scalar, server_faults
from data_ingestion.warehouses.postgres.straight import StraightCopy, open_straight

if TYPE_CHECKING:
    from data_ingestion.warehouses.postgres.lanes import LanesStage
    from data_ingestion.warehouses.postgres.stage import PostgresStage

P = ParamSpec("P")
T = TypeVar("T")


def _asking(
    method: Callable[Concatenate[PostgresWarehouse, P], T],
) -> Callable[Concatenate[PostgresWarehouse, P], T]:
    """A method that asks the server, whose faults it tells as its operator's."""

    @wraps(method)
    def told(self: PostgresWarehouse, /, *arguments: P.args, **named: P.kwargs) -> T:
        with server_faults(self.connection):
            return method(self, *arguments, **named)

    return told


@contextmanager
def _aborted_on_error(stage: PostgresStage | LanesStage) -> Iterator[Stage]:
    try:
        yield stage
    except BaseException as error:
        stage.abort(error)
        raise


class PostgresWarehouse:
    """A session with a Postgres warehouse."""

    def __init__(self, connection: Connection, open_another: Callable[[], Connection]) -> None:
        self.connection = connection
        self._open_another = open_another
        self.plan_limits = PlanLimits()
        self._is_made = True
        self.redelivered: set[str] = set()

    @classmethod
    def connect(cls, url: str) -> PostgresWarehouse:
        """A session in UTC, with more of them as large drops ask for it. Raises `OperatorFault` as `open_session`."""
        return cls(open_session(url), partial(open_session, url))

    @property
    def lake(self) -> PostgresLake:
        return PostgresLake(self.connection)

    @property
    def profiles(self) -> PostgresProfiles:
        return PostgresProfiles(self.connection)

    def one_moment(self) -> AbstractContextManager[None]:
        return gold.one_moment(self.connection)

    @_asking
    def read_gold(
        self, relation: str, columns: Sequence[str], order: Sequence[str], most: int | None
    ) -> list[tuple[Any, ...]]:
        return gold.read_rows(self.connection, relation, columns, order, most)

    @_asking
    def migrate(self) -> None:
        migrations.migrate(self.connection)

    @_asking
    def read_only(self) -> None:
        self._is_made = migrations.is_made(self.connection)
        self.connection.read_only = True

    @_asking
    def prepare(self, contract: Contract) -> None:
        tables.prepare(self.connection, contract)

    @_asking
    def known_objects(self, dataset: str, seen: Iterable[LandingObject]) -> LedgerView:
        return objects.known_objects(self.connection, dataset, seen) if self._is_made else LedgerView()

    @_asking
    def newest_begun(self, dataset: str) -> str:
        return objects.newest_begun(self.connection, dataset) if self._is_made else ""

    @_asking
    def pending_objects(self, contract: Contract) -> dict[str, ObjectState]:
        return objects.pending_objects(self.connection, contract) if self._is_made else {}

    @_asking
    def record_gone(self, keys: Iterable[str]) -> None:
        objects.record_gone(self.connection, keys)

    @_asking
    def find_object(self, key: str) -> KnownObject | None:
        return objects.find_object(self.connection, key)

    @_asking
    def similar_objects(self, key: str) -> list[str]:
        return objects.similar_objects(self.connection, key)

    @_asking
    def record_seen(self, dataset: str | None, seen: Iterable[LandingObject]) -> None:
        objects.record_seen(self.connection, dataset, seen)

    @_asking
    def abandon_lost_attempts(self) -> int:
        leftovers.remove_stages(self.connection)
        return ledger.abandon_lost_attempts(self.connection)

    @contextmanager
    def attempts(self, drops: Sequence[PlannedDrop]) -> Iterator[list[int]]:
        with server_faults(self.connection):
            attempt_ids = ledger.start_attempts(self.connection, drops)
        try:
            yield attempt_ids
        finally:
            if not self.connection.closed:
                ledger.end_attempts(self.connection, attempt_ids)

    @_asking
    def forget_attempts(self, attempt_ids: Sequence[int]) -> None:
        ledger.forget_attempts(self.connection, attempt_ids)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with (
                server_faults(self.connection),
                self.connection.transaction(),
                interruptible(self.connection),
            ):
                yield
        except BaseException:
            with suppress(psycopg.Error):  # of a lost session, the next command does it
                leftovers.remove_stages(self.connection)
            raise

    @contextmanager
    def stage(self, contract: Contract, planned: PlannedDrop) -> Iterator[Stage]:
        table, straight = tables.RawTable(contract), None
        is_first = planned.ledger_etag is None and planned.kind in (Kind.NEW, Kind.LATE)
        if is_first and may_copy(self._raw_rows(contract), planned.object.size, self.plan_limits):
            straight = open_straight(self.connection, table)
        in_lanes = straight is None and planned.object.size >= self.plan_limits.large_bytes
        with _aborted_on_error(
            self._open_lanes(table) if in_lanes else self._open_stage(table, straight=straight)
        ) as stage:
            yield stage

    @contextmanager
    def shared_stage(self, contract: Contract) -> Iterator[Stage]:
        with _aborted_on_error(self._open_stage(tables.RawTable(contract), positions=True)) as stage:
            yield stage

    # These import Arrow, which a run with nothing new does without.

    def _open_stage(
        self, table: tables.RawTable, *, positions: bool = False, straight: StraightCopy | None = None
    ) -> PostgresStage:
        from data_ingestion.warehouses.postgres.stage import PostgresStage

        return PostgresStage(self.connection, table, positions=positions, straight=straight)

    def _open_lanes(self, table: tables.RawTable) -> LanesStage:
        from data_ingestion.warehouses.postgres.lanes import LanesStage

        return LanesStage(self.connection, table, self._open_another, self.plan_limits.lanes)

    def _raw_rows(self, contract: Contract) -> int:
        return int(
            scalar(
                self.connection, "select raw_rows from ops.datasets where dataset = %s", [contract.dataset]
            )
        )

    @_asking
    def bring_in(
        self, contract: Contract, planned: PlannedDrop, attempt_id: int, drop: DropRead, bad: Iterable[BadRow]
    ) -> LoadReport:
        brought = drops.bring_in(self.connection, contract, planned, drop, self.plan_limits)
        report = self._record(contract, planned, attempt_id, drop, brought)
        if brought.kind not in (Kind.KNOWN, Kind.DUPLICATE):
            ledger.record_quarantine(self.connection, [(report, bad)])
        return report

    @_asking
    def bring_in_known(
        self, contract: Contract, planned: PlannedDrop, attempt_id: int, sha256: bytes | None, size: int
    ) -> LoadReport | None:
        known = drops.bring_in_known(self.connection, contract, planned, sha256, size)
        if known is None:
            return None
        brought, drop = known
        return self._record(contract, planned, attempt_id, drop, brought)

    @_asking
    def bring_in_together(
        self, contract: Contract, batch: Sequence[BatchDrop], staged: Staged
    ) -> list[LoadReport | None]:
        if batch[0].planned.is_read_again:
            return replays.bring_in_again(self.connection, contract, batch, staged, self.plan_limits)
        return together.bring_in_together(
            self.connection, contract, batch, staged, self.plan_limits, self.redelivered
        )

    def _record(
        self,
        contract: Contract,
        planned: PlannedDrop,
        attempt_id: int,
        drop: DropRead,
        brought: drops.BroughtIn,
    ) -> LoadReport:
        report = LoadReport(
            dataset=contract.dataset,
            object_key=planned.object.key,
            kind=brought.kind,
            state=LoadState.LOADED,
            fates=brought.fates,
            attempt_id=attempt_id,
            load_id=brought.load_id,
            drop_id=brought.drop_id,
            sha256=drop.sha256.hex(),
            plan=brought.plan,
            plan_reason=brought.plan_reason,
            raw_before=brought.raw_before,
            raw_after=brought.raw_after,
        )
        ledger.record_end(self.connection, report, contract.fingerprint, drop.size)
        touched = brought.kind is Kind.KNOWN  # what this version has in quarantine stays there
        ledger.close_quarantine(self.connection, report, of_failed_only=touched)
        return report

    @_asking
    def withdraw(self, contract: Contract, planned: PlannedDrop, attempt_id: int) -> LoadReport:
        return withdrawal.withdraw(self.connection, contract, planned, attempt_id)

    @_asking
    def undo_withdrawal(self, dataset: str, key: str) -> bool:
        return withdrawal.undo_withdrawal(self.connection, dataset, key)

    @_asking
    def record_failure(self, report: LoadReport, bad: Iterable[BadRow]) -> LoadReport:
        with self.connection.transaction():
            failed = report.ended(LoadState.FAILED, load_id=ledger.draw_load_id(self.connection))
            ledger.record_end(self.connection, failed, None, None)
            ledger.close_quarantine(self.connection, failed, of_failed_only=True)
            ledger.record_quarantine(self.connection, [(failed, bad)])
        return failed

    @_asking
    def loads(self, dataset: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        return ledger.loads(self.connection, dataset, limit)

    @_asking
    def summary(self) -> list[dict[str, Any]]:
        return ledger.summary(self.connection)

    @_asking
    def withdrawn(self, dataset: str | None = None) -> list[str]:
        return objects.withdrawn(self.connection, dataset)

    @_asking
    def unresolved(self) -> list[str]:
        return objects.unresolved(self.connection)

    @_asking
    def quarantined(
        self,
        dataset: str | None = None,
        load_id: int | None = None,
        *,
        everything: bool = False,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        return ledger.quarantined(self.connection, dataset, load_id, everything, limit)

    @_asking
    def unbuilt_datasets(self, domain: str, datasets: Sequence[str]) -> dict[str, int]:
        return ledger.unbuilt_datasets(self.connection, domain, datasets)

    @_asking
    def record_build(self, domain: str, marks: Mapping[str, int]) -> None:
        ledger.record_build(self.connection, domain, marks)

    def close(self) -> None:
        self.connection.close()
