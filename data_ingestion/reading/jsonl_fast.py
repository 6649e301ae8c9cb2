"""Fast JSON Lines: records in which nothing is unusual, taken faster than by the rules of `jsonl`, and never otherwise.

What is plain is an object on one line, of declared keys alone, with texts, numbers, truth values or null where paths
end. The standard library's scanner makes dicts of it without a call a dict; that no key stood twice in one of them is
seen by counting. Anything else is left to `json_records`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

# A line of these has blanks before a colon, perhaps between a key and its value.
_LOOSE = (b" :", b"\t:", b"\r:")
# So many are learnt: a source has a few kinds of records, or as many as records.
MOST_SHAPES = 6
# Keys with their colons, and values, of a record that is known to be plain.
_TOKEN = re.compile(r'"[^"]*":?|[-0-9][^,}\s]*|true|false|null')
_TEXT, _NUMBER = r'"([^"\\\x00-\x1f]*)"', r"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"


class Inside(NamedTuple):
    """Where a path leads on."""

    places: Places


# By key: the column that a path ends in, or where it leads on; nothing where more than that is to be known.
Places = Mapping[str, int | Inside | None]


def may_be_plain(block: bytes) -> bool:
    """Whether lines of the block may be taken here."""
    return not any(loose in block for loose in _LOOSE)


class PlainRecords:
    """Takes the cells out of plain records.

    A machine writes its records alike: the same keys in the same order, texts and numbers in the same places. What a
    record found plain looks like is kept as a pattern, and those of the same shape are taken by it.
    """

    def __init__(self, places: Places, width: int) -> None:
        self._places, self._width = places, width
        decoder: Any = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)
        self._scan = decoder.scan_once
        self._shapes: list[_Shape] = []

    def columns(self, text: str, lines: int) -> list[Sequence[str | None]] | None:
        """The cells of a block of so many records by column, if all are of one known shape; else None."""
        for shape in self._shapes:
            if shape.pattern.match(text) and len(found := shape.pattern.findall(text)) == lines:
                cells: list[Sequence[str | None]] = [*zip(*found, strict=True), [None] * lines]
                return [cells[place] for place in shape.places]
        return None

    def cells(self, line: str) -> list[str | None] | None:
        """The record's cells by column; None where the line is not plain, or is not a record at all.

        The line is of a block that may be plain, so each key is followed by `":"`'s last two characters. These may
        be elsewhere as well: as many of them as keys in the dicts means that no dict has swallowed a key.
        """
        for shape in self._shapes:
            if found := shape.pattern.fullmatch(line):
                cells = (*found.groups(), None)
                return [cells[place] for place in shape.places]
        if line[:1] != "{" or "\\" in line:
            return None
        try:
            record, end = self._scan(line, 0)
        except (StopIteration, ValueError, RecursionError):
            return None
        if end != len(line):
            return None
        row: list[str | None] = [None] * self._width
        if self._take(record, self._places, row) != line.count('":'):
            return None
        if len(self._shapes) < MOST_SHAPES:
            self._shapes.append(_shape(line, list(_columns(record, self._places)), self._width))
        return row

    def _take(self, holder: dict[str, Any], places: Places, row: list[str | None]) -> int:
        """How many keys the object and those within it have; -1 where it is not plain."""
        keys = len(holder)
        for key, value in holder.items():
            place = places.get(key)
            if place.__class__ is int:
                if row[place] is not None:
                    return -1
                kind = value.__class__
                if kind is str or value is None:
                    row[place] = value
                elif kind is bool:
                    row[place] = "true" if value else "false"
                else:
                    return -1
            elif place is None:
                return -1
            elif value.__class__ is dict:
                more = self._take(value, place.places, row)  # type: ignore[union-attr]
                if more < 0:
                    return -1
                keys += more
            elif value is not None:
                return -1
        return keys


def _columns(holder: dict[str, Any], places: Places) -> Iterator[int | None]:
    """The column of each value of a plain record, in their order; None for a null."""
    for key, value in holder.items():
        place = places[key]
        if value is None:
            yield None
        elif isinstance(place, int):
            yield place
        else:
            yield from _columns(value, place.places)  # type: ignore[union-attr]


class _Shape(NamedTuple):
    """What a line matches that is as a plain one but for its texts and numbers, and each column's place among these.

    A column that such a record does not have comes last. There are two groups more than values: of less than two,
    `findall` would not make tuples.
    """

    pattern: re.Pattern[str]
    places: Sequence[int]


def _shape(line: str, columns: Sequence[int | None], width: int) -> _Shape:
    """The shape of a plain record, given the column of each of its values."""
    pattern, end = "^", 0
    values = iter(columns)
    for token in _TOKEN.finditer(line):
        word = token.group()
        is_value = not word.endswith(":") and next(values) is not None
        pattern += re.escape(line[end : token.start()])
        if not is_value:
            pattern += re.escape(word)
        else:
            pattern += _TEXT if word[0] == '"' else f"({word})" if word[0] in "tf" else _NUMBER
        end = token.end()
    there = [column for column in columns if column is not None]
    places = [there.index(column) if column in there else -1 for column in range(width)]
    return _Shape(re.compile(f"{pattern}{re.escape(line[end:])}$()()", re.MULTILINE), places)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
