"""Catalogue of Postgres: what a relation is like, and whether anything was written to it."""

from __future__ import annotations

from data_ingestion.engine.session import Described, Session


def describe(session: Session, schema: str, relation: str) -> Described | None:
    """A table or view; None where there is none of that name."""
    found = session.row(
        """select c.oid, has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = $schema and c.relname = $relation and c.relkind in ('r', 'm', 'v', 'p', 'f')""",
        schema=schema,
        relation=relation,
    )
    if found is None:
        return None
    oid, is_readable = found
    columns = session.rows(
        """select attname, format_type(atttypid, atttypmod) from pg_attribute
           where attrelid = $oid and attnum > 0 and not attisdropped order by attnum""",
        oid=oid,
    )
    # The tables that it is, or that a view reads: which, in which files, and how often they were written to.
    state = session.one(
        """with recursive used (oid) as (
               select cast($oid as oid)
               union
               select d.refobjid from used u
               join pg_rewrite r on r.ev_class = u.oid
               join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                and d.refclassid = 'pg_class'::regclass and d.refobjid <> u.oid
           )
           select coalesce(string_agg(concat_ws(':', c.oid, c.relfilenode, pg_stat_get_tuples_inserted(c.oid),
               pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)), ',' order by c.oid), '')
           from used join pg_class c using (oid) where c.relkind in ('r', 'm', 'p')""",
        oid=oid,
    )
    return Described(tuple(columns), is_readable, state)
