"""CSV parts: rows as compressed CSV files under a staging folder, which a warehouse copies in by their names.

Texts are quoted. CSV has no null: an unquoted mark stands for it, drawn for each stage, so that no cell can hold it.
"""

from __future__ import annotations

import gzip
import io
from binascii import hexlify
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from data_ingestion.errors import DropFault
from data_ingestion.excerpts import cut
from data_ingestion.landing import Landing

# Of the text in a part: compressed, it is a tenth of that, and a cluster's slices each read one at a time.
PART_BYTES = 64 << 20
# Of the names of stages' folders.
PREFIX = "stage="


class CsvFiles:
    """Files in a folder of their own, written as they fill. `text_bytes` is the longest text that a column takes."""

    def __init__(self, place: Landing, text_bytes: int) -> None:
        self._place, self._text_bytes = place, text_bytes
        self.folder, self.null = f"{PREFIX}{uuid4().hex}", f"null-{uuid4().hex[:16]}"
        self._text = io.BytesIO()
        self.keys: list[str] = []
        self.rows = self.bytes = 0

    def write(self, columns: Sequence[Sequence[object]]) -> None:
        """Adds rows, given by their columns. Of a text that is too long, the beginning is taken."""
        cells = [[self._cell(value) for value in column] for column in columns]
        for row in zip(*cells, strict=True):
            self._text.write(",".join(row).encode() + b"\n")
        self._count(len(cells[0]))

    def write_batch(self, batch: Any) -> None:
        """Adds a record batch. Raises `DropFault` for a text that is too long."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not batch.num_rows:
            return
        columns = [self._cells(name, batch.column(name)) for name in batch.schema.names]
        lines = pc.binary_join_element_wise(
            *columns, pa.scalar(",", pa.large_string()), null_handling="replace", null_replacement=self.null
        )
        whole = pa.LargeListArray.from_arrays([0, len(lines)], lines)
        self._text.write(pc.binary_join(whole, pa.scalar("\n", pa.large_string()))[0].as_buffer())
        self._text.write(b"\n")
        self._count(batch.num_rows)

    def finish(self) -> None:
        """Writes what is left."""
        if self._text.tell():
            self._end_part()

    def put(self, name: str, content: bytes) -> str:
        """Writes a further file into the folder; its key."""
        key = f"{self.folder}/{name}"
        self.keys.append(key)
        self._place.write(key, content)
        return key

    def remove(self) -> None:
        """Takes the files away."""
        for key in self.keys:
            self._place.delete(key)
        self.keys.clear()

    def _count(self, rows: int) -> None:
        self.rows += rows
        if self._text.tell() >= PART_BYTES:
            self._end_part()

    def _end_part(self) -> None:
        content = gzip.compress(self._text.getvalue(), 1)
        self.put(f"{len(self.keys):05}.csv.gz", content)
        self.bytes += len(content)
        self._text = io.BytesIO()

    def _cell(self, value: object) -> str:
        match value:
            case None:
                return self.null
            case bool():
                return str(value).lower()
            case bytes():
                return value.hex()
            case datetime():
                return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}+00"
            case str():
                return '"' + cut(value, self._text_bytes).replace('"', '""') + '"'
        return str(value)

    def _cells(self, name: str, column: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            if (longest := pc.max(pc.binary_length(column)).as_py() or 0) > self._text_bytes:
                raise DropFault(
                    f"{name}: a text has {longest:,} bytes, the warehouse takes {self._text_bytes:,}\n"
                    "  name the warehouse in the contract's `warehouses`, and such rows go to quarantine"
                )
            quoted = pc.replace_substring(column.cast(pa.large_string()), '"', '""')
            mark = pa.scalar('"', pa.large_string())
            return pc.binary_join_element_wise(mark, quoted, mark, pa.scalar("", pa.large_string()))
        form: Callable[[Any], Any] = _plain
        if pa.types.is_fixed_size_binary(column.type):
            form = _uuid
        elif pa.types.is_timestamp(column.type):
            form = _moment
        elif pa.types.is_decimal(column.type):
            form = _decimal
        return form(column).cast(pa.large_string())


def _plain(column: Any) -> Any:
    import pyarrow as pa

    return column.cast(pa.string())


def _decimal(column: Any) -> Any:
    """Without exponents, which Arrow writes for very small numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column.cast(pa.string())
    if not pc.any(pc.match_substring(text, "E")).as_py():
        return text
    return pa.array([None if one is None else f"{one:f}" for one in column.to_pylist()], pa.string())


def _uuid(column: Any) -> Any:
    """From 16 bytes."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.fill_null(column, bytes(16))
    raw = filled.buffers()[1].slice(filled.offset * 16, len(filled) * 16)
    hexed = pa.array(np.frombuffer(hexlify(raw), "S32")).cast(pa.string())
    ends = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    text = pc.binary_join_element_wise(*(pc.utf8_slice_codeunits(hexed, *part) for part in ends), "-")
    return pc.if_else(column.is_valid(), text, None)


def _moment(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.strftime(column, format="%Y-%m-%d %H:%M:%S+00")
