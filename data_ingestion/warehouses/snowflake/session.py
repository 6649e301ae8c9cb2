"""Session with Snowflake: one writer at a time, whose transactions begin with the lock and hold no DDL."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.counting import CountingSession
from data_ingestion.engine.lease import LeaseKeeper, take_leases
from data_ingestion.engine.retry import until_committed
from data_ingestion.engine.session import Described, Row
from data_ingestion.errors import LawBroken
from data_ingestion.merge.accelerators import Accelerators
from data_ingestion.merge.scratch import scratch_tables
from data_ingestion.merge.table import POSITION, RawTable
from data_ingestion.warehouses.plain import tables
from data_ingestion.warehouses.snowflake import statements
from data_ingestion.warehouses.snowflake.dialect import SnowflakeDialect, contract_type
from data_ingestion.warehouses.snowflake.place import Place

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.engine.dialect import Given
    from data_ingestion.engine.staged import Staged

# Every writer's first statement: it holds the row until its transaction ends. INSERT and COPY alone lock nothing.
LOCK = "update ops.writer set one = one + 1"
READS = re.compile(r"\s*(select|with|show|describe)\b", re.IGNORECASE)
# A role that may make no schema is refused even where it is there.
CREATES_SCHEMA = re.compile(r"\s*create schema if not exists (\w+)", re.IGNORECASE)
SCHEMA = "select 1 from information_schema.schemata where schema_name = $name"
# Snowflake commits an open transaction before each of them.
COMMITS = re.compile(r"\s*(create|alter|drop|truncate|grant|put|remove|use|comment)\b", re.IGNORECASE)


class SnowflakeSession(CountingSession):
    """A connection to an account."""

    dialect: SnowflakeDialect

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.dialect = SnowflakeDialect()
        self.accelerators = Accelerators()
        self._connection: Any = None
        self._has_begun = self._has_written = self._is_alone = False
        self._has_schema = self._is_prepared = False
        self._shapes: dict[str, dict[str, str]] = {}
        self._filled: set[str] = set()
        self._stages: set[str] = set()
        self._leases = LeaseKeeper(lambda: SnowflakeSession(place))

    @property
    def connection(self) -> Any:
        """The driver's connection."""
        if self._connection is None:
            with statements.faults():
                self._connection = self.place.connect()
        return self._connection

    def execute(self, statement: str, values: Mapping[str, object]) -> tuple[int, list[Row]]:
        cursor = self._execute(statement, values)
        rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        changed = statements.changed_rows([one.name for one in cursor.description or ()], rows)
        return (len(rows), rows) if changed is None else (changed, [])

    def ask(self, statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        cursor = self._execute(statement, values)
        names = [one.name.lower() for one in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _execute(self, statement: str, values: Mapping[str, object]) -> Any:
        reads = READS.match(statement)
        if self._is_alone:
            made = CREATES_SCHEMA.match(statement)
            if made and self.row(SCHEMA, name=made[1].upper()):
                return self.outside("select 'is there'")
            return self.outside(statement if reads else statements.repeatable(statement), values)
        commits = COMMITS.match(statement)
        if (reads or commits) and not self.in_transaction:
            return self.outside(statement, values)
        if not self.in_transaction:  # a single statement that writes is also a transaction
            return until_committed(self, lambda: self._write(statement, values), "a statement")
        if commits:
            raise LawBroken(f"Snowflake would commit the transaction here: {statement[:100]}")
        self._begin()
        self._has_written = self._has_written or not reads
        return self._ask_server(statement, values)

    def _write(self, statement: str, values: Mapping[str, object]) -> Any:
        with self.transaction():
            return self._execute(statement, values)

    def outside(self, statement: str, values: Mapping[str, object] | None = None) -> Any:
        """Has the server run a statement that is not part of the transaction, which has not begun yet."""
        if self._has_begun:
            raise LawBroken(f"the transaction has begun: {statement[:100]}")
        return self._ask_server(statement, values or {})

    def _ask_server(self, statement: str, values: Mapping[str, object]) -> Any:
        text, bound = statements.translated(statement, values)
        with statements.faults():
            return self.connection.cursor().execute(text, bound or None)

    def _begin(self) -> None:
        if not self._has_begun:
            self._ask_server("begin", {})
            self._has_begun = True
            if not self.is_read_only:
                self._ask_server(LOCK, {})

    def _undo(self) -> None:
        if self._has_begun:
            self._has_begun = False
            with suppress(Exception):  # of a lost session, the server does it
                self._ask_server("rollback", {})
        self._has_written = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begins with the first statement: files are read, and tables made, before it."""
        if self.in_transaction or self._is_alone:
            yield
            return
        self._scratch.clear()
        self.in_transaction = True
        try:
            yield
            if self._has_begun:
                self._ask_server("commit", {})
                self._has_begun = False
        finally:
            self._undo()
            self.in_transaction = self._is_prepared = False
            self._scratch.clear()

    def leave(self) -> None:
        """Ends the transaction where nothing was written in it yet; it begins again with the next statement."""
        if self._has_begun and self._has_written:
            raise LawBroken("the transaction has written: nothing can be done outside of it now")
        self._undo()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block each statement of which commits by itself, as DDL does anyway: it has to bear being cut off."""
        self._is_alone = True
        try:
            yield
        finally:
            self._is_alone = False

    def lock(self, dataset: str) -> None:
        """The transaction holds the lock of all datasets; what is alone holds none."""
        if not self._is_alone:
            self._begin()

    def prepare_scratch(self, contract: Contract, *, positions: bool = False) -> None:
        if self._is_prepared:  # by what has filled the stage
            return
        self.leave()
        self.use_schema()
        table = RawTable(contract)
        with self.alone():
            there = self.describe(*table.name)
        types = {**dict(there.columns if there else ()), **table.types}
        table = RawTable(contract, tuple(name for name in types if name not in table.types))
        wanted = scratch_tables(table, types, positions=positions)
        for name, columns in wanted.items():
            if self._shapes.get(name) != columns:
                self.outside(f"create or replace temporary table {name} ({self._columns(columns)})")
                self._shapes[name] = columns
                self._filled.discard(name)
        self._is_prepared = True

    def use_schema(self) -> None:
        """Has temporary tables and stages be made beside the ledger."""
        if not self._has_schema:
            self.outside("use schema ops")
            self._has_schema = True

    def use_stage(self, name: str) -> None:
        """Has files be put to a stage of this session alone."""
        if name not in self._stages:
            self.outside(f"create temporary stage if not exists {name}")
            self._stages.add(name)

    def _columns(self, types: Mapping[str, str]) -> str:
        return ", ".join(
            f"{self.dialect.quote(name)} {self.dialect.type_of(kind)}" for name, kind in types.items()
        )

    def scratch(
        self,
        name: str,
        query: str,
        rows: Given | None = None,
        phrases: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        if name in self._filled:
            self.run(f"delete from {name}")
        self._filled.add(name)
        statement, bound = self._bind(query, rows, phrases, values)
        position = self.dialect.quote(POSITION)
        columns = [
            column
            for column in self.dialect.names(self._shapes[name]).split(", ")
            if column != position or position in statement
        ]
        into = f"{name} ({', '.join(columns)})"
        self.execute(self.dialect.scratch(into, statement), bound)

    def hold_attempts(self, attempt_ids: Sequence[int]) -> None:
        take_leases(self, attempt_ids)
        self._leases.hold(attempt_ids)

    def release_attempts(self, attempt_ids: Sequence[int]) -> None:
        self._leases.release(attempt_ids)

    @property
    def attempt_is_lost(self) -> str:
        return "coalesce(lease_until, started_at) < current_timestamp()"

    def describe(self, schema: str, relation: str) -> Described | None:
        """Writes are not counted in the information schema, so the state is the moment of the last change."""
        rows = self.rows(
            """select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
               from information_schema.columns where table_schema = $schema and table_name = $relation
               order by ordinal_position""",
            schema=schema.upper(),
            relation=relation.upper(),
        )
        columns = tuple((str(name).lower(), contract_type(str(kind), *sizes)) for name, kind, *sizes in rows)
        return Described(columns, True, str(time.time_ns())) if columns else None

    def raw_table(self, contract: Contract) -> RawTable:
        return tables.raw_table(self, contract)

    def drop_stage(self, staged: Staged) -> None:
        """The next one takes its place; it is gone with the session."""

    def close(self) -> None:
        self._leases.close()
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None
