"""Snowflake as a warehouse: files on a stage, one COPY a batch, and the ledger beside the data."""

from __future__ import annotations

from contextlib import AbstractContextManager

from data_ingestion.contract import Contract
from data_ingestion.engine.rebuilding import Rebuilding
from data_ingestion.errors import OperatorFault
from data_ingestion.ledger.objects import ensure_dataset
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.plain import migrations
from data_ingestion.warehouses.plain.copying import FileStage, FileStagingWarehouse
from data_ingestion.warehouses.plain.tables import PlainTables
from data_ingestion.warehouses.snowflake.place import Place
from data_ingestion.warehouses.snowflake.session import SnowflakeSession


class SnowflakeTables(PlainTables):
    """Tables that are made statement by statement, as DDL commits; those that were made in part are made again.

    With which key they were made is noted last, and forgotten before anything is done to them.
    """

    _session: SnowflakeSession

    def prepare(self, contract: Contract) -> tuple[str, ...]:
        with self._session.alone():
            self._drop_half_made(RawTable(contract))
            return super().prepare(contract)

    def make_again(self, table: RawTable) -> tuple[str, ...]:
        self._forget_key(table)
        return super().make_again(table)

    def _make_first(self, table: RawTable) -> None:
        ensure_dataset(self._session, table.contract.dataset)
        self._forget_key(table)
        super()._make_first(table)

    def _forget_key(self, table: RawTable) -> None:
        self._session.run(
            "update ops.datasets set raw_key = null, raw_rows = 0 where dataset = $dataset",
            dataset=table.contract.dataset,
        )

    def _drop_half_made(self, table: RawTable) -> None:
        row = self._session.row(
            "select raw_key, raw_rows from ops.datasets where dataset = $dataset",
            dataset=table.contract.dataset,
        )
        if row and row[0] is None and row[1] == 0:
            for name in (table.name, table.history):
                self._session.run(f"drop table if exists {self._session.dialect.quote(*name)}")


class SnowflakeWarehouse(FileStagingWarehouse):
    """A database of an account."""

    def __init__(self, session: SnowflakeSession) -> None:
        self.session: SnowflakeSession = session

    @classmethod
    def connect(cls, url: str) -> SnowflakeWarehouse:
        """A warehouse, with which a session is opened when it is first needed."""
        return cls(SnowflakeSession(Place.of(url)))

    def migrate(self) -> None:
        """Step by step, as DDL commits; a step that was cut off begins again with what is not there yet."""
        with self.session.alone():
            migrations.migrate(self.session)

    @property
    def tables(self) -> SnowflakeTables:
        return SnowflakeTables(self.session)

    def rebuild(self, contract: Contract) -> AbstractContextManager[Rebuilding]:
        """Its new tables can't take the place of the old ones together with what the ledger says."""
        raise OperatorFault(
            f"raw.{contract.dataset} can't be rebuilt on Snowflake, which commits when a table is made or renamed\n"
            f"  drop raw.{contract.dataset} and raw.{contract.dataset}__history: the next two loads load the files on "
            "the landing again"
        )

    def _open_stage(self, table: RawTable, *, positions: bool) -> FileStage:
        from data_ingestion.warehouses.snowflake.stage import SnowflakeStage  # which imports Arrow

        return SnowflakeStage(self.session, table, positions=positions)
