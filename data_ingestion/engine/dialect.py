"""Dialect: what warehouses spell differently. Everything else is written once, in the SQL that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Given:
    """Rows that the loader hands to a statement, where they are a table: by column its type and values."""

    columns: Mapping[str, tuple[str, Sequence[object]]]

    @property
    def parameters(self) -> dict[str, Sequence[object]]:
        """The values, by the names of the statement's parameters."""
        return {f"given_{name}": values for name, (_, values) in self.columns.items()}


def given(**columns: tuple[str, Iterable[object]]) -> Given:
    """Rows by column, such as `key=("text", keys)`."""
    return Given({name: (kind, list(values)) for name, (kind, values) in columns.items()})


def as_bytes(value: bytes | memoryview | str) -> bytes:
    """Bytes as a warehouse returns them: where it has no type for them, as their hexadecimal text."""
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


class Dialect:
    """The shared SQL. An engine overrides what it spells otherwise.

    Types are those of contracts (`text`, `bigint`, `timestamptz` …), `blob` for bytes and `json`.
    """

    name: str
    """What sqlglot calls the dialect."""
    now: str
    """The moment at which a statement runs."""
    explicit_ids = ""
    """What an INSERT needs that gives ids which the table would draw by itself."""
    materialized = "materialized "
    """What a common table needs that is to be computed once."""
    unless_there = ""
    """What ends an INSERT that leaves out rows whose key another session has just added."""

    def quote(self, *names: str) -> str:
        """A name, with its schema in front if there are two."""
        return ".".join('"' + name.replace('"', '""') + '"' for name in names)

    def type_of(self, kind: str) -> str:
        """An engine's own name of a type."""
        return kind

    def rows(self, rows: Given) -> str:
        """Rows that are handed over, as a table in parentheses."""
        raise NotImplementedError

    def parameters(self, rows: Given) -> Mapping[str, object]:
        """The values of the parameters that `rows` has."""
        return rows.parameters

    def at_position(self, parameter: str, position: str) -> str:
        """The number at a position (from 0) in a list that is handed over."""
        return f"(cast(${parameter} as bigint[]))[{position} + 1]"

    def exact(self, expression: str, kind: str) -> str:
        """An expression that is equal for two values only if they are the same: of floats, -0 is not 0."""
        raise NotImplementedError

    def in_seconds(self, seconds: int) -> str:
        """The moment so many seconds from now."""
        return f"{self.now} + interval '{seconds} seconds'"

    def seconds_since(self, moment: str) -> str:
        """How many seconds ago a moment was."""
        return f"extract(epoch from {self.now} - {moment})"

    def bytewise(self, expression: str) -> str:
        """A text that is compared by its bytes, and not as a language has it."""
        return expression

    def as_text(self, expression: str, kind: str) -> str:
        """A value of a type as text."""
        return f"cast({expression} as text)"

    def as_json(self, alias: str, columns: Mapping[str, str]) -> str:
        """Columns of a row, given with their types, as a JSON object."""
        raise NotImplementedError

    def occurrence_key(self, key: str, number: str) -> str:
        """The key of the n-th occurrence of a content within its drop: 16 bytes of a SHA-256 over both."""
        raise NotImplementedError

    def scratch(self, name: str, query: str) -> str:
        """A statement that makes a table of this transaction alone from a query."""
        raise NotImplementedError

    # Shorthands that are the same everywhere.

    def names(self, columns: Iterable[str], alias: str | None = None) -> str:
        """Columns with commas between them."""
        return ", ".join(self.column(name, alias) for name in columns)

    def column(self, name: str, alias: str | None = None) -> str:
        """A column, of an alias if there is one."""
        return f"{alias}.{self.quote(name)}" if alias else self.quote(name)

    def equal(self, columns: Iterable[str], left: str, right: str) -> str:
        """The condition that two aliases agree in columns that are not null."""
        return " and ".join(f"{self.column(name, left)} = {self.column(name, right)}" for name in columns)

    def differ(self, columns: Mapping[str, str], left: str, right: str) -> str:
        """The condition that two aliases differ in one of the columns, given with their types."""
        return " or ".join(
            f"{self.exact(self.column(name, left), kind)} is distinct from "
            f"{self.exact(self.column(name, right), kind)}"
            for name, kind in columns.items()
        )
