"""JSON document: the records in a list, or in an envelope around it, read as JSON Lines with the places that they have.

A document is taken apart into its records, each put on one line, and the rules of `jsonl` say what a record becomes.
The text around the records must be valid JSON: a document that is cut short, or invalid between its records, fails as a
whole. A record that is not an object is bad by itself.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, Protocol, cast

from data_ingestion.contract.file_formats import JsonLinesFormat
from data_ingestion.excerpts import listed, quote
from data_ingestion.reading import jsonl
from data_ingestion.reading.chunk import Chunk, ListedChunk
from data_ingestion.reading.compression import Peeked, Source, decompressed
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.faults import ReadError
from data_ingestion.reading.likeness import START_BYTES, Likeness, of_start

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# What opens, closes, or could hide what does.
_TURNS = re.compile(_STRING + rb'|["{}\[\]]', re.DOTALL)
_TEXT = re.compile(_STRING, re.DOTALL)
_BLANKS = re.compile(rb"[ \t\r\n]*")
_SCALAR = re.compile(rb'[^,\]}{\[":]*')
_BREAK = re.compile(rb"[ \t]*[\r\n][ \t\r\n]*")
_TEXT_OR_BREAK = re.compile(_STRING + rb"|" + _BREAK.pattern, re.DOTALL)
# Python's own reader finds the end of a value fastest; what it makes of it is not used. It takes no line end in a text.
_DECODER = json.JSONDecoder()
# A key may be so long, and what is nested so deep: a file of nothing but brackets ends here.
_LONGEST_KEY, _DEEPEST = 1 << 16, 1000
_CUT_SHORT, _INVALID = "it was cut short: have it sent again", "it is not valid JSON: have it corrected"


class Format(jsonl.Format, Protocol):
    """What reading needs to know of a document; a contract's `JsonFormat` is one."""

    @property
    def records(self) -> tuple[str, ...]: ...


def read_json(
    stream: BinaryIO,
    form: Format,
    columns: Sequence[Sequence[str]],
    ignored: Collection[str] = (),
    chunk_bytes: int = 1 << 20,
) -> JsonReader:
    """A reader of the records in a document, otherwise as `read_jsonl`.

    They are the elements of the list that the path `form.records` leads to, through objects alone; without a path, of
    the document itself, which may also be one object or several in a row. Memory is bounded by `chunk_bytes` and
    `form.max_record_bytes`.
    """
    content = Peeked(decompressed(stream, zips=True), START_BYTES)
    lines = RecordLines(in_utf8(content, form.encoding).source, form, chunk_bytes)
    if not lines.is_document:
        seems = of_start(content.start, "json", form.encoding)
        raise ReadError(str(seems or Likeness("does not begin as JSON does", "have it sent again")))
    in_lines = JsonLinesFormat(max_record_bytes=form.max_record_bytes)
    return JsonReader(lines, jsonl.read_jsonl(cast(BinaryIO, lines), in_lines, columns, ignored, chunk_bytes))


class JsonReader:
    """A document on the way through: `header` is known, chunks come by iteration."""

    def __init__(self, lines: RecordLines, reader: jsonl.JsonLinesReader) -> None:
        self._lines, self._reader = lines, reader
        self.header = reader.header

    def __iter__(self) -> Iterator[Chunk]:
        return map(self._at_its_place, self._reader)

    def remark(self) -> str:
        """What can be said of the bad records together."""
        return self._reader.remark()

    def look(self, headers: Collection[str]) -> Likeness | None:
        """Nothing: what a document looks like shows at its start."""
        return None

    def _at_its_place(self, chunk: Chunk) -> Chunk:
        """The chunk with the lines on which its records begin in the document."""
        assert isinstance(chunk, ListedChunk)
        begun = self._lines.begun
        bad = tuple(replace(record, line=begun[record.line - 1]) for record in chunk.bad)
        lines = [begun[line - 1] for line in chunk.numbers]
        return ListedChunk(chunk.header, lines, chunk.columns, bad, list(chunk._raws))


class RecordLines:
    """A document's records as a source of lines; `begun` says on which line of the document each of them begins.

    A place names one record: those that begin on the line of the one before have the next numbers, so that of a
    document on a single line it is the number of the record.
    """

    def __init__(self, source: Source, form: Format, chunk_bytes: int) -> None:
        self.begun = array("q")
        self._source, self._chunk_bytes = source, chunk_bytes
        self._path, self._limit = form.records, form.max_record_bytes
        self._held, self._at, self._line, self._is_over = b"", 0, 1, False
        self._signs: str | None = (
            None  # the bytes held, a sign each; None where the fast way has failed on them
        )
        self._records = self._all()
        self._entered: list[tuple[str, Iterator[str]]] = []
        self.is_document = self._next() in (b"{", b"[")

    def read(self, size: int, /) -> bytes:
        """Whole lines, of `size` bytes or a little more; none at the end."""
        lines, left = [], size
        while left > 0 and (record := next(self._records, None)) is not None:
            lines.append(record)
            left -= len(record)
        return b"".join(lines)

    # The document

    def _all(self) -> Iterator[bytes]:
        first = self._next()
        if not self._path and first == b"{":
            while first:
                yield self._record()
                first = self._next()
            return
        if self._path:
            self._enter()
        yield from self._elements()
        for name, keys in reversed(self._entered):
            for key in keys:
                if key == name:
                    raise self._fault(
                        f"the key '{name}' stands twice", "have it sent with one list of records"
                    )
                self._pass_over()
        if self._next():
            raise self._fault("something follows the document", "have it sent again")

    def _enter(self) -> None:
        """Goes along the path, to the list at its end."""
        remedy = "correct `records` in the contract"
        for depth, name in enumerate(self._path):
            before = f"'{'.'.join(self._path[:depth])}'" if depth else "the document"
            if self._next() != b"{":
                raise self._fault(f"{before} is not an object, and so has no key '{name}'", remedy)
            self._skip(1)
            others: list[str] = []
            keys = self._keys()
            for key in keys:
                if key == name:
                    break
                others.append(key)
                self._pass_over()
            else:
                found = listed([quote(other) for other in others]) or "none"
                raise self._fault(f"{before} has no key '{name}'; its keys: {found}", remedy)
            self._entered.append((name, keys))
        if self._next() != b"[":
            raise self._fault(f"'{'.'.join(self._path)}' is not a list", remedy)

    def _elements(self) -> Iterator[bytes]:
        self._skip(1)
        if self._next() == b"]":
            self._skip(1)
            return
        while True:
            yield self._record()
            if not self._comma(b"]"):
                return

    def _keys(self) -> Iterator[str]:
        """The keys of an object that was entered; who takes one passes its value."""
        if self._next() == b"}":
            self._skip(1)
            return
        while True:
            yield self._key()
            if not self._comma(b"}"):
                return

    def _key(self) -> str:
        key = self._text(_LONGEST_KEY) if self._next() == b'"' else b""
        if not key or self._next() != b":":
            raise self._fault(
                "a key and its value are expected here", _INVALID if self._next() else _CUT_SHORT
            )
        self._skip(1)
        return key[1:-1].decode("utf-8", "replace")

    def _comma(self, closing: bytes) -> bool:
        """Whether a comma follows, and not the end of the list or object; either is passed."""
        found = self._next()
        if found not in (b",", closing):
            what = f"{quote(found.decode('latin-1'))} stands" if found else "the file ends"
            expected = f"a comma or '{closing.decode()}' is expected"
            raise self._fault(f"{what} where {expected}", _INVALID if found else _CUT_SHORT)
        self._skip(1)
        return found == b","

    # Values

    def _record(self) -> bytes:
        """The value that follows, on one line; of one that is too long, as much as shows that it is."""
        self._next()
        self.begun.append(max(self._line, self.begun[-1] + 1) if self.begun else self._line)
        if plain := self._plain_object():
            return plain
        kept = b"".join(self._parts(self._limit + 1))
        if len(kept) > self._limit:  # as it stands there
            kept = kept.replace(b"\n", b" ")
        elif b"\n" in kept or b"\r" in kept:
            kept = _TEXT_OR_BREAK.sub(_on_one_line, kept)
        return kept + b"\n"

    def _plain_object(self) -> bytes | None:
        """The object that follows, on one line, if all of it is held; None where that is not seen at once."""
        if self._signs is None or self._held[self._at : self._at + 1] != b"{":
            return None
        try:
            end = _DECODER.raw_decode(self._signs, self._at)[1]
        except (ValueError, RecursionError):
            self._signs = None  # to fail again on each record would take longer than to go the other way
            return None
        if end - self._at > self._limit:
            return None
        return _BREAK.sub(b" ", self._take(end)) + b"\n"

    def _pass_over(self) -> None:
        self._next()
        for _ in self._parts(0):
            pass

    def _parts(self, most: int) -> Iterator[bytes]:
        """The value that follows, in parts; of more than so many bytes the rest is passed over."""
        match self._held[self._at : self._at + 1]:
            case b"{" | b"[":
                yield from self._nested(most)
            case b'"':
                yield self._text(self._most_held)[:most]
            case _:
                yield self._scalar()[:most]

    def _nested(self, most: int) -> Iterator[bytes]:
        """A list or an object."""
        depth = taken = 0
        while True:
            end = len(self._held)
            for turn in _TURNS.finditer(self._held, self._at):
                if turn[0] == b'"':  # of a text that goes on in what is read next
                    end = turn.start()
                    break
                if turn[0] in (b"{", b"["):
                    depth += 1
                    if depth > _DEEPEST:
                        raise self._fault(f"more than {_DEEPEST:,} lists and objects in each other", _INVALID)
                elif turn[0] in (b"}", b"]"):
                    depth -= 1
                    if not depth:
                        yield self._take(turn.end())[: max(most - taken, 0)]
                        return
            part = self._take(end)
            yield part[: max(most - taken, 0)]
            taken += len(part)
            self._read_on("within a record", self._most_held)

    def _text(self, most: int) -> bytes:
        while (found := _TEXT.match(self._held, self._at)) is None:
            self._read_on("within a text", most)
        return self._take(found.end())

    def _scalar(self) -> bytes:
        while (end := self._end_of_scalar()) == len(self._held) and not self._is_over:
            if end - self._at > self._most_held:
                raise self._fault("a value is expected here", _INVALID)
            self._more()
        if end == self._at:
            at_end = self._at == len(self._held)
            raise self._fault("a value is expected here", _CUT_SHORT if at_end else _INVALID)
        return self._take(end).rstrip(b" \t\r\n")

    def _end_of_scalar(self) -> int:
        found = _SCALAR.match(self._held, self._at)
        assert found is not None
        return found.end()

    @property
    def _most_held(self) -> int:
        """Bytes of one text that may be held."""
        return max(self._limit, self._chunk_bytes)

    # Bytes

    def _next(self) -> bytes:
        """The byte after any blanks, which stays; none at the end."""
        while True:
            found = _BLANKS.match(self._held, self._at)
            assert found is not None
            self._skip(found.end() - self._at)
            if self._at < len(self._held):
                return self._held[self._at : self._at + 1]
            if not self._more():
                return b""

    def _read_on(self, where: str, most: int) -> None:
        """Reads on within a value, of which so many bytes may be held."""
        if len(self._held) - self._at > most:
            remedy = "raise `maxRecordBytes`, or have it corrected"
            raise self._fault(f"a text of more than {most:,} bytes", remedy)
        if not self._more():
            raise self._fault(f"the file ends {where}", _CUT_SHORT)

    def _skip(self, count: int) -> None:
        self._line += self._held.count(b"\n", self._at, self._at + count)
        self._at += count

    def _take(self, end: int) -> bytes:
        taken = self._held[self._at : end]
        self._skip(len(taken))
        return taken

    def _more(self) -> bool:
        """Reads on; whether there was more."""
        more = b"" if self._is_over else self._source.read(self._chunk_bytes)
        self._is_over = not more
        self._held, self._at = self._held[self._at :] + more, 0
        self._signs = self._held.decode("latin-1")
        return bool(more)

    def _fault(self, what: str, remedy: str) -> ReadError:
        return ReadError(f"line {self._line:,}: {what}\n  {remedy}")


def _on_one_line(found: re.Match[bytes]) -> bytes:
    """A text as it is, though with no line end in it, which is not allowed there; a blank for a break between."""
    if found[0].startswith(b'"'):
        return found[0].replace(b"\n", b"\t").replace(b"\r", b"\t")
    return b" "
