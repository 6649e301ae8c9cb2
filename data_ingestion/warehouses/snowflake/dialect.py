"""What Snowflake spells otherwise than the SQL that all warehouses share (`engine/dialect.py`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from data_ingestion.engine.dialect import Dialect, Given

# Integers by their digits, so that the catalogue tells them apart. A UUID is its text.
TYPES = {
    "json": "text",
    "blob": "binary",
    "uuid": "varchar(36)",
    "smallint": "number(5,0)",
    "integer": "number(10,0)",
    "bigint": "number(19,0)",
    "timestamptz": "timestamp_tz",
}
CONTRACT_TYPES = {
    "TEXT": "text",
    "FLOAT": "double precision",
    "TIMESTAMP_TZ": "timestamptz",
    "BINARY": "blob",
}
INTEGERS = {5: "smallint", 10: "integer", 19: "bigint", 38: "bigint"}
UUID_CHARACTERS = 36
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")


class SnowflakeDialect(Dialect):
    """Names are upper case, as those without quotes are folded; rows are handed over as one JSON text."""

    name = "snowflake"
    now = "current_timestamp()"
    materialized = ""

    def quote(self, *names: str) -> str:
        return super().quote(*(name.upper() for name in names))

    def type_of(self, kind: str) -> str:
        return TYPES.get(kind) or _NUMERIC.sub(r"number(\1,\2)", kind)

    def rows(self, rows: Given) -> str:
        columns = ", ".join(
            f"{self._value(f'cast(f.value[{place}] as text)', kind)} as {self.quote(name)}"
            for place, (name, (kind, _)) in enumerate(rows.columns.items())
        )
        return f"(select {columns} from table(flatten(input => parse_json($given))) f)"

    def parameters(self, rows: Given) -> Mapping[str, object]:
        columns = [[as_text(cell) for cell in column] for _, column in rows.columns.values()]
        return {"given": json.dumps(list(zip(*columns, strict=True)))}

    def _value(self, text: str, kind: str) -> str:
        if kind == "text":
            return text
        return f"to_binary({text}, 'HEX')" if kind == "blob" else f"cast({text} as {self.type_of(kind)})"

    def at_position(self, parameter: str, position: str) -> str:
        return f"cast(get(parse_json(${parameter}), cast({position} as bigint)) as bigint)"

    def seconds_since(self, moment: str) -> str:
        return f"(datediff(millisecond, {moment}, {self.now}) / 1000)"

    def exact(self, expression: str, kind: str) -> str:
        return f"cast({expression} as text)" if kind == "double precision" else expression

    def differ(self, columns: Mapping[str, str], left: str, right: str) -> str:
        """The text of a float may lack its last digits, so it only decides the sign of a zero."""
        conditions = []
        for name, kind in columns.items():
            one, other = self.column(name, left), self.column(name, right)
            conditions.append(f"{one} is distinct from {other}")
            if kind == "double precision":
                conditions.append(f"({one} = 0 and {self.exact(one, kind)} <> {self.exact(other, kind)})")
        return " or ".join(conditions)

    def as_json(self, alias: str, columns: Mapping[str, str]) -> str:
        pairs = ", ".join(f"'{name}', {self.column(name, alias)}" for name in columns)
        return f"to_json(object_construct_keep_null({pairs}))"

    def occurrence_key(self, key: str, number: str) -> str:
        """Of the key's text: whether SHA2 takes bytes is not documented."""
        digest = f"sha2({key} || '/' || cast({number} as text), 256)"
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substr({digest}, {start}, {length})" for start, length in parts)

    def scratch(self, name: str, query: str) -> str:
        """The table is there: to make one would commit the transaction."""
        return f"insert into {name} {query}"


def as_text(value: object) -> str | None:
    """A value as the text that its type is read from."""
    match value:
        case None:
            return None
        case bytes() | bytearray():
            return value.hex()
        case datetime():
            return value.isoformat(" ")
        case float():
            return repr(value)
    return str(value)


def contract_type(kind: str, length: int | None, precision: int | None, scale: int | None) -> str:
    """A type of the information schema's as contracts call it."""
    if kind == "NUMBER" and precision is not None:
        integer = None if scale else INTEGERS.get(precision)
        return integer or f"numeric({precision},{scale})"
    if kind == "TEXT" and length == UUID_CHARACTERS:
        return "uuid"
    return CONTRACT_TYPES.get(kind, kind.lower())
