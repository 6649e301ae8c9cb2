"""Session with Postgres: how statements reach the server, and small questions that several modules ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import Connection, Copy, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from data_ingestion.engine.session import PARAMETER, Described, Row, Session, parameters_of
from data_ingestion.errors import LawBroken, OperatorFault, WarehouseLost
from data_ingestion.excerpts import shorten
from data_ingestion.warehouses.postgres.dialect import PostgresDialect
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.engine.staged import Staged
    from data_ingestion.merge.accelerators import Accelerators
    from data_ingestion.merge.table import RawTable

# Group role that may read raw and the ledger's bookkeeping (not the quarantine: raw text may be personal).
READERS = "raw_reader"
# Older ones are not tested.
OLDEST_VERSION = 170000
# That a server takes to hear of a cancelled statement; after that, it finds out by itself.
CANCEL_SECONDS = 5
# Of what the server says, which may quote a value.
MOST_OF_AN_ANSWER = 500


# Class of the advisory locks that say an attempt's session is alive: "gold" in ASCII.
ALIVE = 0x676F6C64
# What draws new ids.
SEQUENCES = {
    "loads": "'ops.load_ids'",
    "drops": "pg_get_serial_sequence('ops.drops', 'drop_id')",
    "attempts": "pg_get_serial_sequence('ops.loads', 'attempt_id')",
    "lake_files": "pg_get_serial_sequence('ops.lake_files', 'file_id')",
    "profiles": "pg_get_serial_sequence('ops.profiles', 'profile_id')",
}


class PostgresSession(Session):
    """A session with a Postgres server, with more of them as large drops ask for it."""

    def __init__(self, connection: Connection, open_another: Callable[[], Connection]) -> None:
        super().__init__()
        self.connection = connection
        self.open_another = open_another
        self.dialect = PostgresDialect()
        self.plan_limits = PlanLimits()

    @classmethod
    def connect(cls, url: str) -> PostgresSession:
        """A session in UTC. Raises `OperatorFault` as `open_session`."""
        return cls(open_session(url), lambda: open_session(url))

    @cached_property
    def accelerators(self) -> Accelerators:  # type: ignore[override] # imported when something is merged
        from data_ingestion.warehouses.postgres.fast_merge import PostgresAccelerators

        return PostgresAccelerators(self)

    def execute(self, statement: str, values: Mapping[str, object]) -> tuple[int, list[Row]]:
        with server_faults(self.connection):
            cursor = self.connection.execute(*_for_psycopg(statement, values))
            return cursor.rowcount, cursor.fetchall() if cursor.description else []

    def ask(self, statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        with server_faults(self.connection), self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(*_for_psycopg(statement, values)).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._is_in_transaction:
            yield
            return
        self._scratch.clear()
        try:
            with (
                server_faults(self.connection),
                self.connection.transaction(),
                interruptible(self.connection),
            ):
                yield
        finally:
            self._scratch.clear()

    def lock(self, dataset: str) -> None:
        with server_faults(self.connection):
            lock_dataset(self.connection, dataset)

    def draw(self, ids: str, count: int) -> list[int]:
        if not count:
            return []
        rows = self.rows(
            f"""select nextval(s.ids) from (select cast({SEQUENCES[ids]} as regclass) as ids offset 0) s,
                       generate_series(1, {count})"""
        )
        return sorted(number for (number,) in rows)

    def insert(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        with (
            server_faults(self.connection),
            copy_in(self.connection, f"copy {table} ({', '.join(columns)}) from stdin".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def hold_attempts(self, attempt_ids: Sequence[int]) -> None:
        self._lock_attempts("pg_advisory_lock", attempt_ids)

    def release_attempts(self, attempt_ids: Sequence[int]) -> None:
        if not self.connection.closed:
            self._lock_attempts("pg_advisory_unlock", attempt_ids)

    def _lock_attempts(self, function: str, attempt_ids: Sequence[int]) -> None:
        self.rows(
            f"select {function}({ALIVE}, (id % 2147483648)::int) from unnest(cast($ids as bigint[])) id",
            ids=list(attempt_ids),
        )

    @property
    def attempt_is_lost(self) -> str:
        return f"pg_try_advisory_xact_lock({ALIVE}, (attempt_id % 2147483648)::int)"

    def close(self) -> None:
        self.connection.close()

    @property
    def is_lost(self) -> bool:
        return self.connection.closed

    @contextmanager
    def exclusive(self, task: str, dataset: str) -> Iterator[None]:
        self.rows("select pg_advisory_lock(hashtext($task), hashtext($dataset))", task=task, dataset=dataset)
        try:
            yield
        finally:
            with suppress(OperatorFault):  # it ends with the session at the latest
                self.rows(
                    "select pg_advisory_unlock(hashtext($task), hashtext($dataset))",
                    task=task,
                    dataset=dataset,
                )

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.transaction():
            self.run("set transaction isolation level repeatable read, read only")
            yield

    def describe(self, schema: str, relation: str) -> Described | None:
        from data_ingestion.warehouses.postgres.catalogue import describe

        return describe(self, schema, relation)

    def rows_moved(self, table: tuple[str, str]) -> int | None:
        """By the server's own count."""
        row = self.row(
            """select current_setting('track_counts') = 'on',
                      pg_stat_get_xact_tuples_inserted(c) - pg_stat_get_xact_tuples_deleted(c)
               from (select $name::regclass::oid as c)""",
            name=self.dialect.quote(*table),
        )
        assert row is not None
        if not row[0]:
            raise LawBroken(
                "the server does not count rows (track_counts is off), so raw can't be checked against the fates"
            )
        return int(row[1])

    def raw_table(self, contract: Contract) -> RawTable:
        from data_ingestion.warehouses.postgres.tables import raw_table

        return raw_table(self.connection, contract)

    def drop_stage(self, staged: Staged) -> None:
        if staged.outlives_transaction:
            self.run(f"drop table {staged.table}")

    @property
    def _is_in_transaction(self) -> bool:
        return self.connection.info.transaction_status is not TransactionStatus.IDLE


def _for_psycopg(statement: str, values: Mapping[str, object]) -> tuple[bytes, dict[str, object]]:
    """A statement and its parameters as the driver takes them."""
    parameters = {
        name: array(value) if isinstance(value := values[name], list) else value
        for name in parameters_of(statement)
    }
    return _translated(statement), parameters


@lru_cache(4096)
def _translated(statement: str) -> bytes:
    return PARAMETER.sub(
        lambda found: f"%({found[1]})s" if found[1] else found[0], statement.replace("%", "%%")
    ).encode()


def open_session(url: str) -> Connection:
    """Opens a session in UTC. Raises `OperatorFault` where that can't be done, without showing the password."""
    unreadable = OperatorFault(
        "the warehouse's URL can't be read\n  write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
        "a password with characters such as / or # percent-encoded"
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
        raise OperatorFault(f"warehouse {shown}: Postgres {version} is too old\n  17 or newer is needed")
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


def array(given: Iterable[Any]) -> str:
    """Values of one kind as the text of an array: of a thousand, psycopg's own way takes several times as long."""
    values = list(given)
    first = next((value for value in values if value is not None), 0)
    match first:
        case bool():
            items = [None if value is None else str(value) for value in values]
        case int() | float():
            items = [None if value is None else repr(value) for value in values]
        case bytes():
            items = [None if value is None else f'"\\\\x{value.hex()}"' for value in values]
        case datetime():
            items = [None if value is None else f'"{value.isoformat()}"' for value in values]
        case _:
            items = [None if value is None else _quoted(str(value)) for value in values]
    return "{" + ",".join("NULL" if item is None else item for item in items) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


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
        message = f"warehouse: {shorten(str(error).strip().splitlines()[0], MOST_OF_AN_ANSWER)}"
        if connection.closed:
            raise WarehouseLost(
                f"{message}\n  nothing was committed; check that the server is up, then run again"
            ) from error
        raise OperatorFault(f"{message}\n  {_remedy(error)}") from error


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


class CopyAborted(Exception):
    """Ends a COPY without its rows. Its text is all that the server gets to read of the reason.

    The server reads at most 10,000 bytes of it, ends the session at more, and an error may quote a whole file.
    """

    def __init__(self) -> None:
        super().__init__("the rows are not wanted")


def abort_copy(context: AbstractContextManager[Copy]) -> None:
    """Ends a COPY without its rows, whatever the reason."""
    aborted = CopyAborted()
    with suppress(CopyAborted):
        context.__exit__(type(aborted), aborted, None)


@contextmanager
def copy_in(connection: Connection, statement: bytes) -> Iterator[Copy]:
    """A COPY to the server, ended without its rows where an error ends the block."""
    context = connection.cursor().copy(statement)
    copy = context.__enter__()
    try:
        yield copy
    except BaseException:
        abort_copy(context)
        raise
    context.__exit__(None, None, None)


def _remedy(error: psycopg.Error) -> str:
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return "the login needs the rights of the role that init_db.sql calls `loader`"
        case psycopg.errors.DiskFull():
            return "make room on the server, then run again"
        case psycopg.errors.ProgramLimitExceeded() | psycopg.errors.TooManyColumns():
            return "Postgres holds 1,600 columns and, of short values, 8 kB a row: have fewer columns in the contract"
    return "see the server's log, then run again"
