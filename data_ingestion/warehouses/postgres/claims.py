"""Claims on Postgres: what a drop holds or waits for, given up, restored, or settled anew.

Raw is a function of the landing (docs/concepts/ranks.md): a key's row is that of the newest drop in force
that holds it, and raw and history together hold every claim of every drop in force, once.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import Connection, sql

from data_ingestion.checks import LINE
from data_ingestion.errors import LawBroken
from data_ingestion.ledger import Fates
from data_ingestion.warehouses.postgres.session import equal, names
from data_ingestion.warehouses.postgres.tables import RawTable


@dataclass(frozen=True)
class Claims:
    """The claims of one drop to keys of its dataset, inside a transaction that holds the dataset's lock."""

    connection: Connection
    table: RawTable
    drop_id: int
    load_id: int

    def release(self, kept: sql.Identifier | None = None) -> Fates:
        """Ends the drop's claims to keys it no longer holds; the newest claim that waits takes each place.

        The keys in the stage `kept` stay (a correction); without one, the drop lets go of everything.
        """
        gone: sql.Composable = sql.SQL("true")
        if kept:
            same = equal(self.table.key, "r", "s")
            gone = sql.SQL("not exists (select from {} s where {})").format(kept, same)
        self._run("drop table if exists pg_temp._released")
        self._run("drop table if exists pg_temp._restored")
        released = self._run(
            """create temporary table _released on commit drop as
               select {key_of_r} from {raw} r where r._drop_id = %(drop)s and {gone}""",
            gone=gone,
        )
        withdrawn = restored = 0
        if released:
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
        if not kept:
            self.forget_waiting()
        return Fates(restored=restored, withdrawn=withdrawn)

    def forget_waiting(self) -> None:
        """Ends the drop's claims that wait behind newer drops."""
        self._run("delete from {history} where _drop_id = %(drop)s and _fate = 'waiting'")

    def count_held(self) -> int:
        """How many rows of raw are the drop's."""
        row = self.connection.execute(
            self._format("select count(*) from {raw} where _drop_id = %(drop)s"), self._parameters
        ).fetchone()
        assert row is not None
        return int(row[0])

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

    def _promote_restored(self) -> int:
        """Moves the claims in `_restored` from the history into raw, as rows of this load."""
        promoted = self._run(
            "insert into {raw} ({columns}) select {content}, _drop_id, %(load)s, {line} from _restored"
        )
        if promoted:
            self._run(
                """delete from {history} h using _restored f
                   where {same_key_of_h} and h._drop_id = f._drop_id and h._fate = 'waiting'"""
            )
        return promoted

    @property
    def _parameters(self) -> dict[str, object]:
        return {"drop": self.drop_id, "load": self.load_id}

    def _run(self, text: str, **parts: sql.Composable) -> int:
        return self.connection.execute(self._format(text, **parts), self._parameters).rowcount

    def _format(self, text: str, **parts: sql.Composable) -> sql.Composed:
        table = self.table
        return sql.SQL(text).format(
            raw=table.name,
            history=table.history,
            columns=names(table.columns),
            raw_columns=names(table.columns, "r"),
            content=names((*table.identity, *table.content)),
            key_of_r=names(table.key, "r"),
            key_of_h=names(table.key, "h"),
            key_of_c=names(table.key, "c"),
            same_key=equal(table.key, "r", "f"),
            same_key_h=equal(table.key, "r", "h"),
            same_key_of_h=equal(table.key, "h", "f"),
            line=sql.Identifier(LINE),
            **parts,
        )
