"""Withdraw: an object lets go of its drop because a person says so."""

from __future__ import annotations

from data_ingestion.contract import Contract
from data_ingestion.engine.dialect import as_bytes
from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session
from data_ingestion.ledger import decisions, loads, quarantine
from data_ingestion.ledger.model import (
    Decision,
    Fates,
    LoadReport,
    LoadState,
    MergePlan,
    ObjectState,
    check_laws,
)
from data_ingestion.merge.close import RawBefore
from data_ingestion.merge.record import release_drop
from data_ingestion.plan import PlannedDrop


def withdraw(
    session: Session, contract: Contract, planned: PlannedDrop, attempt_id: int, sha256: bytes | None
) -> LoadReport:
    """Ends the object's hold on the drop that it holds now, in the caller's transaction, under the dataset's lock.

    An object that holds none is also withdrawn, in the planned version, whose hash is `sha256` if it lies there: no
    run takes it until its bytes change. A correction that is held is rejected instead, and the rows stay.
    """
    key = planned.object.key
    before = RawBefore.lock(session, contract)
    if report := _reject(session, planned, attempt_id, before.rows):
        return report
    drop_id, sha256 = _take_out(session, planned, sha256)
    (load_id,) = session.draw("loads", 1)
    if drop_id is None:
        fates, plan, reason = Fates(), MergePlan.NOTHING, "not in force; not loaded until its bytes change"
    else:
        fates, settled = release_drop(session, before.table, drop_id, load_id, key)
        plan, reason = _describe(session, drop_id, settled)
    raw_after = before.rows + fates.restored - fates.withdrawn
    check_laws(fates, before.rows, raw_after)
    before.record_after(raw_after)
    report = LoadReport(
        contract.dataset,
        key,
        planned.kind,
        LoadState.LOADED,
        fates=fates,
        attempt_id=attempt_id,
        load_id=load_id,
        drop_id=drop_id,
        sha256=sha256.hex() if sha256 else None,
        plan=plan,
        plan_reason=reason,
        raw_before=before.rows,
        raw_after=raw_after,
    )
    loads.record_ends(session, [(report, planned.object.size)], None)
    quarantine.close_quarantine(session, [report], of_failed_only=False)
    decisions.close_findings(session, [key])
    decisions.clear_held(session, [key])
    return report


@whole_transaction
def undo_withdrawal(session: Session, dataset: str, key: str) -> bool:
    """Has the next run load a withdrawn object again; its delivery time, and so its rank, is what it was."""
    with session.transaction():
        session.lock(dataset)
        undone = session.run(
            """update ops.objects set state = 'seen', gone_at = null
               where object_key = $key and dataset = $dataset and state = 'withdrawn'""",
            key=key,
            dataset=dataset,
        )
    return undone == 1


def _reject(session: Session, planned: PlannedDrop, attempt_id: int, raw_rows: int) -> LoadReport | None:
    """Rejects the correction that is held, or accepted and not loaded yet; None where there is none."""
    key = planned.object.key
    held = decisions.find_held(session, key)
    if held is None or held.decision is Decision.REJECTED:
        return None
    decisions.decide(session, key, Decision.REJECTED)
    (load_id,) = session.draw("loads", 1)
    report = LoadReport(
        planned.dataset,
        key,
        planned.kind,
        LoadState.LOADED,
        attempt_id=attempt_id,
        load_id=load_id,
        sha256=held.sha256.hex(),
        plan=MergePlan.NOTHING,
        plan_reason="its held correction is rejected; its previous rows stay",
        raw_before=raw_rows,
        raw_after=raw_rows,
    )
    loads.record_ends(session, [(report, held.size)], None)
    quarantine.close_quarantine(session, [report], of_failed_only=True)
    return report


def _take_out(session: Session, planned: PlannedDrop, lying: bytes | None) -> tuple[int | None, bytes | None]:
    """Marks the object as withdrawn; the drop it held, if it held one, and the hash of what was withdrawn."""
    seen = planned.object
    row = session.row(
        """select o.drop_id, d.sha256 from ops.objects o join ops.drops d on d.drop_id = o.drop_id
           where o.object_key = $key and o.dataset = $dataset""",
        key=seen.key,
        dataset=planned.dataset,
    )
    if row:
        session.run(
            """update ops.objects set state = $state, drop_id = null, withdrawn_sha256 = $sha256
               where object_key = $key""",
            state=ObjectState.WITHDRAWN.value,
            sha256=row[1],
            key=seen.key,
        )
        return row[0], as_bytes(row[1])
    session.run(
        """update ops.objects set state = $state, etag = $etag, size_bytes = $size, last_modified = $modified,
                  withdrawn_sha256 = coalesce(cast($lying as {blob}), withdrawn_sha256),
                  delivered_at = case when cast($lying as {blob}) is null or withdrawn_sha256 = $lying
                                      then delivered_at end
           where object_key = $key""",
        state=ObjectState.WITHDRAWN.value,
        etag=seen.etag,
        size=seen.size,
        modified=seen.last_modified,
        lying=lying,
        key=seen.key,
    )
    return None, lying


def _describe(session: Session, drop_id: int, settled: int) -> tuple[MergePlan, str]:
    """What was done, in a word and in a sentence."""
    holder = session.row(
        "select min(object_key) from ops.objects where drop_id = $drop having count(*) > 0", drop=drop_id
    )
    if holder is None:
        return MergePlan.WITHDRAW, "no other object holds its bytes"
    reason = f"{holder[0]} holds the same bytes, its rows stay"
    if settled:
        return MergePlan.SETTLE, f"{reason}; rows it now comes second in: {settled:,}"
    return MergePlan.NOTHING, reason
