"""Straight copy on Postgres: a first drop goes into the empty raw table with no stage between, the key is built last.

A key that is maintained row by row costs more than all the rest of a first load, and ids that are the same in every
row need not be sent. While the key is missing and columns have defaults of this load nobody else may see the table:
readers wait until the load has committed, or its transaction is undone.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql

from data_ingestion.errors import LawBroken
from data_ingestion.warehouses.postgres.ledger import draw_drop_id, draw_load_id, open_dataset, rows_moved
from data_ingestion.warehouses.postgres.session import names, scalar
from data_ingestion.warehouses.postgres.tables import RawTable, StagedRows

# A reader in the midst of a long query is not made to fail, and does not hold up the readers behind it either.
LOCK_TIMEOUT = "2s"


@dataclass(frozen=True)
class StraightCopy:
    """A first drop on its way into raw: the ids its rows get, and the name of the key that has to be built again.

    `moved_before` is the server's count of rows moved in raw when the copy began.
    """

    drop_id: int
    load_id: int
    key_name: str
    moved_before: int


@dataclass(frozen=True)
class StagedStraight(StagedRows):
    """What a straight copy has brought into raw."""

    copy: StraightCopy


def open_straight(connection: Connection, table: RawTable) -> StraightCopy | None:
    """Takes the dataset's lock, and raw's key from it; None if raw is not empty by now, or is being read."""
    if open_dataset(connection, table.contract):
        return None
    key_name = scalar(
        connection,
        "select conname from pg_constraint where conrelid = %s::regclass and contype = 'p'",
        [table.name.as_string(connection)],
    )
    drop_id, load_id = draw_drop_id(connection), draw_load_id(connection)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
            connection.execute(
                sql.SQL(
                    "alter table {} drop constraint {}, "
                    "alter column _drop_id set default {}, alter column _load_id set default {}"
                ).format(table.name, sql.Identifier(key_name), sql.Literal(drop_id), sql.Literal(load_id))
            )
    except psycopg.errors.LockNotAvailable:
        return None
    finally:
        connection.execute("set local lock_timeout = 0")
    return StraightCopy(drop_id, load_id, key_name, rows_moved(connection, table.name))


def build_key(connection: Connection, table: RawTable, copy: StraightCopy) -> None:
    """Gives raw its key back, and takes the ids of this load from its columns."""
    try:
        connection.execute(
            sql.SQL(
                "alter table {} add constraint {} primary key ({}), "
                "alter column _drop_id drop default, alter column _load_id drop default"
            ).format(table.name, sql.Identifier(copy.key_name), names(table.key))
        )
    except psycopg.errors.UniqueViolation as error:
        raise LawBroken(f"a key that was proven distinct is not: {error}") from error
