"""Copy stage: checked rows by binary COPY into a temporary table, or straight into an empty raw table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pgpq
import pyarrow as pa
from psycopg import Connection, sql

from data_ingestion.engine.staged import DirectCopy, Staged
from data_ingestion.merge.table import RawTable
from data_ingestion.staging.rows import StageRows
from data_ingestion.warehouses.postgres.session import abort_copy, names
from data_ingestion.warehouses.postgres.tables import TEMPORARY_STAGE, create_stage

if TYPE_CHECKING:
    from psycopg import Copy


class PostgresStage:
    """An open COPY into a table of this transaction alone.

    With `positions`, each row tells which drop of its batch it is of; with `direct`, rows go into raw itself, which
    knows their drop and load.
    """

    def __init__(
        self,
        connection: Connection,
        table: RawTable,
        *,
        positions: bool = False,
        direct: DirectCopy | None = None,
    ) -> None:
        self._direct = direct
        self._name = sql.Identifier(*table.name) if direct else TEMPORARY_STAGE
        self._rows = StageRows(table, positions=positions)
        if not direct:
            connection.execute(create_stage(table, self._name, positions=positions))
        self._copy = BinaryCopy(connection, self._name, self._rows.schema)

    def write(self, rows: Any, positions: Any = None) -> None:
        """Copies a record batch of checked rows in, in a shared stage with the position of each one's drop."""
        if rows.num_rows:
            self._copy.write(self._rows.prepare(rows, positions))

    def finish(self) -> Staged:
        """Ends the COPY."""
        rows, distinct = self._copy.finish(), self._rows.are_distinct()
        return Staged(rows, distinct, self._name.as_string(), self._direct)

    def abort(self) -> None:
        """Ends the COPY without its rows, so that the connection can go on to roll back."""
        self._copy.abort()


class BinaryCopy:
    """A COPY under way. Binary rows cost the server half of what text costs it (docs/decisions/0003-binary-copy.md)."""

    def __init__(self, connection: Connection, name: sql.Identifier, schema: pa.Schema) -> None:
        self._encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
        self._cursor = connection.cursor()
        self._context = self._cursor.copy(
            sql.SQL("copy {} ({}) from stdin (format binary)").format(name, names(schema.names))
        )
        self._copy: Copy = self._context.__enter__()
        self._copy.write(self._encoder.write_header())

    def write(self, batch: Any) -> None:
        """Sends a record batch of the schema."""
        self._copy.write(self._encoder.write_batch(batch))

    def finish(self) -> int:
        """Ends the COPY; the rows that the server took."""
        self._copy.write(self._encoder.finish())
        self._context.__exit__(None, None, None)
        return self._cursor.rowcount

    def abort(self) -> None:
        """Ends the COPY without its rows."""
        abort_copy(self._context)
