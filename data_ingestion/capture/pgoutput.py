"""Pgoutput: what Postgres says of its changes, from bytes to facts. Protocol version 1: whole transactions, one by one.

The messages are described in the chapter "Logical Replication Message Formats" of Postgres' documentation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import ClassVar

# Postgres counts microseconds from here.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Absent(Enum):
    """A large value that an update left as it was, and that the server therefore does not send."""

    UNCHANGED = "unchanged"


Cells = tuple[str | Absent | None, ...]


@dataclass(frozen=True)
class Column:
    """A column of a relation: its name, and the object id of its type."""

    name: str
    type_id: int
    is_key: bool


@dataclass(frozen=True)
class Relation:
    """A table as the changes after this message mean it."""

    relation_id: int
    schema: str
    table: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Begin:
    """A transaction begins: where its commit lies in the log, when it committed, its number."""

    commit_lsn: int
    committed_at: datetime
    transaction: int


@dataclass(frozen=True)
class Commit:
    """A transaction has ended; from `end_lsn` on, the log holds what came after it."""

    commit_lsn: int
    end_lsn: int


@dataclass(frozen=True)
class RowChange:
    """A row inserted (`c`), updated (`u`) or deleted (`d`), with what its table's identity keeps of the former row."""

    op: str
    relation_id: int
    before: Cells | None
    after: Cells | None
    is_key_only: bool = False
    """Whether `before` holds the columns of the key alone."""


@dataclass(frozen=True)
class Truncation:
    """Tables emptied at once."""

    relation_ids: tuple[int, ...]


Message = Relation | Begin | Commit | RowChange | Truncation


class ProtocolError(Exception):
    """Bytes that are not a message of this protocol: a server of another kind, or a bug of ours."""


def read_message(data: bytes) -> Message | None:
    """One message; None for those that say nothing of rows (types, origins, messages of applications)."""
    kind = data[:1]
    reader = _Reader(data, 1)
    match kind:
        case b"B":
            return Begin(reader.number("Q"), reader.time(), reader.number("I"))
        case b"C":
            reader.number("B")
            return Commit(reader.number("Q"), reader.number("Q"))
        case b"R":
            return _relation(reader)
        case b"I":
            return _row("c", reader)
        case b"U":
            return _row("u", reader)
        case b"D":
            return _row("d", reader)
        case b"T":
            count, _options = reader.number("I"), reader.number("B")
            return Truncation(tuple(reader.number("I") for _ in range(count)))
        case b"Y" | b"O" | b"M":
            return None
    raise ProtocolError(f"a message of kind {kind!r}")


def _relation(reader: _Reader) -> Relation:
    relation_id, schema, table = reader.number("I"), reader.text(), reader.text()
    reader.number("B")  # the identity, which each change has itself
    columns = []
    for _ in range(reader.number("H")):
        is_key, name, type_id = bool(reader.number("B") & 1), reader.text(), reader.number("I")
        reader.number("i")  # the type's modifier: values come as text
        columns.append(Column(name, type_id, is_key))
    return Relation(relation_id, schema or "pg_catalog", table, tuple(columns))


def _row(op: str, reader: _Reader) -> RowChange:
    relation_id = reader.number("I")
    found: dict[bytes, Cells] = {}
    while not reader.is_done:
        kind = reader.byte()
        found[kind] = reader.cells()
    before = found.get(b"O", found.get(b"K"))
    return RowChange(op, relation_id, before, found.get(b"N"), b"K" in found)


class _Reader:
    """A message and how far it is read."""

    SIZES: ClassVar[dict[str, int]] = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8}

    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self._place = place

    @property
    def is_done(self) -> bool:
        return self._place >= len(self._data)

    def number(self, form: str) -> int:
        try:
            (value,) = struct.unpack_from(f">{form}", self._data, self._place)
        except struct.error as error:
            raise ProtocolError(f"a message ends at byte {self._place}: {error}") from error
        self._place += self.SIZES[form]
        return int(value)

    def time(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.number("Q"))

    def byte(self) -> bytes:
        self._place += 1
        return self._data[self._place - 1 : self._place]

    def text(self) -> str:
        end = self._data.find(b"\0", self._place)
        if end < 0:
            raise ProtocolError(f"a name that begins at byte {self._place} has no end")
        value = self._data[self._place : end].decode()
        self._place = end + 1
        return value

    def cells(self) -> Cells:
        return tuple(self._cell() for _ in range(self.number("H")))

    def _cell(self) -> str | Absent | None:
        kind = self.byte()
        if kind == b"n":
            return None
        if kind == b"u":
            return Absent.UNCHANGED
        if kind != b"t":
            raise ProtocolError(f"a value of kind {kind!r}")
        length = self.number("I")
        value = self._data[self._place : self._place + length]
        self._place += length
        return value.decode()
