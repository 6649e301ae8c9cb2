"""JSON Lines: an object a line becomes a row of text cells, found by the paths that the contract names.

The rules are those of RFC 8259, taken strictly:

- A line is a record and ends with LF or CRLF; a line of blanks is not a record, but is counted. A record is an object
  of at most `max_record_bytes` bytes, nested at most 100 deep. Anything else is bad, and the next line is read.
- A column is found by its path, `data.location.lat`. A record without it has null there, as has one that says null.
  A path that leads to an object or a list gives all of it, as compact JSON.
- Numbers keep all their digits, as they are written. NaN and Infinity are not JSON.
- A key that stands twice in its object, or that no path leads to or past, makes its record bad: each line is its own
  header, and an undeclared key may be a misspelt one. Of the latter the cells are given all the same: whether
  the record is of a kind that the contract knows, others judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO, Protocol

from data_ingestion.excerpts import listed
from data_ingestion.reading.chunk import Chunk, ListedChunk
from data_ingestion.reading.compression import Peeked, decompressed
from data_ingestion.reading.encoding import in_utf8, why_undecodable
from data_ingestion.reading.faults import BadRecord, ReadError
from data_ingestion.reading.json_records import BLANKS, BadJson, records_of
from data_ingestion.reading.jsonl_fast import may_be_plain
from data_ingestion.reading.likeness import START_BYTES, Likeness

# So many records in a row that are not plain, and no more of the block are tried.
_PATIENCE = 8
# What may follow the longest allowed record before its line end must have come: CR and LF.
_LONGEST_LINE_END = 2
# So many unknown keys of a file are counted by name.
_MOST_UNKNOWN = 1000


class Format(Protocol):
    """What reading needs to know of JSON Lines; a contract's `JsonLinesFormat` is one."""

    @property
    def encoding(self) -> str: ...
    @property
    def max_record_bytes(self) -> int: ...


def read_jsonl(
    stream: BinaryIO,
    form: Format,
    columns: Sequence[Sequence[str]],
    ignored: Collection[str] = (),
    chunk_bytes: int = 1 << 20,
) -> JsonLinesReader:
    """A reader whose header is the first path of each column; a record may use any one of a column's paths.

    What lies under a path of `ignored` may be there and is not read. Memory is bounded by `chunk_bytes` and
    `form.max_record_bytes`. Raises ReadError (then or later) for a file that can't be read to its end.
    """
    return JsonLinesReader(stream, form, columns, ignored, chunk_bytes)


class JsonLinesReader:
    """A file of JSON Lines on the way through: `header` is known, chunks come by iteration."""

    header: tuple[str, ...]
    start: bytes  # the file's first bytes, unpacked

    def __init__(
        self,
        stream: BinaryIO,
        form: Format,
        columns: Sequence[Sequence[str]],
        ignored: Collection[str],
        chunk_bytes: int,
    ) -> None:
        if form.max_record_bytes < 1:
            raise ReadError(
                f"maxRecordBytes: {form.max_record_bytes} is too small for any record\n  declare 1 or more"
            )
        self.header = tuple(paths[0] for paths in columns)
        content = Peeked(decompressed(stream, zips=True), START_BYTES)
        self.start = content.start
        text = in_utf8(content, form.encoding)
        self._source, self._undecodable = text.source, text.undecodable
        self._records = records_of(tuple(map(tuple, columns)), frozenset(ignored))
        self._limit = form.max_record_bytes
        self._chunk_bytes = chunk_bytes
        self._line = 1  # the line that is read next
        self._unknown: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Chunk]:
        held = b""  # the start of a line whose end is still to come
        in_long_line = False  # `held` continues a line that was already found too long
        while True:
            more = self._source.read(self._chunk_bytes)
            end = more.rfind(b"\n") + 1
            if in_long_line:
                start = more.find(b"\n") + 1
                if not start and more:
                    continue
                in_long_line = False
                self._line += 1
                block, held = more[start:end], more[max(start, end) :]
            elif end:
                block, held = held + more[:end], more[end:]
            else:
                block, held = b"", held + more
            if not more:
                block, held = held, b""
            too_long = len(held) >= self._limit + _LONGEST_LINE_END
            if block or too_long:
                yield self._chunk(block, held[: self._limit] if too_long else None)
            if too_long:
                held, in_long_line = b"", True
            if not more:
                return

    def remark(self) -> str:
        """All keys that the contract does not know, with the number of records that have each."""
        if not self._unknown:
            return ""
        counted = [f"'{key}' in {_records(count)}" for key, count in self._unknown.most_common()]
        return f"unknown keys: {listed(counted)}; add them to a column's `headers`, or to `ignoredHeaders`"

    def _count_unknown(self, keys: Sequence[str]) -> None:
        for key in keys:
            if key in self._unknown or len(self._unknown) < _MOST_UNKNOWN:
                self._unknown[key] += 1

    def look(self, headers: Collection[str]) -> Likeness | None:
        """Nothing: what a file of JSON Lines looks like shows in its records."""
        return None

    def _chunk(self, block: bytes, too_long: bytes | None) -> Chunk:
        """The records of whole lines, and after them perhaps the start of one that is too long."""
        raw_lines = block.removesuffix(b"\n").split(b"\n") if block else []
        if too_long is None and (alike := self._cells_alike(block, raw_lines)):
            first, self._line = self._line, self._line + len(raw_lines)
            return ListedChunk(self.header, list(range(first, self._line)), alike, (), raw_lines)
        lines: list[int] = []
        rows: list[Sequence[str | None]] = []
        raws: list[bytes] = []
        bad: list[BadRecord] = []
        plainly, by_the_rules = self._records.plain.cells, self._records.cells
        limit, has_returns = self._limit, b"\r" in block
        strange = 0 if may_be_plain(block) else _PATIENCE  # records in a row that were not plain
        for line, (raw, text) in enumerate(
            zip(raw_lines, _decoded(block, raw_lines), strict=True), self._line
        ):
            if has_returns:
                raw = raw.removesuffix(b"\r")
            try:
                if len(raw) > limit:
                    raise BadJson("record_too_long", f"more than {limit:,} bytes")
                if text is None:
                    raise _undecodable(self._undecodable, raw)
                if not text.strip(BLANKS):
                    continue
                row = plainly(text) if strange < _PATIENCE else None
                if row is None:
                    strange += 1
                    row = by_the_rules(text)
                else:
                    strange = 0
                rows.append(row)
            except BadJson as fault:
                bad.append(BadRecord(line, fault.reason, raw[:limit], fault.path, fault.detail, fault.cells))
                self._count_unknown(fault.unknown)
            else:
                lines.append(line)
                raws.append(raw)
        self._line += len(raw_lines)
        if too_long is not None:
            detail = f"more than {self._limit:,} bytes"
            bad.append(BadRecord(self._line, "record_too_long", too_long, None, detail))
        cells = list(zip(*rows, strict=True)) if rows else [()] * len(self.header)
        return ListedChunk(self.header, lines, cells, tuple(bad), raws)

    def _cells_alike(self, block: bytes, raw_lines: list[bytes]) -> list[Sequence[str | None]] | None:
        """The cells by column, where all lines are plain records of one shape, as a machine writes them."""
        if not raw_lines or max(map(len, raw_lines)) > self._limit:
            return None
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return None
        return self._records.plain.columns(text, len(raw_lines))


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _decoded(block: bytes, raw_lines: list[bytes]) -> list[str | None]:
    """The lines as text, None where one does not decode."""
    if not block:
        return []
    try:
        return list(block.decode().removesuffix("\n").split("\n"))
    except UnicodeDecodeError:
        return [_text_of(raw) for raw in raw_lines]


def _text_of(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _undecodable(reason: str, raw: bytes) -> BadJson:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return BadJson(reason, why_undecodable(raw, error.start, reason))
    raise AssertionError("unreachable: the caller found it undecodable")
