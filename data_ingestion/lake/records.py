"""Records: the rows of the lake's files: each as it came, with where it came from, in types that any engine reads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data_ingestion.contract import Contract, CsvFormat, JsonLinesFormat
from data_ingestion.contract.pattern import start_of
from data_ingestion.errors import LawBroken
from data_ingestion.lake.files import DropVersion
from data_ingestion.ledger.model import HASH_BYTES
from data_ingestion.reading import Chunk, open_reader
from data_ingestion.reading.lines import Line, read_lines

# Spark reads neither unsigned integers nor nanoseconds, and takes a time for UTC only if it says so.
SCHEMA = pa.schema([
    pa.field("record", pa.string(), nullable=False),
    pa.field("record_bytes", pa.binary()),
    pa.field("line", pa.int64(), nullable=False),
    pa.field("header", pa.string()),
    pa.field("object_key", pa.string(), nullable=False),
    pa.field("drop_id", pa.int64(), nullable=False),
    pa.field("load_id", pa.int64(), nullable=False),
    pa.field("kind", pa.string(), nullable=False),
    pa.field("sha256", pa.string(), nullable=False),
    pa.field("period", pa.string(), nullable=False),
    pa.field("period_start", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("delivered_at", pa.timestamp("us", tz="UTC"), nullable=False),
])  # fmt: skip
# What is the same for all records of a drop.
_OF_DROP = SCHEMA.names[SCHEMA.names.index("header") :]
# Records wait until there are so many bytes of them: a row group.
_GROUP_BYTES, _GROUP_ROWS = 16 << 20, 100_000


class RecordsFile:
    """A Parquet file of records on its way, on disk without a name: a killed run leaves nothing of it behind."""

    def __init__(self) -> None:
        self.content = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - lives until it is delivered
        self._writer = pq.ParquetWriter(
            self.content, SCHEMA, compression="zstd", use_dictionary=_OF_DROP, write_page_index=True
        )
        self.drops = self.records = 0
        self._tables: list[Any] = []
        self._texts: list[bytes] = []
        self._lines: list[int] = []
        self._drops: list[tuple[Any, ...]] = []
        self._counts: list[int] = []
        self._rows = self._size = 0  # that wait

    def add_drop(self, contract: Contract, version: DropVersion, key: str, stream: BinaryIO) -> int:
        """Takes in all records of a drop, the quarantined ones too; how many they are."""
        header, chunks = _records_of(contract, key, stream)
        self._drops.append(
            (header, key, version.drop_id, version.load_id, version.kind, version.sha256[:HASH_BYTES].hex(),
             version.period, start_of(version.period), version.delivered_at)
        )  # fmt: skip
        self._counts.append(0)
        before = self.records
        for rows in chunks:
            self._add_rows(rows)
        self.drops += 1
        return self.records - before

    def add_table(self, rows: Any) -> None:
        """Takes in a row group of another file of the lake, as it is; small ones wait to be one together."""
        self._tables.append(rows.cast(SCHEMA))
        self.records += rows.num_rows
        self._rows += rows.num_rows
        self._size += rows["record"].nbytes
        if self._size > _GROUP_BYTES or self._rows > _GROUP_ROWS:
            self._flush()

    def close(self) -> int:
        """Ends the file; its size in bytes. Its content stands at its start then."""
        self._flush()
        self._writer.close()
        size = self.content.tell()
        self.content.seek(0)
        return size

    def _add_rows(self, rows: Sequence[Line]) -> None:
        self._lines += [line for line, _ in rows]
        self._texts += [text for _, text in rows]
        self._counts[-1] += len(rows)
        self.records += len(rows)
        self._rows += len(rows)
        self._size += sum(len(text) for _, text in rows)
        if self._size > _GROUP_BYTES or self._rows > _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._tables:
            self._writer.write_table(pa.concat_tables(self._tables))
            self._tables = []
        if self._texts:
            of_drop = np.repeat(np.arange(len(self._drops)), self._counts)
            columns = [
                pa.array(values, SCHEMA.field(name).type).take(pa.array(of_drop))
                for name, values in zip(_OF_DROP, zip(*self._drops, strict=True), strict=True)
            ]
            text, raw = _as_text(self._texts)
            self._writer.write_table(
                pa.Table.from_arrays([text, raw, pa.array(self._lines, pa.int64()), *columns], schema=SCHEMA)
            )
        # A drop whose records are still coming goes on in the next row group.
        self._drops, self._counts = self._drops[-1:], [0] * len(self._drops[-1:])
        self._texts, self._lines, self._rows, self._size = [], [], 0, 0


def _records_of(contract: Contract, key: str, stream: BinaryIO) -> tuple[str | None, Iterator[list[Line]]]:
    """All records of a drop in their order, and the names in its header where these give them their meaning."""
    form = contract.format_of(key)
    if isinstance(form, JsonLinesFormat):
        return None, read_lines(stream, form)
    reader = open_reader(stream, contract, key)
    header = json.dumps(reader.header, ensure_ascii=False) if isinstance(form, CsvFormat) else None
    return header, map(_rows, reader)


def _rows(chunk: Chunk) -> list[Line]:
    rows = [(line, chunk.raw(index)) for index, line in enumerate(chunk.lines.to_pylist())]
    return sorted([*rows, *((bad.line, bad.raw) for bad in chunk.bad)], key=lambda row: row[0])


def _as_text(records: Sequence[bytes]) -> tuple[Any, Any]:
    """The records as text, and the bytes of those that are none: they are shown escaped."""
    raw = pa.array(records, pa.binary())
    try:
        return raw.cast(pa.string()), pa.nulls(len(records), pa.binary())
    except pa.ArrowInvalid:
        texts = [record.decode("utf-8", "backslashreplace") for record in records]
        kept = [
            None if text.encode() == record else record for text, record in zip(texts, records, strict=True)
        ]
        return pa.array(texts, pa.string()), pa.array(kept, pa.binary())


def join_files(contents: Iterable[BinaryIO], expected: int) -> tuple[RecordsFile, int]:
    """Files of the lake as one, in their order, with its size; each is done with when the next one is asked for.

    Raises `LawBroken` if they have not `expected` records.
    """
    joined = RecordsFile()
    for content in contents:
        file = pq.ParquetFile(content)
        for index in range(file.num_row_groups):  # its batches go across them: of large records gigabytes
            joined.add_table(file.read_row_group(index, use_threads=False))
    size = joined.close()
    if joined.records != expected:
        raise LawBroken(f"{expected} records lie in some files of the lake, {joined.records} were read")
    return joined, size
