"""Session with DuckDB: a file that one process at a time writes to, opened when it is first needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb

from data_ingestion.engine.counting import CountingSession
from data_ingestion.engine.session import Described, Row, parameters_of
from data_ingestion.errors import OperatorFault, UsageFault
from data_ingestion.excerpts import shorten
from data_ingestion.merge.accelerators import Accelerators
from data_ingestion.warehouses.duckdb.dialect import DuckdbDialect
from data_ingestion.warehouses.plain import tables

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.engine.staged import Staged
    from data_ingestion.merge.table import RawTable

MOST_OF_AN_ANSWER = 500
# What contracts call the types that DuckDB names otherwise.
CONTRACT_TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


class DuckdbSession(CountingSession):
    """A connection to a DuckDB file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.dialect = DuckdbDialect()
        self.accelerators = Accelerators()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._in_transaction = False

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The driver's connection."""
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open(str(self.path), read_only=False)
        return self._connection

    def open_read_only(self) -> None:
        """Has the session see the file as it is; one that is not there is empty, and stays so."""
        if self.path.exists():
            self._connection = self._open(str(self.path), read_only=True)
        else:
            self._connection = self._open(":memory:", read_only=False)

    def _open(self, database: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        with self._faults():
            connection = duckdb.connect(database, read_only=read_only)
        connection.execute("set timezone = 'UTC'")
        # The name of a missing table must not be looked up among Python's variables.
        connection.execute("set python_enable_replacements = false")
        return connection

    def execute(self, statement: str, values: Mapping[str, object]) -> tuple[int, list[Row]]:
        found = self._execute(statement, values)
        rows = found.fetchall() if found.description else []
        return (rows[0][0] if _is_count(found, rows) else len(rows)), rows

    def ask(self, statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        found = self._execute(statement, values)
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def query(self, statement: str) -> list[dict[str, Any]]:
        """What a person's query returns, by the names of its columns. Raises `UsageFault` for one that is wrong."""
        try:
            return self.ask(statement, {})
        except duckdb.Error as error:
            raise UsageFault(
                f"the query failed: {shorten(str(error), MOST_OF_AN_ANSWER)}\n  correct it"
            ) from error

    def _execute(self, statement: str, values: Mapping[str, object]) -> duckdb.DuckDBPyConnection:
        names = parameters_of(statement)
        with self._faults():
            if names:
                return self.connection.execute(statement, {name: values[name] for name in names})
            return self.connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._in_transaction:
            yield
            return
        self._scratch.clear()
        self._execute("begin", {})
        self._in_transaction = True
        try:
            yield
            self._execute("commit", {})
        except BaseException:
            with suppress(duckdb.Error, OperatorFault):
                self._execute("rollback", {})
            raise
        finally:
            self._in_transaction = False
            self._scratch.clear()

    def describe(self, schema: str, relation: str) -> Described | None:
        """DuckDB counts no writes, so the state is another each time."""
        columns = self.rows(
            """select column_name, data_type from duckdb_columns()
               where database_name = current_database() and schema_name = $schema and table_name = $relation
               order by column_index""",
            schema=schema,
            relation=relation,
        )
        named = tuple((name, contract_type(kind)) for name, kind in columns)
        return Described(named, True, str(uuid4())) if named else None

    def lock(self, dataset: str) -> None:
        """No other process can write to the file."""

    def hold_attempts(self, attempt_ids: Sequence[int]) -> None:
        """What another process has started and not ended can't be under way."""

    def release_attempts(self, attempt_ids: Sequence[int]) -> None:
        """As above."""

    @property
    def attempt_is_lost(self) -> str:
        return "true"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def raw_table(self, contract: Contract) -> RawTable:
        return tables.raw_table(self, contract)

    def drop_stage(self, staged: Staged) -> None:
        """The next one takes its place."""

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Raises what only the operator of the file can mend as such."""
        try:
            yield
        except (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException) as error:
            raise OperatorFault(
                f"{self.path}: {shorten(str(error).splitlines()[0], MOST_OF_AN_ANSWER)}\n  {_remedy(error)}"
            ) from error


def contract_type(kind: str) -> str:
    """A type of DuckDB's as contracts call it."""
    if size := _DECIMAL.fullmatch(kind):
        return f"numeric({size[1]},{size[2]})"
    return CONTRACT_TYPES.get(kind, kind.lower())


def _is_count(found: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> bool:
    """Whether a statement says how many rows it touched, rather than returning rows."""
    names = [name for name, *_ in found.description or ()]
    return names == ["Count"] and len(rows) == 1


def _remedy(error: duckdb.Error) -> str:
    match error:
        case duckdb.IOException() if "lock" in str(error):
            return "one process at a time writes to a DuckDB file: wait until the other has ended"
        case duckdb.OutOfMemoryException():
            return "give DuckDB more memory, then run again"
    return "see that the file lies in a folder that can be written to, then run again"
