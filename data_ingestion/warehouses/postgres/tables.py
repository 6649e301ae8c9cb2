"""Tables on Postgres: the statements that make a dataset's raw table, its history and its stages."""

from __future__ import annotations

from psycopg import Connection, sql

from data_ingestion.contract import Contract
from data_ingestion.merge.table import KEY, RawTable
from data_ingestion.warehouses.postgres.session import names

TEMPORARY_STAGE = sql.Identifier("_stage")


def create_stage(table: RawTable, name: sql.Identifier, *, positions: bool) -> sql.Composed:
    """A table for checked rows in raw's types: of this transaction alone by the name for that, else for others, too."""
    types = table.stage_types(positions=positions)
    columns = (sql.SQL("{} " + kind).format(sql.Identifier(column)) for column, kind in types.items())
    is_temporary = name == TEMPORARY_STAGE
    return sql.SQL("create {} table {} ({}) {}").format(
        sql.SQL("temporary" if is_temporary else "unlogged"),
        name,
        sql.SQL(", ").join(columns),
        # plans of the merge count on a stage without statistics
        sql.SQL("on commit drop" if is_temporary else "with (autovacuum_enabled = false)"),
    )


def raw_name(table: RawTable) -> sql.Identifier:
    """The raw table in a statement."""
    return sql.Identifier(*table.name)


def history_name(table: RawTable) -> sql.Identifier:
    """Its history in a statement."""
    return sql.Identifier(*table.history)


def create_raw(table: RawTable) -> list[sql.Composed]:
    """The statements that make a dataset's raw table and its history."""
    return [*create_tables(table), *create_keys(table)]


def create_tables(table: RawTable) -> list[sql.Composed]:
    """The same without keys and indexes: rows that come first need not keep them up to date one by one."""
    dataset = table.contract.dataset
    return [
        sql.SQL("create table {} ({})").format(raw_name(table), _definitions(table)),
        *note_hashed_columns(table),
        sql.SQL("comment on table {} is {}").format(
            raw_name(table), sql.Literal(table.contract.description or dataset)
        ),
        sql.SQL(
            """create table {} ({}, _by_load_id bigint not null,
                   _fate text not null check (_fate in ('waiting', 'replaced', 'withdrawn')))"""
        ).format(history_name(table), _definitions(table, of_history=True)),
        sql.SQL("comment on table {} is {}").format(
            history_name(table),
            sql.Literal(
                f"Rows of {dataset} that left raw: waiting behind a newer drop, replaced or withdrawn by a correction."
            ),
        ),
    ]


def create_keys(table: RawTable) -> list[sql.Composed]:
    """The statements that give both tables their keys and indexes."""
    key = names(table.key)
    return [
        sql.SQL("alter table {} add primary key ({})").format(raw_name(table), key),
        sql.SQL("create index on {} using brin (_drop_id, _load_id) with (autosummarize)").format(
            raw_name(table)
        ),
        sql.SQL("create index on {} ({}) where _fate = 'waiting'").format(history_name(table), key),
        sql.SQL("create index on {} (_drop_id) where _fate = 'waiting'").format(history_name(table)),
        sql.SQL("create index on {} (_by_load_id)").format(history_name(table)),
    ]


def note_hashed_columns(table: RawTable) -> list[sql.Composed]:
    """Notes beside `_key` which columns it is a hash of: by other columns, equal rows would no longer meet."""
    if not table.by_occurrence:
        return []
    comment = sql.SQL("comment on column {}.{} is {}")
    return [comment.format(raw_name(table), sql.Identifier(KEY), sql.Literal(table.hashed))]


def raw_table(connection: Connection, contract: Contract) -> RawTable:
    """The dataset's raw table with its former columns, under the dataset's lock."""
    table = RawTable(contract)
    rows = connection.execute(
        """select r.attname from pg_attribute r join pg_attribute h using (attname)
           where r.attrelid = %s::regclass and r.attnum > 0 and not r.attisdropped and r.attgenerated = ''
             and h.attrelid = %s::regclass and h.attnum > 0 and not h.attisdropped
           order by r.attnum""",
        [raw_name(table).as_string(connection), history_name(table).as_string(connection)],
    )
    return RawTable(contract, tuple(name for (name,) in rows if name not in table.types))


def _definitions(table: RawTable, *, of_history: bool = False) -> sql.Composed:
    """The columns. Of a row that left raw under an earlier contract, the history may know the key alone."""
    return sql.SQL(", ").join(
        sql.SQL("{} " + kind + (" not null" if is_required else "")).format(sql.Identifier(name))
        for name, kind in table.types.items()
        for is_required in [table.is_required(name) and not (of_history and name in table.content_beside_key)]
    )
