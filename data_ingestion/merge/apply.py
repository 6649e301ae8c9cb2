"""Apply: staged drops become rows of raw, and what they displace goes to the history.

Every statement is a set. Fates are computed on the stage first, and what the statements then report must equal them.
"""

from __future__ import annotations

from collections.abc import Mapping

from data_ingestion.errors import LawBroken
from data_ingestion.ledger.model import Fates, MergePlan
from data_ingestion.merge.fates import Stage
from data_ingestion.merge.members import Merged, complete_fates
from data_ingestion.merge.release import Claims, Owner

# How rows of each fate that moves come into raw.
MOVES = {
    "updated": """update {raw} r
                  set {assignments}, _drop_id = f._own_drop, _load_id = f._own_load, {line} = f.{line}
                  from _fates f where {same_key_rf} and f._fate = 'updated'""",
    "taken_over": """update {raw} r set _drop_id = f._own_drop, {line} = f.{line}
                     from _fates f where {same_key_rf} and f._fate = 'taken_over'""",
    "inserted": """insert into {raw} ({columns}) select {content}, _own_drop, _own_load, {line}
                   from _fates where _fate = 'inserted' order by {key}""",
}


def apply(stage: Stage, raw_rows: int) -> Merged:
    """Brings a stage in: new keys inserted, changed ones updated, an unchanged row never rewritten."""
    repeated, conflicts = stage.remove_repeated()
    superseded = stage.supersede_each_other()
    plan, reason = stage.session.accelerators.choose_plan(stage, raw_rows)
    ended = _end_waiting(stage)
    counted = stage.compute(plan)
    fates = {}
    for member in stage.members:
        aside = Fates(
            repeated=repeated.get(member.position, 0), superseded=superseded.get(member.position, 0)
        )
        claims = member.staged - aside.repeated - aside.superseded
        fates[member.position] = complete_fates(counted.get(member.position, {}), plan, claims) + aside
    _record_history(stage)
    inserted = _move(stage, plan, counted)
    if inserted != sum(each.inserted for each in fates.values()):
        raise LawBroken(f"{inserted} rows inserted, the stage says {fates}")
    for position, released in _release(stage, fates, raw_rows + inserted).items():
        fates[position] += released
        ended[position] = ended.get(position, 0) + released.withdrawn
    return Merged(fates, plan, reason, conflicts, ended)


def finish_direct(stage: Stage, reason: str) -> Merged:
    """The same for a drop that was copied straight into the empty raw table."""
    (member,) = stage.members
    repeated, conflicts = stage.remove_repeated()
    count = repeated.get(member.position, 0)
    fates = Fates(repeated=count, inserted=member.staged - count)
    return Merged({member.position: fates}, MergePlan.COPY, reason, conflicts)


def _claims(stage: Stage) -> Claims:
    """The earlier claims of those that correct."""
    owners = [Owner(member.drop_id, member.load_id) for member in stage.members if member.corrects]
    return Claims(stage.statements, owners)


def _end_waiting(stage: Stage) -> dict[int, int]:
    """Ends claims that wait, before those of the new reading are made; how many are not renewed, by position."""
    claims = _claims(stage)
    if not claims.owners:
        return {}
    position_of = {member.drop_id: member.position for member in stage.members}
    ended = {position_of[drop]: count for drop, count in claims.count_waiting_not_in(stage.name).items()}
    claims.end_waiting()
    return ended


def _release(stage: Stage, fates: Mapping[int, Fates], raw_rows: int) -> dict[int, Fates]:
    """What those that correct have in raw beyond their new reading leaves it; fates by position."""
    claims = _claims(stage)
    if not claims.owners:
        return {}
    position_of = {member.drop_id: member.position for member in stage.members}
    keeps = {
        owner.drop_id: each.inserted + each.updated + each.unchanged
        for owner in claims.owners
        for each in [fates[position_of[owner.drop_id]]]
    }
    # If the kept rows are all of raw, there are none to release.
    if sum(keeps.values()) == raw_rows:
        return {}
    held = claims.count_held()
    if all(held.get(drop, 0) == count for drop, count in keeps.items()):
        return {}
    return {position_of[drop]: released for drop, released in claims.release(stage.name).items()}


def _record_history(stage: Stage) -> None:
    stage.run(
        """insert into {history} ({columns}, _fate, _by_load_id)
           select {content}, _own_drop, _own_load, {line}, 'waiting', _own_load
           from _fates where _fate = 'superseded'"""
    )
    stage.run(
        """insert into {history} ({all_columns}, _fate, _by_load_id)
           select {all_columns_of_r}, case when f._held_by = f._own_drop then 'replaced' else 'waiting' end,
                  f._own_load
           from _fates f join {raw} r on {same_key_rf}
           where f._fate in ('updated', 'taken_over')"""
    )


def _move(stage: Stage, plan: MergePlan, counted: Mapping[int, Mapping[str, int]]) -> int:
    """Has raw hold what the fates say; how many rows are new in it. What is reported must equal the fates."""
    new = 0
    if plan is not MergePlan.DIFFERENCE:
        new = stage.run(
            """insert into {raw} ({columns})
               select {content_of_s}, {drop}, {load}, s.{line} from {stage} s
               where not exists (select 1 from _fates f where {same_key_fs}) order by {key_of_s}"""
        )
    expected = {
        fate: count for fate in MOVES if (count := sum(each.get(fate, 0) for each in counted.values()))
    }
    moved = {fate: stage.run(MOVES[fate]) for fate in expected}
    if moved != expected:
        raise LawBroken(f"the warehouse reports {moved} rows moved, the stage says {expected}")
    return new + moved.get("inserted", 0)
