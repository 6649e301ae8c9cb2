"""CSV records: the rules by which bytes are CSV. This parser is their specification; `csv_fast` is only faster.

The rules are RFC 4180's, taken strictly, in UTF-8:

- A cell is quoted if its first byte is a quote, and then ends at the next quote that is not doubled. Only a delimiter
  or a line end may follow. In any other cell a quote is text like any other.
- With `skip_initial_space`, blanks (U+0020) before a cell and after a closing quote are not part of it. Unquoted names
  in the header keep theirs, as contracts spell names exactly.
- A contract may name another `quote`, or none (then no cell is quoted). After an `escape`, in quotes or not, a quote,
  delimiter, line end or escape is text; before anything else it is a fault, as programs mean different things by it.
  An unquoted cell that is an escape and `N` stays so: programs that escape write it for null.
- An unquoted cell without text is null, `""` is the empty text.
- LF and CRLF end a line. CR alone does only in a file whose header line ends so (there CR, LF and CRLF all do);
  elsewhere it is a fault outside quotes and text inside them.
- A line without a byte is not a record, but is counted. So a file of one column can't hold a null, save as blanks
  under `skip_initial_space`. Nor is a line that begins with the `comment_prefix`, nor, with `skip_empty_rows`, one of
  delimiters alone. A line inside a quoted cell is text whatever it is.
- A record has as many cells as the header, and at most `max_record_bytes` bytes.

An unclosed quote must not swallow what follows it. So a record that spans lines is believed only if it is whole, has
the header's number of cells and is no longer than `max_record_bytes`. Otherwise its *first line alone* is bad, and the
next line is read as the start of a record. Two ambiguities remain, and no reader without a second source can settle
them: an unclosed quote that a later line closes just so that the number of cells comes out right is taken for one
record; and when a record that truly spans lines is broken, its later lines are checked as records of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from data_ingestion.reading.encoding import why_undecodable
from data_ingestion.reading.faults import ReadError

QUOTE = b'"'
# What may follow the longest allowed record before its line end must have come: CR and LF.
LONGEST_LINE_END = 2
ENDS_WITH_DELIMITER = "the row ends with a delimiter"


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
    @property
    def header_line(self) -> int: ...
    @property
    def column_names(self) -> tuple[str, ...]: ...
    @property
    def quote(self) -> str: ...
    @property
    def escape(self) -> str: ...
    @property
    def comment_prefix(self) -> str: ...
    @property
    def skip_empty_rows(self) -> bool: ...
    @property
    def footer(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Rules:
    """The rules as they hold for one file. `columns` is 0 while its header is unknown."""

    delimiter: bytes
    blanks: bool
    limit: int
    columns: int = 0
    lone_cr: bool = False
    undecodable: str = "bad_utf8"
    quote: bytes = QUOTE
    escape: bytes = b""
    comment: bytes = b""
    skip_empty: bool = False

    @classmethod
    def of(cls, form: Format, undecodable: str) -> Rules:
        delimiter = form.delimiter.encode()
        if len(delimiter) != 1 or delimiter in b'"\r\n\0' or (form.skip_initial_space and delimiter == b" "):
            raise ReadError(
                f"delimiter: {form.delimiter!r} can't separate cells\n"
                "  declare one ASCII character other than a quote or a line end (and not a blank with skipInitialSpace)"
            )
        if form.max_record_bytes < 1:
            raise ReadError(
                f"maxRecordBytes: {form.max_record_bytes} is too small for any record\n  declare 1 or more"
            )
        return cls(
            delimiter,
            form.skip_initial_space,
            form.max_record_bytes,
            undecodable=undecodable,
            quote=form.quote.encode(),
            escape=form.escape.encode(),
            comment=form.comment_prefix.encode(),
            skip_empty=form.skip_empty_rows,
        )

    def skipped_lines(self) -> re.Pattern[bytes] | None:
        """What a line that is skipped begins with, be it a comment or an empty row; None if no such is."""
        starts = [re.escape(self.comment)] if self.comment else []
        if self.skip_empty:
            empty = b"[" + re.escape(self.delimiter) + (b" ]" if self.blanks else b"]")
            starts.append(empty + rb"+(?:[\r\n]|\Z)")
        return re.compile(b"(?m)^(?:" + b"|".join(starts) + b")") if starts else None


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
        escape = re.escape(rules.escape)
        self._unquoted = re.compile(b"[^\r\n" + delimiter + b"]*")
        if escape:
            self._unquoted = re.compile(
                b"(?:[^\r\n" + delimiter + escape + b"]|" + escape + rb"(?:\r\n|[\s\S]))*"
            )
        self._escapes = re.compile(escape + rb"(\r\n|[\s\S])") if escape else None
        self._escapable = {rules.delimiter, rules.escape, rules.quote, b"\r\n", b"\r", b"\n"}
        self._line_end = re.compile(b"\r\n|\n|\r" if rules.lone_cr else b"\r?\n")
        self._blanks = re.compile(b" *" if rules.blanks else b"")
        # An escaped byte counts as two quotes do: it closes nothing.
        quotes = re.escape(rules.quote) + b"+" if rules.quote else b"(?!)"
        self._quotes = re.compile(escape + rb"[\s\S]|" + quotes if escape else quotes)
        self._open_stretch = _OpenStretch(b"", 0, 0, None)
        self._skipped = rules.skipped_lines()

    def skip_lines(self, data: bytes, place: int, whole: bool) -> int:
        """The first place from `place` on at which a record may begin (or the end of the data): blank lines are
        skipped, and what else the rules skip."""
        while place < len(data):
            length = self.line_end_at(data, place, whole) or self._skipped_at(data, place, whole)
            if not length:
                break
            place += length
        return place

    def _skipped_at(self, data: bytes, place: int, whole: bool) -> int:
        """Length of the line at this place, with its end, if it is skipped.

        0 too if not all of it is there yet, or if it is longer than a record may be.
        """
        if self._skipped is None or not (line := self._first_line(data, place, whole)):
            return 0
        end, following = line
        is_whole = end < following or whole
        is_skipped = is_whole and end - place <= self.rules.limit and self._skipped.match(data[place:end])
        return following - place if is_skipped else 0

    def line_end_at(self, data: bytes, place: int, whole: bool) -> int | None:
        """Length of the line end at this place, 0 if there is none, None if that needs more data."""
        found = self._line_end.match(data, place)
        if not whole and place == len(data) - 1 and data.endswith(b"\r"):
            return None
        return len(found.group()) if found else 0

    def read(self, data: bytes, start: int, whole: bool) -> Record | None:
        """The record at `start`, or None if it can't be checked before more data is read (`whole`: all of it has been).

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
                return self._checked(data, start, end, following, cells)
            if end - start <= self.rules.limit and self.rules.columns in (0, len(cells)):
                return self._checked(data, start, end, following, cells)
        column = sum(1 for place in starts if place <= first_end) - 1
        detail = "a quote is opened on this line and is not closed properly"
        return Record(first_end, first_next, [], Fault("unclosed_quote", column, detail))

    def leave_line(self, data: bytes, place: int, whole: bool) -> tuple[int, bool]:
        """Where the line continues or has ended, and whether it has: past its end, else as far as the data goes."""
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
            if self.rules.quote and data.startswith(self.rules.quote, after_blanks):
                place = after_blanks
                close = self._closing_quote(data, place)
                cells.append(self._unescaped(data, place + 1, close, len(cells), self.rules.quote))
                place = self._skip_blanks(data, close + 1)
            else:
                text = self._unquoted.match(data, place if is_header else after_blanks)
                assert text is not None
                place = text.end()
                if self._escapes:
                    cells.append(self._unescaped(data, text.start(), place, len(cells)) or None)
                else:
                    cells.append(text.group() or None)
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
            if self.rules.escape and data[place:] == self.rules.escape:
                if not whole:
                    raise _Unfinished
                detail = "the file ends with an escape, which makes nothing text"
                raise _Malformed(place, Fault("unknown_escape", len(cells) - 1, detail))
            if data.startswith(b"\r", place):
                detail = "a carriage return without a line feed, outside quotes"
                raise _Malformed(place, Fault("stray_carriage_return", len(cells) - 1, detail))
            raise _Malformed(place, Fault("text_after_quote", len(cells) - 1, "text after the closing quote"))

    def _unescaped(self, data: bytes, start: int, end: int, column: int, quote: bytes = b"") -> bytes:
        """The text of a cell between these places, in quotes if there is a `quote`."""
        text = data[start:end]
        if not self._escapes or self.rules.escape not in text:
            return text.replace(quote * 2, quote) if quote else text
        if not quote and text == self.rules.escape + b"N":
            return text
        parts, place = [], 0
        for found in self._escapes.finditer(text):
            if found[1] not in self._escapable:
                shown = found.group().decode(errors="replace")
                detail = f"'{shown}' is not an escape: only a quote, delimiter, line end or escape may follow"
                raise _Malformed(start + found.start(), Fault("unknown_escape", column, detail))
            parts += [
                text[place : found.start()].replace(quote * 2, quote)
                if quote
                else text[place : found.start()]
            ]
            parts += [found[1]]
            place = found.end()
        rest = text[place:]
        return b"".join([*parts, rest.replace(quote * 2, quote) if quote else rest])

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

    def _checked(
        self, data: bytes, start: int, end: int, following: int, cells: list[bytes | None]
    ) -> Record:
        """A grammatical record, held against the header and the encoding."""
        expected = self.rules.columns or len(cells)
        if len(cells) != expected:
            reason = "too_few_columns" if len(cells) < expected else "too_many_columns"
            return Record(end, following, [], Fault(reason, None, _other_width(cells, expected)))
        texts: list[str | None] = []
        for column, cell in enumerate(cells):
            if cell is not None and b"\0" in cell:
                return Record(end, following, [], Fault("nul_byte", column, "text can't contain a NUL byte"))
            try:
                texts.append(None if cell is None else cell.decode())
            except UnicodeDecodeError as error:
                detail = why_undecodable(error.object, error.start, self.rules.undecodable)
                return Record(end, following, [], Fault(self.rules.undecodable, column, detail))
        return Record(end, following, texts)


def _other_width(cells: Sequence[bytes | None], expected: int) -> str:
    more = len(cells) == expected + 1 and cells[-1] is None
    counted = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    return f"{counted}, the header has {expected}" + (f"; {ENDS_WITH_DELIMITER}" if more else "")
