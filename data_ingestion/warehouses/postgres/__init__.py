"""Postgres as a warehouse: one transaction a batch, COPY in binary, the ledger beside the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data_ingestion.ledger import Kind
from data_ingestion.ledger.loads import raw_rows
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.base import Warehouse
from data_ingestion.warehouses.postgres import migrations, stage_cleanup
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits, may_copy
from data_ingestion.warehouses.postgres.raw_tables import PostgresTables
from data_ingestion.warehouses.postgres.session import PostgresSession, server_faults

if TYPE_CHECKING:
    from psycopg import Connection

    from data_ingestion.contract import Contract
    from data_ingestion.engine.staged import DirectCopy, Stage
    from data_ingestion.plan import PlannedDrop
    from data_ingestion.warehouses.postgres.copy_stage import PostgresStage
    from data_ingestion.warehouses.postgres.parallel_copy import ParallelCopyStage
    from data_ingestion.warehouses.postgres.rebuilding import PostgresRebuilding


class PostgresWarehouse(Warehouse):
    """A Postgres warehouse."""

    def __init__(self, session: PostgresSession) -> None:
        self.session: PostgresSession = session

    @classmethod
    def connect(cls, url: str) -> PostgresWarehouse:
        """A warehouse over a session in UTC. Raises `OperatorFault` where that can't be opened."""
        return cls(PostgresSession.connect(url))

    @property
    def connection(self) -> Connection:
        """The driver's connection."""
        return self.session.connection

    @property
    def plan_limits(self) -> PlanLimits:
        """Where one way of loading ends and the next begins."""
        return self.session.plan_limits

    @plan_limits.setter
    def plan_limits(self, limits: PlanLimits) -> None:
        self.session.plan_limits = limits

    def migrate(self) -> None:
        with server_faults(self.connection):
            migrations.migrate(self.connection)

    def read_only(self) -> None:
        with server_faults(self.connection):
            self.is_made = migrations.is_made(self.connection)
            self.connection.read_only = True

    @property
    def tables(self) -> PostgresTables:
        return PostgresTables(self.session)

    def prepare(self, contract: Contract) -> tuple[str, ...]:
        with server_faults(self.connection):
            return super().prepare(contract)

    @contextmanager
    def rebuild(self, contract: Contract) -> Iterator[PostgresRebuilding]:
        from data_ingestion.warehouses.postgres.rebuilding import open_rebuild

        with server_faults(self.connection), open_rebuild(self.session, contract) as rebuild:
            yield rebuild

    def remove_abandoned(self) -> None:
        with server_faults(self.connection):
            stage_cleanup.remove_stages(self.connection)

    @contextmanager
    def stage(self, contract: Contract, planned: PlannedDrop) -> Iterator[Stage]:
        from data_ingestion.warehouses.postgres.direct_copy import open_direct

        table, direct = RawTable(contract), None
        is_first = planned.ledger_etag is None and planned.kind in (Kind.NEW, Kind.LATE)
        if is_first and may_copy(
            raw_rows(self.session, contract.dataset), planned.object.size, self.plan_limits
        ):
            direct = open_direct(self.session, table)
        by_several = direct is None and planned.object.size >= self.plan_limits.large_bytes
        with _aborted_on_error(
            self._open_parallel(table) if by_several else self._open_stage(table, direct=direct)
        ) as stage:
            yield stage

    @contextmanager
    def shared_stage(self, contract: Contract) -> Iterator[Stage]:
        with _aborted_on_error(self._open_stage(RawTable(contract), positions=True)) as stage:
            yield stage

    # These import Arrow, which a run with nothing new does without.

    def _open_stage(
        self, table: RawTable, *, positions: bool = False, direct: DirectCopy | None = None
    ) -> PostgresStage:
        from data_ingestion.warehouses.postgres.copy_stage import PostgresStage

        return PostgresStage(self.connection, table, positions=positions, direct=direct)

    def _open_parallel(self, table: RawTable) -> ParallelCopyStage:
        from data_ingestion.warehouses.postgres.parallel_copy import ParallelCopyStage

        return ParallelCopyStage(
            self.connection, table, self.session.open_another, self.plan_limits.copy_sessions
        )


@contextmanager
def _aborted_on_error(stage: PostgresStage | ParallelCopyStage) -> Iterator[Stage]:
    try:
        yield stage
    except BaseException:
        stage.abort()
        raise
