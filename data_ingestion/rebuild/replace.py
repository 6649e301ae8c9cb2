"""Replacement: tables made aside take the place of a dataset's raw table and history, in one transaction.

Raw is a function of the landing (docs/concepts/ranks.md): of all rows that were read, each key's row in the newest drop
goes into raw, the others wait in the history. What raw held before and holds no more is in the history as withdrawn,
so that models that follow the loads take it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_ingestion.engine.dialect import given
from data_ingestion.errors import LawBroken, PlanStale
from data_ingestion.ledger.loads import open_dataset, record_raw_rows
from data_ingestion.ledger.model import Fates, MergePlan, check_laws
from data_ingestion.merge.fit import compare
from data_ingestion.rebuild.aside import Aside, Holder
from data_ingestion.rebuild.record import (
    part_objects,
    record_drops,
    record_lost,
    record_open,
    record_rebuild,
)


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild has done. `kept` are rows of drops that could not be read again, as they were."""

    load_id: int
    drops: int
    fates: Fates
    raw_before: int
    raw_after: int
    kept: int
    is_other_key: bool
    notes: tuple[str, ...]


def replace(
    aside: Aside, attempt_id: int, kept: Sequence[int], lost: Sequence[int], parted: Sequence[Holder] = ()
) -> Rebuilt:
    """Makes the new tables true, inside a transaction. Readers see the old ones until it commits.

    Rows of `kept` drops stay as they are; `lost` drops end, and their objects count as never loaded, as `parted` ones
    do, whose drop other objects hold. Raises `PlanStale`
    where another drop is in force that is neither and was not taken in, `LawBroken` if rows don't add up.
    """
    raw_before = open_dataset(aside.session, aside.contract.dataset)
    _refuse_stale(aside, (*kept, *lost))
    common, is_comparable = _compare(aside)
    part_objects(aside, parted)
    load_id, drops = _draw_loads(aside)
    record_open(aside, lost, load_id)
    record_lost(aside, lost)
    _keep(aside, kept, common)
    aside.engine.make(aside.new)
    raw_after = _fill(aside, load_id)
    if is_comparable:
        _remember(aside, load_id, common)
    aside.engine.complete(aside.new)
    kept_rows, fates = record_drops(aside, raw_after)
    check_laws(fates, kept_rows, raw_after)
    plan = MergePlan.REBUILD if is_comparable else MergePlan.REKEY
    record_rebuild(aside, attempt_id, load_id, plan, raw_before, kept_rows)
    record_raw_rows(aside.session, aside.contract.dataset, raw_after)
    notes = aside.engine.take_place(aside.old, aside.new)
    return Rebuilt(load_id, drops, fates, raw_before, raw_after, kept_rows, not is_comparable, notes)


def _refuse_stale(aside: Aside, left: Sequence[int]) -> None:
    ((changed,),) = aside.ask(
        """select (select count(*) from ops.drops d
                   where d.dataset = $dataset and d.ended_at is null
                     and not exists (select 1 from {drops} t where t.drop_id = d.drop_id and t.sha256 = d.sha256)
                     and d.drop_id not in (select g.drop_id from {given} g))
                + (select count(*) from {drops} t
                   where not exists (select 1 from ops.drops d where d.drop_id = t.drop_id and d.ended_at is null))""",
        given(drop_id=("bigint", left)),
    )
    if changed:
        raise PlanStale(
            f"raw.{aside.contract.dataset}: other loads have changed {changed} drops since they were read"
        )


def _compare(aside: Aside) -> tuple[tuple[str, ...], bool]:
    """Columns of the new table whose values in the old one are what the new type makes of them.

    And whether an old row's key can stand in the new table. A hash always can: one of other columns is another.
    """
    there = aside.engine.look()
    others = compare(aside.old, there).others
    common = tuple(column for column in aside.old.types if column in there.types and column not in others)
    return common, set(there.key) == set(aside.new.key) <= set(common)


def _draw_loads(aside: Aside) -> tuple[int, int]:
    """The load of the rebuild, and how many drops were read: each has a load after it, the oldest first."""
    ranked = aside.ask(
        "select t.drop_id from {drops} t join ops.drops d on d.drop_id = t.drop_id order by d.rank"
    )
    load_id, *load_ids = aside.session.draw("loads", 1 + len(ranked))
    aside.run(
        """update {drops} t set load_id = g.load_id, attempt_id = g.attempt_id
           from {given} g where t.drop_id = g.drop_id""",
        given(
            drop_id=("bigint", [drop_id for (drop_id,) in ranked]),
            load_id=("bigint", load_ids),
            attempt_id=("bigint", aside.session.draw("attempts", len(ranked))),
        ),
    )
    return load_id, len(ranked)


def _keep(aside: Aside, kept: Sequence[int], common: Sequence[str]) -> None:
    """Rows of drops that could not be read again go with those that were, as an earlier contract made them."""
    if kept:
        columns = aside.session.dialect.names(name for name in common if name != "_load_id")
        aside.run(
            """insert into {rows} ({kept_columns})
               select {kept_columns} from {raw} where _drop_id in (select g.drop_id from {given} g)
               union all
               select {kept_columns} from {history}
               where _drop_id in (select g.drop_id from {given} g) and _fate = 'waiting'""",
            given(drop_id=("bigint", kept)),
            {"kept_columns": columns},
        )


def _fill(aside: Aside, load_id: int) -> int:
    """Has the newest claim to each key in raw and the others wait; how many rows raw holds.

    In the order in which drops were read, so that the rows of one lie together.
    """
    aside.analyze("rows", "drops")
    aside.scratch(
        "_older",
        """select _drop_id, {line} from (
               select r._drop_id, r.{line}, row_number() over (partition by {key_of_r} order by d.rank desc) as _n
               from {rows} r
               join (select {key} from {rows} group by {key} having count(*) > 1) c on {same_key_rc}
               join ops.drops d on d.drop_id = r._drop_id) claims
           where _n > 1""",
    )
    aside.analyze("_older")
    filled = aside.run(
        """insert into {new_raw} ({columns})
           select {content_of_r}, r._drop_id, coalesce(t.load_id, $load), r.{line}
           from {rows} r left join {drops} t on t.drop_id = r._drop_id
           where not exists (select 1 from _older o where o._drop_id = r._drop_id and o.{line} = r.{line})""",
        load=load_id,
    )
    waiting = aside.run(
        """insert into {new_history} ({columns}, _by_load_id, _fate)
           select {content_of_r}, r._drop_id, coalesce(t.load_id, $load), r.{line}, $load, 'waiting'
           from {rows} r join _older o on o._drop_id = r._drop_id and o.{line} = r.{line}
           left join {drops} t on t.drop_id = r._drop_id""",
        load=load_id,
    )
    ((rows,),) = aside.ask("select count(*) from {rows}")
    if filled + waiting != rows:
        raise LawBroken(f"{rows} rows were read, {filled} are in raw and {waiting} wait")
    return filled


def _remember(aside: Aside, load_id: int, common: Sequence[str]) -> None:
    """What left raw before stays in the history, and so does what leaves it now, in the contract's columns."""
    dialect = aside.session.dialect
    phrases = {"common": dialect.names(common), "common_of_f": dialect.names(common, "f")}
    aside.run(
        """insert into {new_history} ({common}, _by_load_id, _fate)
           select {common}, _by_load_id, _fate from {history} where _fate <> 'waiting'""",
        None,
        phrases,
    )
    aside.run(
        """insert into {new_history} ({common}, _by_load_id, _fate)
           select {common_of_f}, $load, 'withdrawn' from {raw} f
           where not exists (select 1 from {new_raw} r where {same_key_rf})""",
        None,
        phrases,
        load=load_id,
    )
