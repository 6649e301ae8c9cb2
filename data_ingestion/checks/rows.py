"""Rows: a chunk of a file against its contract, from text to typed values and reasons for refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from data_ingestion.checks import LINE, TEXT_SUFFIX, BadRow
from data_ingestion.checks.cells import CheckedColumn, arrow_type
from data_ingestion.checks.header import Look, find_columns
from data_ingestion.checks.key_size import most_text_bytes, too_long
from data_ingestion.checks.kinds import UNKNOWN, missing_of_kind, of_no_kind
from data_ingestion.checks.native import as_text, check_column
from data_ingestion.contract import Column, Contract, KeyRule
from data_ingestion.drop_limits import shape_of
from data_ingestion.reading import BadRecord, Chunk, join_texts


@dataclass(frozen=True)
class CheckedChunk:
    """Typed rows, with their line numbers in `_line`, and the rows that were refused."""

    rows: Any
    bad: tuple[BadRow, ...]
    read: int


@dataclass(frozen=True)
class CheckedTogether:
    """Typed rows of several drops, each with the number of its chunk, and by chunk the rows that were refused."""

    rows: Any
    drops: Any
    bad: tuple[tuple[BadRow, ...], ...]


class RowChecks:
    """The contract's rules for one drop, whose header says where each column stands.

    Columns are found by name, never by position. Raises `DropFault` for a header that does not fit the contract, by
    what the file looks like if `look` can say it.
    """

    def __init__(
        self, contract: Contract, header: Sequence[str], object_key: str, look: Look | None = None
    ) -> None:
        self.contract = contract
        self.positions = find_columns(contract, header, object_key, look)
        self.schema = stage_schema(contract)
        is_natural = contract.key.rule is not KeyRule.OCCURRENCE
        self.text_keys = [
            field.name for field in self.schema
            if is_natural and field.name in contract.key.columns and field.type == pa.string()
        ]  # fmt: skip
        self.most_key_bytes = most_text_bytes(contract) if self.text_keys else 0

    def check(self, chunk: Chunk) -> CheckedChunk:
        """The chunk's rows by type. A row of no known kind is refused for that, any other for the first of its columns
        that breaks the contract.
        """
        rows, refused = self._check_rows(chunk)
        bad = [*self._bad_records(chunk.bad), *refused.values()]
        bad.sort(key=lambda row: row.line)
        return CheckedChunk(rows, tuple(bad), len(chunk.lines) + len(chunk.bad))

    def check_together(self, chunks: Sequence[Chunk]) -> CheckedTogether:
        """The same for chunks of text of several drops at once: what is called once a column costs as much for many.

        A row meets the fate that it meets in a chunk by itself.
        """
        joined = join_texts(chunks)
        rows, refused = self._check_rows(joined)
        counts = [chunk.rows for chunk in chunks]
        ends = np.cumsum(counts, dtype=np.int64)
        bad: list[list[BadRow]] = [[] for _ in chunks]
        of_record = [number for number, chunk in enumerate(chunks) for _ in chunk.bad]
        for number, record in zip(of_record, self._bad_records(joined.bad), strict=True):
            bad[number].append(record)
        for row, why in refused.items():
            bad[int(np.searchsorted(ends, row, "right"))].append(why)
        for each in bad:
            each.sort(key=lambda row: row.line)
        drops = np.repeat(np.arange(len(chunks), dtype=np.int32), counts)
        if refused:
            drops = np.delete(drops, list(refused))
        return CheckedTogether(rows, drops, tuple(tuple(each) for each in bad))

    def _check_rows(self, chunk: Chunk) -> tuple[Any, dict[int, BadRow]]:
        """The good rows, and by its place in the chunk why each of the others is none."""
        refused: dict[int, tuple[str, str, str]] = {}
        arrays, texts = [], []
        found = [(column, *self._check_column(column, chunk)) for column in self.contract.columns]
        missing: dict[str, dict[int, str]] = {}
        if kinds := self.contract.kinds:
            values = {column.name: checked.values for column, _, checked in found}
            strange = of_no_kind(kinds, values)
            refused |= {row: (kinds.columns[0], UNKNOWN, detail) for row, detail in strange.items()}
            may_be_empty = [column.name for column in self.contract.columns if column.may_be_empty]
            missing = missing_of_kind(kinds, values, may_be_empty)
        for column, cells, checked in found:
            for row, (reason, detail) in checked.refused.items():
                refused.setdefault(row, (column.name, reason, detail))
            for row, detail in missing.get(column.name, {}).items():
                refused.setdefault(row, (column.name, "missing", detail))
            arrays.append(checked.values)
            if column.keep_text:
                arrays.append(as_text(cells))
            if column.name in self.text_keys:
                texts.append(checked.values)
        for row, size in too_long(texts, self.most_key_bytes).items():
            detail = f"its texts have {size:,} bytes, and an index has room for {self.most_key_bytes:,} of this key"
            refused.setdefault(row, (self.text_keys[0], "key_too_long", detail))
        arrays.append(chunk.lines)
        rows = pa.record_batch([_as_array(array) for array in arrays], schema=self.schema)
        if refused:
            keep = np.ones(len(chunk.lines), np.bool_)
            keep[list(refused)] = False
            rows = rows.filter(pa.array(keep))
        cells_of = {column.name: cells for column, cells, _ in found}
        return rows, {
            row: BadRow(
                chunk.lines[row].as_py(), reason, name, detail, chunk.raw(row), _shape(cells_of[name][row])
            )
            for row, (name, reason, detail) in refused.items()
        }

    def _check_column(self, column: Column, chunk: Chunk) -> tuple[Any, CheckedColumn]:
        """A column's cells, and what becomes of them."""
        position = self.positions.get(column.name)
        cells = pa.nulls(len(chunk.lines), pa.string()) if position is None else chunk.table.column(position)
        return cells, check_column(cells, column)

    def _bad_records(self, records: Sequence[BadRecord]) -> list[BadRow]:
        """What could not be read. That a record is of no known kind says more than that its fields are unknown."""
        bad = [
            BadRow(record.line, record.reason, record.column, record.detail, record.raw) for record in records
        ]
        kinds = self.contract.kinds
        readable = [place for place, record in enumerate(records) if record.cells is not None]
        if kinds is None or not readable:
            return bad
        said = [records[place].cells or () for place in readable]
        values = {}
        for column in (column for column in self.contract.columns if column.name in kinds.columns):
            at = self.positions[column.name]
            values[column.name] = check_column(
                pa.array([cells[at] for cells in said], pa.string()), column
            ).values
        for row, detail in of_no_kind(kinds, values).items():
            record = records[readable[row]]
            bad[readable[row]] = BadRow(record.line, UNKNOWN, kinds.columns[0], detail, record.raw)
        return bad


def _shape(cell: Any) -> str:
    value = cell.as_py()
    return "" if value is None else shape_of(str(value))


def stage_schema(contract: Contract) -> pa.Schema:
    """The Arrow schema of checked rows: the contract's columns in order, kept texts beside them, then the line."""
    fields = []
    for column in contract.columns:
        fields.append(pa.field(column.name, arrow_type(column)))
        if column.keep_text:
            fields.append(pa.field(column.name + TEXT_SUFFIX, pa.string()))
    return pa.schema([*fields, pa.field(LINE, pa.int64())])


def _as_array(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
