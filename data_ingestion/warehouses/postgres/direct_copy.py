"""Direct copy: a first drop goes into the empty raw table with no stage between, the key is built last.

A key that is maintained row by row costs more than all the rest of a first load, and ids that are the same in every
row need not be sent. While the key is missing and the columns have this load's defaults, the table is locked: readers
wait until the load commits or is rolled back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from data_ingestion.engine.staged import DirectCopy
from data_ingestion.errors import LawBroken
from data_ingestion.excerpts import shorten
from data_ingestion.ledger.loads import open_dataset
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.postgres.session import names

if TYPE_CHECKING:
    from data_ingestion.warehouses.postgres.session import PostgresSession

# A reader in the midst of a long query is not made to fail, and does not hold up the readers behind it either.
LOCK_TIMEOUT = "2s"


def open_direct(session: PostgresSession, table: RawTable) -> DirectCopy | None:
    """Takes the dataset's lock, and raw's key from it; None if raw is not empty by now, or is being read."""
    if open_dataset(session, table.contract.dataset):
        return None
    key_name = session.one(
        "select conname from pg_constraint where conrelid = cast($name as regclass) and contype = 'p'",
        name=session.dialect.quote(*table.name),
    )
    (drop_id,), (load_id,) = session.draw("drops", 1), session.draw("loads", 1)
    connection = session.connection
    try:
        with connection.transaction():
            connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
            connection.execute(
                sql.SQL(
                    "alter table {} drop constraint {}, "
                    "alter column _drop_id set default {}, alter column _load_id set default {}"
                ).format(
                    sql.Identifier(*table.name),
                    sql.Identifier(key_name),
                    sql.Literal(drop_id),
                    sql.Literal(load_id),
                )
            )
    except psycopg.errors.LockNotAvailable:
        return None
    finally:
        connection.execute("set local lock_timeout = 0")
    return DirectCopy(drop_id, load_id, key_name, session.rows_moved(table.name))


def build_key(session: PostgresSession, table: RawTable, copy: DirectCopy) -> None:
    """Gives raw its key back, and takes the ids of this load from its columns."""
    try:
        session.connection.execute(
            sql.SQL(
                "alter table {} add constraint {} primary key ({}), "
                "alter column _drop_id drop default, alter column _load_id drop default"
            ).format(sql.Identifier(*table.name), sql.Identifier(copy.key_name), names(table.key))
        )
    except psycopg.errors.UniqueViolation as error:
        raise LawBroken(f"a key that was proven distinct is not: {shorten(str(error))}") from error
