"""Table: a dataset's raw table and its history, as a contract asks for them, and statements over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from data_ingestion.checks import LINE, TEXT_SUFFIX
from data_ingestion.contract import Contract, KeyRule
from data_ingestion.engine.dialect import Dialect, Given
from data_ingestion.engine.session import Row, Session

KEY, OCCURRENCE = "_key", "_occurrence"
OWNERSHIP = ("_drop_id", "_load_id", LINE)
POSITION = "_position"  # of a row's drop in its batch


@dataclass(frozen=True)
class RawTable:
    """Names and columns of a dataset's raw table.

    `former` are columns that earlier contracts had. They are null in every row that is read under this one; in a row
    that is not, they hold the values of its own drop. `rebuilt_as` is what names begin with while the table is made
    again, beside the one that readers see.
    """

    contract: Contract
    former: tuple[str, ...] = ()
    rebuilt_as: str | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Schema and name."""
        return "raw", f"{self.rebuilt_as}_raw" if self.rebuilt_as else self.contract.dataset

    @property
    def history(self) -> tuple[str, str]:
        """Schema and name of its history."""
        return "raw", f"{self.rebuilt_as or self.contract.dataset}__history"

    @property
    def by_occurrence(self) -> bool:
        """Whether rows are identified by their content and its occurrence number within the drop."""
        return self.contract.key.rule is KeyRule.OCCURRENCE

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return (KEY,) if self.by_occurrence else self.contract.key.columns

    @property
    def hashed(self) -> str:
        """What `_key` is a hash of."""
        return f"hash of {', '.join(self.contract.key.columns)} and the occurrence number"

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """Columns that the loader adds in front to tell rows apart."""
        return (KEY, OCCURRENCE) if self.by_occurrence else ()

    @cached_property
    def content(self) -> dict[str, str]:
        """The contract's columns and kept texts with their types, in order."""
        types: dict[str, str] = {}
        for column in self.contract.columns:
            types[column.name] = column.physical_type
            if column.keep_text:
                types[column.name + TEXT_SUFFIX] = "text"
        return types

    @property
    def content_beside_key(self) -> frozenset[str]:
        """The contract's columns and kept texts that are no part of the key."""
        return frozenset(self.content) - frozenset(self.key)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column of the raw table that a row read under this contract fills."""
        return (*self.identity, *self.content, *OWNERSHIP)

    @cached_property
    def all_columns(self) -> tuple[str, ...]:
        """These and the former ones: what goes with a row that moves between raw and the history."""
        return (*self.columns, *self.former)

    @cached_property
    def types(self) -> dict[str, str]:
        """Every column of the raw table with its type."""
        identity = {KEY: "uuid", OCCURRENCE: "integer"} if self.by_occurrence else {}
        return {**identity, **self.content, **dict.fromkeys(OWNERSHIP, "bigint")}

    def stage_types(self, *, positions: bool) -> dict[str, str]:
        """Every column of a stage with its type; with `positions` it is for several drops."""
        types = {name: kind for name, kind in self.types.items() if name not in ("_drop_id", "_load_id")}
        return {**types, POSITION: "integer"} if positions else types

    def is_required(self, name: str) -> bool:
        """Whether a raw column can't be null."""
        if name.startswith("_"):
            return True
        column = next((column for column in self.contract.columns if column.name == name), None)
        return column is not None and (column.required or name in self.key)


@dataclass(frozen=True)
class TableStatements:
    """Statements over a dataset's tables, which they name by phrases."""

    session: Session
    table: RawTable

    def run(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None, **values: object
    ) -> int:
        """How many rows a statement has touched."""
        return self.session.run(text, rows, {**self.phrases, **(phrases or {})}, **values)

    def rows(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None, **values: object
    ) -> list[Row]:
        """The rows that a statement returns."""
        return self.session.rows(text, rows, {**self.phrases, **(phrases or {})}, **values)

    def scratch(
        self,
        name: str,
        query: str,
        rows: Given | None = None,
        phrases: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        """Makes a table of this transaction alone from a query."""
        self.session.scratch(name, query, rows, {**self.phrases, **(phrases or {})}, **values)

    @cached_property
    def phrases(self) -> dict[str, str]:
        table, dialect = self.table, self.session.dialect
        content = (*table.identity, *table.content)
        return {
            "raw": dialect.quote(*table.name),
            "history": dialect.quote(*table.history),
            "columns": dialect.names(table.columns),
            "all_columns": dialect.names(table.all_columns),
            "content": dialect.names(content),
            "line": dialect.quote(LINE),
            "occurrence": dialect.quote(OCCURRENCE),
            "own_key": dialect.quote(KEY),
            "key": dialect.names(table.key),
            "line_and_former": dialect.names((LINE, *table.former)),
            **{f"content_of_{alias}": dialect.names(content, alias) for alias in "srf"},
            **{f"all_columns_of_{alias}": dialect.names(table.all_columns, alias) for alias in "rh"},
            **{f"key_of_{alias}": dialect.names(table.key, alias) for alias in "srhc"},
            **{
                f"same_key_{left}{right}": dialect.equal(table.key, left, right)
                for left, right in ("rs", "rf", "fs", "hs", "hf", "rh", "hr", "rm", "hm")
            },
            "s_differs_from_r": dialect.differ(table.content, "s", "r") + _or_former(dialect, table),
            "s_differs_from_k": dialect.differ(table.content, "s", "k"),
            "assignments": _assignments(dialect, table),
        }


def _or_former(dialect: Dialect, table: RawTable) -> str:
    """The rest of a condition: or the row of raw has a value in a former column."""
    return "".join(f" or {dialect.column(name, 'r')} is not null" for name in table.former)


def _assignments(dialect: Dialect, table: RawTable) -> str:
    """What an update to the content of `f` sets; former columns become null."""
    assigned = [f"{dialect.quote(name)} = {dialect.column(name, 'f')}" for name in table.content]
    return ", ".join(assigned + [f"{dialect.quote(name)} = null" for name in table.former])
