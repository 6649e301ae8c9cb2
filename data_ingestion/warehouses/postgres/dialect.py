"""What Postgres spells otherwise than the SQL that all warehouses share (`engine/dialect.py`)."""

from __future__ import annotations

from collections.abc import Mapping

from data_ingestion.checks import LINE
from data_ingestion.engine.dialect import Dialect, Given
from data_ingestion.merge.table import POSITION


class PostgresDialect(Dialect):
    """What Postgres spells in its own way."""

    name = "postgres"
    now = "clock_timestamp()"
    explicit_ids = "overriding system value"
    unless_there = "on conflict do nothing"

    def type_of(self, kind: str) -> str:
        return {"blob": "bytea", "json": "jsonb"}.get(kind, kind)

    def rows(self, rows: Given) -> str:
        lists = ", ".join(
            f"cast($given_{name} as {self.type_of(kind)}[])" for name, (kind, _) in rows.columns.items()
        )
        return f"(select * from unnest({lists}) as given ({', '.join(rows.columns)}))"

    def exact(self, expression: str, kind: str) -> str:
        return f"float8send({expression})" if kind == "double precision" else expression

    def bytewise(self, expression: str) -> str:
        return f'{expression} collate "C"'

    def as_json(self, alias: str, columns: Mapping[str, str]) -> str:
        return f"to_jsonb({alias}.*) - '{{{LINE},{POSITION},_drop_id,_load_id}}'::text[]"

    def occurrence_key(self, key: str, number: str) -> str:
        return f"encode(substring(sha256(uuid_send({key}) || int4send({number})) for 16), 'hex')::uuid"

    def scratch(self, name: str, query: str) -> str:
        return f"create temporary table {name} on commit drop as {query}"
