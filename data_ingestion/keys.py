"""Keys: what makes two rows the same row, computed and proven distinct while a drop is read.

Most drops hold each key once. To see that here costs a sort of eight bytes a row; to let the server find it out
costs a sort of the whole drop. So keys are hashed on the way, and the server looks for repeated ones only where
two hashes are equal: distinct hashes prove distinct keys, equal ones prove nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.contract import Contract, KeyRule

KEY_BYTES = 16
# Beyond this many rows (64 MiB of hashes) nothing is proven: memory must not grow with the file.
MOST_PROVEN = 8_000_000
_FIRST_CAPACITY = 1 << 16
_MIX = np.uint64(0x9E3779B97F4A7C15)


class KeyProof:
    """Whether all rows seen so far, of one drop or of several, have keys of their own."""

    def __init__(self) -> None:
        self._hashes = np.empty(_FIRST_CAPACITY, np.uint64)
        self._count = 0

    def add(self, rows: Any, columns: tuple[str, ...]) -> None:
        """Takes in a record batch of checked rows, whose keys are these columns."""
        first = rows.column(columns[0])
        if len(columns) == 1 and first.type == pa.binary(KEY_BYTES) and not first.null_count:
            self.add_values(first)
        else:
            texts = _as_one(rows, columns).to_pylist()
            self._add_hashes(np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64))

    def add_values(self, keys: Any) -> None:
        """Takes in keys that are 16 bytes each."""
        halves = np.frombuffer(keys.buffers()[1], np.uint64)
        halves = halves[2 * keys.offset : 2 * (keys.offset + len(keys))].reshape(-1, 2)
        self._add_hashes(halves[:, 0] * _MIX ^ halves[:, 1])

    def _add_hashes(self, hashes: Any) -> None:
        end = self._count + len(hashes)
        if end > MOST_PROVEN:
            self._hashes = np.empty(0, np.uint64)
        elif end > len(self._hashes):
            self._hashes.resize(max(end, 2 * len(self._hashes)), refcheck=False)
        if len(self._hashes):
            self._hashes[self._count : end] = hashes
        self._count = end

    def is_distinct(self) -> bool:
        """Whether no two keys can be equal. False proves nothing."""
        if self._count > MOST_PROVEN:
            return False
        hashes = self._hashes[: self._count]
        hashes.sort()
        return not bool(np.any(hashes[1:] == hashes[:-1]))


def content_keys(rows: Any, contract: Contract) -> Any:
    """The row key of data without a key, as 16 bytes a row: a hash (BLAKE2b) of the typed key columns.

    Every repetition of a content has the same one here; which occurrence it is of its drop is added where a
    repetition is found. What is hashed must never change for a value that stays: raw knows its rows by it.
    """
    assert contract.key.rule is KeyRule.OCCURRENCE
    texts = _as_one(rows, contract.key.columns).to_pylist()
    digests = b"".join([blake2b(text, digest_size=KEY_BYTES).digest() for text in texts])
    return pa.Array.from_buffers(pa.binary(KEY_BYTES), len(texts), [None, pa.py_buffer(digests)])


def _as_one(rows: Any, columns: tuple[str, ...]) -> Any:
    """The columns of each row as one value in which no two different rows are alike.

    A value is written as `v`, its bytes and, of a text, a NUL; null as `n`: no text holds a NUL, and the bytes of
    every other type are of one length.
    """
    parts: list[Any] = []
    for name in columns:
        column = rows.column(name)
        if pa.types.is_string(column.type):
            content, end = column.cast(pa.binary()), b"\0"
        else:
            content, end = _fixed_width(column).cast(pa.binary()), b""
        if column.null_count:
            parts.append(pc.coalesce(pc.binary_join_element_wise(b"v", content, end, b""), pa.scalar(b"n")))
        else:
            parts += [pa.scalar(b"v"), content, pa.scalar(end)]
    return pc.binary_join_element_wise(*parts, pa.scalar(b""))


def _fixed_width(column: Any) -> Any:
    """The values' own bytes, as Arrow lays them out."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    elif pa.types.is_floating(column.type):
        column = pc.add(column, 0.0)  # minus zero is zero
    width = column.type.bit_width // 8
    return pa.Array.from_buffers(
        pa.binary(width), len(column), column.buffers(), column.null_count, column.offset
    )
