"""Session: statements to a warehouse. One class each; what is asked is the same of all."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.dialect import Dialect, Given
from data_ingestion.errors import LawBroken

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.engine.staged import Staged
    from data_ingestion.merge.accelerators import Accelerators
    from data_ingestion.merge.table import RawTable

Row = tuple[Any, ...]
# In a quoted name a dollar is a part of it.
PARAMETER = re.compile(r'"[^"]*"|\$([a-z_][a-z_0-9]*)')


@lru_cache(4096)
def parameters_of(statement: str) -> tuple[str, ...]:
    """The names of a statement's parameters, each once."""
    return tuple(dict.fromkeys(filter(None, PARAMETER.findall(statement))))


@dataclass(frozen=True)
class Described:
    """A table or view: its columns with their types, and a state that moves with its data."""

    columns: tuple[tuple[str, str], ...]
    is_readable: bool
    state: str


class Session(ABC):
    """A session with a warehouse. What only its operator can mend is raised as `OperatorFault` by every method.

    Statements name parameters as `$name`; in braces stand phrases: `{given}` for rows that are handed over, `{now}`,
    and those that the caller gives.
    """

    dialect: Dialect
    accelerators: Accelerators

    in_transaction = False
    """Whether what is said is part of a transaction: where others may conflict with it."""

    def __init__(self) -> None:
        self._scratch: set[str] = set()

    @abstractmethod
    def execute(self, statement: str, values: Mapping[str, object]) -> tuple[int, list[Row]]:
        """How many rows a statement has touched, and the rows that it returns."""

    @abstractmethod
    def ask(self, statement: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows that a statement returns, by the names of their columns."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """A block that takes effect as a whole or not at all; one within another is part of it."""

    @abstractmethod
    def lock(self, dataset: str) -> None:
        """Takes the dataset's lock until the transaction ends: one merge of a dataset at a time."""

    @abstractmethod
    def draw(self, ids: str, count: int) -> list[int]:
        """As many new ids, ascending: `loads` under the dataset's lock, so that they commit in order; `drops`, …"""

    @abstractmethod
    def insert(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Writes rows, however many, to a table's columns, which are given with their types."""

    @abstractmethod
    def hold_attempts(self, attempt_ids: Sequence[int]) -> None:
        """Shows other sessions, as long as this one lives, that these attempts are under way."""

    @abstractmethod
    def release_attempts(self, attempt_ids: Sequence[int]) -> None:
        """Ends that."""

    @property
    @abstractmethod
    def attempt_is_lost(self) -> str:
        """The condition on `attempt_id` that the session of an attempt which has not ended is gone."""

    @abstractmethod
    def close(self) -> None:
        """Ends the session."""

    @property
    def is_lost(self) -> bool:
        """Whether the session has ended by itself, so that it is not known what was committed last."""
        return False

    def exclusive(self, task: str, dataset: str) -> AbstractContextManager[None]:
        """A block that one session at a time is in for a task and dataset, where several can write at all."""
        return nullcontext()

    def snapshot(self) -> AbstractContextManager[None]:
        """A transaction in which all that is read is of one moment, whatever commits meanwhile."""
        return self.transaction()

    @abstractmethod
    def describe(self, schema: str, relation: str) -> Described | None:
        """A table or view; None where there is none of that name."""

    def prepare_scratch(self, contract: Contract) -> None:  # noqa: B027 - most engines have nothing to do
        """Makes the tables that a merge of the dataset needs, where a transaction can make none."""

    @abstractmethod
    def raw_table(self, contract: Contract) -> RawTable:
        """The dataset's raw table with its former columns, under the dataset's lock."""

    @abstractmethod
    def drop_stage(self, staged: Staged) -> None:
        """Removes a stage that the end of the transaction would not."""

    def rows_moved(self, table: tuple[str, str]) -> int | None:
        """Rows added to a table in this transaction less those deleted, where the engine counts them by itself."""
        return None

    # What follows is the same everywhere.

    def run(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None, **values: object
    ) -> int:
        """How many rows a statement has touched."""
        return self.execute(*self._bind(text, rows, phrases, values))[0]

    def rows(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None, **values: object
    ) -> list[Row]:
        """The rows that a statement returns."""
        return self.execute(*self._bind(text, rows, phrases, values))[1]

    def dicts(self, text: str, **values: object) -> list[dict[str, Any]]:
        """The rows that a statement returns, by the names of their columns."""
        return self.ask(*self._bind(text, None, None, values))

    def row(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None, **values: object
    ) -> Row | None:
        """The first row that a statement returns."""
        found = self.rows(text, rows, phrases, **values)
        return found[0] if found else None

    def one(self, text: str, phrases: Mapping[str, str] | None = None, **values: object) -> Any:
        """The one value that a statement returns."""
        row = self.row(text, None, phrases, **values)
        assert row is not None
        return row[0]

    def scratch(
        self,
        name: str,
        query: str,
        rows: Given | None = None,
        phrases: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        """Makes a table of this transaction alone from a query, in place of one of that name."""
        if name in self._scratch:
            self.execute(f"drop table {name}", {})
        self.run(self.dialect.scratch(name, query), rows, phrases, **values)
        self._scratch.add(name)

    def insert_from(
        self,
        table: str,
        columns: Sequence[str],
        query: str,
        phrases: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        """Writes the rows of a query to a table's columns, with the id that the table gives to each."""
        self.run(f"insert into {table} ({', '.join(columns)}) {query}", None, phrases, **values)

    def upsert(self, table: str, key: Sequence[str], rows: Given, *, insert: bool = True) -> None:
        """Has rows of a table be as the given ones, found by their key; those that are not there are added."""
        columns = list(rows.columns)
        same = " and ".join(f"t.{name} = g.{name}" for name in key)
        others = ", ".join(f"{name} = g.{name}" for name in columns if name not in key)
        update = f"update {table} t set {others} from {{given}} g where {same}"
        wanted = len(rows.columns[key[0]][1])
        done = self.run(update, rows)
        if insert and done < wanted:
            done += self.run(
                f"insert into {table} ({', '.join(columns)}) "
                f"select {', '.join(f'g.{name}' for name in columns)} from {{given}} g "
                f"where not exists (select 1 from {table} t where {same}) {{unless_there}}",
                rows,
            )
            if done < wanted:  # another session has added one of them meanwhile
                done = self.run(update, rows)
        if done != wanted:
            raise LawBroken(f"{wanted} rows of {table} to be written, {done} were")

    def _bind(
        self, text: str, rows: Given | None, phrases: Mapping[str, str] | None, values: Mapping[str, object]
    ) -> tuple[str, Mapping[str, object]]:
        dialect = self.dialect
        known = {
            "now": dialect.now,
            "explicit_ids": dialect.explicit_ids,
            "unless_there": dialect.unless_there,
            "blob": dialect.type_of("blob"),
            **(phrases or {}),
        }
        if rows is None or "{given}" not in text:
            return text.format_map(known), values
        known["given"], handed_over = self._hand_over(rows)
        return text.format_map(known), {**values, **handed_over}

    def _hand_over(self, rows: Given) -> tuple[str, Mapping[str, object]]:
        """Rows as a table in a statement, and the values of its parameters."""
        return self.dialect.rows(rows), self.dialect.parameters(rows)
