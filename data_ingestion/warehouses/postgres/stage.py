"""Stage on Postgres: checked rows by binary COPY into a temporary table, or straight into an empty raw table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pgpq
import pyarrow as pa
from psycopg import Connection, sql

from data_ingestion.checks import LINE
from data_ingestion.checks.rows import stage_schema
from data_ingestion.keys import KEY_BYTES, KeyProof, content_keys
from data_ingestion.warehouses.postgres.session import names
from data_ingestion.warehouses.postgres.straight import StagedStraight, StraightCopy
from data_ingestion.warehouses.postgres.tables import (
    KEY,
    OCCURRENCE,
    POSITION,
    RawTable,
    StagedRows,
    create_stage,
    name_stage,
)

if TYPE_CHECKING:
    from psycopg import Copy

# What COPY's binary form wants for a column of that type; other types are as the checks hand them over.
NARROW_TYPES = {"integer": pa.int32(), "smallint": pa.int16()}


class PostgresStage:
    """An open COPY. Binary rows cost the server half of what text costs it (docs/decisions/0003-binary-copy.md).

    Rows are in raw's own types and carry their row key. With `positions`, each row tells which drop of its batch it
    is of; with `straight`, rows go into raw itself, which knows their drop and load. A `large` stage can be read by
    several processes of the server at once.
    """

    def __init__(
        self,
        connection: Connection,
        table: RawTable,
        *,
        positions: bool = False,
        straight: StraightCopy | None = None,
        large: bool = False,
    ) -> None:
        self._straight = straight
        self._name = table.name if straight else name_stage(connection, shared=large)
        self._table = table
        self._positions = positions
        self._schema = self._wire_schema()
        self._proof = KeyProof()
        if not straight:
            connection.execute(create_stage(table, self._name, positions=positions))
        self._encoder = pgpq.ArrowToPostgresBinaryEncoder(self._schema)
        self._cursor = connection.cursor()
        self._context = self._cursor.copy(
            sql.SQL("copy {} ({}) from stdin (format binary)").format(self._name, names(self._schema.names))
        )
        self._copy: Copy = self._context.__enter__()
        self._copy.write(self._encoder.write_header())

    def write(self, rows: Any, positions: Any = None) -> None:
        """Copies a record batch of checked rows in, in a shared stage with the position of each one's drop."""
        if rows.num_rows:
            self._copy.write(self._encoder.write_batch(self._as_wired(rows, positions)))

    def finish(self) -> StagedRows:
        """Ends the COPY."""
        self._copy.write(self._encoder.finish())
        self._context.__exit__(None, None, None)
        rows, distinct = self._cursor.rowcount, self._proof.is_distinct()
        if self._straight:
            return StagedStraight(rows, distinct, self._name, self._straight)
        return StagedRows(rows, distinct, self._name)

    def abort(self, error: BaseException) -> None:
        """Ends the COPY without its rows, so that the connection can go on to roll back."""
        self._context.__exit__(type(error), error, error.__traceback__)

    def _wire_schema(self) -> pa.Schema:
        table = self._table
        fields = (
            [pa.field(KEY, pa.binary(KEY_BYTES)), pa.field(OCCURRENCE, pa.int32())]
            if table.by_occurrence
            else []
        )
        for name, kind in zip(table.content, stage_schema(table.contract).types, strict=False):
            fields.append(pa.field(name, NARROW_TYPES.get(table.content[name], kind)))
        fields.append(pa.field(LINE, pa.int64()))
        return pa.schema([*fields, pa.field(POSITION, pa.int32())] if self._positions else fields)

    def _as_wired(self, rows: Any, positions: Any) -> Any:
        count, columns = rows.num_rows, []
        if self._table.by_occurrence:
            keys = content_keys(rows, self._table.contract)
            self._proof.add_values(keys)
            columns += [keys, pa.array(np.ones(count, np.int32))]
        else:
            self._proof.add(rows, self._table.key)
        columns += rows.columns
        if self._positions:
            columns.append(pa.array(positions, pa.int32()))
        return pa.record_batch(
            [
                column if column.type == field.type else column.cast(field.type)
                for column, field in zip(columns, self._schema, strict=True)
            ],
            schema=self._schema,
        )
