"""Records: the rules by which bytes are CSV. This parser is their specification; `plain` is only faster.

The rules are RFC 4180's, taken strictly, in UTF-8:

- A cell is quoted if its first byte is a quote, and then ends at the next quote that is not doubled. Only a delimiter
  or a line end may follow. In any other cell a quote is text like any other.
- With `skip_initial_space`, blanks (U+0020) before a cell and after a closing quote are no part of it. Unquoted names
  in the header keep theirs, as contracts spell names exactly.
- An unquoted cell without text is null, `""` is the empty text.
- LF and CRLF end a line. CR alone does only in a file whose header line ends so (there CR, LF and CRLF all do);
  elsewhere it is a fault outside quotes and text inside them.
- A line without a byte is no record, but is counted. So a file of one column can't hold a null, save as blanks
  under `skip_initial_space`.
- A record has as many cells as the header, and at most `max_record_bytes` bytes.

An unclosed quote must not swallow what follows it. So a record that spans lines is believed only if it is whole, has
the header's number of cells and is no longer than `max_record_bytes`. Otherwise its *first line alone* is bad, and the
next line is read as the start of a record. Two ambiguities remain, and no reader without a second source can settle
them: an unclosed quote that a later line closes just so that the number of cells comes out right is taken for one
record; and when a record that truly spans lines is broken, its later lines are judged as records of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from data_ingestion.reading.faults import ReadError

QUOTE = b'"'
# What may follow the longest allowed record before its line end must have come: CR and LF.
LONGEST_LINE_END = 2


class Format(Protocol):
    """What reading needs to know of a CSV file; a contract's `CsvFormat` is one."""

    @property
    def delimiter(self) -> str: ...
    @property
    def encoding(self) -> str: ...
    @property
    def skip_initial_space(self) -> bool: ...
    @property
    def max_record_bytes(self) -> int: ...


@dataclass(frozen=True)
class Rules:
    """The rules as they hold for one file. `columns` is 0 while its header is unknown."""

    delimiter: bytes
    blanks: bool
    limit: int
    columns: int = 0
    lone_cr: bool = False
    undecodable: str = "bad_utf8"

    @classmethod
    def of(cls, form: Format, undecodable: str) -> Rules:
        delimiter = form.delimiter.encode()
        if len(delimiter) != 1 or delimiter in b'"\r\n\0' or (form.skip_initial_space and delimiter == b" "):
            raise ReadError(
                f"delimiter: {form.delimiter!r} can't separate cells\n"
                "  declare one ASCII character that is no quote or line end (and no blank with skipInitialSpace)"
            )
        if form.max_record_bytes < 1:
            raise ReadError(
                f"maxRecordBytes: {form.max_record_bytes} leaves no room for a record\n  declare 1 or more"
            )
        return cls(delimiter, form.skip_initial_space, form.max_record_bytes, undecodable=undecodable)


class Fault(NamedTuple):
    """Why a record is bad; `column` counts from 0."""

    reason: str
    column: int | None
    detail: str


class Record(NamedTuple):
    """What starts at one place of the data: its bytes up to `end`, the next record at `next`, and cells or a fault."""

    end: int
    next: int
    cells: list[str | None]
    fault: Fault | None = None


class _Malformed(Exception):
    """The text at `place` breaks the grammar."""

    def __init__(self, place: int, fault: Fault) -> None:
        self.place, self.fault = place, fault


class _Unfinished(Exception):
    """The data ends inside the record."""


class _OpenStretch(NamedTuple):
    """Data in which no quote closes a cell that is open at `start`, up to `stop`; the quote at `close` then does."""

    data: bytes
    start: int
    stop: int
    close: int | None


def count_lines(data: bytes, lone_cr: bool) -> int:
    """How many line ends a person sees in these bytes."""
    ends = data.count(b"\n")
    return ends + data.count(b"\r") - data.count(b"\r\n") if lone_cr else ends


class RecordParser:
    """Takes records from data, one at a place. Keeps no state but what makes many unclosed quotes cheap."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        delimiter = re.escape(rules.delimiter)
        self._unquoted = re.compile(b"[^\r\n" + delimiter + b"]*")
        self._line_end = re.compile(b"\r\n|\n|\r" if rules.lone_cr else b"\r?\n")
        self._blanks = re.compile(b" *" if rules.blanks else b"")
        self._quotes = re.compile(b'"+')
        self._open_stretch = _OpenStretch(b"", 0, 0, None)

    def skip_blank_lines(self, data: bytes, place: int, whole: bool) -> int:
        """The first place from `place` on that is no line end (or the end of the data)."""
        while place < len(data) and (length := self.line_end_at(data, place, whole)):
            place += length
        return place

    def line_end_at(self, data: bytes, place: int, whole: bool) -> int | None:
        """Length of the line end at this place, 0 if there is none, None if that needs more data."""
        found = self._line_end.match(data, place)
        if not whole and place == len(data) - 1 and data.endswith(b"\r"):
            return None
        return len(found.group()) if found else 0

    def read(self, data: bytes, start: int, whole: bool) -> Record | None:
        """The record at `start`, or None if it can't be judged before more data is read (`whole`: there is no more).

        What is answered does not depend on how much more there is: data is cut anywhere, verdicts are not.
        """
        first = self._first_line(data, start, whole)
        if first is None:
            return None
        first_end, first_next = first
        if first_end - start > self.rules.limit:
            detail = f"more than {self.rules.limit:,} bytes without a line end"
            return Record(first_end, first_next, [], Fault("record_too_long", None, detail))
        starts: list[int] = []
        try:
            cells, end, following = self._cells(data, start, whole, starts)
        except _Malformed as malformed:
            if malformed.place <= first_end:
                return Record(first_end, first_next, [], malformed.fault)
        except _Unfinished:
            if not whole and len(data) - start < self.rules.limit + LONGEST_LINE_END:
                return None
        else:
            if end == first_end:
                return self._judged(data, start, end, following, cells)
            if end - start <= self.rules.limit and self.rules.columns in (0, len(cells)):
                return self._judged(data, start, end, following, cells)
        column = sum(1 for place in starts if place <= first_end) - 1
        detail = "a quote is opened on this line, and no whole record comes of it"
        return Record(first_end, first_next, [], Fault("unclosed_quote", column, detail))

    def leave_line(self, data: bytes, place: int, whole: bool) -> tuple[int, bool]:
        """Where the line goes on or has ended, and whether it has: past its end, else as far as the data tells."""
        first = self._first_line(data, place, whole)
        if first and first[1] > first[0]:
            return first[1], True
        return len(data) - (not whole and data.endswith(b"\r")), False

    def _first_line(self, data: bytes, start: int, whole: bool) -> tuple[int, int] | None:
        """Where the line at `start` ends and where the next one begins."""
        found = self._line_end.search(data, start)
        if found and not whole and found.group() == b"\r" and found.end() == len(data):
            return None  # a line feed may follow
        if found:
            return found.start(), found.end()
        if whole or len(data) - start >= self.rules.limit + LONGEST_LINE_END:
            return len(data), len(data)
        return None

    def _cells(
        self, data: bytes, start: int, whole: bool, starts: list[int]
    ) -> tuple[list[bytes | None], int, int]:
        """The cells of the record at `start`, its end and the start of the next; `starts` gathers where cells begin."""
        cells: list[bytes | None] = []
        is_header = not self.rules.columns
        place = start
        while True:
            starts.append(place)
            after_blanks = self._skip_blanks(data, place)
            if data.startswith(QUOTE, after_blanks):
                place = after_blanks
                close = self._closing_quote(data, place)
                cells.append(data[place + 1 : close].replace(b'""', QUOTE))
                place = self._skip_blanks(data, close + 1)
            else:
                text = self._unquoted.match(data, place if is_header else after_blanks)
                assert text is not None
                cells.append(text.group() or None)
                place = text.end()
            if place == len(data):
                if whole:
                    return cells, place, place
                raise _Unfinished
            if data.startswith(self.rules.delimiter, place):
                place += 1
                continue
            length = self.line_end_at(data, place, whole)
            if length is None:
                raise _Unfinished
            if length:
                return cells, place, place + length
            if data.startswith(b"\r", place):
                detail = "a carriage return without a line feed, outside quotes"
                raise _Malformed(place, Fault("stray_carriage_return", len(cells) - 1, detail))
            raise _Malformed(place, Fault("text_after_quote", len(cells) - 1, "text after the closing quote"))

    def _skip_blanks(self, data: bytes, place: int) -> int:
        found = self._blanks.match(data, place)
        assert found is not None
        return found.end()

    def _closing_quote(self, data: bytes, opening: int) -> int:
        """Where the cell ends that this quote opens: at the end of the first odd run of quotes after it."""
        place = opening + 1
        if run := self._quotes.match(data, place):
            place = run.end()
            if (run.end() - run.start()) % 2:
                return place - 1
        # What lies between two places looks the same to every cell that is open there: without this memory, a file
        # in which each line opens a quote that nothing closes would be searched up to the limit from each line.
        known = self._open_stretch
        if data is not known.data or not known.start <= place <= known.stop:
            self._open_stretch = known = self._stretch(data, place)
        if known.close is None:
            raise _Unfinished
        return known.close

    def _stretch(self, data: bytes, start: int) -> _OpenStretch:
        """From `start`, where a quoted cell is open, to its end."""
        for run in self._quotes.finditer(data, start):
            if (run.end() - run.start()) % 2:
                return _OpenStretch(data, start, run.start(), run.end() - 1)
        return _OpenStretch(data, start, len(data), None)

    def _judged(self, data: bytes, start: int, end: int, following: int, cells: list[bytes | None]) -> Record:
        """A grammatical record, held against the header and the encoding."""
        expected = self.rules.columns or len(cells)
        if len(cells) != expected:
            reason = "too_few_columns" if len(cells) < expected else "too_many_columns"
            return Record(end, following, [], Fault(reason, None, f"{len(cells)} of {expected}"))
        texts: list[str | None] = []
        for column, cell in enumerate(cells):
            if cell is not None and b"\0" in cell:
                return Record(end, following, [], Fault("nul_byte", column, "a NUL byte is no text"))
            try:
                texts.append(None if cell is None else cell.decode())
            except UnicodeDecodeError as error:
                detail = f"byte 0x{error.object[error.start]:02x} does not decode"
                return Record(end, following, [], Fault(self.rules.undecodable, column, detail))
        return Record(end, following, texts)
