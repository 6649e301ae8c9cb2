"""Plain JSON: records in which nothing is unusual, taken faster than by the rules of `jsonl`, and never otherwise.

What is plain is an object on one line, of declared keys alone, with texts, numbers, truth values or null where paths
end. The standard library's scanner makes dicts of it without a call a dict; that no key stood twice in one of them is
told by counting. Of anything else nothing is told here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

# A line of these has blanks before a colon, perhaps between a key and its value.
_LOOSE = (b" :", b"\t:", b"\r:")


class Inside(NamedTuple):
    """Where a path leads on."""

    places: Places


# By key: the column that a path ends in, or where it leads on; nothing where more than that is to be known.
Places = Mapping[str, int | Inside | None]


def may_be_plain(block: bytes) -> bool:
    """Whether lines of the block may be taken here."""
    return not any(loose in block for loose in _LOOSE)


class PlainRecords:
    """Takes the cells out of plain records."""

    def __init__(self, places: Places, width: int) -> None:
        self._places, self._width = places, width
        decoder: Any = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)
        self._scan = decoder.scan_once

    def cells(self, line: str) -> list[str | None] | None:
        """The record's cells by column; None where the line is not plain, or is no record at all.

        The line is of a block that may be plain, so each key is followed by `":"`'s last two characters. These may
        stand elsewhere, too: as many of them as keys in the dicts means that no dict has swallowed a key.
        """
        if line[:1] != "{" or "\\" in line:
            return None
        try:
            record, end = self._scan(line, 0)
        except (StopIteration, ValueError, RecursionError):
            return None
        if end != len(line):
            return None
        row: list[str | None] = [None] * self._width
        return row if self._take(record, self._places, row) == line.count('":') else None

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


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
