"""Lines: the records of JSON Lines as they stand in the file, unparsed: for who keeps them and asks nothing of them.

They are those that `jsonl` finds, good and bad, at a tenth of the cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.jsonl import Format

Line = tuple[int, bytes]
_BLANKS = b" \t\r"
# What may follow the longest allowed record before its line end must have come: CR and LF.
_LONGEST_LINE_END = 2


def read_lines(stream: BinaryIO, form: Format, chunk_bytes: int = 1 << 20) -> Iterator[list[Line]]:
    """The records with their line numbers, some at a time; of one that is too long, as much as a record may have.

    Memory is bounded by `chunk_bytes` and `form.max_record_bytes`. Raises ReadError as `read_jsonl` does.
    """
    source, limit = in_utf8(decompressed(stream, zips=True), form.encoding).source, form.max_record_bytes
    number = 1  # of the line that is read next
    held, in_long_line = b"", False
    while True:
        more = source.read(chunk_bytes)
        raws = (held + more).split(b"\n")
        held = raws.pop()
        if not more and held:
            raws, held = [held], b""
        if in_long_line and raws:  # the rest of a line that was returned already
            raws, number, in_long_line = raws[1:], number + 1, False
        found = [(line, _cut(raw, limit)) for line, raw in enumerate(raws, number) if _is_record(raw, limit)]
        number += len(raws)
        if in_long_line:
            held = b""
        elif len(held) >= limit + _LONGEST_LINE_END:
            found.append((number, held[:limit]))
            held, in_long_line = b"", True
        if found:
            yield found
        if not more:
            return


def _cut(raw: bytes, limit: int) -> bytes:
    return raw.removesuffix(b"\r")[:limit]


def _is_record(raw: bytes, limit: int) -> bool:
    return bool(raw.strip(_BLANKS)) or len(raw.removesuffix(b"\r")) > limit
