"""Fast CSV: text of which cheap tests prove that Arrow's parser reads it just as `csv_records` would.

Arrow is a hundred times faster, and more lenient: it takes text after a closing quote, lets CR end a line, drops a
byte order mark at the start of whatever it is given. So it is given nothing in which it could take such a liberty.
What is not proven is not bad: `csv_records` judges it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from data_ingestion.reading.csv_records import QUOTE, Rules

_LONE_CR = re.compile(rb"\r(?!\n)")
_BOM = b"\xef\xbb\xbf"
# Blanks are removed by this many quick passes over all of a text before a slow one takes care of longer runs.
_QUICK_PASSES = 2


class PlainLines:
    """Which of consecutive lines are proven to be a good record by themselves, by the place where each starts."""

    def __init__(self, starts: Any, proven: Any, end: int) -> None:
        self._starts, self._end = starts, end
        self._others = np.flatnonzero(~proven)

    def run_at(self, place: int) -> tuple[int, int] | None:
        """How many proven lines follow one another from here, and where they end; None where there is none."""
        first = int(np.searchsorted(self._starts, place))
        if first == len(self._starts) or self._starts[first] != place:
            return None
        after = int(np.searchsorted(self._others, first))
        stop = int(self._others[after]) if after < len(self._others) else len(self._starts)
        if stop == first:
            return None
        return stop - first, int(self._starts[stop]) if stop < len(self._starts) else self._end


class PlainParser:
    """Proves text plain, and has Arrow parse it into text columns named by the header."""

    def __init__(self, rules: Rules, header: Sequence[str]) -> None:
        self._rules = rules
        self._header = list(header)
        # Arrow finds a column's type by its name, so while it parses the names are distinct.
        self._names = [str(i) for i in range(len(header))]
        self._convert, self._convert_ascii = (
            pacsv.ConvertOptions(
                check_utf8=check_utf8,
                column_types=dict.fromkeys(self._names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            )
            for check_utf8 in (True, False)
        )
        delimiter = re.escape(rules.delimiter)
        quoted = rb'"(?:[^"\r\n\0]|"")*"'
        first = rb'[^"\r\n\0' + delimiter + (b" ]" if rules.blanks else b"]")
        cell = b"(?:" + quoted + b"|" + first + rb"[^\r\n\0" + delimiter + b"]*|)"
        self._quoted_line = re.compile(cell + b"(?:" + delimiter + cell + b"){%d}" % (len(header) - 1))
        self._misplaced_quote = re.compile(
            rb'"(?:(?<![\n"' + delimiter + rb']")|(?![\r\n"' + delimiter + b"]))"
        )
        self._blanks = re.compile(delimiter + b" +")
        self._before_opening = b"\n" + QUOTE + rules.delimiter
        self._after_closing = b"\r\n" + QUOTE + rules.delimiter
        self._skipped = rules.skipped_lines()
        self._has_quotes = bool(rules.quote or rules.escape)
        # What may make a line another one by the file's rules than by Arrow's.
        quotes = {QUOTE, rules.quote} if self._has_quotes and rules.quote != QUOTE else set()
        self._own_marks = sorted((quotes | {rules.escape}) - {b""})

    def block(self, data: bytes) -> pa.RecordBatch | None:
        """The rows of these whole lines, if they are proven to be a good record each; else None."""
        if self._rules.lone_cr or b"\0" in data or self._has_long_lines(data):
            return None
        if b"\r" in data and _LONE_CR.search(data):
            return None
        if self._skipped and self._skipped.search(data):
            return None
        if any(mark in data for mark in self._own_marks):
            return None
        if not data.endswith(b"\n"):
            data += b"\n"
        text: bytes | None = data
        quoted = self._has_quotes and QUOTE in data
        if self._rules.blanks:
            text = self._with_quotes(data) if quoted else self._without_blanks(data)
        elif quoted and not self._has_quotes_in_place(data):
            return None
        if text is None or text.startswith(_BOM):
            return None
        try:
            rows = self.rows(text, spans_lines=quoted)
        except pa.ArrowInvalid:  # a line's number of cells, or UTF-8
            return None
        if rows.num_rows != np.count_nonzero(
            np.frombuffer(text, np.uint8) == ord("\n")
        ):  # a quoted cell spans lines
            return None
        # Arrow takes a blank line for a record of nulls: there is none where a column has no null.
        if all(column.null_count for column in rows.columns) and _has_blank_lines(text):
            return None
        return rows

    def lines(self, data: bytes, place: int) -> PlainLines:
        """Which whole lines from `place` on are proven to be a good record each, asked of all of them at once.

        A line that is not proven may be good all the same: `line` may know, `csv_records` does.
        """
        end = data.rfind(b"\n") + 1
        if end <= place or self._rules.lone_cr or self._rules.blanks or _BOM in data:
            return PlainLines(np.empty(0, np.int64), np.empty(0, np.bool_), place)
        text = np.frombuffer(data, np.uint8)[place:end]
        ends = np.flatnonzero(text == ord("\n"))
        starts = np.concatenate(([0], ends[:-1] + 1))
        size = ends - starts
        proven = (size > 0) & (size <= self._rules.limit) & (text[starts] != ord("\r"))
        strange = text == 0
        if b"\r" in data:
            strange |= (text == ord("\r")) & (np.append(text[1:], 0) != ord("\n"))
        for mark in self._own_marks:
            strange |= text == ord(mark)
        if not _is_utf8(data[place:end]):
            strange |= text >= 0x80
        proven[np.searchsorted(ends, np.flatnonzero(strange))] = False
        if self._skipped:
            skipped = [found.start() for found in self._skipped.finditer(data[place:end])]
            proven[np.searchsorted(starts, np.array(skipped, np.int64))] = False
        delimiters = np.flatnonzero(text == self._rules.delimiter[0])
        quotes = np.flatnonzero((text == ord(QUOTE)) & self._has_quotes)
        line = np.searchsorted(ends, delimiters)
        if len(quotes):
            before = np.searchsorted(
                quotes, starts
            )  # quotes before each line, by which they are counted within it
            proven &= np.diff(before, append=len(quotes)) % 2 == 0
            line_of_quote = np.searchsorted(ends, quotes)
            opens = (np.arange(len(quotes)) - before[line_of_quote]) % 2 == 0
            # Before the first byte is the last, a line end, as before every other line.
            in_place = np.where(
                opens,
                _are_among(text[quotes - 1], self._before_opening),
                _are_among(text[quotes + 1], self._after_closing),
            )
            proven[line_of_quote[~in_place]] = False
            line = line[(np.searchsorted(quotes, delimiters) - before[line]) % 2 == 0]
        proven &= np.bincount(line, minlength=len(ends)) == len(self._header) - 1
        return PlainLines(starts + place, proven, end)

    def line(self, line: bytes) -> bytes | None:
        """This line, if it is proven to be a good record by itself, with its line end, as `rows` wants it."""
        content = line.rstrip(b"\n").removesuffix(b"\r")
        if not content or len(content) > self._rules.limit:
            return None
        if self._skipped and self._skipped.match(content):
            return None
        if any(mark in content for mark in self._own_marks):
            return None
        if self._has_quotes and QUOTE in content:
            if not self._quoted_line.fullmatch(content):
                return None
        elif (
            content.count(self._rules.delimiter) != len(self._header) - 1
            or b"\0" in content
            or b"\r" in content
        ):
            return None
        elif self._rules.blanks:
            content = self._without_blanks(content)
        if content.isascii() or (_is_utf8(content) and not content.startswith(_BOM)):
            return content + b"\n"
        return None

    def written(self, cells: Sequence[str | None]) -> bytes:
        """A good record that may be anything but plain, as a plain one (which may span lines) of the same cells."""
        if not self._has_quotes:
            return self._rules.delimiter.join((cell or "").encode() for cell in cells) + b"\n"
        return (
            self._rules.delimiter.join(
                b"" if cell is None else QUOTE + cell.encode().replace(QUOTE, b'""') + QUOTE for cell in cells
            )
            + b"\n"
        )

    def rows(self, text: bytes, *, spans_lines: bool = False) -> pa.RecordBatch:
        """Proven text, parsed; blanks around its cells are gone. Each line is a row (or more, if it `spans_lines`)."""
        if not text:
            return pa.RecordBatch.from_arrays(
                [pa.array([], pa.string())] * len(self._header), names=self._header
            )
        if text.startswith(_BOM):  # of a cell that can't be quoted; Arrow drops one
            text = _BOM + text
        table = pacsv.read_csv(
            pa.py_buffer(text),
            pacsv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=self._names),
            pacsv.ParseOptions(
                delimiter=self._rules.delimiter.decode(),
                quote_char='"' if self._has_quotes else False,
                newlines_in_values=spans_lines,
                ignore_empty_lines=False,
            ),
            self._convert_ascii if text.isascii() else self._convert,
        )
        (batch,) = table.to_batches()
        return pa.RecordBatch.from_arrays(batch.columns, names=self._header)

    def _has_quotes_in_place(self, data: bytes) -> bool:
        """Whether each cell with quotes starts and ends with one, and inside has none but doubled ones.

        Quotes open and close in turn; one that closes and opens again at once is the doubled one inside.
        """
        text = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(text == ord(QUOTE))
        if len(quotes) % 2:
            return False
        # Before the first byte is the last, a line end, as before every other line.
        before, after = text[quotes[0::2] - 1], text[quotes[1::2] + 1]
        return bool(
            _are_among(before, self._before_opening).all() and _are_among(after, self._after_closing).all()
        )

    def _with_quotes(self, data: bytes) -> bytes | None:
        """The data without blanks around cells, if all its quotes are where they must be and span no line.

        Of the data split at its quotes, every other part is inside a quoted cell, provided that each quote is in its
        place. The test of that is made on what is outside, where one quote is left to stand for all that is inside,
        and adjacent ones for a quote inside.
        """
        parts = data.split(QUOTE)
        if len(parts) % 2 == 0 or b"\n" in b"".join(parts[1::2]):
            return None
        outside = b"\n" + QUOTE.join(parts[0::2]) + b"\n"
        if b'""' in outside:
            return None
        outside = self._without_blanks(outside)
        while b'" ' in outside:
            outside = outside.replace(b'" ', QUOTE)
        if b'""' in outside or self._misplaced_quote.search(outside):
            return None
        parts[0::2] = outside[1:-1].split(QUOTE)
        return QUOTE.join(parts)

    def _without_blanks(self, text: bytes) -> bytes:
        """Text in which no quote opens, without the blanks that cells start with."""
        if b"\n " in text or text.startswith(b" "):
            text = re.sub(rb"(?m)^ +", b"", text)
        blank = self._rules.delimiter + b" "
        for _ in range(_QUICK_PASSES):
            text = text.replace(blank, self._rules.delimiter)
        return self._blanks.sub(self._rules.delimiter, text) if blank in text else text

    def _has_long_lines(self, data: bytes) -> bool:
        """Whether a line may be longer than a record: none is if each piece of half that size has a line end."""
        if len(data) <= self._rules.limit:
            return False
        half = max(1, self._rules.limit // 2)
        return any(data.find(b"\n", i, i + half) < 0 for i in range(0, len(data) - half, half))


def _are_among(values: Any, members: bytes) -> Any:
    """For each of these bytes, whether it is one of the members."""
    found = values == members[0]
    for member in members[1:]:
        found |= values == member
    return found


def _has_blank_lines(data: bytes) -> bool:
    """Arrow takes them for records of nulls."""
    return data.startswith((b"\n", b"\r\n")) or b"\n\n" in data or (b"\r" in data and b"\n\r\n" in data)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
