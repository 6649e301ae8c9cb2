"""JSON Lines: an object a line becomes a row of text cells, found by the paths that the contract names.

The rules are those of RFC 8259, taken strictly:

- A line is a record and ends with LF or CRLF; one of blanks alone is no record, but is counted. A record is an object
  of at most `max_record_bytes` bytes, nested at most 100 deep. Anything else is bad, and the next line is read.
- A column is found by its path, `data.location.lat`. A record without it has null there, as has one that says null.
  A path that leads to an object or a list gives all of it, as compact JSON.
- Numbers keep all their digits, as they are written. NaN and Infinity are no JSON.
- A key that stands twice in its object, or that no path leads to or past, makes its record bad: each line is its own
  header, and what nobody declared may be what somebody misspelt. Of the latter the cells are told all the same: whether
  the record is of a kind that the contract knows, others judge.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, BinaryIO, NamedTuple, NoReturn, Protocol

from data_ingestion.reading.chunk import Chunk, ListedChunk
from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.faults import BadRecord, ReadError
from data_ingestion.reading.json_text import Number, compact, holds_nul
from data_ingestion.reading.plain_json import Inside, Places, PlainRecords, may_be_plain

GREATEST_DEPTH = 100
# So many records in a row that are not plain, and no more of the block are tried.
_PATIENCE = 8
_BLANKS = " \t\r"
# What may follow the longest allowed record before its line end must have come: CR and LF.
_LONGEST_LINE_END = 2
# A text that is never closed goes on to the end: looked for again from each quote in it, a long line takes minutes.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_NOUNS = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}


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
                f"maxRecordBytes: {form.max_record_bytes} leaves no room for a record\n  declare 1 or more"
            )
        self.header = tuple(paths[0] for paths in columns)
        text = in_utf8(decompressed(stream), form.encoding)
        self._source, self._undecodable = text.source, text.undecodable
        self._records = _records_of(tuple(map(tuple, columns)), frozenset(ignored))
        self._limit = form.max_record_bytes
        self._chunk_bytes = chunk_bytes
        self._line = 1  # the line that is read next

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
                    raise _Bad("record_too_long", f"more than {limit:,} bytes")
                if text is None:
                    raise _undecodable(self._undecodable, raw)
                if not text.strip(_BLANKS):
                    continue
                row = plainly(text) if strange < _PATIENCE else None
                if row is None:
                    strange += 1
                    row = by_the_rules(text)
                else:
                    strange = 0
                rows.append(row)
            except _Bad as fault:
                bad.append(BadRecord(line, fault.reason, raw[:limit], fault.path, fault.detail, fault.cells))
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


# What a cell takes over as it is; the rest becomes JSON.
_AS_THEY_ARE = frozenset({str, Number, type(None)})


class _Bad(Exception):
    """Why a record is bad, the path at fault, and the record's cells where only its fields are other ones."""

    cells: tuple[str | None, ...] | None = None

    def __init__(self, reason: str, detail: str, path: str | None = None) -> None:
        self.reason, self.detail = reason, detail
        self.path = None if path is None else _plain(path)


class _Branch(NamedTuple):
    """What a path leads to that also leads on, or that is ignored (then `column` is None and nothing inside it)."""

    column: int | None
    inside: _Places
    is_whole: bool  # what no path leads to is accounted for, too


# By key: the column that a path ends in, or where it leads on.
_Places = dict[str, int | _Branch]


class _Records:
    """Takes the cells out of a record."""

    def __init__(self, columns: Sequence[Sequence[str]], ignored: Collection[str]) -> None:
        by_path: dict[str, int | None] = dict.fromkeys(ignored)
        by_path |= {path: index for index, paths in enumerate(columns) for path in paths}
        self._places = _places("", by_path)
        self._width = len(columns)
        self.plain = PlainRecords(_plainly(self._places), self._width)
        decoder: Any = json.JSONDecoder(
            object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_no_constant
        )
        self._scan = decoder.scan_once  # as raw_decode, which tells less of what is wrong

    def cells(self, line: str) -> list[str | None]:
        """The record's cells by column; raises `_Bad`."""
        record = self._parsed(line)
        if record.__class__ is not dict:
            noun = "a number" if isinstance(record, Number) else _NOUNS[record.__class__]
            raise _Bad("not_an_object", f"the line holds {noun}")
        row: list[str | None] = [None] * self._width
        strays: list[_Bad] = []
        self._take(record, self._places, "", row, False, strays)
        if "\\u" in line:
            _judge_escaped(row)
        if strays:
            strays[0].cells = tuple(row)
            raise strays[0]
        return row

    def _parsed(self, line: str) -> Any:
        if line.count("{") + line.count("[") > GREATEST_DEPTH and _depth(line) > GREATEST_DEPTH:
            raise _Bad("invalid_json", f"nested more than {GREATEST_DEPTH} deep")
        try:
            record, end = self._scan(line, 0 if line[0] == "{" else len(line) - len(line.lstrip(_BLANKS)))
        except StopIteration as stop:
            raise _Bad("invalid_json", f"no value at character {stop.value + 1}") from None
        except json.JSONDecodeError as error:
            raise _Bad("invalid_json", f"{error.msg} at character {error.pos + 1}") from None
        if end != len(line) and line[end:].strip(_BLANKS):
            raise _Bad("invalid_json", f"something follows the value, at character {end + 1}")
        return record

    def _take(
        self,
        holder: dict[str, Any],
        places: _Places,
        prefix: str,
        row: list[str | None],
        whole: bool,
        strays: list[_Bad],
    ) -> None:
        for key, value in holder.items():
            place = places.get(key)
            if place is None:
                if not whole:
                    path = prefix + key
                    strays.append(_Bad("unknown_key", f"{path!r} is no header of the contract", path))
            elif isinstance(place, int):
                if row[place] is None:
                    row[place] = value if value.__class__ in _AS_THEY_ARE else _whole(value, prefix + key)
                elif value is not None:
                    raise _given_twice(prefix + key)
            else:
                self._take_inside(value, place, prefix + key, row, whole, strays)

    def _take_inside(
        self,
        value: Any,
        branch: _Branch,
        path: str,
        row: list[str | None],
        whole: bool,
        strays: list[_Bad],
    ) -> None:
        if value is None:
            return
        if branch.column is not None:
            if row[branch.column] is not None:
                raise _given_twice(path)
            row[branch.column] = value if value.__class__ in _AS_THEY_ARE else _whole(value, path)
        if value.__class__ is dict:
            self._take(value, branch.inside, f"{path}.", row, whole or branch.is_whole, strays)
        elif not branch.is_whole:
            beyond = f"{path}.{next(iter(branch.inside))}"
            strays.append(_Bad("not_an_object", f"{path!r} holds no object for {beyond!r}", path))


@lru_cache(maxsize=32)  # a drop may be a second's few records, and its dataset have a drop a second
def _records_of(columns: tuple[tuple[str, ...], ...], ignored: frozenset[str]) -> _Records:
    return _Records(columns, ignored)


def _plain(path: str) -> str:
    """The path as a name that can be shown and kept: escapes can put into a key what no text may hold."""
    return path if path.isprintable() else repr(path)[1:-1]


def _given_twice(path: str) -> _Bad:
    return _Bad("duplicate_key", f"{path!r} gives a value that another path gave already", path)


def _whole(value: Any, path: str) -> str:
    """An object or list as JSON, which can be taken apart in the warehouse: no text in it holds what none may."""
    text = compact(value)
    if holds_nul(text):
        raise _Bad("nul_byte", "a NUL byte is no text, within a value neither", path)
    return text


def _judge_escaped(cells: Sequence[str | None]) -> None:
    """Escapes can write what no text may hold."""
    for cell in cells:
        if cell is None:
            continue
        if "\0" in cell:
            raise _Bad("nul_byte", "a NUL byte is no text")
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(cell[error.start]):04x}"
            raise _Bad("lone_surrogate", f"{half} is half a character") from None


def _places(prefix: str, by_path: dict[str, int | None]) -> _Places:
    """The keys that may stand in the object at `prefix`. A key may itself hold dots."""
    found: _Places = {}
    for path in by_path:
        parts = path[len(prefix) :].split(".") if path.startswith(prefix) else []
        for length in range(1, len(parts) + 1):
            key = ".".join(parts[:length])
            if key in found:
                continue
            at = prefix + key
            inside = (
                _places(f"{at}.", by_path) if any(other.startswith(f"{at}.") for other in by_path) else {}
            )
            column = by_path.get(at)
            found[key] = _Branch(column, inside, at in by_path) if inside or column is None else column
    return found


def _plainly(places: _Places) -> Places:
    """The places of plain records: a value that is taken whole, or not at all, is to be looked at closely."""
    return {key: place if isinstance(place, int) else _inside(place) for key, place in places.items()}


def _inside(branch: _Branch) -> Inside | None:
    is_taken = branch.column is not None or branch.is_whole
    return None if is_taken else Inside(_plainly(branch.inside))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise _Bad("duplicate_key", f"{twice!r} stands {counts[twice]} times in one object", twice)
    return made


def _no_constant(name: str) -> NoReturn:
    raise _Bad("invalid_json", f"{name} is no JSON")


def _depth(line: str) -> int:
    """How deep objects and lists are nested; brackets within texts are none."""
    depth = deepest = 0
    for found in _STRUCTURE.finditer(line):
        if found[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


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


def _undecodable(reason: str, raw: bytes) -> _Bad:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return _Bad(reason, f"byte 0x{raw[error.start]:02x} does not decode")
    raise AssertionError("unreachable: the caller found it undecodable")
