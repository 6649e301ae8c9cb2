"""Changes: what happened to a source's rows, as records of the change log.

A record is one line of JSON: `lsn` and `ordinal` are its place (where its transaction committed, and its number within
it), `op` is `c`, `u` or `d` for a row created, updated or deleted, `t` for a table truncated, `r` for a row read by a
snapshot, `g` for a gap: what happened to the table between `before` and this position is unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from types import MappingProxyType

from data_ingestion.capture.pgoutput import (
    Absent,
    Begin,
    Cells,
    Commit,
    Message,
    Relation,
    RowChange,
    Truncation,
)

# Types by their object ids in every Postgres.
_BOOLEAN = {16}
_NUMBERS = {20, 21, 23, 26, 700, 701, 1700}
_TIMESTAMPS = {1114, 1184}
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Change:
    """One record of the change log. `before` and `after` are JSON objects as text, or None."""

    lsn: int
    ordinal: int
    op: str
    source_table: str
    ts_ms: int
    before: str | None
    after: str | None
    is_partial: bool = False
    """Whether `after` lacks large values, which the update left as they were and the source does not send again."""

    def as_line(self) -> str:
        """The record as it lies in a drop."""
        return (
            f'{{"lsn": {self.lsn}, "ordinal": {self.ordinal}, "op": "{self.op}", '
            f'"source_table": {json.dumps(self.source_table, ensure_ascii=False)}, "ts_ms": {self.ts_ms}, '
            f'"before": {self.before or "null"}, "after": {self.after or "null"}}}\n'
        )


@dataclass(frozen=True)
class Committed:
    """The end of a transaction; up to `end_lsn`, it need not be read again."""

    end_lsn: int


def read_changes(
    messages: Iterable[Message | None], names: Mapping[int, str] = MappingProxyType({})
) -> Iterator[Change | Committed]:
    """Changes in the order of their commits; those of a transaction are all there once its `Committed` comes.

    `names` are those that tables are captured by, by their ids: a table may have been called otherwise for a while.
    """
    relations: dict[int, Relation] = {}
    begun: Begin | None = None
    numbers = count()
    for message in messages:
        match message:
            case Begin():
                begun, numbers = message, count()
            case Relation():
                name = names.get(message.relation_id, message.table)
                relations[message.relation_id] = replace(message, table=name)
            case RowChange() | Truncation() if begun is not None:
                for said in _said(message, relations):
                    yield _change(begun, next(numbers), *said)
            case Commit() if begun is not None:
                yield Committed(message.end_lsn)
                begun = None


def as_object(columns: Mapping[str, int], cells: Iterable[str | None]) -> str:
    """A row as a JSON object: booleans, numbers with every digit that the server sent, and all else as text."""
    pairs = (
        f"{json.dumps(name, ensure_ascii=False)}: {_value(type_id, cell)}"
        for (name, type_id), cell in zip(columns.items(), cells, strict=True)
    )
    return f"{{{', '.join(pairs)}}}"


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


_Said = tuple[str, Relation, str | None, str | None, bool]


def _said(message: RowChange | Truncation, relations: Mapping[int, Relation]) -> Iterator[_Said]:
    if isinstance(message, Truncation):
        for relation_id in message.relation_ids:
            yield "t", relations[relation_id], None, None, False
        return
    relation = relations[message.relation_id]
    whole = None if message.is_key_only else message.before
    after = None if message.after is None else _filled(message.after, whole)
    before = None if message.before is None else _row(relation, message.before, message.is_key_only)
    is_partial = after is not None and Absent.UNCHANGED in after
    yield message.op, relation, before, None if after is None else _row(relation, after, False), is_partial


def _change(
    begun: Begin,
    ordinal: int,
    op: str,
    relation: Relation,
    before: str | None,
    after: str | None,
    partial: bool,
) -> Change:
    at = milliseconds(begun.committed_at)
    return Change(begun.commit_lsn, ordinal, op, relation.table, at, before, after, partial)


def _filled(after: Cells, before: Cells | None) -> Cells:
    """A large value that an update left alone is in what the row was, where the table's identity is full."""
    if before is None or Absent.UNCHANGED not in after:
        return after
    return tuple(old if new is Absent.UNCHANGED else new for new, old in zip(after, before, strict=True))


def _row(relation: Relation, cells: Cells, key_only: bool) -> str:
    """A row without the values that were not sent."""
    kept = {
        column.name: (column.type_id, cell)
        for column, cell in zip(relation.columns, cells, strict=True)
        if cell is not Absent.UNCHANGED and (column.is_key or not key_only)
    }
    return as_object(
        {name: type_id for name, (type_id, _) in kept.items()}, [cell for _, cell in kept.values()]
    )


def _value(type_id: int, cell: str | None) -> str:
    if cell is None:
        return "null"
    if type_id in _BOOLEAN:
        return "true" if cell in ("t", "true") else "false"
    if type_id in _NUMBERS and _JSON_NUMBER.fullmatch(cell):
        return cell
    if type_id in _TIMESTAMPS:
        cell = cell.replace(" ", "T", 1)
    return json.dumps(cell, ensure_ascii=False)
