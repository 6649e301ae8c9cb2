"""Raw tables on Postgres: what a contract asks for, and how a table that is there is made to fit it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from psycopg import Connection, sql

from data_ingestion.checks import LINE, TEXT_SUFFIX
from data_ingestion.contract import Contract, KeyRule
from data_ingestion.errors import OperatorFault
from data_ingestion.warehouses.base import Staged
from data_ingestion.warehouses.postgres.session import READERS, has_readers, lock_dataset, names, scalar

KEY, OCCURRENCE = "_key", "_occurrence"
OWNERSHIP = ("_drop_id", "_load_id", LINE)
TEMPORARY_STAGE = sql.Identifier("_stage")
POSITION = "_position"  # of a row's drop in its batch

# What Postgres calls types that contracts name shorter.
FULL_NAMES = {"timestamptz": "timestamp with time zone"}


@dataclass(frozen=True)
class RawTable:
    """Names and columns of a dataset's raw table, ready to be put into statements."""

    contract: Contract

    @property
    def name(self) -> sql.Identifier:
        return sql.Identifier("raw", self.contract.dataset)

    @property
    def history(self) -> sql.Identifier:
        return sql.Identifier("raw", f"{self.contract.dataset}__history")

    @property
    def by_occurrence(self) -> bool:
        """Whether rows are told apart by their content and its occurrence number within the drop."""
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
        """The contract's columns and kept texts with their Postgres types, in order."""
        types: dict[str, str] = {}
        for column in self.contract.columns:
            types[column.name] = column.physical_type
            if column.keep_text:
                types[column.name + TEXT_SUFFIX] = "text"
        return types

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column of the raw table."""
        return (*self.identity, *self.content, *OWNERSHIP)

    @cached_property
    def types(self) -> dict[str, str]:
        """Every column of the raw table with its type."""
        identity = {KEY: "uuid", OCCURRENCE: "integer"} if self.by_occurrence else {}
        return {**identity, **self.content, **dict.fromkeys(OWNERSHIP, "bigint")}

    def is_required(self, name: str) -> bool:
        """Whether a raw column can't be null."""
        if name.startswith("_"):
            return True
        column = next((column for column in self.contract.columns if column.name == name), None)
        return column is not None and (column.required or name in self.key)


@dataclass(frozen=True)
class StagedRows(Staged):
    """What a stage holds, and where."""

    table: sql.Identifier


def create_stage(table: RawTable, name: sql.Identifier, *, positions: bool) -> sql.Composed:
    """A table for checked rows in raw's types: of this transaction alone by the name for that, else for others, too."""
    types = {column: kind for column, kind in table.types.items() if column not in ("_drop_id", "_load_id")}
    if positions:
        types[POSITION] = "integer"
    columns = (sql.SQL("{} " + kind).format(sql.Identifier(column)) for column, kind in types.items())
    is_temporary = name == TEMPORARY_STAGE
    return sql.SQL("create {} table {} ({}) {}").format(
        sql.SQL("temporary" if is_temporary else "unlogged"),
        name,
        sql.SQL(", ").join(columns),
        # plans of the merge count on a stage without statistics
        sql.SQL("on commit drop" if is_temporary else "with (autovacuum_enabled = false)"),
    )


def staged_rows(staged: Staged) -> StagedRows:
    """What this adapter's own stage has told."""
    assert isinstance(staged, StagedRows)
    return staged


def drop_stage(connection: Connection, staged: Staged) -> None:
    """Removes a stage that the end of the transaction would not."""
    if isinstance(staged, StagedRows) and staged.table.as_string().startswith('"ops"'):
        connection.execute(sql.SQL("drop table {}").format(staged.table))


def create_raw(table: RawTable) -> list[sql.Composed]:
    """The statements that make a dataset's raw table and its history."""
    dataset = table.contract.dataset
    key = names(table.key)
    return [
        sql.SQL("create table {} ({}, primary key ({}))").format(table.name, _definitions(table), key),
        *_tell_hashed(table),
        sql.SQL("create index on {} using brin (_drop_id, _load_id) with (autosummarize)").format(table.name),
        sql.SQL("comment on table {} is {}").format(
            table.name, sql.Literal(table.contract.description or dataset)
        ),
        sql.SQL(
            """create table {} ({}, _by_load_id bigint not null,
                   _fate text not null check (_fate in ('waiting', 'replaced', 'withdrawn')))"""
        ).format(table.history, _definitions(table)),
        sql.SQL("create index on {} ({}) where _fate = 'waiting'").format(table.history, key),
        sql.SQL("create index on {} (_drop_id) where _fate = 'waiting'").format(table.history),
        sql.SQL("create index on {} (_by_load_id)").format(table.history),
        sql.SQL("comment on table {} is {}").format(
            table.history,
            sql.Literal(
                f"Rows of {dataset} that left raw: waiting behind a newer drop, replaced or withdrawn by a correction."
            ),
        ),
    ]


def _tell_hashed(table: RawTable) -> list[sql.Composed]:
    """Notes beside `_key` which columns it is a hash of: by other columns, equal rows would no longer meet."""
    if not table.by_occurrence:
        return []
    comment = sql.SQL("comment on column {}.{} is {}")
    return [comment.format(table.name, sql.Identifier(KEY), sql.Literal(table.hashed))]


@dataclass(frozen=True)
class _There:
    """What a dataset's raw table is like by now: types of its columns, those that can't be null, its key."""

    types: dict[str, str]
    required: frozenset[str]
    key: tuple[str, ...]
    hashed: str | None


def prepare(connection: Connection, contract: Contract) -> None:
    """Makes the raw table and its history, or adds the columns that the contract has gained.

    A column that the contract no longer has stays, and is null in new rows. Raises `OperatorFault` for a column
    whose type, or for a key, that the table holds otherwise: that is a migration to decide on.
    """
    table = RawTable(contract)
    if (there := _look(connection, contract.dataset)) and not _changes(table, there):
        return
    with connection.transaction():
        lock_dataset(connection, contract.dataset)
        there = _look(connection, contract.dataset)
        if there is None:
            _refuse_lone_history(connection, table)
        for statement in _changes(table, there) if there else create_raw(table):
            connection.execute(statement)
        if there is None:
            connection.execute(
                """insert into ops.datasets (dataset) values (%s)
                   on conflict (dataset) do update set raw_rows = 0""",
                [contract.dataset],
            )
            # Drops of a table that was dropped are as no contract made them: the next plan replays them.
            connection.execute(
                "update ops.drops set fingerprint = '' where dataset = %s and ended_at is null",
                [contract.dataset],
            )
        if has_readers(connection):
            grant = sql.SQL("grant select on {}, {} to {}")
            connection.execute(grant.format(table.name, table.history, sql.Identifier(READERS)))


def _refuse_lone_history(connection: Connection, table: RawTable) -> None:
    name = table.history.as_string(connection)
    if scalar(connection, "select to_regclass(%s)", [name]):
        raise OperatorFault(
            f"{name} is there, but its raw table is not: somebody has dropped it\n"
            "  drop the history, too: the next two loads bring in anew what lies on the landing"
        )


def _changes(table: RawTable, there: _There) -> list[sql.Composed]:
    """The statements that make the table fit. A new column is null until the changed contract has loaded again."""
    _refuse_other_types(table, there)
    statements = []
    for name in (table.name, table.history):
        for column, kind in table.types.items():
            if column not in there.types:
                add = sql.SQL("alter table {} add column {} " + kind)
                statements.append(add.format(name, sql.Identifier(column)))
        for column in sorted(name for name in there.required if not table.is_required(name)):
            loosen = sql.SQL("alter table {} alter column {} drop not null")
            statements.append(loosen.format(name, sql.Identifier(column)))
    return statements if there.hashed else statements + _tell_hashed(table)


def _look(connection: Connection, dataset: str) -> _There | None:
    rows = connection.execute(
        """select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, array_position(i.indkey, a.attnum),
                  col_description(a.attrelid, a.attnum)
           from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
           where a.attrelid = to_regclass(format('raw.%%I', %s::text)) and a.attnum > 0 and not a.attisdropped""",
        [dataset],
    ).fetchall()
    if not rows:
        return None
    key = sorted((position, name) for name, _, _, position, _ in rows if position is not None)
    return _There(
        {name: kind for name, kind, *_ in rows},
        frozenset(name for name, _, required, *_ in rows if required),
        tuple(name for _, name in key),
        next((comment for name, *_, comment in rows if name == KEY), None),
    )


def _refuse_other_types(table: RawTable, there: _There) -> None:
    dataset, path = table.contract.dataset, table.contract.path
    remedy = (
        "change the contract back, or rebuild: drop the table and its history, then load with --full-refresh"
    )
    for column, kind in table.types.items():
        held = there.types.get(column)
        if held is not None and held != FULL_NAMES.get(kind, kind):
            raise OperatorFault(f"raw.{dataset}.{column} is {held}, {path} says {kind}\n  {remedy}")
    if set(there.key) != set(table.key):  # in another order it is the same key, by the index as it was made
        told, wanted = ", ".join(there.key), ", ".join(table.key)
        raise OperatorFault(f"the key of raw.{dataset} is {told}, {path} says {wanted}\n  {remedy}")
    if there.hashed and there.hashed != table.hashed:
        raise OperatorFault(
            f"the key of raw.{dataset} is a {there.hashed}; by {path} it is a {table.hashed}\n  {remedy}"
        )


def _definitions(table: RawTable) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{} " + kind + (" not null" if table.is_required(name) else "")).format(sql.Identifier(name))
        for name, kind in table.types.items()
    )
