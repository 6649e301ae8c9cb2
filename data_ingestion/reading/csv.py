"""CSV: a file of records becomes chunks of text columns, with the line each row stands on and what was wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, overload

import pyarrow as pa

from data_ingestion.reading.chunk import Chunk
from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.faults import BadRecord, HeaderError
from data_ingestion.reading.plain import PlainParser
from data_ingestion.reading.records import Fault, Format, RecordParser, Rules, count_lines


class _Raws(Sequence[bytes]):
    """The rows of a chunk as they stood: taken from whole lines only when the first of them is asked for."""

    def __init__(self, pieces: Sequence[tuple[bytes, bool]]) -> None:
        """Each piece is either many rows, a line each, or (`True`) one record, which may span lines."""
        self._pieces = pieces
        self._rows: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self._found())

    @overload
    def __getitem__(self, i: int) -> bytes: ...
    @overload
    def __getitem__(self, i: slice) -> list[bytes]: ...
    def __getitem__(self, i: int | slice) -> bytes | list[bytes]:
        return self._found()[i]

    def _found(self) -> list[bytes]:
        if self._rows is None:
            self._rows = []
            for piece, is_record in self._pieces:
                self._rows += [piece] if is_record else _lines_of(piece)
        return self._rows


def _lines_of(text: bytes) -> list[bytes]:
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    return text.removesuffix(b"\n").split(b"\n")


def read_csv(stream: BinaryIO, form: Format, chunk_bytes: int = 1 << 20) -> CsvReader:
    """Reads the header; iterate over what is returned, once, for the rest. Memory is bounded by `chunk_bytes` and
    `form.max_record_bytes`, whatever the size of the file. The rules are those of `records`.

    Raises HeaderError for a file without a usable header, ReadError (then or later) for one that can't be read to its
    end. Whether names in the header are blank, repeated or unknown is for the caller to judge.
    """
    return CsvReader(stream, form, chunk_bytes)


class CsvReader:
    """A CSV file on the way through: `header` is known, chunks come by iteration."""

    header: tuple[str, ...]

    def __init__(self, stream: BinaryIO, form: Format, chunk_bytes: int) -> None:
        text = in_utf8(decompressed(stream), form.encoding)
        self._source = text.source
        self._chunk_bytes = chunk_bytes
        self._data = b""
        self._place = 0  # what precedes it in _data is done with
        self._line = 1  # the line at _place
        self._whole = False  # _data goes to the end of the file
        self._in_long_line = False  # _place is inside a line that was already found too long
        self._parser = RecordParser(Rules.of(form, text.undecodable))
        self.header = self._read_header()

    def __iter__(self) -> Iterator[Chunk]:
        while True:
            if not self._whole and len(self._data) - self._place < self._chunk_bytes:
                self._fill()
            before = self._place
            if chunk := self._next_chunk():
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
        header = tuple(cell or "" for cell in record.cells)
        self._plain = PlainParser(self._parser.rules, header)
        return header

    def _next_chunk(self) -> Chunk | None:
        """All that can be judged of the data at hand, if that is anything."""
        if self._in_long_line:
            self._place = self._leave_long_line()
        stop = len(self._data) if self._whole else self._data.rfind(b"\n") + 1
        if self._place < stop:
            block = self._data[self._place : stop]
            if (rows := self._plain.block(block)) is not None:
                first, self._line, self._place = self._line, self._line + rows.num_rows, stop
                return Chunk(pa.arange(first, self._line), rows, (), _Raws([(block, False)]))
        return self._judged_chunk()

    def _judged_chunk(self) -> Chunk | None:
        """The same where not all is plain: runs of plain lines go to Arrow as they are, others are looked at singly."""
        data, whole, parser, lone_cr = self._data, self._whole, self._parser, self._parser.rules.lone_cr
        plain = self._plain.lines(data, self._place)
        lines: list[int] = []
        good: list[bytes] = []
        raws: list[tuple[bytes, bool]] = []
        bad: list[BadRecord] = []
        while not self._in_long_line:
            start = self._place
            if run := plain.run_at(start):
                count, self._place = run
                good.append(data[start : self._place])
                raws.append((good[-1], False))
                lines.extend(range(self._line, self._line + count))
                self._line += count
                continue
            line = b"" if lone_cr else data[start : data.find(b"\n", start) + 1]
            if text := self._plain.line(line):
                lines.append(self._line)
                good.append(text)
                raws.append((line[:-1].removesuffix(b"\r"), True))
                self._place += len(line)
                self._line += 1
                continue
            start = parser.skip_blank_lines(data, start, whole)
            self._line += count_lines(data[self._place : start], lone_cr)
            if start > self._place:
                self._place = start
                continue
            record = parser.read(data, start, whole) if start < len(data) else None
            if not record:
                break
            raw = data[start : record.end]
            if record.fault:
                bad.append(self._bad(record.fault, raw))
                self._in_long_line = record.fault.reason == "record_too_long" and record.next == record.end
            else:
                lines.append(self._line)
                good.append(self._plain.written(record.cells))
                raws.append((raw, True))
            self._place = record.next
            self._line += count_lines(data[start : record.next], lone_cr)
        if not good and not bad:
            return None
        rows = self._plain.rows(b"".join(good), spans_lines=True)
        return Chunk(pa.array(lines, pa.int64()), rows, tuple(bad), _Raws(raws))

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
