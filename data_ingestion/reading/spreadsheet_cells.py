"""Spreadsheet cells: what the value of a cell is, as a column holds it, as JSON, and as a person sees it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from data_ingestion.reading.json_text import Number

_CODE = re.compile("_x([0-9A-Fa-f]{4})_")

Value = str | int | float | bool | date | datetime | None


def value_of(value: Any) -> Value:
    """A cell's value in one of the types that columns are made of; times of day and durations are text."""
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, timedelta):
        minutes, seconds = divmod(value.total_seconds(), 60)
        return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{seconds:06.3f}".removesuffix(".000")
    if isinstance(value, time):
        return value.isoformat()
    if value == "" or value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    return value if isinstance(value, str | int | float | bool | date) else str(value)


class NoText(Exception):
    """Why a text with codes in it is none."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail


def decoded(text: str) -> str:
    """The text with characters for their codes, those beyond 16 bits for two of them; raises `NoText`."""
    plain = _CODE.sub(lambda code: chr(int(code[1], 16)), text)
    if "\0" in plain:
        raise NoText("nul_byte", "text can't contain a NUL byte")
    try:
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        half = int.from_bytes(error.object[error.start : error.start + 2], "little")
        raise NoText(
            "lone_surrogate", f"\\u{half:04x} is half of a surrogate pair, not a character"
        ) from None


def padded(value: int | float, digits: int) -> int | float | str:
    """A whole number as it is shown with so many digits at least; any other number as it is."""
    is_whole = not isinstance(value, bool) and value >= 0 and value == value // 1
    return f"{int(value):0{digits}d}" if is_whole else value


def shown(value: Value) -> str:
    return "" if value is None else str(as_json(value))


def as_json(value: Value) -> Any:
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, int | float):
        text = repr(value).removesuffix(".0")
        return Number(text) if text not in ("inf", "-inf") else text
    return value.isoformat()


_KINDS: tuple[tuple[type, pa.DataType], ...] = (
    (str, pa.string()),
    (bool, pa.bool_()),
    (int, pa.int64()),
    (float, pa.float64()),
    (datetime, pa.timestamp("us")),
    (date, pa.date32()),
)


def as_column(values: Sequence[Value]) -> Any:
    """The cells as an array of their type; where they have several, as a union of these, empty ones among the texts."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        kind = next((arrow for python, arrow in _KINDS if python in kinds), pa.string())
        return pa.array(values, kind)
    children: list[list[Value]] = [[] for _ in _KINDS]
    codes, offsets = [], []
    code_of = {python: code for code, (python, _) in enumerate(_KINDS)} | {type(None): 0}
    for value in values:
        code = code_of[type(value)]
        codes.append(code)
        offsets.append(len(children[code]))
        children[code].append(value)
    return pa.UnionArray.from_dense(
        pa.array(codes, pa.int8()),
        pa.array(offsets, pa.int32()),
        [pa.array(child, arrow) for child, (_, arrow) in zip(children, _KINDS, strict=True)],
        [python.__name__ for python, _ in _KINDS],
    )
