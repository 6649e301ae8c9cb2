"""Merge on Postgres: a staged drop becomes rows of raw, and what it displaces goes to the history.

The rules are DESIGN's model of raw as a function of the landing: a key's row is that of the newest drop in force
that holds it, and raw and history together hold every claim of every drop in force, once. Every statement is a
set; fates are computed on the stage first, and what the statements then report must equal them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from data_ingestion.checks import LINE
from data_ingestion.errors import LawBroken
from data_ingestion.ledger import Fates
from data_ingestion.warehouses.postgres.stage import STAGE
from data_ingestion.warehouses.postgres.tables import KEY, OCCURRENCE, RawTable

MOST_ARGUMENTS = 100


@dataclass(frozen=True)
class Merge:
    """One drop's merge into one dataset's raw table, inside a transaction that holds the dataset's lock."""

    connection: Connection
    table: RawTable
    drop_id: int
    load_id: int

    def merge(self, staged: int) -> Fates:
        """Brings the staged rows in: new keys inserted, changed ones updated, an unchanged row never rewritten."""
        self._compute_fates()
        counts = self._count_fates()
        repeated = staged - sum(counts.values())
        if repeated:
            self._record_conflicts()
        self._run("delete from {history} where _drop_id = %(drop)s and _fate = 'waiting'")
        superseded = self._run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {content}, %(drop)s, %(load)s, {line}, 'waiting', %(load)s
               from _fates where _fate = 'superseded'"""
        )
        self._run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {raw_columns}, case when r._drop_id = %(drop)s then 'replaced' else 'waiting' end, %(load)s
               from {raw} r join _fates f on {same_key}
               where f._fate in ('updated', 'taken_over')"""
        )
        moved = self._merge_into_raw()
        taken_over = counts.get("taken_over", 0)
        expected = {
            ("INSERT", "inserted"): counts.get("inserted", 0),
            ("UPDATE", "updated"): counts.get("updated", 0),
            ("UPDATE", "taken_over"): taken_over,
        }
        if superseded != counts.get("superseded", 0) or moved != {key: n for key, n in expected.items() if n}:
            raise LawBroken(f"MERGE reports {moved} and {superseded} superseded; the stage says {counts}")
        return Fates(
            repeated=repeated,
            superseded=superseded,
            inserted=counts.get("inserted", 0),
            updated=counts.get("updated", 0),
            unchanged=counts.get("unchanged", 0) + taken_over,
        )

    def release(self, *, keep_staged: bool) -> Fates:
        """Ends the drop's claims to keys it no longer holds; the newest claim that waits takes each place.

        With `keep_staged` the keys of `_fates` stay (a correction); without, the drop lets go of everything.
        """
        still_held = sql.SQL("select from _fates f where {}").format(_equal(self.table.key, "r", "f"))
        gone = sql.SQL("not exists ({})").format(still_held) if keep_staged else sql.SQL("true")
        self._run("drop table if exists pg_temp._released")
        self._run("drop table if exists pg_temp._restored")
        self._run(
            """create temporary table _released on commit drop as
               select {key_of_r} from {raw} r where r._drop_id = %(drop)s and {gone}""",
            gone=gone,
        )
        self._run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {raw_columns}, 'withdrawn', %(load)s from {raw} r join _released f on {same_key}"""
        )
        self._run(
            """create temporary table _restored on commit drop as
               select distinct on ({key_of_r}) {raw_columns} from {history} r join _released f on {same_key}
               join ops.drops o on o.drop_id = r._drop_id
               where r._fate = 'waiting' and r._drop_id <> %(drop)s
               order by {key_of_r}, o.rank_period desc, o.rank_delivered_at desc, o.rank_object_key desc"""
        )
        withdrawn = self._run("delete from {raw} r using _released f where {same_key}")
        restored = self._promote_restored()
        if not keep_staged:
            self._run("delete from {history} where _drop_id = %(drop)s and _fate = 'waiting'")
        return Fates(restored=restored, withdrawn=withdrawn)

    def settle(self) -> int:
        """The drop's rank has moved: for each contested key it claims, the newest claim takes the place in raw.

        How many places changed hands. Raw holds as many rows as before.
        """
        self._run("drop table if exists pg_temp._restored")
        self._run(
            """create temporary table _restored on commit drop as
               with contested as (
                   select {key_of_h} from {history} h where h._drop_id = %(drop)s and h._fate = 'waiting'
                   union
                   select {key_of_h} from {history} h join {raw} r on {same_key_h}
                   where r._drop_id = %(drop)s and h._fate = 'waiting'
               ),
               claims as (
                   select {raw_columns}, true as _in_raw from {raw} r join contested f on {same_key}
                   union all
                   select {raw_columns}, false from {history} r join contested f on {same_key} where r._fate = 'waiting'
               ),
               newest as (
                   select distinct on ({key_of_c}) c.* from claims c join ops.drops o on o.drop_id = c._drop_id
                   order by {key_of_c}, o.rank_period desc, o.rank_delivered_at desc, o.rank_object_key desc
               )
               select {columns} from newest where not _in_raw"""
        )
        self._run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {raw_columns}, 'waiting', %(load)s from {raw} r join _restored f on {same_key}"""
        )
        displaced = self._run("delete from {raw} r using _restored f where {same_key}")
        settled = self._promote_restored()
        if displaced != settled:
            raise LawBroken(f"{displaced} rows displaced, {settled} settled in their place")
        return settled

    def _compute_fates(self) -> None:
        self._run(
            """create temporary table _fates on commit drop as
               select c.*, case
                   when r._drop_id is null then 'inserted'
                   when r._drop_id <> %(drop)s and (o.rank_period, o.rank_delivered_at, o.rank_object_key)
                       > (select d.rank_period, d.rank_delivered_at, d.rank_object_key
                          from ops.drops d where d.drop_id = %(drop)s) then 'superseded'
                   when ({values_of_r}) is distinct from ({values_of_c}) then 'updated'
                   when r._drop_id <> %(drop)s then 'taken_over'
                   else 'unchanged' end as _fate
               from ({claims}) c
               left join {raw} r on {same_key_c}
               left join ops.drops o on o.drop_id = r._drop_id""",
            claims=self._claims(),
        )

    def _claims(self) -> sql.Composable:
        """The stage as claims to keys: typed as raw is, each key once."""
        casts = self._casts()
        names = self.table.contract.key.columns
        key_columns = _list(names)
        line, stage = sql.Identifier(LINE), sql.Identifier(STAGE)
        if not self.table.by_occurrence:
            # The last row of a key stays: a later row of a drop corrects an earlier one.
            return sql.SQL(
                "select distinct on ({key}) {casts}, {line} from {stage} order by {key}, {line} desc"
            ).format(key=key_columns, casts=casts, line=line, stage=stage)
        # jsonb writes every type the same way under every setting, and tells null from empty.
        return sql.SQL(
            """select encode(substring(sha256(convert_to(
                          ({content})::text, 'UTF8')) for 16), 'hex')::uuid as {hash}, n.*
               from (select row_number() over (partition by {key} order by {line})::int as {occurrence}, t.*
                     from (select {casts}, {line} from {stage}) t) n"""
        ).format(
            key=key_columns,
            content=_json_array((*names, OCCURRENCE)),
            occurrence=sql.Identifier(OCCURRENCE),
            hash=sql.Identifier(KEY),
            line=line,
            casts=casts,
            stage=stage,
        )

    def _casts(self) -> sql.Composed:
        """The staged columns in the types that raw gives them."""
        return sql.SQL(", ").join(
            sql.SQL("{}::" + kind + " as {}").format(sql.Identifier(name), sql.Identifier(name))
            for name, kind in self.table.content.items()
        )

    def _count_fates(self) -> dict[str, int]:
        return dict(self.connection.execute("select _fate, count(*) from _fates group by 1").fetchall())

    def _merge_into_raw(self) -> Mapping[tuple[str, str], int]:
        statement = self._format(
            """with moved as (
                   merge into {raw} r
                   using (select * from _fates where _fate in ('inserted', 'updated', 'taken_over')) f on {same_key}
                   when matched and f._fate = 'updated' then
                       update set {assignments}, _drop_id = %(drop)s, _load_id = %(load)s, {line} = f.{line}
                   when matched then update set _drop_id = %(drop)s, {line} = f.{line}
                   when not matched then insert ({columns}) values ({content_of_f}, %(drop)s, %(load)s, f.{line})
                   returning merge_action() as action, f._fate as fate
               )
               select action, fate, count(*) from moved group by 1, 2"""
        )
        rows = self.connection.execute(statement, self._parameters).fetchall()
        return {(action, fate): count for action, fate, count in rows}

    def _promote_restored(self) -> int:
        """Moves the claims in `_restored` from the history into raw, as rows of this load."""
        promoted = self._run(
            "insert into {raw} ({columns}) select {content}, _drop_id, %(load)s, {line} from _restored"
        )
        self._run(
            """delete from {history} h using _restored f
               where {same_key_of_h} and h._drop_id = f._drop_id and h._fate = 'waiting'"""
        )
        return promoted

    def _record_conflicts(self) -> None:
        """Earlier rows of a key whose content differs from the one that stays."""
        if self.table.by_occurrence:
            return
        self._run(
            """insert into ops.conflicts (load_id, dataset, object_key, line, kept_line, content)
               select %(load)s, %(dataset)s, d.rank_object_key, s.{line}, f.{line}, to_jsonb(s.*) - '_line'
               from (select {casts}, {line} from {stage}) s
               join _fates f on {same_key_s} cross join ops.drops d
               where d.drop_id = %(drop)s and s.{line} <> f.{line}
                 and ({values_of_s}) is distinct from ({values_of_f})""",
            casts=self._casts(),
            stage=sql.Identifier(STAGE),
        )

    @property
    def _parameters(self) -> dict[str, object]:
        return {"drop": self.drop_id, "load": self.load_id, "dataset": self.table.contract.dataset}

    def _run(self, text: str, **parts: sql.Composable) -> int:
        return self.connection.execute(self._format(text, **parts), self._parameters).rowcount

    def _format(self, text: str, **parts: sql.Composable) -> sql.Composed:
        table = self.table
        content = (*table.identity, *table.content)
        return sql.SQL(text).format(
            raw=table.name,
            history=table.history,
            columns=_list(table.columns),
            raw_columns=_list(table.columns, "r"),
            content=_list(content),
            content_of_f=_list(content, "f"),
            values_of_r=_list(table.content, "r"),
            values_of_c=_list(table.content, "c"),
            values_of_s=_list(table.content, "s"),
            values_of_f=_list(table.content, "f"),
            key_of_r=_list(table.key, "r"),
            key_of_h=_list(table.key, "h"),
            key_of_c=_list(table.key, "c"),
            same_key=_equal(table.key, "r", "f"),
            same_key_c=_equal(table.key, "r", "c"),
            same_key_h=_equal(table.key, "r", "h"),
            same_key_of_h=_equal(table.key, "h", "f"),
            same_key_s=_equal(table.key, "s", "f"),
            assignments=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("f", name))
                for name in table.content
            ),
            line=sql.Identifier(LINE),
            **parts,
        )


def _json_array(columns: Sequence[str]) -> sql.Composed:
    """The columns as one jsonb array, made of parts: a function of Postgres takes no more arguments."""
    starts = range(0, len(columns), MOST_ARGUMENTS)
    parts = (_list(columns[start : start + MOST_ARGUMENTS]) for start in starts)
    return sql.SQL(" || ").join(sql.SQL("jsonb_build_array({})").format(part) for part in parts)


def _list(columns: Iterable[str], alias: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in columns
    )


def _equal(columns: Iterable[str], left: str, right: str) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in columns
    )
