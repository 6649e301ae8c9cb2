"""Texts: what the bytes of a whole column of text show without looking at its cells.

Most columns have nothing to trim and no NUL byte; to see that takes a fraction of the time that rewriting them takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

BLANKS = " \t\r\n\v\f\u00a0"
# Bytes by which a blank may start, and end, in UTF-8; other characters also start and end with some of them.
_MAY_START = np.zeros(256, np.bool_)
_MAY_START[[blank.encode()[0] for blank in BLANKS]] = True
_MAY_END = np.zeros(256, np.bool_)
_MAY_END[[blank.encode()[-1] for blank in BLANKS]] = True


def has_blank_ends(text: Any) -> bool:
    """Whether a cell may be empty, or may start or end with a blank."""
    if isinstance(text, pa.ChunkedArray) or not pa.types.is_string(text.type):
        return True
    data, offsets = text_bytes(text), text_offsets(text)
    starts, ends = offsets[:-1], offsets[1:]
    filled = ends > starts
    if np.count_nonzero(filled) != len(text) - text.null_count:
        return True
    starts, ends = starts[filled], ends[filled]
    return bool(_MAY_START[data[starts]].any() or _MAY_END[data[ends - 1]].any())


def has_empty(text: Any) -> bool:
    """Whether a cell may be an empty text."""
    if isinstance(text, pa.ChunkedArray) or not pa.types.is_string(text.type):
        return True
    filled = int(np.count_nonzero(np.diff(text_offsets(text))))
    return filled != int(len(text) - text.null_count)


def has_nul(text: Any) -> bool:
    """Whether a cell may hold a NUL byte."""
    if isinstance(text, pa.ChunkedArray) or not pa.types.is_string(text.type):
        return True
    offsets = text_offsets(text)
    return not bool(text_bytes(text)[offsets[0] : offsets[-1]].all()) if len(text) else False


def has_byte(text: Any, byte: bytes) -> bool:
    """Whether an ASCII character may stand in a cell."""
    if isinstance(text, pa.ChunkedArray) or not pa.types.is_string(text.type):
        return True
    offsets = text_offsets(text)
    return byte in text_bytes(text)[offsets[0] : offsets[-1]].tobytes()


def has_letter(text: Any) -> bool:
    """Whether a letter may stand in a cell."""
    if isinstance(text, pa.ChunkedArray) or not pa.types.is_string(text.type):
        return True
    offsets = text_offsets(text)
    return bool((text_bytes(text)[offsets[0] : offsets[-1]] >= ord("A")).any())


def longest(text: Any) -> int | None:
    """Bytes of the longest cell; None if unknown."""
    if isinstance(text, pa.ChunkedArray) or not pa.types.is_string(text.type):
        return None
    return int(np.diff(text_offsets(text)).max(initial=0))


def text_bytes(text: Any) -> Any:
    """The bytes of all cells of a column, one after the other, and perhaps others around them."""
    buffer = text.buffers()[2]
    return np.frombuffer(buffer, np.uint8) if buffer else np.empty(0, np.uint8)


def text_offsets(text: Any) -> Any:
    """Where in them each cell begins, and the last one ends."""
    buffer = text.buffers()[1]
    if buffer is None or not len(text):
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32)[text.offset : text.offset + len(text) + 1]
