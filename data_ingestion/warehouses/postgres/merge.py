"""Merge on Postgres: staged drops become rows of raw, and what they displace goes to the history.

Every statement is a set. Fates are computed on the stage first, and what the statements then report must equal them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection, errors, sql

from data_ingestion.checks import LINE
from data_ingestion.errors import LawBroken
from data_ingestion.ledger import Fates, MergePlan
from data_ingestion.warehouses.postgres.claims import Claims
from data_ingestion.warehouses.postgres.members import Member, Merged, complete_fates
from data_ingestion.warehouses.postgres.merge_plan import MergeFacts, PlanLimits, choose_plan
from data_ingestion.warehouses.postgres.session import array, by_index, equal, names
from data_ingestion.warehouses.postgres.straight import StraightCopy, build_key
from data_ingestion.warehouses.postgres.tables import KEY, OCCURRENCE, POSITION, RawTable, StagedRows

# For the one statement that reads all of the stage and of raw.
PARALLEL: dict[LiteralString, LiteralString] = {
    "max_parallel_workers_per_gather": "1",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
}

# Whether the drop that owns a row of raw ranks above the one that is merged.
IS_NEWER: LiteralString = """(o.rank_period, o.rank_delivered_at, o.rank_object_key)
    > (select d.rank_period, d.rank_delivered_at, d.rank_object_key from ops.drops d where d.drop_id = {drop})"""


@dataclass(frozen=True)
class Merge:
    """The merge of staged drops into one dataset's raw table, inside a transaction that holds the dataset's lock.

    Several drops at once must all be new, and their load ids ascend from the newest drop to the oldest. One alone may
    correct what it held before; its stage has no positions.
    """

    connection: Connection
    table: RawTable
    members: Sequence[Member]
    staged: StagedRows
    limits: PlanLimits

    def merge(self, raw_rows: int, *, corrects: bool = False) -> Merged:
        """Brings the stage in: new keys inserted, changed ones updated, an unchanged row never rewritten."""
        distinct = self.staged.distinct
        repeated = {} if distinct else self._remove_repeated()
        superseded = self._supersede_each_other() if self._many and not distinct else {}
        plan, reason = choose_plan(self._facts(raw_rows), self.limits)
        if corrects:
            self._claims.forget_waiting()
        claims = {
            member.position: member.staged
            - repeated.get(member.position, 0)
            - superseded.get(member.position, 0)
            for member in self.members
        }
        with self._planned_for(plan):
            self._compute_fates(plan, corrects=corrects)
        moves = self._count_fates()
        self._record_history()
        fates = {
            position: complete_fates(moves.get(position, {}), plan, count)
            for position, count in claims.items()
        }
        inserted = self._move(plan)
        if inserted != sum(each.inserted for each in fates.values()):
            raise LawBroken(f"{inserted} rows inserted, the stage says {fates}")
        for position in fates:
            fates[position] += Fates(
                repeated=repeated.get(position, 0), superseded=superseded.get(position, 0)
            )
        if corrects:
            (position,) = fates
            keeps = fates[position].inserted + fates[position].updated + fates[position].unchanged
            # Where all of raw is what the drop keeps, there is no need to look for its other rows.
            if keeps != raw_rows + inserted and keeps != self._claims.count_held():
                fates[position] += self._claims.release(kept=self.staged.table)
        return Merged(fates, plan, reason)

    def insert(self) -> Merged | None:
        """Brings in a stage of distinct keys as new rows; None, and nothing done, if raw holds one of them.

        Raw's key finds that out by itself, and to look before costs as much again. Not in the key's order: to sort the
        stage of small drops costs more than it saves.
        """
        try:
            with self.connection.transaction():
                inserted = self._run(
                    "insert into {raw} ({columns}) select {content_of_s}, {drop}, {load}, s.{line} from {stage} s"
                )
        except errors.UniqueViolation:
            return None
        fates = {member.position: Fates(inserted=member.staged) for member in self.members}
        if inserted != sum(each.inserted for each in fates.values()):
            raise LawBroken(f"{inserted} rows inserted, the stage says {fates}")
        return Merged(fates, MergePlan.MERGE, "raw held none of their keys")

    def finish_straight(self, straight: StraightCopy) -> Merged:
        """The same for a drop that was copied straight into the empty raw table."""
        (member,), staged = self.members, self.staged
        repeated = 0 if staged.distinct else self._remove_repeated().get(member.position, 0)
        build_key(self.connection, self.table, straight)
        fates = Fates(repeated=repeated, inserted=staged.rows - repeated)
        return Merged({member.position: fates}, MergePlan.COPY, "raw was empty")

    @property
    def _many(self) -> bool:
        return len(self.members) > 1

    @property
    def _claims(self) -> Claims:
        member = self.members[0]
        return Claims(self.connection, self.table, member.drop_id, member.load_id)

    def _remove_repeated(self) -> dict[int, int]:
        """Has each drop hold each key once: by number of occurrence, or else its last row of a key stays."""
        within = (sql.Identifier(POSITION),) if self._many else ()
        window = sql.SQL(", ").join([*within, *map(sql.Identifier, self.table.key)])
        if self.table.by_occurrence:
            # What tells the second of equal rows from the first must be theirs in every drop.
            self._run(
                """update {stage} s set {occurrence} = d.n, {key} = encode(substring(sha256(
                           uuid_send(s.{key}) || int4send(d.n)) for 16), 'hex')::uuid
                   from (select ctid as place, row_number() over (partition by {window} order by {line})::int as n
                         from {stage}) d
                   where s.ctid = d.place and d.n > 1""",
                window=window,
            )
            return {}
        self._run(
            """create temporary table _repeated on commit drop as
               select * from (select ctid as place, {position} as {position_name}, {line},
                                     first_value({line}) over w as kept_line, first_value(ctid) over w as kept
                              from {stage} window w as (partition by {window} order by {line} desc)) r
               where {line} <> kept_line""",
            window=window,
        )
        self._run(
            """insert into ops.conflicts (load_id, dataset, object_key, line, kept_line, content)
               select {load}, %(dataset)s, o.rank_object_key, r.{line}, r.kept_line, {content_as_json}
               from {stage} s join _repeated r on r.place = s.ctid join {stage} k on k.ctid = r.kept
               join ops.drops o on o.drop_id = {drop}
               where ({values_of_s}) is distinct from ({values_of_k})""",
        )
        self._run("delete from {stage} s using _repeated r where s.ctid = r.place")
        return self._by_position("select {position_name}, count(*) from _repeated group by 1")

    def _supersede_each_other(self) -> dict[int, int]:
        """Of a key that several drops of the batch hold, the newest claim goes on; the others wait behind it."""
        self._run(
            """create temporary table _older on commit drop as
               select place, {position_name} from (
                   select s.ctid as place, s.{position_name},
                          row_number() over (partition by {key_of_s} order by {load}) as n
                   from {stage} s) c
               where n > 1"""
        )
        self._run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {content_of_s}, {drop}, {load}, s.{line}, 'waiting', {load}
               from {stage} s join _older c on c.place = s.ctid"""
        )
        self._run("delete from {stage} s using _older c where s.ctid = c.place")
        return self._by_position("select {position_name}, count(*) from _older group by 1")

    def _facts(self, raw_rows: int) -> MergeFacts:
        """How much of the stage raw knows, by a sample of its pages: its first rows need not be like the others."""
        staged = self.staged.rows
        wanted = self.limits.sample_rows
        if not raw_rows or not staged:
            return MergeFacts(staged, raw_rows, 0, 0)
        share = sql.Literal(min(100.0, 100.0 * wanted / staged))
        with by_index(self.connection):
            row = self.connection.execute(
                self._format(
                    """select count(*), count(r._drop_id)
                       from (select {key} from {stage} tablesample system ({share}) limit {wanted}) s
                       left join {raw} r on {same_key_s}""",
                    share=share,
                    wanted=sql.Literal(wanted),
                    key=names(self.table.key),
                )
            ).fetchone()
        assert row is not None
        return MergeFacts(staged, raw_rows, *row)

    @contextmanager
    def _planned_for(self, plan: MergePlan) -> Iterator[None]:
        if plan is not MergePlan.DIFFERENCE:
            with by_index(self.connection):
                yield
            return
        # The client is done by now: a second process of the server may take its core.
        for setting in PARALLEL:
            self.connection.execute(f"set local {setting} = {PARALLEL[setting]}")
        yield
        for setting in PARALLEL:
            self.connection.execute(f"set local {setting} to default")

    def _compute_fates(self, plan: MergePlan, *, corrects: bool) -> None:
        """Of the difference, all that moves; else, all that raw knows: the rest of the stage is new."""
        is_newer: sql.Composable = self._format(IS_NEWER)
        owners = sql.SQL("")
        if plan is MergePlan.DIFFERENCE and not self._many:
            # A list, for a join with a look into another table would not be done by several processes.
            is_newer = sql.SQL("r._drop_id = any({}::bigint[])").format(sql.Literal(self._newer_drops()))
        elif corrects:
            # Most rows are the drop's own, and nobody asks whose is the newer: it is looked up when asked.
            is_newer = sql.SQL("(select {} from ops.drops o where o.drop_id = r._drop_id)").format(is_newer)
        else:
            owners = sql.SQL("left join ops.drops o on o.drop_id = r._drop_id")
        self._run(
            """create temporary table _fates on commit drop as
               select * from (
                   select s.*, {drop} as _own_drop, {load} as _own_load, r._drop_id as _held_by, case
                       when r._drop_id is null then 'inserted'
                       when r._drop_id <> {drop} and {is_newer} then 'superseded'
                       when ({values_of_r}) is distinct from ({values_of_s}) then 'updated'
                       when r._drop_id <> {drop} then 'taken_over'
                       else 'unchanged' end as _fate
                   from {stage} s {join} {raw} r on {same_key_s} {owners}) f
               where {wanted}""",
            join=sql.SQL("left join" if plan is MergePlan.DIFFERENCE else "join"),
            is_newer=is_newer,
            owners=owners,
            wanted=sql.SQL("_fate <> 'unchanged'" if plan is MergePlan.DIFFERENCE else "true"),
        )

    def _newer_drops(self) -> list[int]:
        rows = self.connection.execute(
            self._format(
                "select o.drop_id from ops.drops o where o.dataset = %(dataset)s and o.ended_at is null and {newer}",
                newer=self._format(IS_NEWER),
            ),
            self._parameters,
        )
        return [drop_id for (drop_id,) in rows]

    def _count_fates(self) -> dict[int, dict[str, int]]:
        counts: dict[int, dict[str, int]] = {}
        rows = self.connection.execute(
            self._format("select {position} as position, _fate, count(*) from _fates group by 1, 2"),
            self._parameters,
        )
        for position, fate, count in rows:
            counts.setdefault(position, {})[fate] = count
        return counts

    def _record_history(self) -> None:
        self._run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {content}, _own_drop, _own_load, {line}, 'waiting', _own_load
               from _fates where _fate = 'superseded'"""
        )
        with by_index(self.connection):
            self._run(
                """insert into {history} ({columns}, _fate, _by_load_id)
                   select {raw_columns}, case when f._held_by = f._own_drop then 'replaced' else 'waiting' end,
                          f._own_load
                   from _fates f join {raw} r on {same_key_f}
                   where f._fate in ('updated', 'taken_over')"""
            )

    def _move(self, plan: MergePlan) -> int:
        """Has raw hold what the fates say; how many rows are new in it. What the server reports must equal them."""
        new = 0
        if plan is not MergePlan.DIFFERENCE:
            new = self._run(
                """insert into {raw} ({columns})
                   select {content_of_s}, {drop}, {load}, s.{line} from {stage} s
                   where not exists (select from _fates f where {same_key_fs}) order by {key_of_s}"""
            )
        with by_index(self.connection):
            moved = self.connection.execute(
                self._format(
                    """with moved as (
                           merge into {raw} r
                           using (select * from _fates where _fate in ('inserted', 'updated', 'taken_over')
                                  order by {key}) f on {same_key_f}
                           when matched and f._fate = 'updated' then
                               update set {assignments}, _drop_id = f._own_drop, _load_id = f._own_load,
                                          {line} = f.{line}
                           when matched then update set _drop_id = f._own_drop, {line} = f.{line}
                           when not matched then
                               insert ({columns}) values ({content_of_f}, f._own_drop, f._own_load, f.{line})
                           returning merge_action() = 'INSERT' as is_new, f._fate as fate
                       )
                       select is_new, fate, count(*) from moved group by 1, 2""",
                    key=names(self.table.key),
                ),
                self._parameters,
            ).fetchall()
        expected: dict[str, int] = dict(
            self.connection.execute(
                "select _fate, count(*) from _fates where _fate in ('inserted', 'updated', 'taken_over') group by 1"
            ).fetchall()
        )
        reported = {fate: count for is_new, fate, count in moved if is_new == (fate == "inserted")}
        if reported != expected:
            raise LawBroken(f"MERGE reports {moved}, the stage says {expected}")
        return new + int(reported.get("inserted", 0))

    def _by_position(self, text: LiteralString) -> dict[int, int]:
        return dict(self.connection.execute(self._format(text), self._parameters).fetchall())

    @property
    def _parameters(self) -> dict[str, object]:
        return {
            "dataset": self.table.contract.dataset,
            "drop": self.members[0].drop_id,
            "load": self.members[0].load_id,
            "drops": self._at_positions(lambda member: member.drop_id),
            "loads": self._at_positions(lambda member: member.load_id),
        }

    def _at_positions(self, value: Callable[[Member], int]) -> str:
        """A value of each member at the place of its position in the batch, 0 for drops that were left out."""
        values = [0] * (1 + max(member.position for member in self.members))
        for member in self.members:
            values[member.position] = value(member)
        return array(values)

    def _run(self, text: LiteralString, **parts: sql.Composable) -> int:
        return self.connection.execute(self._format(text, **parts), self._parameters).rowcount

    def _format(self, text: LiteralString, **parts: sql.Composable) -> sql.Composed:
        table, many = self.table, self._many
        content = (*table.identity, *table.content)
        position = sql.Identifier(POSITION)
        phrases: dict[str, sql.Composable] = {
            "raw": table.name,
            "history": table.history,
            "stage": self.staged.table,
            "columns": names(table.columns),
            "raw_columns": names(table.columns, "r"),
            "content": names(content),
            "content_of_s": names(content, "s"),
            "content_of_f": names(content, "f"),
            "content_as_json": sql.SQL(f"to_jsonb(s.*) - '{{{LINE},{POSITION},_drop_id,_load_id}}'::text[]"),
            "values_of_r": names(table.content, "r"),
            "values_of_s": names(table.content, "s"),
            "values_of_k": names(table.content, "k"),
            "key_of_s": names(table.key, "s"),
            "same_key_s": equal(table.key, "r", "s"),
            "same_key_f": equal(table.key, "r", "f"),
            "same_key_fs": equal(table.key, "f", "s"),
            "assignments": sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("f", name))
                for name in table.content
            ),
            "line": sql.Identifier(LINE),
            "occurrence": sql.Identifier(OCCURRENCE),
            "key": sql.Identifier(KEY),
            "position_name": position,
            "position": position if many else sql.Literal(self.members[0].position),
            # Which drop a row of the stage is of: told by its position, or the only one there is.
            "drop": _looked_up("drops") if many else sql.SQL("%(drop)s::bigint"),
            "load": _looked_up("loads") if many else sql.SQL("%(load)s::bigint"),
        }
        return sql.SQL(text).format(**{**phrases, **parts})


def _looked_up(parameter: LiteralString) -> sql.Composed:
    """The value at the position of a row of the stage, in an array that Postgres counts from 1."""
    return sql.SQL("(%(" + parameter + ")s::bigint[])[s.{} + 1]").format(sql.Identifier(POSITION))
