"""Publication: which tables the source publishes, with all rows, columns and kinds of change; and a mark of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from data_ingestion.errors import OperatorFault

EVERY_CHANGE = sql.SQL("alter publication {} set (publish = 'insert, update, delete, truncate')")


@dataclass(frozen=True)
class _Table:
    """What a table must be for its changes to be published, and for its rows to stay changeable."""

    name: str
    is_there: bool
    is_divided: bool
    has_identity: bool


def ensure_publication(session: psycopg.Connection, name: str, schema: str, tables: Sequence[str]) -> None:
    """The publication of exactly these tables; whoever captures need not own them where it is there.

    Raises `OperatorFault` where a table can't be captured, or this login may not put the publication right.
    """
    wanted = {(schema, table) for table in tables}
    facts = [_look_at(session, schema, table) for table in tables]
    _refuse_divided(facts)
    listed = "select schemaname, tablename from pg_publication_tables where pubname = %s"
    is_whole = _publishes_everything(session, name)
    if set(session.execute(listed, [name]).fetchall()) == wanted and is_whole:
        return
    _refuse_unfit(schema, facts)
    quoted = sql.SQL(", ").join(sql.Identifier(schema, table) for table in tables)
    words = "create publication {} for table {}" if is_whole is None else "alter publication {} set table {}"
    statements = [sql.SQL(words).format(sql.Identifier(name), quoted)]
    if is_whole is False:
        statements.append(EVERY_CHANGE.format(sql.Identifier(name)))
    try:
        for statement in statements:
            session.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        commands = "; ".join(statement.as_string(session) for statement in statements)
        raise OperatorFault(
            f"the source does not publish all changes of {', '.join(tables)}, and this login may not change that\n"
            f"  have the tables' owner run: {commands}"
        ) from error


def publication_mark(session: psycopg.Connection, name: str) -> str:
    """The mark of the source in a drop's name, three parts separated by hyphens.

    The first changes whenever the publication is recreated, altered, or loses or gains a table, even for a moment;
    the second is the server's timeline, which changes after a restore from a backup or a standby; the third changes
    with the columns of the tables. It is on the landing, not at the source, where a capture may write nothing.
    """
    row = session.execute(
        """
        select left(md5(concat_ws(' ', publication.oid, publication.xmin,
                (select string_agg(oid::text, ',' order by oid) from pg_publication_rel
                    where prpubid = publication.oid),
                (select string_agg(oid::text, ',' order by oid) from pg_publication_namespace
                    where pnpubid = publication.oid),
                (select string_agg(relid::text, ',' order by relid)
                    from pg_get_publication_tables(publication.pubname)))), 12),
            ltrim(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), '0'),
            (select left(md5(string_agg(concat_ws(' ', attrelid, attnum, attname, atttypid), ','
                    order by attrelid, attnum)), 8)
                from pg_get_publication_tables(publication.pubname) as published
                inner join pg_attribute on attrelid = published.relid and attnum > 0 and not attisdropped)
        from pg_publication as publication where pubname = %s
        """,
        [name],
    ).fetchone()
    assert row is not None
    return "-".join(row).lower()


def of_columns(mark: str) -> str:
    """The part of a mark that changes with columns alone."""
    return mark.rpartition("-")[2]


def but_columns(mark: str | None) -> str | None:
    """A mark without it: where this differs, changes may be missing."""
    return mark and mark.rpartition("-")[0]


def _publishes_everything(session: psycopg.Connection, name: str) -> bool | None:
    """Whether a publication has every kind of change, and all rows and columns of its tables; None without one."""
    row = session.execute(
        """
        select pubinsert and pubupdate and pubdelete and pubtruncate and not exists (
            select from pg_publication_rel
            where prpubid = publication.oid and (prqual is not null or prattrs is not null)
        )
        from pg_publication as publication where pubname = %s
        """,
        [name],
    ).fetchone()
    return None if row is None else bool(row[0])


def _refuse_divided(facts: Sequence[_Table]) -> None:
    """Rows stored in other tables are published under their names, or appear and vanish with them unpublished."""
    if divided := [table.name for table in facts if table.is_divided]:
        raise OperatorFault(
            f"rows of {', '.join(divided)} lie in partitions, or in tables that inherit from it\n"
            "  list those tables under `capture` in the contract instead"
        )


def _refuse_unfit(schema: str, facts: Sequence[_Table]) -> None:
    if missing := [f"{schema}.{table.name}" for table in facts if not table.is_there]:
        raise OperatorFault(
            f"the source has no table {', '.join(missing)}\n"
            "  create it there, or remove it from `capture` in the contract"
        )
    if unfit := [table.name for table in facts if not table.has_identity]:
        raise OperatorFault(
            f"{', '.join(unfit)}: no replica identity, so once it is published the source refuses to change its rows\n"
            f"  have its owner run: alter table {unfit[0]} replica identity full"
        )


def _look_at(session: psycopg.Connection, schema: str, table: str) -> _Table:
    row = session.execute(
        """
        select table_id is not null,
            exists (select from pg_class where oid = table_id and relkind = 'p')
                or exists (select from pg_inherits where inhparent = table_id),
            exists (
                select from pg_class as its where its.oid = table_id and (relreplident = 'f' or exists (
                    select from pg_index where indrelid = table_id
                    and case relreplident when 'd' then indisprimary when 'i' then indisreplident end
                ))
            )
        from (select to_regclass(%s)::oid as table_id) as looked_up
        """,
        [sql.Identifier(schema, table).as_string(session)],
    ).fetchone()
    assert row is not None
    return _Table(table, *row)
