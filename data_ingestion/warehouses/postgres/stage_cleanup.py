"""Stage cleanup on Postgres: stages and tables of rebuilds, distinguished by whether their session is still running."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import Connection, sql

from data_ingestion.warehouses.postgres.session import scalar

PREFIX = "_stage_"
# Class of the advisory locks that say so, each held by the transaction that will merge its stage.
IN_USE = 0x676C7374
# Tables of a rebuild, and the class of the locks of sessions that are at one.
REBUILD_PREFIX = "_rebuild_"
REBUILT = 0x676C7262
# Sessions of a load whose own session is gone may still write for a moment.
LOCK_TIMEOUT = "1s"


def claim_stage(connection: Connection) -> sql.Identifier:
    """The name of this session's stage, in use until the transaction ends."""
    number = connection.info.backend_pid
    connection.execute("select pg_advisory_xact_lock(%s, %s)", [IN_USE, number])
    # while the others fill it, this session has nothing to do
    connection.execute("set local idle_in_transaction_session_timeout = 0")
    return sql.Identifier("ops", f"{PREFIX}{number}")


def claim_rebuild(connection: Connection) -> str:
    """The prefix of the names of this session's tables for a rebuild, in use until `release_rebuild`."""
    number = connection.info.backend_pid
    connection.execute("select pg_advisory_lock(%s, %s)", [REBUILT, number])
    return f"{REBUILD_PREFIX}{number}"


def release_rebuild(connection: Connection) -> None:
    """The tables of this session's rebuild are leftovers from now on."""
    connection.execute("select pg_advisory_unlock(%s, %s)", [REBUILT, connection.info.backend_pid])


def remove_stages(connection: Connection) -> None:
    """Removes stages that no load uses any more, and what rebuilds left, outside a transaction."""
    found = connection.execute(
        """select relname, substring(relname from '[0-9]+')::int, relname ~ %(rebuild)s from pg_class
           where relnamespace = to_regnamespace('ops') and relkind = 'r'
             and (relname ~ %(stage)s or relname ~ %(rebuild)s) and pg_has_role(relowner, 'usage')""",
        {"stage": f"^{PREFIX}[0-9]+$", "rebuild": f"^{REBUILD_PREFIX}[0-9]+_"},
    ).fetchall()
    for name, number, is_of_rebuild in found:
        with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
            connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
            lock = REBUILT if is_of_rebuild else IN_USE
            if is_of_rebuild and _is_rebuilding(connection, number):
                continue
            if scalar(connection, "select pg_try_advisory_xact_lock(%s, %s)", [lock, number]):
                connection.execute(sql.SQL("drop table if exists ops.{}").format(sql.Identifier(name)))


def _is_rebuilding(connection: Connection, number: int) -> bool:
    """Whether this very session is at that rebuild: its own lock would let it in."""
    return bool(
        scalar(
            connection,
            """select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
                              and classid = %s and objid = %s and objsubid = 2)""",
            [REBUILT, number],
        )
    )
