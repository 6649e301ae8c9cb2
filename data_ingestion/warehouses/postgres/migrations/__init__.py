"""Migrations: the ledger's tables, brought to this version by numbered steps that never change once released."""

from __future__ import annotations

from psycopg import Connection, sql

from data_ingestion.engine.migration import is_current, read_steps, refuse_newer
from data_ingestion.warehouses.postgres.session import READERS, has_readers, scalar

LOCK = 0x476F6C64  # "Gold": one migration at a time
READABLE = ("datasets", "objects", "drops", "loads", "held", "findings", "faults", "quarantine_reasons")


def migrate(connection: Connection) -> None:
    """Runs the steps that have not run here yet, all in one transaction.

    Raises `OperatorFault` if the warehouse was migrated by a newer version.
    """
    steps = read_steps(__package__)
    if _version(connection) == steps[-1][0]:
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        for schema in ("ops", "raw"):
            if scalar(connection, "select to_regnamespace(%s) is null", [schema]):
                connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        connection.execute(
            """create table if not exists ops.migrations (
                   step int primary key, name text not null, applied_at timestamptz not null default now())"""
        )
        done = _version(connection)
        refuse_newer(done, steps[-1][0])
        for number, name, statements in steps:
            if number > done:
                connection.execute(statements.encode())
                connection.execute("insert into ops.migrations (step, name) values (%s, %s)", [number, name])
        if has_readers(connection):
            tables = sql.SQL(", ").join(sql.Identifier("ops", table) for table in READABLE)
            connection.execute(sql.SQL("grant select on {} to {}").format(tables, sql.Identifier(READERS)))
            connection.execute(
                sql.SQL("grant usage on schema ops, raw to {}").format(sql.Identifier(READERS))
            )


def is_made(connection: Connection) -> bool:
    """Whether the ledger is there. Raises `OperatorFault` if it is there in another version."""
    return is_current(_version(connection), read_steps(__package__)[-1][0])


def _version(connection: Connection) -> int:
    if scalar(connection, "select to_regclass('ops.migrations') is null"):
        return 0
    return int(scalar(connection, "select coalesce(max(step), 0) from ops.migrations"))
