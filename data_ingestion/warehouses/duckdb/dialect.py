"""What DuckDB spells otherwise than the SQL that all warehouses share (`engine/dialect.py`)."""

from __future__ import annotations

from collections.abc import Mapping

from data_ingestion.engine.dialect import Dialect, Given


class DuckdbDialect(Dialect):
    """What DuckDB spells in its own way."""

    name = "duckdb"
    now = "now()"

    def type_of(self, kind: str) -> str:
        return "text" if kind == "json" else kind

    def rows(self, rows: Given) -> str:
        columns = ", ".join(
            f'unnest(cast($given_{name} as {self.type_of(kind)}[])) as "{name}"'
            for name, (kind, _) in rows.columns.items()
        )
        return f"(select {columns})"

    def exact(self, expression: str, kind: str) -> str:
        return f"cast({expression} as text)" if kind == "double precision" else expression

    def as_json(self, alias: str, columns: Mapping[str, str]) -> str:
        fields = ", ".join(f"{self.quote(name)} := {self.column(name, alias)}" for name in columns)
        return f"cast(to_json(struct_pack({fields})) as text)"

    def occurrence_key(self, key: str, number: str) -> str:
        both = f"unhex(replace(cast({key} as text), '-', '')) || unhex(printf('%08x', {number}))"
        return f"cast(substring(sha256({both}), 1, 32) as uuid)"

    def scratch(self, name: str, query: str) -> str:
        return f"create or replace temporary table {name} as {query}"
