"""DuckDB as a warehouse: one file, no server, the ledger beside the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_ingestion.contract import Contract
from data_ingestion.engine.staged import Stage
from data_ingestion.errors import OperatorFault
from data_ingestion.merge.table import RawTable
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.base import Warehouse
from data_ingestion.warehouses.duckdb.session import DuckdbSession
from data_ingestion.warehouses.plain import migrations
from data_ingestion.warehouses.plain.rebuilding import PlainRebuilding
from data_ingestion.warehouses.plain.tables import PlainTables


class DuckdbWarehouse(Warehouse):
    """A DuckDB file."""

    def __init__(self, session: DuckdbSession) -> None:
        self.session: DuckdbSession = session

    @classmethod
    def connect(cls, url: str) -> DuckdbWarehouse:
        """A warehouse in a file, which is made when it is first written to."""
        path = url.removeprefix("duckdb://").removeprefix("/")
        if not path:
            raise OperatorFault(
                "duckdb:// names no file\n  write duckdb:///file.duckdb, or duckdb:////a/folder/file.duckdb"
            )
        return cls(DuckdbSession(Path(path)))

    def migrate(self) -> None:
        migrations.migrate(self.session)

    def read_only(self) -> None:
        self.session.open_read_only()
        self.is_made = migrations.is_made(self.session)

    @property
    def tables(self) -> PlainTables:
        return PlainTables(self.session)

    @contextmanager
    def rebuild(self, contract: Contract) -> Iterator[PlainRebuilding]:
        rebuilding = PlainRebuilding(self.session, RawTable(contract))
        try:
            yield rebuilding
        finally:
            rebuilding.end()

    def remove_abandoned(self) -> None:
        """Nothing outlives the process that made it."""

    @contextmanager
    def stage(self, contract: Contract, planned: PlannedDrop) -> Iterator[Stage]:
        yield self._open_stage(contract, positions=False)

    @contextmanager
    def shared_stage(self, contract: Contract) -> Iterator[Stage]:
        yield self._open_stage(contract, positions=True)

    def _open_stage(self, contract: Contract, *, positions: bool) -> Stage:
        from data_ingestion.warehouses.duckdb.stage import DuckdbStage  # which imports Arrow

        return DuckdbStage(self.session, RawTable(contract), positions=positions)
