"""Fill down: cells that are empty because they say what the one above them says, as merged cells do.

A record that can't be read may hold a value. Rows below it whose cell is empty are bad until the next value is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa

from data_ingestion.reading.chunk import Chunk, RawRows, Reader, is_text
from data_ingestion.reading.faults import BadRecord
from data_ingestion.reading.likeness import Likeness

_UNKNOWN = object()


class FilledDown:
    """A reader whose empty cells in some columns, given by their places in the header, have the value above."""

    def __init__(self, reader: Reader, places: Sequence[int]) -> None:
        self._reader, self._places = reader, places
        self.header = reader.header
        self._above: dict[int, Any] = dict.fromkeys(places)

    def __iter__(self) -> Iterator[Chunk]:
        return map(self._filled, self._reader)

    def remark(self) -> str:
        """What can be said of the bad records together."""
        return self._reader.remark()

    def look(self, headers: Collection[str]) -> Likeness | None:
        """What the file looks like, given that its header is not of these."""
        return self._reader.look(headers)

    def _filled(self, chunk: Chunk) -> Chunk:
        lines = chunk.lines.to_pylist()
        columns = {place: chunk.table.column(place).to_pylist() for place in self._places}
        hidden: dict[int, int] = {}  # by row, the column whose value a bad record may have had
        unread = iter([record.line for record in chunk.bad])
        next_unread = next(unread, None)
        for row, line in enumerate(lines):
            while next_unread is not None and next_unread < line:
                self._above = dict.fromkeys(self._places, _UNKNOWN)
                next_unread = next(unread, None)
            for place, values in columns.items():
                if not _is_empty(values[row]):
                    self._above[place] = values[row]
                elif self._above[place] is _UNKNOWN:
                    hidden.setdefault(row, place)
                else:
                    values[row] = self._above[place]
        if next_unread is not None:
            self._above = dict.fromkeys(self._places, _UNKNOWN)
        return self._without(chunk, columns, hidden)

    def _without(self, chunk: Chunk, columns: dict[int, list[Any]], hidden: dict[int, int]) -> Chunk:
        """The chunk with these columns, and rows whose value is not known among its bad records."""
        arrays = list(chunk.table.columns)
        for place, values in columns.items():
            arrays[place] = _array(values, of_text=is_text(chunk))
        table = pa.RecordBatch.from_arrays(arrays, names=list(self.header))
        if not hidden:
            return Chunk(chunk.lines, table, chunk.bad, _Raws(chunk, range(chunk.rows)))
        kept = [row for row in range(chunk.rows) if row not in hidden]
        bad = [
            BadRecord(
                chunk.lines[row].as_py(), "value_above_unread", chunk.raw(row), self.header[place],
                "the cell is empty, and a record above it, which could not be read, may have its value",
            )
            for row, place in hidden.items()
        ]  # fmt: skip
        return Chunk(
            chunk.lines.take(pa.array(kept, pa.int64())),
            table.take(pa.array(kept, pa.int64())),
            tuple(sorted([*chunk.bad, *bad], key=lambda record: record.line)),
            _Raws(chunk, kept),
        )


def _array(values: list[Any], *, of_text: bool) -> Any:
    if of_text:
        return pa.array(values, pa.string())
    from data_ingestion.reading.spreadsheet_cells import as_column

    return as_column(values)


class _Raws(RawRows):
    """The raw rows of a chunk that stay."""

    def __init__(self, chunk: Chunk, rows: Sequence[int]) -> None:
        self._chunk, self._kept = chunk, rows

    def __len__(self) -> int:
        return len(self._kept)

    def row(self, number: int) -> bytes:
        return self._chunk.raw(self._kept[number])


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
