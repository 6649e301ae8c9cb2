"""Raw tables on Postgres: with keys, indexes, comments, owners and grants, and with views that stand on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from data_ingestion.contract.places import place_of_column
from data_ingestion.errors import ContractFault
from data_ingestion.ledger.loads import raw_rows
from data_ingestion.merge.fit import Difference, There
from data_ingestion.merge.table import RawTable
from data_ingestion.merge.widening import Widening
from data_ingestion.warehouses.postgres.session import READERS, has_readers
from data_ingestion.warehouses.postgres.tables import create_raw, history_name, note_hashed_columns, raw_name
from data_ingestion.warehouses.raw_tables import RawTables

if TYPE_CHECKING:
    from data_ingestion.warehouses.postgres.session import PostgresSession

# What contracts call types that Postgres names longer.
SHORT_NAMES = {"timestamp with time zone": "timestamptz"}


class PostgresTables(RawTables):
    """Tables of a Postgres database."""

    _session: PostgresSession

    def look(self, table: RawTable) -> There | None:
        rows = self._session.rows(
            """select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                      array_position(i.indkey, a.attnum), col_description(a.attrelid, a.attnum)
               from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
               where a.attrelid = to_regclass(format('raw.%I', cast($dataset as text)))
                 and a.attnum > 0 and not a.attisdropped
               order by a.attnum""",
            dataset=table.contract.dataset,
        )
        if not rows:
            return None
        key = sorted((position, name) for name, _, _, position, _ in rows if position is not None)
        return There(
            {str(name): SHORT_NAMES.get(str(kind), str(kind)) for name, kind, *_ in rows},
            frozenset(name for name, _, required, *_ in rows if required),
            tuple(name for _, name in key),
            next((comment for name, *_, comment in rows if name == "_key"), None),
        )

    def make(self, table: RawTable) -> None:
        for statement in create_raw(table):
            self._session.connection.execute(statement)
        self._grant_to_readers(table)

    def make_again(self, table: RawTable) -> tuple[str, ...]:
        from data_ingestion.warehouses.postgres import views
        from data_ingestion.warehouses.postgres.belongings import (
            belongings,
            describe_unfit_views,
            give,
            oids_of,
        )

        connection = self._session.connection
        held = belongings(connection, table)
        standing = views.views_on(connection, oids_of(connection, table))
        views.drop_views(connection, standing)
        self._drop(table)
        for statement in create_raw(table):
            connection.execute(statement)
        give(connection, table, held)
        unfit = views.restore_views(connection, table.contract.dataset, standing)
        return tuple(describe_unfit_views(unfit))

    def alter(self, table: RawTable, there: There, difference: Difference) -> None:
        from data_ingestion.warehouses.postgres import views
        from data_ingestion.warehouses.postgres.belongings import oids_of

        connection = self._session.connection
        standing = []
        if difference.widened:
            standing = views.views_on(connection, oids_of(connection, table))
            views.drop_views(connection, standing)
        changes = [
            *(("add column {} " + table.types[column], column) for column in difference.gained),
            *(("alter column {} drop not null", column) for column in difference.loosened),
            *(("alter column {} type " + table.types[column], column) for column in difference.widened),
        ]
        for name in (raw_name(table), history_name(table)):
            if changes:  # together, so that a table is written again once at most
                all_changes = (sql.SQL(how).format(sql.Identifier(column)) for how, column in changes)
                connection.execute(sql.SQL("alter table {} {}").format(name, sql.SQL(", ").join(all_changes)))
        if not there.hashed:
            for statement in note_hashed_columns(table):
                connection.execute(statement)
        self._grant_to_readers(table)
        if unfit := views.restore_views(connection, table.contract.dataset, standing):
            raise ContractFault(
                "\n".join(
                    f"{place_of_column(table.contract, next(iter(difference.widened)))}: to widen it, "
                    f"{each.view.qualified_name} has to be restored, but no longer fits: {each.reason}\n"
                    "  change or drop the view, then load again"
                    for each in unfit
                )
            )

    def cost_of_widening(self, table: RawTable, how: Widening) -> str:
        if not how.rewrites:
            return ": no row is touched"
        return f": the server rewrites the table, rows: {raw_rows(self._session, table.contract.dataset):,}"

    def _grant_to_readers(self, table: RawTable) -> None:
        connection = self._session.connection
        if has_readers(connection):
            grant = sql.SQL("grant select on {}, {} to {}")
            connection.execute(grant.format(raw_name(table), history_name(table), sql.Identifier(READERS)))
