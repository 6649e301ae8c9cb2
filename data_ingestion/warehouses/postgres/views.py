"""Views on Postgres: what stands on a table, taken down before the table changes and put back in the same transaction.

A view comes back as its owner's, with its comments, its options and what was granted on it. One that no longer fits is
left out, and its text is kept in `ops.dropped_views`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, errors, sql

from data_ingestion.errors import OperatorFault
from data_ingestion.warehouses.postgres.session import scalar

Grant = tuple[str, str, bool, str | None]  # grantee ('' for everybody), privilege, grantable, column


@dataclass(frozen=True)
class View:
    """A view as it was: all that makes it again."""

    oid: int
    schema: str
    name: str
    owner: str
    definition: str
    options: tuple[str, ...]
    is_materialized: bool
    is_filled: bool
    indexes: tuple[str, ...]
    comments: tuple[tuple[str | None, str], ...]  # column (None: the view itself), text
    grants: frozenset[Grant]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def kind(self) -> sql.SQL:
        return sql.SQL("materialized view" if self.is_materialized else "view")


@dataclass(frozen=True)
class Unfit:
    """A view that the table as it is now no longer carries, and why."""

    view: View
    reason: str


def views_on(connection: Connection, tables: Sequence[int]) -> list[View]:
    """Every view that reads one of the tables (by oid), directly or by another view; each after those that it reads.

    Raises `OperatorFault` where one could not be put back as it was.
    """
    edges = connection.execute(
        """select distinct r.ev_class::bigint, d.refobjid::bigint from pg_rewrite r
           join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
           join pg_class c on c.oid = r.ev_class and c.relkind in ('v', 'm')
           where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class"""
    ).fetchall()
    reads: dict[int, set[int]] = {}
    for view, read in edges:
        reads.setdefault(view, set()).add(read)
    found = set(tables)
    while more := {view for view, read in reads.items() if view not in found and read & found}:
        found |= more
    ordered: list[int] = []
    waiting = found - set(tables)
    while waiting:
        ready = sorted(view for view in waiting if not reads[view] & waiting)
        ordered += ready
        waiting -= set(ready)
    if not ordered:
        return []
    with _qualified_names(connection):
        return [_look(connection, view) for view in ordered]


def drop_views(connection: Connection, views: Sequence[View]) -> None:
    """Drops views, dependent ones first, which is also the order in which a reader locks them."""
    for view in reversed(views):
        with _as_owner(connection, view), _standing_on(view):
            connection.execute(sql.SQL("drop {} {}").format(view.kind, view.identifier))


def restore_views(connection: Connection, dataset: str, views: Sequence[View]) -> list[Unfit]:
    """Makes views again; those that no longer fit, whose text is kept in the ledger."""
    unfit: list[Unfit] = []
    with _qualified_names(connection):
        for view in views:
            try:
                with connection.transaction(), _as_owner(connection, view):
                    _make(connection, view)
            except (errors.InsufficientPrivilege, psycopg.OperationalError):
                raise
            except psycopg.Error as error:
                unfit.append(Unfit(view, str(error).splitlines()[0]))
    for each in unfit:
        connection.execute(
            """insert into ops.dropped_views (dataset, view_schema, view_name, owner, definition, reason)
               values (%s, %s, %s, %s, %s, %s)""",
            [dataset, each.view.schema, each.view.name, each.view.owner, each.view.definition, each.reason],
        )
    return unfit


def grants_of(connection: Connection, relation: int) -> frozenset[Grant]:
    """Who may do what with a relation and its columns."""
    rows = connection.execute(
        """select coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), a.privilege_type, a.is_grantable, null
           from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a where c.oid = %(oid)s
           union all
           select coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), a.privilege_type, a.is_grantable, t.attname
           from pg_attribute t, aclexplode(t.attacl) a where t.attrelid = %(oid)s and not t.attisdropped""",
        {"oid": relation},
    ).fetchall()
    return frozenset(
        (grantee, privilege, grantable, column) for grantee, privilege, grantable, column in rows
    )


def set_grants(connection: Connection, name: sql.Identifier, wanted: frozenset[Grant]) -> None:
    """Has a relation grant what another did, and no more than that; grants on columns that are gone are left out."""
    oid = scalar(connection, "select %s::regclass::oid", [name.as_string(connection)])
    columns = {
        column
        for (column,) in connection.execute(
            "select attname from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped", [oid]
        )
    }
    held = grants_of(connection, oid)
    wanted = frozenset(grant for grant in wanted if grant[3] is None or grant[3] in columns)
    for grantee, privilege, _, column in sorted(held - wanted, key=str):
        connection.execute(
            sql.SQL("revoke {} on {} from {}").format(_what(privilege, column), name, _role(grantee))
        )
    for grantee, privilege, grantable, column in sorted(wanted - held, key=str):
        connection.execute(
            sql.SQL("grant {} on {} to {}" + (" with grant option" if grantable else "")).format(
                _what(privilege, column), name, _role(grantee)
            )
        )


def _look(connection: Connection, oid: int) -> View:
    row = connection.execute(
        """select n.nspname, c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid), c.reloptions,
                  c.relkind = 'm', c.relispopulated,
                  array(select pg_get_indexdef(i.indexrelid) from pg_index i where i.indrelid = c.oid order by 1),
                  pg_has_role(c.relowner, 'set'),
                  exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
                  or exists (select from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN')
                  or exists (select from pg_attrdef d where d.adrelid = c.oid)
           from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = %s""",
        [oid],
    ).fetchone()
    assert row is not None
    schema, name, owner, definition, options, is_materialized, is_filled, indexes, may_be, has_more = row
    if not may_be:
        raise OperatorFault(
            f"{schema}.{name} reads the table, and must be dropped and restored for this: it belongs to '{owner}', "
            f"whom the login '{scalar(connection, 'select current_user')}' can't act for\n"
            f"  grant it that role (init_db.sql grants the one of dbt), or drop the view and create it again afterwards"
        )
    if has_more:
        raise OperatorFault(
            f"{schema}.{name} reads the table and has triggers, rules or defaults of its own, which would be lost\n"
            "  drop the view, and create it again afterwards"
        )
    comments = connection.execute(
        """select a.attname, d.description from pg_description d
           left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
           where d.classoid = 'pg_class'::regclass and d.objoid = %s order by d.objsubid""",
        [oid],
    ).fetchall()
    return View(
        oid, schema, name, owner, definition.rstrip().rstrip(";"), tuple(options or ()), is_materialized, is_filled,
        tuple(indexes), tuple((column, text) for column, text in comments), grants_of(connection, oid),
    )  # fmt: skip


def _make(connection: Connection, view: View) -> None:
    options = [option.partition("=") for option in view.options]
    with_options = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, _, value in options
    )
    connection.execute(
        sql.SQL("create {} {} {} as ").format(
            view.kind, view.identifier, sql.SQL("with ({})").format(with_options) if options else sql.SQL("")
        )
        + _text(view.definition)
        + sql.SQL(" with no data" if view.is_materialized and not view.is_filled else "")
    )
    for index in view.indexes:
        connection.execute(_text(index))
    kind_of_column = sql.SQL("comment on column {} is {}")
    for column, comment in view.comments:
        if column is None:
            statement = sql.SQL("comment on {} {} is {}")
            connection.execute(statement.format(view.kind, view.identifier, sql.Literal(comment)))
        else:
            place = sql.Identifier(view.schema, view.name, column)
            connection.execute(kind_of_column.format(place, sql.Literal(comment)))
    set_grants(connection, view.identifier, view.grants)


def _text(definition: str) -> sql.SQL:
    """A statement that the server has written itself."""
    untyped: Any = definition
    return sql.SQL(untyped)


@contextmanager
def _as_owner(connection: Connection, view: View) -> Iterator[None]:
    """What is made meanwhile is the view's owner's. After an error the transaction's rollback sets the role back."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(view.owner)))
    yield
    connection.execute("set local role none")


@contextmanager
def _qualified_names(connection: Connection) -> Iterator[None]:
    """The server writes and reads a view's text with the schema of every name."""
    before = scalar(connection, "select current_setting('search_path')")
    connection.execute("set local search_path = pg_catalog")
    yield
    connection.execute("select set_config('search_path', %s, true)", [before])


@contextmanager
def _standing_on(view: View) -> Iterator[None]:
    try:
        yield
    except errors.DependentObjectsStillExist as error:
        detail = (error.diag.message_detail or str(error)).splitlines()[0]
        raise OperatorFault(
            f"{view.qualified_name} must be dropped and restored for this, but {detail}\n"
            "  drop that, and create it again afterwards"
        ) from error


def _what(privilege: str, column: str | None) -> sql.Composable:
    allowed: Any = privilege  # of the catalogue's closed list
    if column is None:
        return sql.SQL(allowed)
    return sql.SQL(allowed + " ({})").format(sql.Identifier(column))


def _role(grantee: str) -> sql.Composable:
    return sql.Identifier(grantee) if grantee else sql.SQL("public")
