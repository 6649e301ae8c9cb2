"""Widening: from which column types of raw to which others a value stays what a fresh load would make of it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Decimal digits of the greatest value of each.
INTEGERS = {"smallint": 5, "integer": 10, "bigint": 19}
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")


@dataclass(frozen=True)
class Widening:
    """A change of type that loses nothing; `rewrites` where the server has to write the whole table again for it."""

    rewrites: bool


def widening(held: str, wanted: str, *, is_hashed: bool = False) -> Widening | None:
    """How a column of type `held` becomes one of type `wanted`; None where only a rebuild can do it.

    Only where every value that the old type took is the same value, and the same text, as the new type makes of the
    same cell. So no text to a number (`007`), no number to a text, no date to a timestamp (its form may have dropped a
    time). `is_hashed` is for columns that raw's `_key` is a hash of: the hash is of a value's bytes, which the number
    of decimals changes, and with them the key.
    """
    if held in INTEGERS and wanted in INTEGERS:
        return Widening(rewrites=True) if INTEGERS[held] < INTEGERS[wanted] else None
    size = _NUMERIC.fullmatch(wanted)
    if size is None:
        return None
    digits, scale = int(size[1]), int(size[2])
    if held in INTEGERS:
        fits = digits - scale >= INTEGERS[held]
        return Widening(rewrites=True) if fits and not is_hashed else None
    held_size = _NUMERIC.fullmatch(held)
    if held_size is None:
        return None
    held_digits, held_scale = int(held_size[1]), int(held_size[2])
    if (digits, scale) == (held_digits, held_scale) or scale < held_scale:
        return None
    if digits - scale < held_digits - held_scale or (scale != held_scale and is_hashed):
        return None
    return Widening(rewrites=scale != held_scale)
