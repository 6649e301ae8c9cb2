"""Stage on DuckDB: checked rows go into a temporary table as Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_ingestion.engine.staged import Staged
from data_ingestion.merge.table import RawTable
from data_ingestion.staging.rows import StageRows

if TYPE_CHECKING:
    from data_ingestion.warehouses.duckdb.session import DuckdbSession

NAME = "_stage"
ARRIVED = "_arrived"


class DuckdbStage:
    """A temporary table that record batches are appended to. With `positions`, it is for several drops."""

    def __init__(self, session: DuckdbSession, table: RawTable, *, positions: bool) -> None:
        self._session = session
        self._rows = StageRows(table, positions=positions)
        self._count = 0
        dialect, types = session.dialect, table.stage_types(positions=positions)
        columns = ", ".join(f"{dialect.quote(name)} {kind}" for name, kind in types.items())
        session.run(f"create or replace temporary table {NAME} ({columns})")
        # Arrow has UUIDs as their bytes.
        self._insert = f"insert into {NAME} select " + ", ".join(
            f"cast(hex({dialect.quote(name)}) as uuid)" if kind == "uuid" else dialect.quote(name)
            for name, kind in types.items()
        )

    def write(self, rows: Any, positions: Any = None) -> None:
        """Copies a record batch of checked rows in, in a shared stage with the position of each one's drop."""
        if not rows.num_rows:
            return
        connection = self._session.connection
        connection.register(ARRIVED, self._rows.prepare(rows, positions))
        try:
            self._count += self._session.run(f"{self._insert} from {ARRIVED}")
        finally:
            connection.unregister(ARRIVED)

    def finish(self) -> Staged:
        """What the table holds."""
        return Staged(self._count, self._rows.are_distinct(), NAME)
