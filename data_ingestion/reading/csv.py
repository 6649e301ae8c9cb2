"""CSV: a file of records becomes chunks of text columns, with the line each row stands on and what was wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

import pyarrow as pa

from data_ingestion.reading.chunk import Chunk, RawRows
from data_ingestion.reading.compression import Peeked, decompressed
from data_ingestion.reading.csv_fast import PlainParser
from data_ingestion.reading.csv_records import Fault, Format, Record, RecordParser, Rules, count_lines
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.faults import BadRecord, HeaderError
from data_ingestion.reading.first_rows import of_lines
from data_ingestion.reading.footer import without_footer
from data_ingestion.reading.likeness import START_BYTES, Likeness, encoding_of, of_start


class _Raws(RawRows):
    """The rows of a chunk as they stood: taken from whole lines only when the first of them is asked for."""

    def __init__(self, pieces: Sequence[tuple[bytes, bool]]) -> None:
        """Each piece is either many rows, a line each, or (`True`) one record, which may span lines."""
        self._pieces = pieces
        self._rows: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self._found())

    def row(self, number: int) -> bytes:
        return self._found()[number]

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


def read_csv(
    stream: BinaryIO, form: Format, chunk_bytes: int = 1 << 20, ends_unnamed: bool = False
) -> CsvReader:
    """Reads the header; iterate over what is returned, once, for the rest. Memory is bounded by `chunk_bytes` and
    `form.max_record_bytes`, whatever the size of the file. The rules are those of `csv_records`.

    With `ends_unnamed` the header may lack the last column, which has no name, if the first row has it.

    Raises HeaderError for a file without a usable header, ReadError (then or later) for one that can't be read to its
    end. Whether names in the header are blank, repeated or unknown is for the caller to judge.
    """
    return CsvReader(stream, form, chunk_bytes, ends_unnamed)


class CsvReader:
    """A CSV file on the way through: `header` is known, chunks come by iteration."""

    header: tuple[str, ...]

    def __init__(self, stream: BinaryIO, form: Format, chunk_bytes: int, ends_unnamed: bool = False) -> None:
        content = Peeked(decompressed(stream, zips=True), START_BYTES)
        self._start, self._encoding = content.start, form.encoding
        text = in_utf8(content, form.encoding)
        self._source = without_footer(text.source, form.footer) if form.footer else text.source
        self._chunk_bytes = chunk_bytes
        self._data = b""
        self._place = 0  # what precedes it in _data is done with
        self._line = 1  # the line at _place
        self._whole = False  # _data goes to the end of the file
        self._in_long_line = False  # _place is inside a line that was already found too long
        self._parser = RecordParser(Rules.of(form, text.undecodable))
        self._skip_to_line(form.header_line)
        self.header = self._read_header(form.column_names, ends_unnamed)

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

    def rename(self, header: tuple[str, ...]) -> None:
        """Gives the columns other names than the file does; before its rows are read."""
        if header != self.header:
            self.header = header
            self._begin_rows(self._parser.rules, header)

    def remark(self) -> str:
        """Nothing that is not said of each record."""
        return ""

    def look(self, headers: Collection[str]) -> Likeness | None:
        """What the file looks like, given that its header is not of these."""
        if likeness := of_start(self._start, "csv", self._encoding):
            return likeness
        text = self._start.decode(self._encoding, "replace").lstrip("\ufeff")
        return of_lines(text, self._parser.rules.delimiter.decode(), headers)

    def _fill(self) -> None:
        more = self._source.read(self._chunk_bytes)
        self._whole = self._whole or not more
        self._data = self._data[self._place :] + more
        self._place = 0

    def _skip_to_line(self, wanted: int) -> None:
        """Past what stands above the header, whatever it is."""
        while self._line < wanted:
            end = self._data.find(b"\n", self._place)
            if end >= 0:
                self._place = end + 1
                self._line += 1
                continue
            if self._whole:
                raise HeaderError(
                    f"the file ends on line {self._line}, above its header\n"
                    f"  the contract has it on line {wanted} (`headerLine`)"
                )
            self._place = len(self._data)
            self._fill()

    def _read_header(self, names: tuple[str, ...], ends_unnamed: bool) -> tuple[str, ...]:
        """The first record names the columns, and the end of its line shows whether CR alone ends a line.

        Where the contract names them, it is a row like any other.
        """
        rules = self._parser.rules
        record = self._first_record(RecordParser(replace(rules, lone_cr=True)))
        if names:
            if not self._data:
                raise HeaderError("the file is empty\n  a delivery of no rows is a blank line")
            lone_cr = record is not None and self._data[record.end : record.next] == b"\r"
            self._begin_rows(replace(rules, columns=len(names), lone_cr=lone_cr), names)
            return names
        if record is None:
            raise HeaderError("the file is empty\n  its first line must name its columns")
        if record.fault:
            raise HeaderError(self._broken_header(record.fault, self._data[self._place : record.end]))
        lone_cr = self._data[record.end : record.next] == b"\r"
        self._line += count_lines(self._data[self._place : record.next], lone_cr)
        self._place = record.next
        header = tuple(cell or "" for cell in record.cells)
        if ends_unnamed and "" not in header:
            one_more = self._width_of_next(replace(rules, lone_cr=lone_cr)) == len(header) + 1
            header = (*header, "") if one_more else header
        self._begin_rows(replace(rules, columns=len(header), lone_cr=lone_cr), header)
        return header

    def _begin_rows(self, rules: Rules, header: tuple[str, ...]) -> None:
        self._parser = RecordParser(rules)
        self._plain = PlainParser(rules, header)

    def _width_of_next(self, rules: Rules) -> int:
        """How many cells the next record has, which is left to be read; 0 if there is none or it is broken."""
        record = self._first_record(RecordParser(rules))
        return len(record.cells) if record else 0

    def _first_record(self, parser: RecordParser) -> Record | None:
        """The record that is next, which is left to be read; None if there is none."""
        while True:
            place = parser.skip_lines(self._data, self._place, self._whole)
            record = parser.read(self._data, place, self._whole) if place < len(self._data) else None
            if record or self._whole:
                return record
            self._fill()

    def _broken_header(self, fault: Fault, line: bytes) -> str:
        if likeness := of_start(self._start, "csv", self._encoding):
            return str(likeness)
        message = f"the file's first line can't be read as a header: {fault.reason}: {fault.detail}"
        if fault.reason == "bad_utf8" and (name := encoding_of(line[:START_BYTES])):
            return f"{message}\n  declare the encoding that the file is in, perhaps `encoding: {name}`"
        return f"{message}\n  have it sent again, or declare its encoding and delimiter"

    def _next_chunk(self) -> Chunk | None:
        """All records that are complete in the data at hand, if that is anything."""
        if self._in_long_line:
            self._place = self._leave_long_line()
        stop = len(self._data) if self._whole else self._data.rfind(b"\n") + 1
        if self._place < stop:
            block = self._data[self._place : stop]
            if (rows := self._plain.block(block)) is not None:
                first, self._line, self._place = self._line, self._line + rows.num_rows, stop
                return Chunk(pa.arange(first, self._line), rows, (), _Raws([(block, False)]))
        return self._take_chunk()

    def _take_chunk(self) -> Chunk | None:
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
            start = parser.skip_lines(data, start, whole)
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
