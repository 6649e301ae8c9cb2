"""What Redshift spells otherwise than the SQL that all warehouses share (`engine/dialect.py`)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from data_ingestion.contract import warehouses
from data_ingestion.engine.dialect import Dialect, Given

TEXT_BYTES = warehouses.TEXT_BYTES["redshift"]
# A UUID is its text, bytes are their hexadecimal text: neither has a type of its own that everything takes.
TYPES = {
    "text": f"varchar({TEXT_BYTES})",
    "json": f"varchar({TEXT_BYTES})",
    "blob": f"varchar({TEXT_BYTES})",
    "uuid": "varchar(36)",
}
CAST_TO_TEXT = re.compile(r"\bas text\)")
DELETE = re.compile(r'\s*delete from ([\w."]+) (\w+) using\b')


class RedshiftDialect(Dialect):
    """No `is distinct from`, no `values` as a table, no arrays, no alias of what is deleted from."""

    name = "redshift"
    now = "sysdate"
    materialized = ""

    def type_of(self, kind: str) -> str:
        return TYPES.get(kind, kind)

    def rows(self, rows: Given) -> str:
        """A `select` a row; of no rows one that no condition lets through."""
        columns = rows.columns
        count = max((len(values) for _, values in columns.values()), default=0)
        lines = (
            ", ".join(
                f"cast($given_{name}_{at} as {self.type_of(kind)}) as {self.quote(name)}"
                for name, (kind, _) in columns.items()
            )
            for at in range(count)
        )
        if count:
            return f"({' union all '.join(f'select {line}' for line in lines)})"
        empty = ", ".join(
            f"cast(null as {self.type_of(kind)}) as {self.quote(name)}" for name, (kind, _) in columns.items()
        )
        return f"(select {empty} where 1 = 0)"

    def parameters(self, rows: Given) -> Mapping[str, object]:
        """One a cell."""
        return {
            f"given_{name}_{at}": value
            for name, (_, column) in rows.columns.items()
            for at, value in enumerate(column)
        }

    def at_position(self, parameter: str, position: str) -> str:
        return f"cast(split_part(${parameter}, ',', {position} + 1) as bigint)"

    def exact(self, expression: str, kind: str) -> str:
        """The sign of a float's zero shows in its angle."""
        return f"atan2({expression}, -1)" if kind == "double precision" else expression

    def differ(self, columns: Mapping[str, str], left: str, right: str) -> str:
        """By `<>` where both have a value, else by which of them has none."""
        conditions = []
        for name, kind in columns.items():
            one, other = self.column(name, left), self.column(name, right)
            conditions.append(f"{one} <> {other} or ({one} is null) <> ({other} is null)")
            if kind == "double precision":
                conditions.append(f"{self.exact(one, kind)} <> {self.exact(other, kind)}")
        return f"coalesce({' or '.join(conditions)}, false)"

    def as_text(self, expression: str, kind: str) -> str:
        """A boolean is not cast to text."""
        if kind == "boolean":
            return f"case when {expression} then 'true' when not {expression} then 'false' end"
        return super().as_text(expression, kind)

    def as_json(self, alias: str, columns: Mapping[str, str]) -> str:
        """An object takes no dates and times."""
        pairs = []
        for name, kind in columns.items():
            value = self.column(name, alias)
            if kind in ("boolean", "date", "timestamp", "timestamptz"):
                value = self.as_text(value, kind)
            pairs.append("'" + name.replace("'", "''") + f"', {value}")
        return f"json_serialize(object({', '.join(pairs)}))"

    def occurrence_key(self, key: str, number: str) -> str:
        """Of their texts: SHA2 takes no bytes."""
        digest = f"sha2({key} || ':' || cast({number} as varchar(20)), 256)"
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substring({digest}, {start}, {length})" for start, length in parts)

    def scratch(self, name: str, query: str) -> str:
        return f"create temporary table {name} as {query}"

    @staticmethod
    def spell(statement: str) -> str:
        """A shared statement: TEXT would be 256 bytes, and DELETE knows no alias."""
        statement = CAST_TO_TEXT.sub(f"as varchar({TEXT_BYTES}))", statement)
        if found := DELETE.match(statement):
            table, alias = found.groups()
            used = re.compile(rf'"[^"]*"|\b{alias}\.')
            rest = used.sub(lambda use: use[0] if use[0][0] == '"' else f"{table}.", statement[found.end() :])
            return f"delete from {table} using{rest}"
        return statement
