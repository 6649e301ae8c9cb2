"""Engines whose sessions are known by leases: Redshift and Snowflake, on their stand-ins or live."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import redshift_connector
import snowflake.connector

from data_ingestion.errors import OperatorFault, WarehouseLost
from data_ingestion.warehouses.redshift import RedshiftWarehouse
from data_ingestion.warehouses.redshift.place import Place as RedshiftPlace
from data_ingestion.warehouses.redshift.session import RedshiftSession
from data_ingestion.warehouses.snowflake import SnowflakeWarehouse
from data_ingestion.warehouses.snowflake.place import Place as SnowflakePlace
from data_ingestion.warehouses.snowflake.session import SnowflakeSession
from tests.conformance.engine import Engine, Fuse
from tests.stand_ins import snowflake_server
from tests.stand_ins.redshift import RedshiftStandIn


class FuseRedshiftSession(RedshiftSession):
    """The same of a Redshift."""

    def _ask_server(self, statement: str, values: Mapping[str, object]) -> Any:
        if statement != "rollback":
            Fuse.burn(self)
        return super()._ask_server(statement, values)


class LeasedEngine(Engine):
    """A warehouse that does not show other sessions: what was cut off counts as alive until its lease ends."""

    def connect(self) -> Any:
        """A warehouse over a session of its own."""
        raise NotImplementedError

    def let_leases_end(self) -> None:
        """As if the time of all leases had passed."""
        raise NotImplementedError

    def _refuse(self, session: Any) -> None:
        raise NotImplementedError

    def _end(self, session: Any) -> None:
        raise NotImplementedError

    def break_after(self, statements: int, act: Callable[[], object], *, refuse: bool) -> None:
        Fuse.light(statements, self._refuse if refuse else self._end)
        with suppress(*self.breaks_with):
            act()
        Fuse.put_out()
        self.warehouse.close()
        self.warehouse = self.connect()
        self.let_leases_end()


class RedshiftEngine(LeasedEngine):
    """A stand-in for Redshift, with its staged files in a folder."""

    name = "redshift"
    breaks_with = (redshift_connector.Error, OperatorFault)
    refusal = "division by zero"
    warehouse: RedshiftWarehouse

    def __init__(self, folder: Path, url: str, conflicts: float = 0.0, seed: int = 0) -> None:
        self.stand_in = RedshiftStandIn(url, conflicts, seed)
        self.staging = folder / "staging"
        os.environ["GOLDWORKS_STAGING_URL"] = "s3://a-bucket/a-folder"
        self.place = replace(RedshiftPlace.of(self.stand_in.url), staging=str(self.staging))
        self.warehouse = self.connect()
        self.warehouse.migrate()
        self.let_leases_end()

    def connect(self) -> RedshiftWarehouse:
        """A session of its own."""
        return RedshiftWarehouse(FuseRedshiftSession(self.place))

    def let_leases_end(self) -> None:
        """As if the time of all leases had passed."""
        self.warehouse.session.run(
            "update ops.loads set lease_until = sysdate - interval '1 second' where state = 'started'"
        )

    def empty(self) -> None:
        super().empty()
        self.warehouse.session.run("update ops.counters set last = 0")

    def _refuse(self, session: RedshiftSession) -> None:
        session.connection.cursor().execute("select 1 / 0")

    def _end(self, session: RedshiftSession) -> None:
        session.connection.close()

    def close(self) -> None:
        super().close()
        self.stand_in.close()


class LiveRedshiftEngine(RedshiftEngine):
    """A Redshift itself, in the database of GOLDWORKS_WAREHOUSE_URL."""

    def __init__(self) -> None:
        self.place = RedshiftPlace.of(os.environ["GOLDWORKS_WAREHOUSE_URL"])
        self.warehouse = self.connect()
        self.warehouse.migrate()
        self.let_leases_end()

    def close(self) -> None:
        self.warehouse.close()


class FuseSnowflakeSession(SnowflakeSession):
    """The same of an account."""

    def _ask_server(self, statement: str, values: Mapping[str, object]) -> Any:
        Fuse.burn(self)
        return super()._ask_server(statement, values)


class SnowflakeEngine(LeasedEngine):
    """A database on the stand-in for Snowflake (tests/stand_ins/fake_snowflake.py)."""

    name = "snowflake"
    breaks_with = (snowflake.connector.Error, OperatorFault)
    can_rebuild = False
    warehouse: SnowflakeWarehouse

    def __init__(self, folder: Path) -> None:
        database = f"gw_{hashlib.md5(str(folder).encode()).hexdigest()}"
        os.environ.pop("GOLDWORKS_STAGING_URL", None)  # of another engine: files go to an internal stage
        self.place = SnowflakePlace.of(snowflake_server.url(database))
        session = SnowflakeSession(self.place)
        session.outside(f"create database if not exists {database}")
        session.close()
        self.warehouse = self.connect()
        self.warehouse.migrate()
        self.let_leases_end()

    def connect(self) -> SnowflakeWarehouse:
        """A session of its own."""
        return SnowflakeWarehouse(FuseSnowflakeSession(self.place))

    def let_leases_end(self) -> None:
        """As if time had passed: transactions without a client are undone, and leases that no one renews are over."""
        snowflake_server.abandon()
        self.warehouse.session.run("update ops.loads set lease_until = started_at where state = 'started'")

    def _refuse(self, session: SnowflakeSession) -> None:
        SnowflakeSession._ask_server(
            session, "select cast('DivisionByZero: as a test wants it' as integer)", {}
        )

    def _end(self, session: SnowflakeSession) -> None:
        session.connection.close()
        raise WarehouseLost("the session ended")


class LiveSnowflakeEngine(SnowflakeEngine):
    """An account of Snowflake's, in the database of GOLDWORKS_WAREHOUSE_URL."""

    def __init__(self) -> None:
        self.place = SnowflakePlace.of(os.environ["GOLDWORKS_WAREHOUSE_URL"])
        self.warehouse = self.connect()
        self.warehouse.migrate()
        self.let_leases_end()

    def let_leases_end(self) -> None:
        """A transaction whose client is gone is undone by the account itself."""
        self.warehouse.session.run("update ops.loads set lease_until = started_at where state = 'started'")
