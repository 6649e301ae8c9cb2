"""Leftovers on Postgres: stages that several sessions fill, told apart by whether their load is still under way."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import Connection, sql

from data_ingestion.warehouses.postgres.session import scalar

PREFIX = "_stage_"
# Class of the advisory locks that say so, each held by the transaction that will merge its stage.
IN_USE = 0x676C7374
# Sessions of a load whose own session is gone may still write for a moment.
LOCK_TIMEOUT = "1s"


def claim_stage(connection: Connection) -> sql.Identifier:
    """The name of this session's stage, in use until the transaction ends."""
    number = connection.info.backend_pid
    connection.execute("select pg_advisory_xact_lock(%s, %s)", [IN_USE, number])
    # while the others fill it, this session has nothing to do
    connection.execute("set local idle_in_transaction_session_timeout = 0")
    return sql.Identifier("ops", f"{PREFIX}{number}")


def remove_stages(connection: Connection) -> None:
    """Removes stages that no load uses any more, outside a transaction."""
    found = connection.execute(
        """select relname from pg_class
           where relnamespace = to_regnamespace('ops') and relkind = 'r' and relname ~ %s
             and pg_has_role(relowner, 'usage')""",
        [f"^{PREFIX}[0-9]+$"],
    ).fetchall()
    for (name,) in found:
        with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
            connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
            number = int(name.removeprefix(PREFIX))
            if scalar(connection, "select pg_try_advisory_xact_lock(%s, %s)", [IN_USE, number]):
                connection.execute(sql.SQL("drop table if exists ops.{}").format(sql.Identifier(name)))
