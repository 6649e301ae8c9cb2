"""JSON records: the cells of one record, found by the paths that a contract names; the rules are those of `jsonl`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from data_ingestion.excerpts import listed, quote
from data_ingestion.reading.json_text import Number, compact, holds_nul
from data_ingestion.reading.jsonl_fast import Inside, Places, PlainRecords

GREATEST_DEPTH = 100
BLANKS = " \t\r"
# A text that is never closed runs to the end: looked for again from each quote in it, a long line takes minutes.
_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_MOST_OF_PATH = 120
_NOUNS = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}

# What a cell takes over as it is; the rest becomes JSON.
_AS_THEY_ARE = frozenset({str, Number, type(None)})


class BadJson(Exception):
    """Why a record is bad, the path at fault, and the record's cells where only its fields are other ones."""

    cells: tuple[str | None, ...] | None = None
    unknown: Sequence[str] = ()  # all keys of the record that the contract does not know

    def __init__(self, reason: str, detail: str, path: str | None = None) -> None:
        self.reason, self.detail = reason, detail
        self.path = None if path is None else _plain(path)


class _Branch(NamedTuple):
    """What a path leads to that also leads on, or that is ignored (then `column` is None and nothing inside it)."""

    column: int | None
    inside: _Places
    is_whole: bool  # what no path leads to is also accounted for


# By key: the column that a path ends in, or where it leads on.
_Places = dict[str, int | _Branch]


class Records:
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
        self._scan = decoder.scan_once  # as raw_decode, which says less of what is wrong

    def cells(self, line: str) -> list[str | None]:
        """The record's cells by column; raises `BadJson`."""
        record = self._parsed(line)
        if record.__class__ is not dict:
            noun = "a number" if isinstance(record, Number) else _NOUNS[record.__class__]
            raise BadJson("not_an_object", f"the line holds {noun}")
        row: list[str | None] = [None] * self._width
        strays: list[BadJson] = []
        self._take(record, self._places, "", row, False, strays)
        if "\\u" in line:
            _check_escaped(row)
        if strays:
            raise _as_one(strays, row)
        return row

    def _parsed(self, line: str) -> Any:
        if line.count("{") + line.count("[") > GREATEST_DEPTH and _depth(line) > GREATEST_DEPTH:
            raise BadJson("invalid_json", f"nested more than {GREATEST_DEPTH} deep")
        try:
            record, end = self._scan(line, 0 if line[0] == "{" else len(line) - len(line.lstrip(BLANKS)))
        except StopIteration as stop:
            raise BadJson("invalid_json", f"no value at character {stop.value + 1}") from None
        except json.JSONDecodeError as error:
            raise BadJson("invalid_json", f"{error.msg} at character {error.pos + 1}") from None
        if end != len(line) and line[end:].strip(BLANKS):
            raise BadJson("invalid_json", f"something follows the value, at character {end + 1}")
        return record

    def _take(
        self,
        holder: dict[str, Any],
        places: _Places,
        prefix: str,
        row: list[str | None],
        whole: bool,
        strays: list[BadJson],
    ) -> None:
        for key, value in holder.items():
            place = places.get(key)
            if place is None:
                if not whole:
                    path = prefix + key
                    strays.append(
                        BadJson("unknown_key", f"{quote(path)} is not a header of the contract", path)
                    )
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
        strays: list[BadJson],
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
            strays.append(
                BadJson(
                    "not_an_object", f"{quote(path)} is not an object, so it has no {quote(beyond)}", path
                )
            )


@lru_cache(maxsize=32)  # a drop may be a second's few records, and its dataset have a drop a second
def records_of(columns: tuple[tuple[str, ...], ...], ignored: frozenset[str]) -> Records:
    return Records(columns, ignored)


def _as_one(strays: Sequence[BadJson], row: Sequence[str | None]) -> BadJson:
    """The first thing that is wrong with a record's keys, naming all of them that are unknown."""
    first = strays[0]
    first.cells = tuple(row)
    first.unknown = [stray.path or "" for stray in strays if stray.reason == "unknown_key"]
    if first.reason == "unknown_key" and len(first.unknown) > 1:
        named = listed([f"'{path}'" for path in first.unknown])
        first.detail = f"{named} are not headers of the contract"
    return first


def _plain(path: str) -> str:
    """The path as a name that can be shown and kept: escapes can put into a key what no text may hold."""
    short = path if len(path) <= _MOST_OF_PATH else f"{path[: _MOST_OF_PATH - 3]}..."
    return short if short.isprintable() else repr(short)[1:-1]


def _given_twice(path: str) -> BadJson:
    return BadJson("duplicate_key", f"{quote(path)} gives a value that another path has given already", path)


def _whole(value: Any, path: str) -> str:
    """An object or list as JSON, which can be taken apart in the warehouse: no text in it holds what none may."""
    text = compact(value)
    if holds_nul(text):
        raise BadJson("nul_byte", "text can't contain a NUL byte", path)
    return text


def _check_escaped(cells: Sequence[str | None]) -> None:
    """Escapes can write what no text may hold."""
    for cell in cells:
        if cell is None:
            continue
        if "\0" in cell:
            raise BadJson("nul_byte", "text can't contain a NUL byte")
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(cell[error.start]):04x}"
            raise BadJson("lone_surrogate", f"{half} is half of a surrogate pair, not a character") from None


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
        raise BadJson("duplicate_key", f"{quote(twice)} occurs {counts[twice]} times in one object", twice)
    return made


def _no_constant(name: str) -> NoReturn:
    raise BadJson("invalid_json", f"{name} is not JSON")


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
