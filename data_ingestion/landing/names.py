"""Names: a file's name as a part of a key, and back. A key is text; a file's name is bytes."""

from __future__ import annotations

import os
import re

# The ledger's index takes 2,704 bytes an entry; S3 itself allows 1,024.
MAX_KEY_BYTES = 2_048

# A byte that is not UTF-8 is written \xff. So that no other file has this key, a backslash that begins what looks
# like one is written \x5c.
_LOOKS_ESCAPED = re.compile(r"\\(?=x(?:5c|[89a-f][0-9a-f]))")
_ESCAPED = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")


def key_of(name: str) -> str:
    """A file's name in a key; two names never have the same."""
    if "\\" in name:
        name = _LOOKS_ESCAPED.sub(lambda _: r"\x5c", name)
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def name_of(key: str) -> str:
    """The path that a key stands for, relative to the landing."""
    if "\\x" not in key:
        return key
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), key.encode()))


def is_too_long(key: str) -> bool:
    """Whether the ledger's index can't take a key."""
    return len(key) * 4 > MAX_KEY_BYTES and len(key.encode()) > MAX_KEY_BYTES
