"""Path values: what an object's path says, as columns of text beside those of its file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from data_ingestion.contract import Contract
from data_ingestion.reading.chunk import Chunk, ListedChunk, Reader
from data_ingestion.reading.faults import BadRecord, ReadError
from data_ingestion.reading.likeness import Likeness


def with_path_values(reader: Reader, contract: Contract, object_key: str) -> Reader:
    """The reader, with a column at its end for each of the contract's that comes from the path.

    Raises ReadError for a key that the contract's pattern does not match: nothing says what its parts are.
    """
    if not contract.path_columns:
        return reader
    values = contract.path_values(object_key)
    if not values:
        wanted = ", ".join(f"'{column.name}'" for column in contract.path_columns)
        raise ReadError(
            f"the path of the contract, '{contract.pattern.text}', does not match it, so {wanted} can't be known\n"
            "  give the file within the folders that it was delivered in"
        )
    return _WithPathValues(reader, [column.headers[0] for column in contract.path_columns], values)


class _WithPathValues:
    """A reader whose records have more cells at their end, the same in each."""

    def __init__(self, reader: Reader, names: Sequence[str], values: Sequence[str]) -> None:
        self._reader, self._values = reader, tuple(values)
        self.header = (*reader.header, *names)

    def __iter__(self) -> Iterator[Chunk]:
        return map(self._extended, self._reader)

    def remark(self) -> str:
        """What can be said of the bad records together."""
        return self._reader.remark()

    def look(self, headers: Collection[str]) -> Likeness | None:
        """What the file looks like, given that its header is not of these."""
        return self._reader.look(headers)

    def _extended(self, chunk: Chunk) -> Chunk:
        bad = tuple(map(self._with_cells, chunk.bad))
        if isinstance(chunk, ListedChunk):
            columns = [*chunk.columns, *([value] * chunk.rows for value in self._values)]
            return ListedChunk(self.header, chunk.numbers, columns, bad, list(chunk._raws))
        said = [pa.repeat(pa.scalar(value, pa.string()), chunk.rows) for value in self._values]
        table = pa.RecordBatch.from_arrays([*chunk.table.columns, *said], names=list(self.header))
        return Chunk(chunk.lines, table, bad, chunk._raws)

    def _with_cells(self, record: BadRecord) -> BadRecord:
        return record if record.cells is None else replace(record, cells=(*record.cells, *self._values))
