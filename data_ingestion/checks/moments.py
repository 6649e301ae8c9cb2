"""Moments: a whole column of timestamps read by its bytes, where they are written as machines write them.

`2026-03-02T10:05:50Z`, with up to six decimals of the second. Each text of another form is null here, and is left to
`dates`, by whose rules these are also read: a source that writes milliseconds repeats hardly any text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from data_ingestion.checks.texts import text_bytes, text_offsets

_FORM = np.frombuffer(b"0000-00-00T00:00:00", np.uint8)
_IS_DIGIT = ord("0") == _FORM
_WHOLE = len(_FORM) + 1  # bytes with the Z, without a fraction
_LENGTHS = (_WHOLE, *range(_WHOLE + 2, _WHOLE + 8))
_DAY = 86_400


def iso_moments(text: Any) -> Any:
    """Moments in UTC to the microsecond; null where a cell is null, is of no such form or on no calendar."""
    values, known = np.zeros(len(text), np.int64), np.zeros(len(text), np.bool_)
    data, offsets = text_bytes(text), text_offsets(text)
    sizes = np.diff(offsets) if len(text) else np.empty(0, np.int32)
    for size in _LENGTHS:
        rows = np.flatnonzero(sizes == size)
        if not len(rows):
            continue
        cells = data[offsets[:-1][rows][:, None] + np.arange(size)]
        micros, good = _read(cells)
        values[rows], known[rows] = micros, good
    if text.null_count:
        known &= np.asarray(text.is_valid())
    return pa.array(values, pa.timestamp("us"), mask=~known).cast(pa.timestamp("us", "UTC"))


def _read(cells: Any) -> tuple[Any, Any]:
    """Microseconds since 1970, and which cells are moments at all, of texts of one length."""
    fraction = cells[:, _WHOLE:-1]
    digits = np.concatenate([cells[:, : len(_FORM)][:, _IS_DIGIT], fraction], axis=1) - ord(
        "0"
    )  # wraps below 0
    good = (digits <= 9).all(axis=1) & (cells[:, -1] == ord("Z"))
    good &= (cells[:, : len(_FORM)][:, ~_IS_DIGIT] == _FORM[~_IS_DIGIT]).all(axis=1)
    if fraction.shape[1]:
        good &= cells[:, _WHOLE - 1] == ord(".")
    numbers = digits.astype(np.int64)
    year = numbers[:, 0] * 1000 + numbers[:, 1] * 100 + numbers[:, 2] * 10 + numbers[:, 3]
    month, day, hour, minute, second = (numbers[:, at] * 10 + numbers[:, at + 1] for at in range(4, 14, 2))
    months = (year - 1970) * 12 + month - 1
    first, following = (_first_day(months + more) for more in (0, 1))
    good &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= following - first)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    micros = numbers[:, 14:] @ (10 ** np.arange(5, 5 - fraction.shape[1], -1, dtype=np.int64))
    seconds = (first + day - 1) * _DAY + hour * 3600 + minute * 60 + second
    return seconds * 1_000_000 + micros, good


def _first_day(months: Any) -> Any:
    """Days since 1970 at the start of a month counted from January 1970."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
