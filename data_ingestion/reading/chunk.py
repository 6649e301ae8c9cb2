"""Chunk: consecutive records as read, whatever the format: good ones as rows of columns, bad ones apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from data_ingestion.reading.faults import BadRecord


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


class Reader(Protocol):
    """A file on the way through: `header` is known, chunks come by iteration, once."""

    @property
    def header(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Chunk]: ...
