"""Engines: the warehouses, and the ways through them, that the conformance suite is run on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from data_ingestion.errors import OperatorFault
from data_ingestion.merge.accelerators import Accelerators
from data_ingestion.warehouses.duckdb import DuckdbWarehouse
from data_ingestion.warehouses.duckdb.session import DuckdbSession
from data_ingestion.warehouses.ducklake import DucklakeWarehouse
from data_ingestion.warehouses.ducklake.session import DucklakeSession, Place
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from tests.conformance.engine import NEVER, Engine, Fuse
from tests.conformance.leased_engines import (
    LiveRedshiftEngine,
    LiveSnowflakeEngine,
    RedshiftEngine,
    SnowflakeEngine,
)


class FuseCursor(psycopg.Cursor):
    """A cursor that burns the fuse."""

    def execute(self, *arguments: Any, **named: Any) -> Any:
        Fuse.burn(self)
        return super().execute(*arguments, **named)

    def copy(self, *arguments: Any, **named: Any) -> Any:
        Fuse.burn(self)
        return super().copy(*arguments, **named)


class PostgresEngine(Engine):
    """Postgres with all that makes it faster."""

    name = "postgres"
    breaks_with = (psycopg.Error, OperatorFault)
    warehouse: PostgresWarehouse

    def __init__(self, url: str) -> None:
        self.url = url
        self.other = psycopg.connect(url, autocommit=True)
        self.limits = PlanLimits()
        self.warehouse = self._connect()
        self.warehouse.migrate()

    def _connect(self) -> PostgresWarehouse:
        warehouse = PostgresWarehouse.connect(self.url)
        warehouse.connection.cursor_factory = FuseCursor
        return warehouse

    def prefer(self, limits: PlanLimits) -> None:
        self.warehouse.plan_limits = limits

    def break_after(self, statements: int, act: Callable[[], object], *, refuse: bool) -> None:
        Fuse.light(statements, self._refuse if refuse else self._terminate)
        with suppress(*self.breaks_with):
            act()
        Fuse.put_out()
        if not self._is_alive():
            self.warehouse.close()
            self.warehouse = self._connect()

    def _refuse(self, cursor: psycopg.Cursor) -> None:
        psycopg.Cursor.execute(cursor, "select 1 / 0")

    def _terminate(self, cursor: psycopg.Cursor) -> None:
        pid = cursor.connection.info.backend_pid
        self.other.execute("select pg_terminate_backend(%s)", [pid])
        alive = "select exists (select from pg_stat_activity where pid = %s)"
        while self.other.execute(alive, [pid]).fetchone() == (True,):
            pass

    def _is_alive(self) -> bool:
        try:
            self.warehouse.connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        super().close()
        self.other.close()


class PlainPostgresEngine(PostgresEngine):
    """Postgres by the statements that all warehouses share."""

    name = "postgres-plain"

    def _connect(self) -> PostgresWarehouse:
        warehouse = super()._connect()
        warehouse.session.accelerators = Accelerators()
        warehouse.plan_limits = PlanLimits(copy_bytes=NEVER, large_bytes=NEVER)
        return warehouse

    def prefer(self, limits: PlanLimits) -> None:
        """There is but one way."""


class FuseSession(DuckdbSession):
    """A session that burns the fuse."""

    def _execute(self, statement: str, values: Mapping[str, object]) -> duckdb.DuckDBPyConnection:
        Fuse.burn(self)
        return super()._execute(statement, values)


class DuckdbEngine(Engine):
    """A DuckDB file."""

    name = "duckdb"
    breaks_with = (duckdb.Error, OperatorFault)
    warehouse: DuckdbWarehouse

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"
        self.warehouse = self._connect()
        self.warehouse.migrate()

    def _connect(self) -> DuckdbWarehouse:
        return DuckdbWarehouse(FuseSession(self.path))

    def empty(self) -> None:
        super().empty()
        self.warehouse.session.run("update ops.counters set last = 0")

    def break_after(self, statements: int, act: Callable[[], object], *, refuse: bool) -> None:
        Fuse.light(statements, self._refuse if refuse else self._end)
        with suppress(*self.breaks_with):
            act()
        Fuse.put_out()
        self.warehouse.close()  # as if the process had ended: what was under way is undone
        self.warehouse = self._connect()

    def _refuse(self, session: DuckdbSession) -> None:
        session.connection.execute("select error('DivisionByZero: as a test wants it')")

    def _end(self, session: DuckdbSession) -> None:
        session.connection.close()
        raise duckdb.ConnectionException("the session ended")


class FuseLakeSession(DucklakeSession):
    """The same of a lake."""

    def _execute(self, statement: str, values: Mapping[str, object]) -> duckdb.DuckDBPyConnection:
        Fuse.burn(self)
        return super()._execute(statement, values)


class DucklakeEngine(DuckdbEngine):
    """A lake with its catalogue in a Postgres and its data in a folder."""

    name = "ducklake"

    def __init__(self, folder: Path, url: str) -> None:
        self.place = Place.of(f"ducklake:{url}?data={folder / 'lake'}")
        super().__init__(folder)

    def _connect(self) -> DuckdbWarehouse:
        return DucklakeWarehouse(FuseLakeSession(self.place))


def open_engine(name: str, folder: Path, url: str) -> Engine:
    """The engine of a name."""
    match name:
        case "redshift" if LIVE:
            return LiveRedshiftEngine()
        case "snowflake" if LIVE:
            return LiveSnowflakeEngine()
        case "postgres":
            return PostgresEngine(url)
        case "postgres-plain":
            return PlainPostgresEngine(url)
        case "duckdb":
            return DuckdbEngine(folder)
        case "ducklake":
            return DucklakeEngine(folder, url)
        case "redshift":
            return RedshiftEngine(folder, url)
        case "snowflake":
            return SnowflakeEngine(folder)
    raise ValueError(name)


LIVE = os.environ.get("GOLDWORKS_LIVE")  # the one warehouse that `make test-live` is about, no stand-in of it
ENGINES = (LIVE,) if LIVE else ("postgres", "postgres-plain", "duckdb", "ducklake", "redshift", "snowflake")
