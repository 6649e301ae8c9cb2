"""Migrations: the ledger's tables where nothing is indexed, brought to this version by numbered steps."""

from __future__ import annotations

import re

from data_ingestion.engine.migration import is_current, read_steps, refuse_newer
from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session

MIGRATIONS = "create table if not exists ops.migrations (step integer, name text, applied_at timestamptz)"


@whole_transaction
def migrate(session: Session) -> None:
    """Runs the steps that have not run here yet, all in one transaction."""
    steps = read_steps(__package__)
    done = _version(session)
    if done == steps[-1][0]:
        return
    refuse_newer(done, steps[-1][0])
    with session.transaction():
        make_schemas(session)
        (made,) = spelled(session, MIGRATIONS)
        session.run(made)
        for number, name, statements in steps:
            if number > done:
                for statement in spelled(session, statements):
                    session.execute(statement, {})
                session.run(
                    "insert into ops.migrations select cast($step as integer), $name, {now}",
                    step=number,
                    name=name,
                )


def make_schemas(session: Session) -> None:
    """Those that an administrator has not made: who may make none can't say `if not exists` of one that is there."""
    there = session.rows(
        "select lower(schema_name) from information_schema.schemata where catalog_name = current_database()"
    )
    for schema in ("ops", "raw"):
        if (schema,) not in there:
            session.run(f"create schema if not exists {session.dialect.quote(schema)}")


def spelled(session: Session, statements: str) -> list[str]:
    """Statements, written in the types of contracts, as the engine has these."""
    dialect = session.dialect
    text = re.sub(r"--.*", "", statements)
    text = re.sub(r"\b(text|blob)\b", lambda found: dialect.type_of(found[1]), text)
    return [statement for statement in text.split(";\n") if statement.strip()]


def is_made(session: Session) -> bool:
    """Whether the ledger is there. Raises `OperatorFault` if it is there in another version."""
    return is_current(_version(session), read_steps(__package__)[-1][0])


def _version(session: Session) -> int:
    there = session.row(
        """select 1 from information_schema.tables
           where table_catalog = current_database()
             and lower(table_schema) = 'ops' and lower(table_name) = 'migrations'"""
    )
    return int(session.one("select coalesce(max(step), 0) from ops.migrations")) if there else 0
