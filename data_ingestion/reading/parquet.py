"""Parquet: batches of a row group become chunks of typed columns; its types reach the checks without becoming text.

- A column within a struct is found by its path, `data.location.lat`. A path that leads to a struct, a list or a map
  gives all of it, as compact JSON.
- Rows are counted from 1. A text that is not UTF-8 makes its row bad: the format promises UTF-8, and not every writer
  keeps that. So does a time that can't be written as text, where it can only become text.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_ingestion.excerpts import shorten
from data_ingestion.reading.chunk import Chunk, RawRows
from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.faults import BadRecord, ReadError
from data_ingestion.reading.json_text import Number, compact, holds_nul
from data_ingestion.reading.likeness import START_BYTES, Likeness, of_start
from data_ingestion.reading.spool import spooled

# A batch has at most so many rows, and fewer where they are long.
_MOST_ROWS = 1 << 14
_BATCH_BYTES = 4 << 20
# Of each column so many bytes are read at a time.
_BUFFER_BYTES = 1 << 16
# How Arrow begins what it writes for a time, day or moment that it can't write.
_NO_TEXT = "<value out of range"
_BAD_UTF8 = ("bad_utf8", "its bytes are not valid UTF-8")


def read_parquet(stream: BinaryIO, headers: Collection[str]) -> ParquetReader:
    """A reader whose header is the file's columns; a struct's are taken apart where `headers` lead into it.

    The file goes to disk first, for it is read from its end. Memory is bounded by a batch and by the file's pages.
    Raises ReadError (then or later) for a file that can't be read to its end.
    """
    return ParquetReader(stream, headers)


class ParquetReader:
    """A Parquet file on the way through: `header` is known, chunks come by iteration."""

    header: tuple[str, ...]

    def __init__(self, stream: BinaryIO, headers: Collection[str]) -> None:
        self._spool = spooled(decompressed(stream))
        try:
            with _Damage():
                self._file = pq.ParquetFile(
                    pa.PythonFile(self._spool, mode="r"),
                    buffer_size=_BUFFER_BYTES,
                    pre_buffer=False,
                    page_checksum_verification=True,
                )
                schema = self._file.schema_arrow
        except ReadError as error:
            self._spool.seek(0)
            if likeness := of_start(self._spool.read(START_BYTES), "parquet"):
                raise ReadError(str(likeness)) from error
            raise
        self._columns = [
            (name, index, steps)
            for index, field in enumerate(schema)
            for name, steps in _leaves(field.name, field.type, set(headers))
        ]
        self.header = tuple(name for name, _, _ in self._columns)

    def __iter__(self) -> Iterator[Chunk]:
        row = 1
        for batch in self._batches():
            with _Damage():
                chunk = self._chunk(batch, row)
            row += batch.num_rows
            yield chunk
        self._spool.close()

    def remark(self) -> str:
        """Nothing that is not said of each record."""
        return ""

    def look(self, headers: Collection[str]) -> Likeness | None:
        """Nothing: what opens as Parquet is Parquet."""
        return None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        groups = self._file.metadata
        for group in range(groups.num_row_groups):
            rows, size = groups.row_group(group).num_rows, groups.row_group(group).total_byte_size
            most = max(1, min(_MOST_ROWS, _BATCH_BYTES * max(rows, 1) // max(size, 1)))
            batches = self._file.iter_batches(most, [group], use_threads=False)
            while True:
                with _Damage():
                    batch = next(batches, None)
                if batch is None:
                    break
                yield batch

    def _chunk(self, batch: pa.RecordBatch, first: int) -> Chunk:
        columns: list[Any] = []
        faults: dict[int, tuple[str, str, str]] = {}
        for name, index, steps in self._columns:
            array = batch.column(index)
            if steps:
                array = pc.struct_field(array, steps)
            array, bad_rows = _readable(array)
            for row, (reason, detail) in bad_rows.items():
                faults.setdefault(row, (name, reason, detail))
            columns.append(array)
        table = pa.RecordBatch.from_arrays(columns, names=list(self.header))
        lines = pa.arange(first, first + batch.num_rows)
        raws: Sequence[bytes] = _RowsAsJson(batch)
        bad = tuple(
            BadRecord(first + row, reason, raws[row], name, detail)
            for row, (name, reason, detail) in sorted(faults.items())
        )
        if bad:
            keep = pa.array([row not in faults for row in range(batch.num_rows)])
            table, lines, raws = table.filter(keep), lines.filter(keep), _RowsAsJson(batch.filter(keep))
        return Chunk(lines, table, bad, raws)


class _Damage:
    """What Arrow finds wrong with the file, as ReadError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        is_of_disk = isinstance(error, OSError) and error.errno is not None
        if isinstance(error, pa.ArrowException | OSError | UnicodeDecodeError) and not is_of_disk:
            message = shorten(" ".join(str(error).split()).rstrip("."), 300)
            raise ReadError(
                f"the Parquet file is damaged: {message}\n  nothing of it was loaded; have it sent again"
            ) from error


class _RowsAsJson(RawRows):
    """The rows of a batch as JSON."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def row(self, number: int) -> bytes:
        columns = zip(self._batch.schema.names, self._batch.columns, strict=True)
        return compact({name: _value(column[number]) for name, column in columns}).encode()


def _leaves(path: str, kind: pa.DataType, headers: set[str]) -> Iterator[tuple[str, list[int]]]:
    """The columns that a field gives: itself, or those within it, each with its path and the way to it."""
    inside = pa.types.is_struct(kind) and any(header.startswith(f"{path}.") for header in headers)
    if not inside or path in headers:
        yield path, []
    for index in range(kind.num_fields if inside else 0):
        for name, steps in _leaves(f"{path}.{kind.field(index).name}", kind.field(index).type, headers):
            if path not in headers or name in headers:
                yield name, [index, *steps]


# By row, why its cell can't be read: reason and detail.
_Faults = dict[int, tuple[str, str]]


def _readable(array: Any) -> tuple[Any, _Faults]:
    """The column in one of the types that the checks know, and the rows whose cell can't be read (null there)."""
    if isinstance(array, pa.ExtensionArray):
        if array.type.extension_name == "arrow.uuid":
            return pa.array([_value(scalar) for scalar in array], pa.string()), {}
        array = array.storage
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _readable(array.dictionary_decode())
    if _is_text(kind):
        return _decoded(array)
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.string()), {}
    if pa.types.is_float16(kind):
        return array.cast(pa.float32()), {}
    if pa.types.is_date64(kind):
        return array.cast(pa.date32()), {}
    if any(knows(kind) for knows in _KNOWN):
        return array, {}
    return _as_texts(array)


_KNOWN: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date32,
    pa.types.is_timestamp,
)


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
            pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary,
        )
    )  # fmt: skip


def _as_texts(array: Any) -> tuple[Any, _Faults]:
    """Values of a type that no column has, as texts: JSON where they hold others."""
    cells: list[str | None] = []
    faults: _Faults = {}
    for row, scalar in enumerate(array):
        try:
            value = _value(scalar, strict=True)
        except _NotText as error:
            value = None
            faults[row] = ("out_of_range", f"it holds a time that can't be written as text: {error}")
        if not isinstance(value, str | None) and holds_nul(value := compact(value)):
            value, faults[row] = None, ("nul_byte", "text can't contain a NUL byte")
        cells.append(value)
    return pa.array(cells, pa.string()), faults


def _decoded(array: Any) -> tuple[Any, _Faults]:
    """Older writers leave texts as plain bytes; what decodes is text."""
    as_bytes = array.cast(pa.binary())
    try:
        return as_bytes.cast(pa.string()), {}
    except pa.ArrowInvalid:
        cells = [cell.as_py() for cell in as_bytes]
    bad = [row for row, cell in enumerate(cells) if cell is not None and not _is_utf8(cell)]
    for row in bad:
        cells[row] = None
    return pa.array(cells, pa.binary()).cast(pa.string()), dict.fromkeys(bad, _BAD_UTF8)


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


class _NotText(Exception):
    """A time that Arrow can't write."""


def _value(scalar: Any, strict: bool = False) -> Any:
    """A value as `compact` takes it; of a time that Arrow can't write its words, or, `strict`, `_NotText`."""
    if not scalar.is_valid:
        return None
    kind = scalar.type
    if isinstance(kind, pa.BaseExtensionType):
        is_uuid = kind.extension_name == "arrow.uuid"
        return str(uuid.UUID(bytes=scalar.value.as_py())) if is_uuid else _value(scalar.value, strict)
    if pa.types.is_dictionary(kind):
        return _value(scalar.dictionary[scalar.index.as_py()], strict)
    if pa.types.is_struct(kind):
        return {field.name: _value(scalar[index], strict) for index, field in enumerate(kind)}
    if pa.types.is_map(kind):
        return {str(_value(entry[0], strict)): _value(entry[1], strict) for entry in scalar.values}
    if pa.types.is_nested(kind):
        return [_value(item, strict) for item in scalar.values]
    if pa.types.is_boolean(kind):
        return scalar.as_py()
    if _is_text(kind):
        return scalar.cast(pa.binary()).as_py().decode(errors="backslashreplace")
    text = str(scalar.cast(pa.string()).as_py())
    if strict and text.startswith(_NO_TEXT):
        raise _NotText(text)
    is_number = pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind)
    return Number(text) if is_number and text.lower() not in ("nan", "inf", "-inf") else text
