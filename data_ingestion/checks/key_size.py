"""Key size: how long the texts of a row's key may be together, so that the index of raw holds it.

An index that refuses one row would fail the whole file: what it has no room for has to be found before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow.compute as pc

from data_ingestion.checks.texts import longest
from data_ingestion.contract import Column, Contract

MOST_KEY_BYTES = 2_500
# An entry of Postgres' B-tree has at most 2,704 bytes (a third of a page of 8 kB), of which 8 are its header.
_ENTRY_BYTES = 2_696
# By type: how many bytes a value takes, and of how many its place must be a multiple.
_SIZES = {
    "smallint": (2, 2),
    "integer": (4, 4),
    "bigint": (8, 8),
    "boolean": (1, 1),
    "date": (4, 4),
    "uuid": (16, 1),
}
_SIZES |= {"timestamptz": (8, 8), "text": (4, 4)}  # of a text its length comes first


def most_text_bytes(contract: Contract) -> int:
    """Bytes that the texts of a key may have together, beside its other columns at their largest.

    Whatever the order of the columns: a table keeps the one it was made with.
    """
    columns = {column.name: column for column in contract.columns}
    return min(MOST_KEY_BYTES, _ENTRY_BYTES - sum(_room(columns[name]) for name in contract.key.columns))


def too_long(texts: Sequence[Any], most: int) -> dict[int, int]:
    """Rows whose texts together are longer than `most` bytes, and how many they have."""
    lengths = [longest(text) for text in texts]
    if None not in lengths and sum(filter(None, lengths)) <= most:
        return {}
    sizes: Any = 0
    for text in texts:
        sizes = pc.add(sizes, pc.coalesce(pc.binary_length(text), 0))
    rows = pc.indices_nonzero(pc.greater(sizes, most)).to_pylist()
    return {row: sizes[row].as_py() for row in rows}


def _room(column: Column) -> int:
    """The most bytes that a column takes of an entry and leaves free in front of it; of a text without its own."""
    if column.precision is not None:
        scale = column.scale or 0
        groups = -(-(column.precision - scale) // 4) - (
            -scale // 4
        )  # of four digits, on each side of the point
        return 3 + 2 * groups
    size, multiple = _SIZES[column.physical_type]
    return size + multiple - 1
