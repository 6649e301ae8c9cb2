"""Session: small questions to Postgres that several statements of the adapter ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import Connection, sql
from psycopg.pq import TransactionStatus

from data_ingestion.errors import OperatorFault, WarehouseLost

# Group role that may read raw and the ledger's bookkeeping (not the quarantine: raw text may be personal).
READERS = "raw_reader"
# MERGE … RETURNING, by which the server's own count of each fate is held against ours.
OLDEST_VERSION = 170000
# That a server takes to hear of a cancelled statement; after that, it finds out by itself.
CANCEL_SECONDS = 5


def open_session(url: str) -> Connection:
    """Opens a session in UTC. Raises `OperatorFault` where that can't be done, without showing the password."""
    unreadable = OperatorFault(
        "the warehouse's URL can't be read\n  write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
        "a password with signs such as / or # percent-encoded"
    )
    try:
        place = urlsplit(url)
        shown = f"postgresql://{place.username or ''}@{place.hostname}:{place.port or 5432}{place.path}"
    except ValueError:  # whose text may hold a part of the password
        raise unreadable from None
    try:
        connection = psycopg.connect(
            url, autocommit=True, connect_timeout=10, application_name="goldworks",
            options="-c timezone=UTC -c DateStyle=ISO",
            keepalives_idle=30, keepalives_interval=10, keepalives_count=6,  # a dead network shows in minutes
        )  # fmt: skip
    except psycopg.OperationalError as error:
        raise OperatorFault(
            f"warehouse {shown}: {str(error).strip()}\n  check --warehouse, or `make status`"
        ) from error
    except psycopg.ProgrammingError:  # likewise
        raise unreadable from None
    if connection.info.server_version < OLDEST_VERSION:
        version = connection.info.parameter_status("server_version")
        connection.close()
        raise OperatorFault(
            f"warehouse {shown}: Postgres {version} is too old\n  17 or newer is needed (MERGE … RETURNING)"
        )
    return connection


def scalar(connection: Connection, statement: LiteralString, parameters: Sequence[object] = ()) -> Any:
    """The one value that a statement returns."""
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]


def names(columns: Iterable[str], alias: str | None = None) -> sql.Composed:
    """The columns, with commas between them."""
    return sql.SQL(", ").join(
        sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in columns
    )


def equal(columns: Iterable[str], left: str, right: str) -> sql.Composed:
    """The condition that two aliases agree in the columns."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in columns
    )


@contextmanager
def by_order(connection: Connection) -> Iterator[None]:
    """What is asked for in an order comes by the index that has it, in a transaction.

    Of a table without statistics, as a new ledger's are, the planner takes any index for as good, reads all of a
    dataset by it, filters and sorts.
    """
    connection.execute("set local enable_sort = off")
    yield
    connection.execute("set local enable_sort to default")


@contextmanager
def by_index(connection: Connection) -> Iterator[None]:
    """Joins go by raw's key: without statistics of the stage, the planner may read the whole of raw for a row."""
    connection.execute("set local enable_hashjoin = off; set local enable_mergejoin = off")
    yield
    connection.execute("set local enable_hashjoin = on; set local enable_mergejoin = on")


def array(values: Iterable[str] | Iterable[int] | Iterable[bytes] | Iterable[datetime]) -> str:
    """Values of one kind as the text of an array: of a thousand, psycopg's own way takes several times as long."""
    items: list[Any] = list(values)
    match items[0] if items else 0:
        case int():
            return f"{{{','.join(map(str, items))}}}"
        case bytes():
            items = [f"\\\\x{item.hex()}" for item in items]
        case datetime():
            items = [item.isoformat() for item in items]
        case _ if any("\\" in item or '"' in item for item in items):
            items = [item.replace("\\", "\\\\").replace('"', '\\"') for item in items]
    return '{"' + '","'.join(items) + '"}'


def has_readers(connection: Connection) -> bool:
    """Whether this server has the group role for readers; a loader that serves alone needs none."""
    return bool(scalar(connection, "select to_regrole(%s) is not null", [READERS]))


def lock_dataset(connection: Connection, dataset: str) -> None:
    """Takes the dataset's lock until the transaction ends: one merge of a dataset at a time."""
    connection.execute("select pg_advisory_xact_lock(hashtext('goldworks'), hashtext(%s))", [dataset])


@contextmanager
def server_faults(connection: Connection) -> Iterator[None]:
    """Tells what only the server's operator can mend as such: a lost session, a full disk, a missing grant, a limit."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        told = f"warehouse: {str(error).strip().splitlines()[0]}"
        if connection.closed:
            raise WarehouseLost(
                f"{told}\n  what was under way is undone; see that the server is up, then run again"
            ) from error
        raise OperatorFault(f"{told}\n  {_remedy(error)}") from error


@contextmanager
def interruptible(connection: Connection) -> Iterator[None]:
    """Ends the session where an interrupt has left a statement under way in it: no other could follow."""
    try:
        yield
    except BaseException:
        if connection.info.transaction_status is TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=CANCEL_SECONDS)
            connection.close()
        raise


def _remedy(error: psycopg.Error) -> str:
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return "the login needs the rights of the role that init_db.sql calls `loader`"
        case psycopg.errors.DiskFull():
            return "make room on the server, then run again"
        case psycopg.errors.ProgramLimitExceeded() | psycopg.errors.TooManyColumns():
            return "Postgres holds 1,600 columns and, of short values, 8 kB a row: take fewer columns into the contract"
    return "see the server's log, then run again"
