"""Rebuilding on Postgres: unlogged tables aside, views and grants that follow, readers that are waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from psycopg import Connection, errors, sql

from data_ingestion.contract import Contract
from data_ingestion.errors import OperatorFault
from data_ingestion.merge.fit import There
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.postgres import stage_cleanup, views
from data_ingestion.warehouses.postgres.belongings import belongings, describe_unfit_views, give, oids_of
from data_ingestion.warehouses.postgres.raw_tables import PostgresTables
from data_ingestion.warehouses.postgres.session import PostgresSession, scalar
from data_ingestion.warehouses.postgres.tables import create_keys, create_tables, history_name, raw_name

# Class of the advisory locks by which one session at a time rebuilds a dataset: "remk" in ASCII.
REBUILDING = 0x72656D6B
# A reader in a long query is waited for, but not with all other readers waiting behind us: this long at a time.
LOCK_TIMEOUT, TRIES, PAUSE_SECONDS = "3s", 60, 2.0
NAME_BYTES = 64  # with its end, that Postgres takes


class PostgresRebuilding:
    """A rebuild under way. Its tables aside are in `ops`, and the next command removes those of one that was killed."""

    def __init__(self, session: PostgresSession, contract: Contract, prefix: str) -> None:
        self._session, self._contract, self.prefix = session, contract, prefix

    @property
    def _connection(self) -> Connection:
        return self._session.connection

    def look(self) -> There:
        there = PostgresTables(self._session).look(RawTable(self._contract))
        assert there is not None, "a load or `prepare` has made it"
        return there

    def create(self, part: str, query: str) -> str:
        name = self._session.dialect.quote("ops", f"{self.prefix}_{part}")
        self._session.run(f"drop table if exists {name}")  # of an earlier session with this number
        self._session.run(f"create unlogged table {name} with (autovacuum_enabled = false) as {query}")
        return name

    def make(self, new: RawTable) -> None:
        for statement in create_tables(new):
            self._connection.execute(statement)

    def complete(self, new: RawTable) -> None:
        for statement in create_keys(new):
            self._connection.execute(statement)
        self.analyze(*(self._session.dialect.quote(*name) for name in (new.name, new.history)))

    def take_place(self, old: RawTable, new: RawTable) -> tuple[str, ...]:
        held = belongings(self._connection, old)
        standing = views.views_on(self._connection, oids_of(self._connection, old))
        self._lock_out_readers(old, standing)
        self._connection.execute(sql.SQL("drop table {}, {}").format(raw_name(old), history_name(old)))
        for (_, name), made in ((old.name, new.name), (old.history, new.history)):
            self._connection.execute(
                sql.SQL("alter table {} rename to {}").format(sql.Identifier(*made), sql.Identifier(name))
            )
            self._rename_indexes(made[1], name)
        give(self._connection, old, held)
        return tuple(
            describe_unfit_views(views.restore_views(self._connection, self._contract.dataset, standing))
        )

    def analyze(self, *tables: str) -> None:
        self._session.run(f"analyze {', '.join(tables)}")

    def _lock_out_readers(self, table: RawTable, standing: Sequence[views.View]) -> None:
        for _ in range(TRIES):
            try:
                with self._connection.transaction():
                    self._connection.execute(
                        sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT))
                    )
                    # Views first, as readers lock them: else we and they might wait for each other.
                    views.drop_views(self._connection, standing)
                    self._connection.execute(
                        sql.SQL("lock table {}, {} in access exclusive mode").format(
                            raw_name(table), history_name(table)
                        )
                    )
                    self._connection.execute("set local lock_timeout = 0")
                return
            except errors.LockNotAvailable:
                time.sleep(PAUSE_SECONDS)
        raise OperatorFault(
            f"raw.{self._contract.dataset} is constantly being read, so it was not replaced; nothing has changed\n"
            "  end the long queries that read it (pg_stat_activity), then run the rebuild again"
        )

    def _rename_indexes(self, made: str, name: str) -> None:
        """Indexes go by the name of their table, where that is not too long."""
        rows = self._connection.execute(
            """select c.relname from pg_index join pg_class c on c.oid = indexrelid
               where indrelid = to_regclass(format('raw.%%I', %s::text))""",
            [name],
        ).fetchall()
        for (index,) in rows:
            wanted = index.replace(made, name)
            if len(wanted.encode()) < NAME_BYTES:
                self._connection.execute(
                    sql.SQL("alter index raw.{} rename to {}").format(
                        sql.Identifier(index), sql.Identifier(wanted)
                    )
                )


@contextmanager
def open_rebuild(session: PostgresSession, contract: Contract) -> Iterator[PostgresRebuilding]:
    """A rebuild of a dataset. Raises `OperatorFault` where another session is at it."""
    dataset, connection = contract.dataset, session.connection
    if not scalar(connection, "select pg_try_advisory_lock(%s, hashtext(%s))", [REBUILDING, dataset]):
        raise OperatorFault(f"raw.{dataset} is being rebuilt by another session\n  wait until it ends")
    try:
        try:
            yield PostgresRebuilding(session, contract, stage_cleanup.claim_rebuild(connection))
        finally:
            if not connection.closed:
                stage_cleanup.release_rebuild(connection)
                stage_cleanup.remove_stages(connection)
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s, hashtext(%s))", [REBUILDING, dataset])
