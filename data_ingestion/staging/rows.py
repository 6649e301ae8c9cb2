"""Rows of a stage: checked rows with the key, the line and the position that the merge tells them apart by."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from data_ingestion.checks import LINE
from data_ingestion.checks.rows import stage_schema
from data_ingestion.keys import KEY_BYTES, KeyProof, content_keys
from data_ingestion.merge.table import KEY, OCCURRENCE, POSITION, RawTable

# Arrow's types of integers that are narrower in raw than the checks hand them over.
NARROW_TYPES = {"integer": pa.int32(), "smallint": pa.int16()}


class StageRows:
    """Checked rows as a stage takes them: in raw's own types, with their row key. Several threads may prepare some."""

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
