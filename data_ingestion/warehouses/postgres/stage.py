"""Stage on Postgres: checked rows by binary COPY into a temporary table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pgpq
from psycopg import Connection, sql

from data_ingestion.contract import Contract
from data_ingestion.warehouses.postgres.tables import create_stage

if TYPE_CHECKING:
    from psycopg import Copy

STAGE = "_stage"


class PostgresStage:
    """An open COPY. Binary rows cost the server half of what text costs it (docs/decisions/0003-binary-copy.md)."""

    def __init__(self, connection: Connection, contract: Contract) -> None:
        from data_ingestion.checks.rows import stage_schema  # and Arrow with it, which no other command needs

        connection.execute(create_stage(contract, STAGE))
        schema = stage_schema(contract)
        columns = sql.SQL(", ").join(map(sql.Identifier, schema.names))
        self._encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
        self._cursor = connection.cursor()
        self._context = self._cursor.copy(
            sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(STAGE), columns)
        )
        self._copy: Copy = self._context.__enter__()
        self._copy.write(self._encoder.write_header())

    def write(self, rows: Any) -> None:
        """Copies a record batch of checked rows in."""
        if rows.num_rows:
            self._copy.write(self._encoder.write_batch(rows))

    def finish(self) -> int:
        """Ends the COPY; how many rows the server took."""
        self._copy.write(self._encoder.finish())
        self._context.__exit__(None, None, None)
        return self._cursor.rowcount

    def abort(self, error: BaseException) -> None:
        """Ends the COPY without its rows, so that the connection can go on to roll back."""
        self._context.__exit__(type(error), error, error.__traceback__)
