"""Chunk: consecutive records as read, whatever the format: good ones as rows of columns, bad ones apart."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from typing import Protocol, overload

import pyarrow as pa

from data_ingestion.reading.faults import BadRecord
from data_ingestion.reading.likeness import Likeness


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: the good ones as rows, the bad ones apart; both in the file's order.

    `lines[i]` is where row i stands: of text the line on which it starts, counted from 1 as a person does (line ends
    inside quotes and blank lines count); of a spreadsheet its row number there; of Parquet its number from 1.
    `table` has the header's names, however blank or often repeated, so address its columns by position. Formats
    without types give columns of text (in CSV an unquoted empty cell is null, a quoted one ''); formats with types
    give those that `checks.native` knows, and a union of them where a column's cells differ.
    """

    lines: pa.Int64Array
    table: pa.RecordBatch
    bad: tuple[BadRecord, ...]
    _raws: Sequence[bytes]

    def raw(self, i: int) -> bytes:
        """Row i as a person would look at it: its bytes in a text file (in UTF-8, without the line end), else JSON."""
        return self._raws[i]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    @property
    def bytes(self) -> int:
        """About how much memory its rows take."""
        return int(self.table.nbytes)


class ListedChunk(Chunk):
    """Records of text in lists, which become arrays when they are asked for: of many chunks joined, but once."""

    def __init__(
        self,
        header: Sequence[str],
        lines: list[int],
        columns: Sequence[Sequence[str | None]],
        bad: tuple[BadRecord, ...],
        raws: list[bytes],
    ) -> None:
        self.__dict__.update(header=header, numbers=lines, columns=columns, bad=bad, _raws=raws)

    header: Sequence[str]
    numbers: list[int]
    columns: Sequence[Sequence[str | None]]

    @cached_property
    def lines(self) -> pa.Int64Array:
        return pa.array(self.numbers, pa.int64())

    @cached_property
    def table(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays(
            [pa.array(column, pa.string()) for column in self.columns], names=list(self.header)
        )

    @property
    def rows(self) -> int:
        return len(self.numbers)

    @property
    def bytes(self) -> int:
        return sum(map(len, self._raws))


class Reader(Protocol):
    """A file on the way through: `header` is known, chunks come by iteration, once."""

    @property
    def header(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Chunk]: ...
    def remark(self) -> str:
        """What can be said of the bad records read so far together, and of none of them alone; mostly nothing."""

    def look(self, headers: Collection[str]) -> Likeness | None:
        """What the file looks like, given that its header is not of these; None where nothing better can be said."""


def is_text(chunk: Chunk) -> bool:
    """Whether all its columns are of text, as those of formats without types are."""
    return isinstance(chunk, ListedChunk) or all(map(pa.types.is_string, chunk.table.schema.types))


def join_texts(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks of text under one header as one, their lines still those of each one's file."""
    if len(chunks) == 1:
        return chunks[0]
    bad = tuple(chain.from_iterable(chunk.bad for chunk in chunks))
    listed = [chunk for chunk in chunks if isinstance(chunk, ListedChunk)]
    if len(listed) == len(chunks):
        return ListedChunk(
            listed[0].header,
            list(chain.from_iterable(chunk.numbers for chunk in listed)),
            [
                list(chain.from_iterable(parts))
                for parts in zip(*(chunk.columns for chunk in listed), strict=True)
            ],
            bad,
            list(chain.from_iterable(chunk._raws for chunk in listed)),
        )
    return Chunk(
        pa.concat_arrays([chunk.lines for chunk in chunks]),
        pa.concat_batches([chunk.table for chunk in chunks]),
        bad,
        _JoinedRaws([chunk._raws for chunk in chunks], [chunk.rows for chunk in chunks]),
    )


class RawRows(Sequence[bytes]):
    """Rows of a chunk as they stood in the file; each is made when it is asked for, as few ever are."""

    @overload
    def __getitem__(self, i: int) -> bytes: ...
    @overload
    def __getitem__(self, i: slice) -> list[bytes]: ...
    def __getitem__(self, i: int | slice) -> bytes | list[bytes]:
        if isinstance(i, slice):
            return [self.row(number) for number in range(*i.indices(len(self)))]
        return self.row(i)

    @abstractmethod
    def row(self, number: int) -> bytes:
        """One of them, counted from 0."""


class _JoinedRaws(RawRows):
    """The rows of several chunks."""

    def __init__(self, parts: Sequence[Sequence[bytes]], counts: Sequence[int]) -> None:
        self._parts, self._ends = parts, list(accumulate(counts))

    def __len__(self) -> int:
        return self._ends[-1]

    def row(self, number: int) -> bytes:
        part = bisect_right(self._ends, number)
        return self._parts[part][number - (self._ends[part - 1] if part else 0)]
