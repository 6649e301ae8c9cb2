"""CSV: a file of records becomes chunks of text columns, with the line each row stands on and what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import pyarrow as pa

from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.faults import BadRecord, HeaderError
from data_ingestion.reading.records import Fault, Format, RecordParser, Rules, count_lines


@dataclass(frozen=True)
class Chunk:
    """Consecutive records: the good ones as rows of text columns, the bad ones apart; both in the file's order.

    `lines[i]` is the line on which row i starts, counted from 1 as a person does (line ends inside quotes and
    blank lines count). `table` has the header's names, however blank or often repeated, so address its columns by
    position; an unquoted empty cell is null, a quoted one ''.
    """

    lines: pa.Int64Array
    table: pa.RecordBatch
    bad: tuple[BadRecord, ...]
    _records: tuple[bytes, ...]

    def raw(self, i: int) -> bytes:
        """Row i's record without its line end: the file's own bytes if it is UTF-8, else its text in UTF-8."""
        return self._records[i]


def read_csv(stream: BinaryIO, format: Format, chunk_bytes: int = 1 << 20) -> CsvReader:
    """Reads the header; iterate over what is returned, once, for the rest. Memory is bounded by `chunk_bytes` and
    `format.max_record_bytes`, whatever the size of the file. The rules are those of `records`.

    Raises HeaderError for a file without a usable header, ReadError (then or later) for one that can't be read to its
    end. Whether names in the header are blank, repeated or unknown is for the caller to judge.
    """
    return CsvReader(stream, format, chunk_bytes)


class CsvReader:
    """A CSV file on the way through: `header` is known, chunks come by iteration."""

    header: tuple[str, ...]

    def __init__(self, stream: BinaryIO, format: Format, chunk_bytes: int) -> None:
        text = in_utf8(decompressed(stream), format.encoding)
        self._source = text.source
        self._chunk_bytes = chunk_bytes
        self._data = b""
        self._place = 0  # what precedes it in _data is done with
        self._line = 1  # the line at _place
        self._whole = False  # _data goes to the end of the file
        self._in_long_line = False  # _place is inside a line that was already found too long
        self._parser = RecordParser(Rules.of(format, text.undecodable))
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            if not self._whole and len(self._data) - self._place < self._chunk_bytes:
                self._fill()
            before = self._place
            chunk = self._next_chunk()
            if len(chunk.lines) or chunk.bad:
                yield chunk
            if self._whole and self._place == len(self._data):
                return
            if self._place == before:
                self._fill()

    def _fill(self) -> None:
        more = self._source.read(self._chunk_bytes)
        self._whole = self._whole or not more
        self._data = self._data[self._place :] + more
        self._place = 0

    def _read_header(self) -> tuple[str, ...]:
        """The first record names the columns, and the end of its line tells whether CR alone ends a line."""
        rules = self._parser.rules
        parser = RecordParser(replace(rules, lone_cr=True))
        while True:
            place = parser.skip_blank_lines(self._data, 0, self._whole)
            record = parser.read(self._data, place, self._whole) if place < len(self._data) else None
            if record:
                break
            if self._whole:
                raise HeaderError("the file is empty\n  its first line must name its columns")
            self._fill()
        if record.fault:
            raise HeaderError(_broken_header(record.fault, self._data[:2]))
        lone_cr = self._data[record.end : record.next] == b"\r"
        self._parser = RecordParser(replace(rules, columns=len(record.cells), lone_cr=lone_cr))
        self._line += count_lines(self._data[: record.next], lone_cr)
        self._place = record.next
        return tuple(cell or "" for cell in record.cells)

    def _next_chunk(self) -> Chunk:
        """All that can be judged of the data at hand."""
        data, place, whole, parser = self._data, self._place, self._whole, self._parser
        if self._in_long_line:
            place = self._leave_long_line()
        lines: list[int] = []
        rows: list[list[str | None]] = []
        records: list[bytes] = []
        bad: list[BadRecord] = []
        while place < len(data):
            start = parser.skip_blank_lines(data, place, whole)
            self._line += count_lines(data[place:start], parser.rules.lone_cr)
            place = start
            if place == len(data) or not (record := parser.read(data, place, whole)):
                break
            raw = data[place : record.end]
            if record.fault:
                bad.append(self._bad(record.fault, raw))
                self._in_long_line = record.fault.reason == "record_too_long" and record.next == record.end
            else:
                lines.append(self._line)
                rows.append(record.cells)
                records.append(raw)
            self._line += count_lines(data[place : record.next], parser.rules.lone_cr)
            place = record.next
        self._place = place
        columns = zip(*rows) if rows else ((),) * len(self.header)
        table = pa.RecordBatch.from_arrays(
            [pa.array(column, pa.string()) for column in columns], names=list(self.header)
        )
        return Chunk(pa.array(lines, pa.int64()), table, tuple(bad), tuple(records))

    def _leave_long_line(self) -> int:
        """Past the rest of a line whose start was found too long; all the data at hand may be that."""
        place, ended = self._parser.leave_line(self._data, self._place, self._whole)
        self._in_long_line = not ended
        self._line += ended
        return place

    def _bad(self, fault: Fault, raw: bytes) -> BadRecord:
        column = (
            self.header[fault.column]
            if fault.column is not None and fault.column < len(self.header)
            else None
        )
        return BadRecord(self._line, fault.reason, raw[: self._parser.rules.limit], column, fault.detail)


def _broken_header(fault: Fault, start: bytes) -> str:
    message = f"the file's first line names no columns: {fault.reason}: {fault.detail}"
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return f"{message}\n  it starts like a file in utf-16: declare that as its encoding"
    if start == b"PK":
        return f"{message}\n  it starts like a zip archive or a spreadsheet, not like text"
    return f"{message}\n  have it sent again, or declare its encoding and delimiter"
