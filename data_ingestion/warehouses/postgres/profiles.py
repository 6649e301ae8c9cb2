"""Profiles on Postgres: a relation counted by two statements, whatever it has of columns."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from data_ingestion.profiles.facts import NAMELESS, ColumnProfile, Present, Profile, Relation
from data_ingestion.warehouses.postgres.session import scalar, server_faults

# Up to so many rows all of them are grouped, of more about so many: memory and time follow the number of groups.
MOST_GROUPED = 1_000_000
TOP, LONGEST_VALUE = 5, 120
# `grouping()` takes fewer than 32 columns.
COLUMNS_AT_ONCE = 30
# So many profiles of a relation are kept.
KEPT = 60
# Types that can be compared as they are; values of any other as their text.
_COMPARABLE = (*NAMELESS, "time")


class PostgresProfiles:
    """What there is to profile, and what was found, over a session with the warehouse."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def look(self, relation: Relation) -> Present | None:
        """The relation as it is in the warehouse; None if it is not there, or not for this login to read."""
        with server_faults(self.connection):
            found = self.connection.execute(
                """select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where n.nspname = %s and c.relname = %s and c.relkind in ('r', 'm', 'v', 'p', 'f')
                     and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')""",
                [relation.schema, relation.name],
            ).fetchone()
            if found is None:
                return None
            columns = self.connection.execute(
                """select attname, format_type(atttypid, atttypmod) from pg_attribute
                   where attrelid = %s and attnum > 0 and not attisdropped order by attnum""",
                found,
            ).fetchall()
            # The tables that it is, or that a view reads: which, in which files, and how often they were written to.
            state = scalar(
                self.connection,
                """with recursive used (oid) as (
                       select %s::oid
                       union
                       select d.refobjid from used u
                       join pg_rewrite r on r.ev_class = u.oid
                       join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                        and d.refclassid = 'pg_class'::regclass and d.refobjid <> u.oid
                   )
                   select coalesce(string_agg(concat_ws(':', c.oid, c.relfilenode, pg_stat_get_tuples_inserted(c.oid),
                       pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)), ',' order by c.oid), '')
                   from used join pg_class c using (oid) where c.relkind in ('r', 'm', 'p')""",
                found,
            )
        shown = [relation.may_show(name, kind) for name, kind in columns]
        text = repr((state, columns, shown, relation.marks))
        return Present(tuple(columns), hashlib.sha256(text.encode()).hexdigest()[:32])

    def newest_mark(self, relation: Relation) -> str | None:
        """The mark of the relation's newest profile."""
        with server_faults(self.connection):
            row = self.connection.execute(
                """select mark from ops.profiles where relation_schema = %s and relation_name = %s
                   order by profile_id desc limit 1""",
                [relation.schema, relation.name],
            ).fetchone()
        return row[0] if row else None

    def profile(self, relation: Relation, present: Present) -> Profile:
        """Counts a relation. Values of columns that may not be shown never leave the server."""
        started = time.monotonic()
        columns = [_Column(relation, name, kind) for name, kind in present.columns]
        with server_faults(self.connection), self.connection.transaction():
            # Both statements see the same rows.
            self.connection.execute("set transaction isolation level repeatable read, read only")
            rows, counted = self._count(relation, columns)
            share = min(1.0, MOST_GROUPED / max(rows, 1))
            grouped: dict[str, tuple[int, tuple[tuple[str, int], ...]]] = {}
            sampled = None
            for start in range(0, len(columns), COLUMNS_AT_ONCE):
                part = columns[start : start + COLUMNS_AT_ONCE]
                sampled, found = self._group(relation, part, share)
                grouped |= found
        marks = dict(relation.marks)
        return Profile(
            relation, present.mark, rows, sampled if share < 1 else None,
            tuple(
                ColumnProfile(
                    column.name, column.kind, marks.get(column.name.removesuffix("__text"), marks.get(column.name)),
                    not column.is_shown, rows - filled, grouped[column.name][0], least, most, grouped[column.name][1],
                )
                for column, (filled, least, most) in zip(columns, counted, strict=True)
            ),
            time.monotonic() - started,
        )  # fmt: skip

    def _count(
        self, relation: Relation, columns: Sequence[_Column]
    ) -> tuple[int, list[tuple[int, str | None, str | None]]]:
        """All rows, and of each column how many are filled, least and greatest value."""
        asked: list[sql.Composable] = [sql.SQL("count(*)")]
        for column in columns:
            asked.append(sql.SQL("count({})").format(column.identifier))
            for ask in ("min", "max"):
                value = sql.SQL(f"left({ask}({{}})::text, {LONGEST_VALUE})").format(column.comparable)
                asked.append(value if column.is_shown else sql.SQL("null::text"))
        statement = sql.SQL("select {} from {}").format(sql.SQL(", ").join(asked), _name(relation))
        row = self.connection.execute(statement).fetchone()
        assert row is not None
        rows, *found = row
        return rows, [tuple(found[index : index + 3]) for index in range(0, len(found), 3)]

    def _group(
        self, relation: Relation, columns: Sequence[_Column], share: float
    ) -> tuple[int, dict[str, tuple[int, tuple[tuple[str, int], ...]]]]:
        """Of each column how many values it has, and the most frequent ones; and of how many rows that was told."""
        names = sql.SQL(", ").join(column.identifier for column in columns)
        values = sql.SQL(" ").join(
            sql.SQL("when {} then left({}::text, {})").format(
                sql.Literal(_bits(index, len(columns))), column.identifier, sql.Literal(LONGEST_VALUE)
            )
            for index, column in enumerate(columns)
            if column.is_shown
        )
        told = (
            sql.SQL("case which {} end").format(values) if values.as_string(None) else sql.SQL("null::text")
        )
        filled = sql.SQL(" ").join(
            sql.SQL("when {} then {} is not null").format(
                sql.Literal(_bits(index, len(columns))), column.identifier
            )
            for index, column in enumerate(columns)
        )
        statement = sql.SQL(
            """with counted as materialized (
                   select grouping({names}) as which, {names}, count(*) as n
                   from (select {taken} from {relation} where {share} >= 1 or random() < {share}) as taken
                   group by grouping sets ({sets}, ())
               ),
               told as (
                   select which, n, {told} as value,
                          row_number() over (partition by which order by n desc, {told}) as place
                   from counted where n > 1 and which <> {all} and case which {filled} end
               )
               select which, count(*) filter (where case which {filled} else true end), sum(n), null, null
               from counted group by which
               union all
               select which, null, null, value, n from told where place <= {top} and value is not null
               order by 1, 5 desc nulls first, 4"""
        ).format(
            names=names,
            taken=sql.SQL(", ").join(
                sql.SQL("{} as {}").format(column.comparable, column.identifier) for column in columns
            ),
            relation=_name(relation),
            share=sql.Literal(share),
            sets=sql.SQL(", ").join(sql.SQL("({})").format(column.identifier) for column in columns),
            told=told,
            filled=filled,
            all=sql.Literal((1 << len(columns)) - 1),
            top=sql.Literal(TOP),
        )
        distinct: dict[int, int] = {}
        top: dict[int, list[tuple[str, int]]] = {}
        sampled = 0
        for which, count, rows, value, times in self.connection.execute(statement):
            if count is not None:
                distinct[which], sampled = count, int(rows)
            else:
                top.setdefault(which, []).append((value, times))
        keys = {column.name: _bits(index, len(columns)) for index, column in enumerate(columns)}
        return sampled, {
            name: (distinct.get(bits, 0), tuple(top.get(bits, ()))) for name, bits in keys.items()
        }

    def record(self, profile: Profile) -> None:
        """Keeps a profile. What is masked now loses its values in earlier ones of the relation, too."""
        relation = profile.relation
        named = [relation.schema, relation.name]
        with server_faults(self.connection), self.connection.transaction():
            row = self.connection.execute(
                """insert into ops.profiles (domain, layer, relation_schema, relation_name, mark, rows, sampled_rows,
                                             seconds)
                   values (%s, %s, %s, %s, %s, %s, %s, %s) returning profile_id""",
                [
                    relation.domain,
                    relation.layer,
                    *named,
                    profile.mark,
                    profile.rows,
                    profile.sampled,
                    profile.seconds,
                ],
            ).fetchone()
            assert row is not None
            with self.connection.cursor() as cursor:
                cursor.executemany(
                    """insert into ops.profile_columns (profile_id, position, column_name, data_type, classification,
                           is_masked, nulls, distinct_values, minimum, maximum, top_values)
                       values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                    [
                        [row[0], position, column.name, column.type, column.classification, column.is_masked,
                         column.nulls, column.distinct_values, column.minimum, column.maximum, Jsonb(column.top_values)]
                        for position, column in enumerate(profile.columns, 1)
                    ],
                )  # fmt: skip
            self.connection.execute(
                """update ops.profile_columns c
                   set is_masked = true, minimum = null, maximum = null, top_values = '[]'
                   from ops.profiles p
                   where p.profile_id = c.profile_id and p.relation_schema = %s and p.relation_name = %s
                     and not c.is_masked and c.column_name = any(%s)""",
                [*named, [column.name for column in profile.columns if column.is_masked]],
            )
            self.connection.execute(
                """delete from ops.profiles where profile_id in (
                       select profile_id from ops.profiles where relation_schema = %s and relation_name = %s
                       order by profile_id desc offset %s)""",
                [*named, KEPT],
            )

    def newest(self, relations: Sequence[Relation]) -> list[Profile]:
        """The newest profile of each relation that has one, in their order."""
        return [profile for relation in relations if (profile := self._newest(relation))]

    def _newest(self, relation: Relation) -> Profile | None:
        with server_faults(self.connection):
            row = self.connection.execute(
                """select profile_id, mark, rows, sampled_rows, seconds, profiled_at from ops.profiles
                   where relation_schema = %s and relation_name = %s order by profile_id desc limit 1""",
                [relation.schema, relation.name],
            ).fetchone()
            if row is None:
                return None
            columns = self.connection.execute(
                """select column_name, data_type, classification, is_masked, nulls, distinct_values, minimum, maximum,
                          top_values
                   from ops.profile_columns where profile_id = %s order by position""",
                [row[0]],
            ).fetchall()
        _, mark, rows, sampled, seconds, at = row
        found = tuple(
            ColumnProfile(
                name,
                kind,
                given,
                masked,
                nulls,
                distinct,
                least,
                most,
                tuple((value, count) for value, count in top),
            )
            for name, kind, given, masked, nulls, distinct, least, most, top in columns
        )
        return Profile(relation, mark, rows, sampled, found, seconds, at)


class _Column:
    """A column of a relation as its statements name it."""

    def __init__(self, relation: Relation, name: str, kind: str) -> None:
        self.name, self.kind, self.is_shown = name, kind, relation.may_show(name, kind)
        self.identifier = sql.Identifier(name)
        self.comparable: sql.Composable = self.identifier
        if kind.startswith(("text", "character")):
            self.comparable = sql.SQL('{} collate "C"').format(self.identifier)
        elif not kind.startswith(_COMPARABLE) or kind.startswith("boolean") or kind.endswith(("[]", "range")):
            self.comparable = sql.SQL('{}::text collate "C"').format(self.identifier)


def _name(relation: Relation) -> sql.Identifier:
    return sql.Identifier(relation.schema, relation.name)


def _bits(index: int, count: int) -> int:
    """What `grouping()` gives for the groups of one column of several."""
    return ((1 << count) - 1) & ~(1 << (count - 1 - index))
