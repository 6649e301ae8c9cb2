"""Publication: which tables the source tells of, all of each and every kind of change; and a mark of what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from data_ingestion.errors import OperatorFault

EVERY_CHANGE = sql.SQL("alter publication {} set (publish = 'insert, update, delete, truncate')")


@dataclass(frozen=True)
class _Table:
    """What a table must be for its changes to be told, and to go on happening."""

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
    is_whole = _tells_everything(session, name)
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
        told = "; ".join(statement.as_string(session) for statement in statements)
        raise OperatorFault(
            f"the source publishes other than all changes of {', '.join(tables)}, and this login may not change that\n"
            f"  have the tables' owner run: {told}"
        ) from error


def publication_mark(session: psycopg.Connection, name: str) -> str:
    """What a drop bears of the source that told it, in three parts with hyphens between.

    The first one changes whenever the publication is made anew, altered, or loses or gains a table, even for a moment;
    the second is the server's timeline, another one once it goes on from a backup or a standby; the third changes with
    the columns of the tables. It is on the landing, not at the source: whoever captures may write nothing there.
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
                from pg_get_publication_tables(publication.pubname) as told
                inner join pg_attribute on attrelid = told.relid and attnum > 0 and not attisdropped)
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
    """A mark without it: what differs here tells that changes may be missing."""
    return mark and mark.rpartition("-")[0]


def _tells_everything(session: psycopg.Connection, name: str) -> bool | None:
    """Whether a publication tells every kind of change, and of its tables all rows and columns; None without one."""
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
    """Rows that lie in other tables are told under the names of these, or come and go with them untold."""
    if divided := [table.name for table in facts if table.is_divided]:
        raise OperatorFault(
            f"rows of {', '.join(divided)} lie in partitions, or in tables that inherit from it\n"
            "  name those in `capture` in the contract, each as a table of its own"
        )


def _refuse_unfit(schema: str, facts: Sequence[_Table]) -> None:
    if missing := [f"{schema}.{table.name}" for table in facts if not table.is_there]:
        raise OperatorFault(
            f"the source has no table {', '.join(missing)}\n"
            "  make it there, or take it out of `capture` in the contract"
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
