"""Stage on Postgres: checked rows by binary COPY into a temporary table, or straight into an empty raw table."""

from __future__ import annotations

from threading import Lock
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
    TEMPORARY_STAGE,
    RawTable,
    StagedRows,
    create_stage,
)

if TYPE_CHECKING:
    from psycopg import Copy

# What COPY's binary form wants for a column of that type; other types are as the checks hand them over.
NARROW_TYPES = {"integer": pa.int32(), "smallint": pa.int16()}


class PostgresStage:
    """An open COPY into a table of this transaction alone.

    With `positions`, each row tells which drop of its batch it is of; with `straight`, rows go into raw itself, which
    knows their drop and load.
    """

    def __init__(
        self,
        connection: Connection,
        table: RawTable,
        *,
        positions: bool = False,
        straight: StraightCopy | None = None,
    ) -> None:
        self._straight = straight
        self._name = table.name if straight else TEMPORARY_STAGE
        self._rows = WireRows(table, positions=positions)
        if not straight:
            connection.execute(create_stage(table, self._name, positions=positions))
        self._copy = BinaryCopy(connection, self._name, self._rows.schema)

    def write(self, rows: Any, positions: Any = None) -> None:
        """Copies a record batch of checked rows in, in a shared stage with the position of each one's drop."""
        if rows.num_rows:
            self._copy.write(self._rows.prepare(rows, positions))

    def finish(self) -> StagedRows:
        """Ends the COPY."""
        rows, distinct = self._copy.finish(), self._rows.are_distinct()
        if self._straight:
            return StagedStraight(rows, distinct, self._name, self._straight)
        return StagedRows(rows, distinct, self._name)

    def abort(self, error: BaseException) -> None:
        """Ends the COPY without its rows, so that the connection can go on to roll back."""
        self._copy.abort(error)


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

    def abort(self, error: BaseException) -> None:
        """Ends the COPY without its rows."""
        self._context.__exit__(type(error), error, error.__traceback__)


class WireRows:
    """Checked rows as COPY takes them: in raw's own types, with their row key. Several threads may prepare some."""

    def __init__(self, table: RawTable, *, positions: bool = False) -> None:
        self._table = table
        self._proof, self._proving = KeyProof(), Lock()
        fields = (
            [pa.field(KEY, pa.binary(KEY_BYTES)), pa.field(OCCURRENCE, pa.int32())]
            if table.by_occurrence
            else []
        )
        for name, kind in zip(table.content, stage_schema(table.contract).types, strict=False):
            fields.append(pa.field(name, NARROW_TYPES.get(table.content[name], kind)))
        fields.append(pa.field(LINE, pa.int64()))
        self.schema = pa.schema([*fields, pa.field(POSITION, pa.int32())] if positions else fields)

    def prepare(self, rows: Any, positions: Any = None) -> Any:
        """A record batch of the schema, whose keys are taken into the proof."""
        columns = []
        if self._table.by_occurrence:
            keys = content_keys(rows, self._table.contract)
            with self._proving:
                self._proof.add_values(keys)
            columns += [keys, pa.array(np.ones(rows.num_rows, np.int32))]
        else:
            with self._proving:
                self._proof.add(rows, self._table.key)
        columns += rows.columns
        if positions is not None:
            columns.append(pa.array(positions, pa.int32()))
        return pa.record_batch(
            [
                column if column.type == field.type else column.cast(field.type)
                for column, field in zip(columns, self.schema, strict=True)
            ],
            schema=self.schema,
        )

    def are_distinct(self) -> bool:
        """Whether no key can have come twice. False proves nothing."""
        return self._proof.is_distinct()
