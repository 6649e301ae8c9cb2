"""Release: what drops hold or wait for, given up, restored, or settled again.

Raw is a function of the landing (docs/concepts/ranks.md): a key's row is that of the newest drop in force
that holds it, and raw and history together hold every claim of every drop in force, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_ingestion.engine.dialect import Given, given
from data_ingestion.engine.session import Session
from data_ingestion.errors import LawBroken
from data_ingestion.ledger.model import Fates
from data_ingestion.merge.table import RawTable, TableStatements


@dataclass(frozen=True)
class Owner:
    """A drop whose claims are given up or settled, and the load that does it."""

    drop_id: int
    load_id: int


@dataclass(frozen=True)
class Claims:
    """The claims of drops to keys of their dataset, inside a transaction that holds the dataset's lock."""

    statements: TableStatements
    owners: Sequence[Owner]

    @classmethod
    def of(cls, session: Session, table: RawTable, owners: Sequence[Owner]) -> Claims:
        return cls(TableStatements(session, table), owners)

    def release(self, stage: str | None = None) -> dict[int, Fates]:
        """Ends claims to keys that the drops no longer hold; the newest claim that waits takes each place.

        Keys in the stage stay (a correction); without one, the drops let go of everything. Fates by drop.
        """
        kept = "where not exists (select 1 from {stage} s where {same_key_rs})" if stage else ""
        self._scratch(
            "_released",
            "select {key_of_r}, r._drop_id, g.load_id from {given} g join {raw} r on r._drop_id = g.drop_id "
            + kept,
            {"stage": stage or ""},
        )
        withdrawn = self._count("select _drop_id, count(*) from _released group by 1")
        restored: Mapping[int, int] = {}
        if withdrawn:
            self._run(
                """insert into {history} ({all_columns}, _fate, _by_load_id)
                   select {all_columns_of_r}, 'withdrawn', f.load_id from {raw} r join _released f on {same_key_rf}"""
            )
            self._scratch(
                "_restored",
                """select {all_columns}, _for_drop, _for_load from (
                       select {all_columns_of_h}, f._drop_id as _for_drop, f.load_id as _for_load,
                              row_number() over (partition by {key_of_h} order by o.rank desc) as _n
                       from {history} h join _released f on {same_key_hf} join ops.drops o on o.drop_id = h._drop_id
                       where h._fate = 'waiting' and h._drop_id <> f._drop_id) c
                   where _n = 1""",
            )
            gone = self._run("delete from {raw} r using _released f where {same_key_rf}")
            restored = self._count("select _for_drop, count(*) from _restored group by 1")
            back = self._promote_restored()
            if (gone, back) != (sum(withdrawn.values()), sum(restored.values())):
                raise LawBroken(f"{withdrawn} rows released and {restored} restored, {gone} and {back} moved")
        if not stage:
            self.end_waiting()
        return {
            owner.drop_id: Fates(
                restored=restored.get(owner.drop_id, 0), withdrawn=withdrawn.get(owner.drop_id, 0)
            )
            for owner in self.owners
        }

    def end_waiting(self) -> None:
        """Ends the drops' claims that wait behind newer drops."""
        self._run(
            "delete from {history} where _fate = 'waiting' and _drop_id in (select g.drop_id from {given} g)"
        )

    def count_waiting_not_in(self, stage: str) -> dict[int, int]:
        """How many of the claims that wait are to keys that are not in a stage, by drop."""
        return self._count(
            """select h._drop_id, count(*) from {given} g join {history} h on h._drop_id = g.drop_id
               where h._fate = 'waiting' and not exists (select 1 from {stage} s where {same_key_hs}) group by 1""",
            {"stage": stage},
        )

    def count_all(self) -> int:
        """How many claims the drops have, in raw or waiting."""
        waiting = self._count(
            """select h._drop_id, count(*) from {given} g join {history} h on h._drop_id = g.drop_id
               where h._fate = 'waiting' group by 1"""
        )
        return sum(self.count_held().values()) + sum(waiting.values())

    def count_held(self) -> dict[int, int]:
        """How many rows of raw are each drop's."""
        return self._count(
            "select r._drop_id, count(*) from {given} g join {raw} r on r._drop_id = g.drop_id group by 1"
        )

    def count_shared_with(self, other: int) -> int:
        """For how many of the drops' keys another drop also has a claim."""
        ((count,),) = self.statements.rows(
            """with mine as (
                   select {key_of_r} from {given} g join {raw} r on r._drop_id = g.drop_id
                   union all
                   select {key_of_h} from {given} g join {history} h on h._drop_id = g.drop_id and h._fate = 'waiting'
               )
               select count(*) from mine m
               where exists (select 1 from {raw} r where {same_key_rm} and r._drop_id = $other)
                  or exists (select 1 from {history} h
                             where {same_key_hm} and h._drop_id = $other and h._fate = 'waiting')""",
            self._given,
            other=other,
        )
        return int(count)

    def settle(self) -> int:
        """The drops' rank has moved: for each contested key they claim, the newest claim takes the place in raw.

        How many places changed hands. Raw holds as many rows as before.
        """
        load_id = self.owners[0].load_id
        self._scratch(
            "_contested",
            """select {key_of_h} from {given} g join {history} h on h._drop_id = g.drop_id and h._fate = 'waiting'
               union
               select {key_of_h} from {given} g join {raw} r on r._drop_id = g.drop_id
               join {history} h on {same_key_rh} where h._fate = 'waiting'""",
        )
        self._scratch(
            "_restored",
            """select {all_columns}, cast(null as bigint) as _for_drop, cast($load as bigint) as _for_load from (
                   select c.*, row_number() over (partition by {key_of_c} order by o.rank desc) as _n
                   from (select {all_columns_of_r}, true as _in_raw from {raw} r join _contested f on {same_key_rf}
                         union all
                         select {all_columns_of_h}, false from {history} h join _contested f on {same_key_hf}
                         where h._fate = 'waiting') c
                   join ops.drops o on o.drop_id = c._drop_id) n
               where _n = 1 and not _in_raw""",
            load=load_id,
        )
        self._run(
            """insert into {history} ({all_columns}, _fate, _by_load_id)
               select {all_columns_of_r}, 'waiting', f._for_load from {raw} r join _restored f on {same_key_rf}"""
        )
        displaced = self._run("delete from {raw} r using _restored f where {same_key_rf}")
        settled = self._promote_restored()
        if displaced != settled:
            raise LawBroken(f"{displaced} rows displaced, {settled} settled in their place")
        return settled

    def _promote_restored(self) -> int:
        """Moves the claims in `_restored` from the history into raw, as rows of the load that does it."""
        promoted = self._run(
            """insert into {raw} ({content}, _drop_id, _load_id, {line_and_former})
               select {content}, _drop_id, _for_load, {line_and_former} from _restored"""
        )
        if promoted:
            self._run(
                """delete from {history} h using _restored f
                   where {same_key_hf} and h._drop_id = f._drop_id and h._fate = 'waiting'"""
            )
        return promoted

    @property
    def _given(self) -> Given:
        return given(
            drop_id=("bigint", [owner.drop_id for owner in self.owners]),
            load_id=("bigint", [owner.load_id for owner in self.owners]),
        )

    def _run(self, text: str) -> int:
        return self.statements.run(text, self._given)

    def _scratch(
        self, name: str, query: str, phrases: Mapping[str, str] | None = None, **values: object
    ) -> None:
        self.statements.scratch(name, query, self._given, phrases, **values)

    def _count(self, text: str, phrases: Mapping[str, str] | None = None) -> dict[int, int]:
        return dict(self.statements.rows(text, self._given, phrases))
