"""Record of a rebuild: what became of drops, their quarantine and findings when raw was made again."""

from __future__ import annotations

from collections.abc import Sequence

from data_ingestion.engine.dialect import given
from data_ingestion.ledger.decisions import FINDING_COLUMNS, clear_held
from data_ingestion.ledger.loads import record_ends
from data_ingestion.ledger.model import Fates, Kind, LoadReport, LoadState, MergePlan, check_laws
from data_ingestion.ledger.quarantine import COLUMNS as QUARANTINE_COLUMNS
from data_ingestion.merge.record import rank_drops
from data_ingestion.rebuild.aside import CONFLICT_COLUMNS, Aside, Holder


def record_open(aside: Aside, lost: Sequence[int], load_id: int) -> None:
    """What was open of drops that were read again or are lost is closed; what is bad now is open under its load."""
    of_objects = """where dataset = $dataset and object_key in (
                        select o.object_key from ops.objects o
                        where o.drop_id in (select t.drop_id from {drops} t)
                           or o.drop_id in (select g.drop_id from {given} g))"""
    ended = given(drop_id=("bigint", lost))
    aside.run(
        f"""update ops.quarantine set closed_by_load_id = cast($load as bigint), closed_at = {{now}} {of_objects}
               and closed_by_load_id is null""",
        ended,
        load=load_id,
    )
    aside.run(
        f"update ops.findings set closed_at = {{now}} {of_objects} and closed_at is null",
        ended,
    )
    for table, part, columns, order in (
        ("ops.quarantine", "bad", QUARANTINE_COLUMNS, "t.load_id, b.line"),
        ("ops.findings", "findings", FINDING_COLUMNS, "t.load_id"),
        ("ops.conflicts", "conflicts", CONFLICT_COLUMNS, "t.load_id, b.line"),
    ):
        others = ", ".join(f"b.{column}" for column in columns if column != "load_id")
        aside.insert_from(
            table,
            ("load_id", *(column for column in columns if column != "load_id")),
            f"select t.load_id, {others} from {{{part}}} b join {{drops}} t on t.drop_id = b.load_id order by {order}",
        )


def record_lost(aside: Aside, lost: Sequence[int]) -> None:
    """Objects of lost drops are as if they had never been loaded; bytes that a person has rejected stay out."""
    if not lost:
        return
    ended = given(drop_id=("bigint", lost))
    keys = [
        key
        for (key,) in aside.ask(
            "select o.object_key from {given} g join ops.objects o on o.drop_id = g.drop_id", ended
        )
    ]
    aside.run(
        """update ops.objects o
           set state = 'withdrawn', drop_id = null, withdrawn_sha256 = h.sha256, etag = h.etag,
               size_bytes = h.size_bytes
           from ops.held h
           where h.object_key = o.object_key and h.decision = 'rejected'
             and o.drop_id in (select g.drop_id from {given} g)""",
        ended,
    )
    aside.run(
        "update ops.objects set state = 'seen', drop_id = null where drop_id in (select g.drop_id from {given} g)",
        ended,
    )
    clear_held(aside.session, keys)
    aside.run(
        "update ops.drops set ended_at = {now} where drop_id in (select g.drop_id from {given} g)", ended
    )


def part_objects(aside: Aside, parted: Sequence[Holder]) -> None:
    """Objects of which the contract makes other rows than of their drop leave it: the next load reads them."""
    if not parted:
        return
    aside.run(
        """update ops.objects o set state = 'seen', drop_id = null from {given} g
           where o.object_key = g.key and o.drop_id = g.drop_id""",
        given(
            key=("text", [holder.object.key for holder in parted]),
            drop_id=("bigint", [holder.drop_id for holder in parted]),
        ),
    )
    rank_drops(aside.session, sorted({holder.drop_id for holder in parted}))


def record_drops(aside: Aside, raw_after: int) -> tuple[int, Fates]:
    """A load for each drop that was read; how many rows of kept drops raw holds, and the fates of the others."""
    aside.scratch(
        "_loads",
        """select t.*, coalesce(i.held, 0) as inserted, coalesce(w.waiting, 0) as superseded
           from {drops} t
           left join (select _drop_id, count(*) as held from {new_raw} group by 1) i on i._drop_id = t.drop_id
           left join (select _drop_id, count(*) as waiting from {new_history} where _fate = 'waiting' group by 1) w
               on w._drop_id = t.drop_id""",
    )
    ((read, quarantined, repeated, superseded, inserted),) = aside.ask(
        """select coalesce(sum(rows_read), 0), coalesce(sum(quarantined), 0), coalesce(sum(repeated), 0),
                  coalesce(sum(superseded), 0), coalesce(sum(inserted), 0) from _loads"""
    )
    kept = raw_after - int(inserted)
    aside.run(
        """insert into ops.loads (attempt_id, load_id, dataset, object_key, drop_id, kind, state, started_at, ended_at,
               sha256, size_bytes, fingerprint, rows_read, quarantined, repeated, superseded, inserted, updated,
               unchanged, restored, withdrawn, raw_before, raw_after, plan, plan_reason, seconds) {explicit_ids}
           select attempt_id, load_id, $dataset, object_key, drop_id, 'replay', 'loaded', {now}, {now}, identity,
                  size_bytes, fingerprint, rows_read, quarantined, repeated, superseded, inserted, 0, 0, 0, 0,
                  $kept + _so_far - inserted, $kept + _so_far, 'rebuild', 'raw was made again from the landing', 0
           from (select l.*, cast(sum(inserted) over (order by load_id rows unbounded preceding) as bigint) as _so_far
                 from _loads l) l""",
        kept=kept,
    )
    aside.run(
        """update ops.drops d set sha256 = t.identity, fingerprint = t.fingerprint, load_id = t.load_id
           from {drops} t where d.drop_id = t.drop_id"""
    )
    fates = Fates(
        read=int(read), quarantined=int(quarantined), repeated=int(repeated), superseded=int(superseded),
        inserted=int(inserted),
    )  # fmt: skip
    return kept, fates


def record_rebuild(
    aside: Aside, attempt_id: int, load_id: int, plan: MergePlan, raw_before: int, kept: int
) -> None:
    """The rebuild itself, as a load that withdrew all that raw held and brought back what was kept."""
    dataset = aside.contract.dataset
    fates = Fates(restored=kept, withdrawn=raw_before)
    check_laws(fates, raw_before, kept)
    report = LoadReport(
        dataset, f"raw.{dataset}", Kind.REBUILD, LoadState.LOADED, fates=fates, attempt_id=attempt_id,
        load_id=load_id, plan=plan, plan_reason="a person asked for it", raw_before=raw_before, raw_after=kept,
    )  # fmt: skip
    record_ends(aside.session, [(report, None)], aside.contract)
