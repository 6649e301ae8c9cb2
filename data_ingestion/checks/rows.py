"""Rows: a chunk of a file against its contract, from text to typed values and reasons for refusal."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checks import LINE, TEXT_SUFFIX, BadRow
from data_ingestion.checks.cells import Judged, arrow_type
from data_ingestion.checks.kinds import UNKNOWN, missing_of_kind, of_no_kind
from data_ingestion.checks.native import as_text, judge
from data_ingestion.checks.texts import longest
from data_ingestion.contract import Column, Contract, KeyRule
from data_ingestion.errors import DropFault
from data_ingestion.reading import BadRecord, Chunk, join_texts

# An entry of Postgres' index has at most 2,704 bytes, of which other columns of the key need some.
MOST_KEY_BYTES = 2_500


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

    Columns are found by name, never by position. Raises `DropFault` for a header that the contract does not know.
    """

    def __init__(self, contract: Contract, header: Sequence[str], object_key: str) -> None:
        self.contract = contract
        self.positions = find_columns(contract, header, object_key)
        self.schema = stage_schema(contract)
        is_natural = contract.key.rule is not KeyRule.OCCURRENCE
        self.text_keys = [
            field.name for field in self.schema
            if is_natural and field.name in contract.key.columns and field.type == pa.string()
        ]  # fmt: skip

    def check(self, chunk: Chunk) -> CheckedChunk:
        """The chunk's rows by type. A row of no known kind is refused for that, any other for the first of its columns
        that breaks the contract.
        """
        rows, refused = self._judge(chunk)
        bad = [*self._bad_records(chunk.bad), *refused.values()]
        bad.sort(key=lambda row: row.line)
        return CheckedChunk(rows, tuple(bad), len(chunk.lines) + len(chunk.bad))

    def check_together(self, chunks: Sequence[Chunk]) -> CheckedTogether:
        """The same for chunks of text of several drops at once: what is called once a column costs as much for many.

        A row meets the fate that it meets in a chunk by itself.
        """
        joined = join_texts(chunks)
        rows, refused = self._judge(joined)
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

    def _judge(self, chunk: Chunk) -> tuple[Any, dict[int, BadRow]]:
        """The good rows, and by its place in the chunk why each of the others is none."""
        refused: dict[int, tuple[str, str, str]] = {}
        arrays, texts = [], []
        found = [(column, *self._judged(column, chunk)) for column in self.contract.columns]
        missing: dict[str, dict[int, str]] = {}
        if kinds := self.contract.kinds:
            values = {column.name: judged.values for column, _, judged in found}
            strange = of_no_kind(kinds, values)
            refused |= {row: (kinds.columns[0], UNKNOWN, detail) for row, detail in strange.items()}
            missing = missing_of_kind(kinds, values)
        for column, cells, judged in found:
            for row, (reason, detail) in judged.refused.items():
                refused.setdefault(row, (column.name, reason, detail))
            for row, detail in missing.get(column.name, {}).items():
                refused.setdefault(row, (column.name, "missing", detail))
            arrays.append(judged.values)
            if column.keep_text:
                arrays.append(as_text(cells))
            if column.name in self.text_keys:
                texts.append(judged.values)
        for row, size in _too_long(texts).items():
            detail = f"its {size} bytes are more than the {MOST_KEY_BYTES} of a key that an index holds"
            refused.setdefault(row, (self.text_keys[0], "key_too_long", detail))
        arrays.append(chunk.lines)
        rows = pa.record_batch([_as_array(array) for array in arrays], schema=self.schema)
        if refused:
            keep = np.ones(len(chunk.lines), np.bool_)
            keep[list(refused)] = False
            rows = rows.filter(pa.array(keep))
        return rows, {
            row: BadRow(chunk.lines[row].as_py(), reason, name, detail, chunk.raw(row))
            for row, (name, reason, detail) in refused.items()
        }

    def _judged(self, column: Column, chunk: Chunk) -> tuple[Any, Judged]:
        """A column's cells, and what becomes of them."""
        position = self.positions.get(column.name)
        cells = pa.nulls(len(chunk.lines), pa.string()) if position is None else chunk.table.column(position)
        return cells, judge(cells, column)

    def _bad_records(self, records: Sequence[BadRecord]) -> list[BadRow]:
        """What could not be read. That a record is of no known kind says more than that its fields are unknown."""
        bad = [
            BadRow(record.line, record.reason, record.column, record.detail, record.raw) for record in records
        ]
        kinds = self.contract.kinds
        told = [place for place, record in enumerate(records) if record.cells is not None]
        if kinds is None or not told:
            return bad
        said = [records[place].cells or () for place in told]
        values = {}
        for column in (column for column in self.contract.columns if column.name in kinds.columns):
            at = self.positions[column.name]
            values[column.name] = judge(pa.array([cells[at] for cells in said], pa.string()), column).values
        for row, detail in of_no_kind(kinds, values).items():
            record = records[told[row]]
            bad[told[row]] = BadRow(record.line, UNKNOWN, kinds.columns[0], detail, record.raw)
        return bad


def _too_long(texts: Sequence[Any]) -> dict[int, int]:
    """Rows whose texts together are too long for a key, and their bytes."""
    most = [longest(text) for text in texts]
    if None not in most and sum(filter(None, most)) <= MOST_KEY_BYTES:
        return {}
    sizes: Any = 0
    for text in texts:
        sizes = pc.add(sizes, pc.coalesce(pc.binary_length(text), 0))
    rows = pc.indices_nonzero(pc.greater(sizes, MOST_KEY_BYTES)).to_pylist()
    return {row: sizes[row].as_py() for row in rows}


def stage_schema(contract: Contract) -> pa.Schema:
    """The Arrow schema of checked rows: the contract's columns in order, kept texts beside them, then the line."""
    fields = []
    for column in contract.columns:
        fields.append(pa.field(column.name, arrow_type(column)))
        if column.keep_text:
            fields.append(pa.field(column.name + TEXT_SUFFIX, pa.string()))
    return pa.schema([*fields, pa.field(LINE, pa.int64())])


def find_columns(contract: Contract, header: Sequence[str], object_key: str) -> dict[str, int]:
    """Where each of the contract's columns stands in the file, by any of its headers.

    Raises `DropFault` for headers that repeat, that the contract does not know, or that are missing: to guess
    would be to load the wrong column.
    """
    place = f"{object_key}:1"
    repeated = [name for name, times in Counter(header).items() if times > 1]
    if repeated:
        raise DropFault(
            f"{place}: header {repeated[0]!r} stands {header.count(repeated[0])} times\n"
            "  give each column a name of its own"
        )
    by_header = {text: column for column in contract.columns for text in column.headers}
    positions: dict[str, int] = {}
    for position, text in enumerate(header):
        column = by_header.get(text)
        if column is not None:
            if column.name in positions:
                first = header[positions[column.name]]
                raise DropFault(
                    f"{place}: {first!r} and {text!r} are both headers of '{column.name}'\n"
                    f"  correct the file, or give one of them a column of its own in {contract.path}"
                )
            positions[column.name] = position
        elif text not in contract.ignored_headers:
            raise DropFault(_unknown_header(contract, place, text, list(by_header)))
    missing = [
        column for column in contract.columns if column.name not in positions and not column.may_be_absent
    ]
    if missing:
        raise DropFault(_missing_column(contract, place, missing[0], header))
    return positions


def _unknown_header(contract: Contract, place: str, text: str, known: list[str]) -> str:
    close = difflib.get_close_matches(text, known, 1)
    hint = f"; nearest is {close[0]!r}" if close else ""
    return (
        f"{place}: header {text!r} is no column of {contract.path}{hint}\n"
        f"  add it to a column's `headers`, or to `ignoredHeaders`  (docs/reference/contract.md#headers)"
    )


def _missing_column(contract: Contract, place: str, column: Column, header: Sequence[str]) -> str:
    wanted = " or ".join(repr(text) for text in column.headers)
    return (
        f"{place}: no column {wanted} for '{column.name}'; the header is {', '.join(repr(text) for text in header)}\n"
        f"  correct the file, add the header's text to `headers`, or allow `mayBeAbsent` in {contract.path}"
    )


def _as_array(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
