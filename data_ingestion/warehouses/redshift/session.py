"""Session with Redshift: one writer at a time, whose transactions begin with the lock."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from redshift_connector.error import Error, ProgrammingError

from data_ingestion.engine.retry import until_committed
from data_ingestion.engine.session import PARAMETER, Described, Row, parameters_of
from data_ingestion.errors import OperatorFault, TransactionConflict, WarehouseLost
from data_ingestion.excerpts import cut, shorten
from data_ingestion.merge.accelerators import Accelerators
from data_ingestion.staging.copying import CopyingSession
from data_ingestion.warehouses.plain import tables
from data_ingestion.warehouses.redshift.dialect import TEXT_BYTES, RedshiftDialect
from data_ingestion.warehouses.redshift.place import Place

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.engine.dialect import Given
    from data_ingestion.engine.staged import Staged
    from data_ingestion.merge.table import RawTable
    from data_ingestion.staging.csv_parts import CsvFiles

# The snapshot that a transaction reads is taken by its first statement, so the lock has to be that one: taken later,
# what was committed meanwhile would not be seen, or would end the transaction with error 1023.
LOCK = "lock table ops.writer"
# A serializable isolation violation, and a deadlock: nothing is wrong but the moment.
CONFLICTS = re.compile(r"\b1023\b|serializable isolation violation|deadlock detected", re.IGNORECASE)
LOST = re.compile(
    r"connection is closed|BrokenPipe|communication error|terminating connection", re.IGNORECASE
)
MOST_OF_AN_ANSWER = 500
READS = re.compile(r"\s*(select|with|explain)\b", re.IGNORECASE)
CONTRACT_TYPES = {
    f"character varying({TEXT_BYTES})": "text",
    "character varying(36)": "uuid",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}


class RedshiftSession(CopyingSession):
    """A connection to a cluster or a workgroup."""

    dialect: RedshiftDialect
    text_bytes = TEXT_BYTES

    def __init__(self, place: Place) -> None:
        super().__init__(place.staging)
        self.place = place
        self.dialect = RedshiftDialect()
        self.accelerators = Accelerators()
        self._connection: Any = None
        self._has_begun = self._is_lost = False

    @property
    def connection(self) -> Any:
        """The driver's connection."""
        if self._connection is None:
            with self._faults():
                self._connection = self.place.connect()
            self._connection.autocommit = True
            self._ask_server("set timezone to 'UTC'", {})
        return self._connection

    @property
    def is_lost(self) -> bool:
        return self._is_lost

    def execute(self, statement: str, values: Mapping[str, object]) -> tuple[int, list[Row]]:
        return _answer(self._execute(statement, values))

    def ask(self, statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        cursor = self._execute(statement, values)
        names = [name for name, *_ in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _execute(self, statement: str, values: Mapping[str, object]) -> Any:
        if self.in_transaction:
            self._begin()
            return self._ask_server(statement, values)
        if READS.match(statement):
            return self._ask_server(statement, values)
        # A single statement that writes is also a transaction.
        return until_committed(self, lambda: self._write(statement, values), "a statement")

    def _write(self, statement: str, values: Mapping[str, object]) -> Any:
        with self.transaction():
            return self._execute(statement, values)

    def _begin(self) -> None:
        if not self._has_begun:
            self._ask_server("begin", {})
            self._has_begun = True
            if not self.is_read_only:
                self._ask_server(LOCK, {})

    def _ask_server(self, statement: str, values: Mapping[str, object]) -> Any:
        cursor = self.connection.cursor()
        cursor.paramstyle = "named"
        with self._faults():
            if names := parameters_of(statement):
                plain = {name: _plain(values[name]) for name in names if values[name] is not None}
                cursor.execute(_named(statement, values), plain)
            else:
                cursor.execute(statement)
        return cursor

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begins with the first statement, so that no lock is held while files are read."""
        if self.in_transaction:
            yield
            return
        self.in_transaction = True
        try:
            yield
            if self._has_begun:
                if gone := [*self._scratch, *self.temporary]:
                    self._ask_server(f"drop table if exists {', '.join(gone)}", {})
                self._ask_server("commit", {})
        except BaseException:
            if self._has_begun:
                with suppress(Exception):  # of a lost session, the server does it
                    self._ask_server("rollback", {})
            raise
        finally:
            self.in_transaction = self._has_begun = False
            self.forget_temporary()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What only reads needs no lock."""
        before, self.is_read_only = self.is_read_only, True
        try:
            with self.transaction():
                yield
        finally:
            self.is_read_only = before

    def lock(self, dataset: str) -> None:
        """The transaction holds the lock of all datasets."""
        self._begin()

    def make_lock(self) -> None:
        """The table that every transaction locks has to be there before the first of them."""
        there = "select 1 from information_schema.tables where table_schema = 'ops' and table_name = 'writer'"
        if not self.rows(there):
            if not self.rows("select 1 from pg_namespace where nspname = 'ops'"):
                self._ask_server("create schema if not exists ops", {})
            self._ask_server("create table if not exists ops.writer (one integer)", {})

    def copy_in(self, files: CsvFiles, types: Mapping[str, str]) -> str:
        """A manifest names every file, since COPY would also take whatever begins with a key.

        No compression is looked for and nothing is counted, in a table that lives for a transaction.
        """
        files.finish()
        name = f"_copied_{uuid4().hex[:12]}"
        columns = ", ".join(
            f"{self.dialect.quote(column)} {self.dialect.type_of(kind)} encode raw"
            for column, kind in types.items()
        )
        self._say(f"create temporary table {name} ({columns}) diststyle even")
        self.temporary.append(name)
        if files.rows:
            entries = [{"url": f"{self.staging_url}/{key}", "mandatory": True} for key in files.keys]
            manifest = files.put("manifest", json.dumps({"entries": entries}).encode())
            self._say(
                f"copy {name} ({self.dialect.names(types)}) from '{self.staging_url}/{manifest}' "
                f"{self.place.authorization} manifest format as csv gzip null as '{files.null}' timeformat 'auto' "
                "compupdate off statupdate off"
            )
        return name

    def _say(self, statement: str) -> list[Row]:
        """A statement about temporary tables, which needs no lock where nothing else is under way."""
        if self.in_transaction:
            self._begin()
        return _answer(self._ask_server(statement, {}))[1]

    def _bind(
        self, text: str, rows: Given | None, phrases: Mapping[str, str] | None, values: Mapping[str, object]
    ) -> tuple[str, Mapping[str, object]]:
        statement, bound = super()._bind(text, rows, phrases, values)
        return self.dialect.spell(statement), bound

    def another(self) -> RedshiftSession:
        return RedshiftSession(self.place)

    @property
    def attempt_is_lost(self) -> str:
        return "coalesce(lease_until, started_at) < sysdate"

    def describe(self, schema: str, relation: str) -> Described | None:
        """By Postgres' catalogue, which Redshift keeps. Writes are not counted there, so the state is the moment."""
        rows = self.rows(
            """select a.attname, format_type(a.atttypid, a.atttypmod)
               from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = $schema and c.relname = $relation and a.attnum > 0 and not a.attisdropped
               order by a.attnum""",
            schema=schema,
            relation=relation,
        )
        columns = tuple((str(name), CONTRACT_TYPES.get(str(kind), str(kind))) for name, kind in rows)
        return Described(columns, True, str(time.time_ns())) if columns else None

    def raw_table(self, contract: Contract) -> RawTable:
        return tables.raw_table(self, contract)

    def drop_stage(self, staged: Staged) -> None:
        """It is dropped with the other temporary tables."""

    def close(self) -> None:
        super().close()
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Raises what only the cluster's operator, or another moment, can mend as such."""
        try:
            yield
        except (Error, OSError) as error:
            answer = error.args[0] if error.args else ""
            message = shorten(
                str(answer["M"] if isinstance(answer, dict) else ": ".join(map(str, error.args))),
                MOST_OF_AN_ANSWER,
            )
            if CONFLICTS.search(message):
                raise TransactionConflict(f"warehouse: {message}\n  run again") from error
            is_open = self._connection is not None
            if is_open and (LOST.search(message) or isinstance(error, OSError)):
                self._is_lost = True
                raise WarehouseLost(
                    f"warehouse: {message}\n  what was under way is undone; run again"
                ) from error
            if is_open and isinstance(error, ProgrammingError):
                raise
            raise OperatorFault(
                f"warehouse: {self.place.host}: {message}\n"
                "  see that it is up and takes connections from here, and that the login is right"
            ) from error


def _answer(cursor: Any) -> tuple[int, list[Row]]:
    """How many rows a statement has touched, and those that it returns."""
    if cursor.description is None:
        return cursor.rowcount, []
    rows = [tuple(row) for row in cursor.fetchall()]
    return len(rows), rows


def _named(statement: str, values: Mapping[str, object]) -> str:
    """A statement with its parameters as the driver takes them, which leaves the types of texts and nulls open."""

    def name(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        if values[found[1]] is None:
            return "null"
        is_typed = found.string.endswith("cast(", 0, found.start())
        if is_typed or not isinstance(values[found[1]], str | bytes | list):
            return f":{found[1]}"
        return f"cast(:{found[1]} as varchar({TEXT_BYTES}))"

    return PARAMETER.sub(name, statement)


def _plain(value: object) -> object:
    """Bytes as their hexadecimal text, a list as texts with commas between them, a text as much of it as is taken."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return cut(value, TEXT_BYTES) if isinstance(value, str) else value
