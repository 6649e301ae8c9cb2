"""JSON text: a value as compact JSON, with numbers as they were written."""

from __future__ import annotations

import json
import re
from typing import Any

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Number(str):
    """A number by its digits, which a float might lose."""

    __slots__ = ()


def compact(value: Any) -> str:
    """JSON of dicts, lists, texts, truth values, None and `Number`, without blanks; characters stand for themselves."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return str(value)
        case dict():
            return "{" + ",".join(f"{_quoted(key)}:{compact(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(compact, value)) + "]"
    return _quoted(value)


def holds_nul(text: str) -> bool:
    """Whether a text in compact JSON holds a NUL byte, which is escaped there; no text of a warehouse may."""
    return "\\u0000" in text and _NUL.search(text) is not None
