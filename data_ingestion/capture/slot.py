"""Slot: what keeps the changes of a source, an operational Postgres, until they are safe.

The slot is read by plain SQL: a look takes the changes since the last acknowledged place, without moving it, so that
whoever is killed in between sees them again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from data_ingestion.capture.changes import Change, Committed, read_changes
from data_ingestion.capture.faults import SourceBusy, translated_faults
from data_ingestion.capture.pgoutput import read_message
from data_ingestion.capture.publication import ensure_publication, publication_mark
from data_ingestion.errors import OperatorFault

if TYPE_CHECKING:
    from data_ingestion.contract import Contract


OLDEST_VERSION = 170000  # pg_replication_slots.invalidation_reason
ROWS_A_FETCH = 2_000
# The server writes values as these say, which its own settings, a database's or a role's would else decide.
SETTINGS = {
    "client_encoding": "UTF8", "datestyle": "ISO, MDY", "intervalstyle": "postgres", "timezone": "UTC",
    "extra_float_digits": "1", "bytea_output": "hex", "lc_monetary": "C", "search_path": "",
    # A table of which some rows are hidden from this login is a fault, no shorter table.
    "row_security": "off",
    # A large table takes as long as it takes.
    "statement_timeout": "0", "transaction_timeout": "0", "idle_in_transaction_session_timeout": "0",
}  # fmt: skip
# A network that is dead shows in minutes; else a run would wait for hours, and every other one for it.
ALIVE: dict[str, Any] = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 6}
PATIENCE_SECONDS = 60  # with another capture of the same slot


@dataclass(frozen=True)
class SlotState:
    """A slot as the server sees it. Places in the log are whole numbers of bytes."""

    acknowledged: int
    behind_bytes: int
    """How much the source has logged since."""
    lag_bytes: int
    """How much log the server must keep for it."""
    left_bytes: int | None
    """How much more may be written before the server invalidates it; None where that never happens."""
    standing: str
    """`reserved`; `extended` or `unreserved` when the server is about to invalidate it, then `lost`."""
    lost_because: str | None
    """Why the server has invalidated it, or None while it can be used."""


@dataclass(frozen=True)
class Snapshot:
    """A view of the source at one place of its log: changes after `lsn` are not in it, all before are.

    `lsn` is the byte before the slot's consistent point, where no record of the log begins: they lie at multiples of
    eight. The first commit after the snapshot may begin at the very consistent point.
    """

    lsn: int
    ts_ms: int
    name: str


class Source:
    """A session with the source. `tables` are captured by the publication and slot of the name `slot`."""

    def __init__(self, url: str, slot: str, tables: Sequence[str], schema: str = "public") -> None:
        self.slot = slot
        self.tables = tuple(tables)
        self.schema = schema
        self._url = url
        with translated_faults(slot):
            self._session = _connect(url)
        if (level := self._one("show wal_level")) != "logical":
            self.close()
            raise OperatorFault(
                f"the source has wal_level = {level}, so its changes can't be read\n"
                "  set wal_level = logical in its postgresql.conf and restart it"
            )

    def close(self) -> None:
        self._session.close()

    @property
    def _candidate(self) -> str:
        """A slot on its way: it gets its name when its snapshot is safe."""
        return f"{self.slot}_candidate"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only one process captures at a time: two would write the same changes. Waits for another one to end.

        Raises `SourceBusy` if that takes longer than a minute.
        """
        lock = ("select {}(hashtextextended(%s, 0))", f"goldworks capture {self.slot}")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._one(lock[0].format("pg_try_advisory_lock"), lock[1]):
            if time.monotonic() > deadline:
                raise SourceBusy(f"another capture of '{self.slot}' is running\n  wait for it to end")
            time.sleep(0.2)
        try:
            yield
        finally:
            if not self._session.broken:
                self._one(lock[0].format("pg_advisory_unlock"), lock[1])

    def ensure_publication(self) -> str:
        """The publication of all changes of exactly the captured tables; its mark, see `publication_mark`."""
        ensure_publication(self._session, self.slot, self.schema, self.tables)
        return publication_mark(self._session, self.slot)

    def state(self, *, candidate: bool = False) -> SlotState | None:
        """The slot as it is, or the one on its way; None when there is none."""
        row = self._session.execute(
            """
            select (confirmed_flush_lsn - '0/0')::bigint, (pg_current_wal_lsn() - confirmed_flush_lsn)::bigint,
                (pg_current_wal_lsn() - coalesce(restart_lsn, pg_current_wal_lsn()))::bigint,
                safe_wal_size, coalesce(wal_status, 'none'),
                case when wal_status = 'lost' then coalesce(invalidation_reason, 'lost') end
            from pg_replication_slots where slot_name = %s
            """,
            [self._candidate if candidate else self.slot],
        ).fetchone()
        return SlotState(*row) if row else None

    @contextmanager
    def new_slot(self) -> Iterator[Snapshot]:
        """A slot from here on and the view of everything before; the slot stays if the block ends without an error.

        Killed at any instant, it leaves no slot of this name whose snapshot is not safe.
        """
        self._drop_slot(self.slot)
        self.drop_candidate()
        with psycopg.connect(self._url, replication="database", autocommit=True, **ALIVE) as replication:
            made = sql.SQL("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput (SNAPSHOT 'export')")
            row = replication.execute(made.format(sql.Identifier(self._candidate))).fetchone()
            assert row is not None
            now = self._one("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
            yield Snapshot(parse_lsn(row[1]) - 1, now, row[2])
        self.name_candidate()

    def name_candidate(self) -> None:
        """The slot on its way has arrived: its snapshot is safe."""
        self._session.execute("select pg_copy_logical_replication_slot(%s, %s)", [self._candidate, self.slot])
        self.drop_candidate()

    def drop_candidate(self) -> None:
        """Takes away a slot that never arrived, lest the source keep its log for it for ever."""
        self._drop_slot(self._candidate)

    def _drop_slot(self, name: str) -> None:
        self._session.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s",
            [name],
        )

    def position(self) -> int:
        """How far the source's log is safe now. No more of it is decoded, so nothing behind may be acknowledged."""
        return parse_lsn(self._one("select pg_current_wal_flush_lsn()::text"))

    @contextmanager
    def at(self, snapshot: Snapshot) -> Iterator[psycopg.Connection]:
        """A session that sees the source as the snapshot does."""
        with _connect(self._url) as session:
            session.autocommit = False
            session.execute("set transaction isolation level repeatable read, read only")
            session.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot.name)))
            yield session

    def columns(self, table: str) -> dict[str, int]:
        """The published columns of a table, in their order, with the object ids of their types."""
        found = self._session.execute(
            "select attname, atttypid from pg_publication_tables as published inner join pg_attribute"
            " on attrelid = to_regclass(%s) and attname = any(published.attnames)"
            " where published.pubname = %s and published.schemaname = %s and published.tablename = %s order by attnum",
            [self._spelt(table), self.slot, self.schema, table],
        )
        return {name: int(type_id) for name, type_id in found}

    def look(self, until: int, most_changes: int) -> Iterator[Change | Committed]:
        """Whole transactions from the acknowledged place up to `until`: about so many changes, or one transaction that
        has more. They come from the server bit by bit."""
        names = {self._one("select to_regclass(%s)::oid", self._spelt(table)): table for table in self.tables}
        with self._session.transaction(), self._session.cursor(name="look", binary=True) as rows:
            rows.itersize = ROWS_A_FETCH
            rows.execute(
                "select data from pg_logical_slot_peek_binary_changes(%s, %s::text::pg_lsn, %s, 'proto_version', '1',"
                " 'publication_names', %s)",
                [self.slot, format_lsn(until), most_changes, self.slot],
            )
            yield from read_changes((read_message(bytes(data)) for (data,) in rows), names)

    def acknowledge(self, lsn: int) -> None:
        """Confirms to the server that everything before this position is stored."""
        self._session.execute("select pg_replication_slot_advance(%s, %s)", [self.slot, format_lsn(lsn)])

    def _spelt(self, table: str) -> str:
        return sql.Identifier(self.schema, table).as_string(self._session)

    def _one(self, statement: str, *values: Any) -> Any:
        row = self._session.execute(statement, values or None).fetchone()
        return row[0] if row else None


@contextmanager
def open_source(contract: Contract, url: str) -> Iterator[Source]:
    """The source of a contract's captured dataset; publication and slot have the dataset's name."""
    assert contract.capture
    source = Source(url, contract.dataset, contract.capture.tables, contract.capture.schema)
    with closing(source), translated_faults(source.slot):
        yield source


def _connect(url: str) -> psycopg.Connection:
    """A session that writes values as we read them. Raises `OperatorFault` where the server does not answer."""
    try:
        session = psycopg.connect(url, autocommit=True, connect_timeout=10, **ALIVE)
    except psycopg.OperationalError as error:
        raise OperatorFault(
            f"the source does not answer: {str(error).strip()}\n  check its URL, and whether it is running"
        ) from error
    if session.info.server_version < OLDEST_VERSION:
        version = session.info.parameter_status("server_version")
        session.close()
        raise OperatorFault(
            f"the source is Postgres {version}, which does not say why it invalidates a slot\n  17 or newer is needed"
        )
    for name, value in SETTINGS.items():
        session.execute(sql.SQL("set {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    return session


def parse_lsn(text: str) -> int:
    """A place in the log, from Postgres' spelling: `16/B374D848`."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def format_lsn(lsn: int) -> str:
    """A place in the log as Postgres spells it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
