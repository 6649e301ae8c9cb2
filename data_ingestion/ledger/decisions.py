"""Decisions in the ledger: corrections that are held, findings, and what a person has said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from data_ingestion.drop_limits import Finding, KnownShapes, Shape
from data_ingestion.engine.dialect import given
from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session
from data_ingestion.ledger.model import Decision, HeldVersion, LoadReport
from data_ingestion.ledger.objects import held_version

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.plan import PlannedDrop

FINDING_COLUMNS = {
    "load_id": "bigint", "dataset": "text", "object_key": "text", "rule": "text", "column_name": "text",
    "shape": "text", "rows": "bigint", "rows_read": "bigint", "message": "text",
}  # fmt: skip


def known_shapes(session: Session, contract: Contract) -> KnownShapes:
    """Whether a drop with a good row came in under this contract, and which shapes a person has accepted."""
    proven = session.row(
        """select 1 from ops.drops d join ops.loads l on l.load_id = d.load_id
           join {given} g on g.fingerprint = d.fingerprint
           where d.dataset = $dataset and d.ended_at is null and l.rows_read > l.quarantined limit 1""",
        given(fingerprint=("text", contract.fingerprints)),
        dataset=contract.dataset,
    )
    accepted = session.rows(
        """select distinct column_name, shape from ops.findings
           where dataset = $dataset and accepted_at is not null""",
        dataset=contract.dataset,
    )
    return KnownShapes(proven is not None, frozenset(Shape(*row) for row in accepted))


def record_findings(session: Session, report: LoadReport) -> None:
    """Opens what was found of a drop, instead of what was found of its object before."""
    close_findings(session, [report.object_key])
    open_findings_of(session, [report])


def open_findings_of(session: Session, reports: Iterable[LoadReport], into: str = "ops.findings") -> None:
    """Opens what was found of drops."""
    rows = [
        (report.load_id, report.dataset, report.object_key, finding.rule, finding.shape.column, finding.shape.shape,
         finding.rows, finding.read, finding.message)
        for report in reports for finding in report.findings if finding.shape is not None
    ]  # fmt: skip
    if rows:
        session.insert(into, FINDING_COLUMNS, rows)


def close_findings(session: Session, keys: Sequence[str]) -> None:
    """Their objects are loaded again, or withdrawn."""
    session.run(
        """update ops.findings set closed_at = {now}
           where closed_at is null and object_key in (select g.key from {given} g)""",
        given(key=("text", keys)),
    )


def close_finding(session: Session, finding_id: int) -> None:
    """The contract knows the shape by now."""
    session.run(
        "update ops.findings set closed_at = {now} where finding_id = $finding and closed_at is null",
        finding=finding_id,
    )


def open_findings(session: Session, dataset: str | None) -> list[dict[str, Any]]:
    """The open findings with the state of their loads, of one dataset or of all, in the order of the loads."""
    return session.dicts(
        """select f.finding_id, f.load_id, l.state, f.dataset, f.object_key, f.rule, f.column_name, f.shape, f.rows,
                  f.rows_read, f.message
           from ops.findings f join ops.loads l on l.load_id = f.load_id
           where f.closed_at is null and (cast($dataset as text) is null or f.dataset = $dataset)
           order by f.load_id, f.finding_id""",
        dataset=dataset,
    )


@whole_transaction
def accept(session: Session, dataset: str, key: str) -> bool:
    """Accepts the object's held correction, and the shapes of text found in it; whether there was either.

    A shape is accepted in the whole dataset.
    """
    with session.transaction():
        session.lock(dataset)
        shapes = session.run(
            """update ops.findings set accepted_at = {now}, closed_at = {now}
               where dataset = $dataset and closed_at is null and exists (
                   select 1 from ops.findings a
                   where a.object_key = $key and a.dataset = $dataset and a.closed_at is null
                     and a.column_name = findings.column_name and a.shape = findings.shape)""",
            key=key,
            dataset=dataset,
        )
        return decide(session, key, Decision.ACCEPTED) or bool(shapes)


def find_held(session: Session, key: str) -> HeldVersion | None:
    """The version of an object that is held, or was decided on and not loaded."""
    row = session.row(
        "select etag, size_bytes, decision, fingerprint, sha256 from ops.held where object_key = $key",
        key=key,
    )
    return held_version(row) if row else None


def record_held(
    session: Session,
    contract: Contract,
    planned: PlannedDrop,
    report: LoadReport,
    finding: Finding,
    sha256: bytes,
) -> None:
    """The version waits for a person, instead of any before it."""
    key = planned.object.key
    clear_held(session, [key])
    session.run(
        """insert into ops.held (object_key, dataset, decision, etag, size_bytes, sha256, fingerprint, load_id,
                                 rows_held, rows_withdrawn, held_at)
           select cast($key as text), cast($dataset as text), 'held', cast($etag as text), cast($size as bigint),
                  $sha256, cast($fingerprint as text), cast($load as bigint), cast($held as bigint),
                  cast($withdrawn as bigint), {now}""",
        key=key,
        dataset=contract.dataset,
        etag=planned.object.etag,
        size=planned.object.size,
        sha256=sha256,
        fingerprint=contract.fingerprint_of(key),
        load=report.load_id,
        held=finding.read,
        withdrawn=finding.rows,
    )


def touch_held(session: Session, key: str, etag: str, size: int) -> None:
    """The same bytes were delivered again: the next plan knows this version."""
    session.run(
        "update ops.held set etag = $etag, size_bytes = cast($size as bigint) where object_key = $key",
        etag=etag,
        size=size,
        key=key,
    )


def clear_held(session: Session, keys: Sequence[str]) -> None:
    """Their objects have moved on: nothing of them waits."""
    session.run(
        "delete from ops.held where object_key in (select g.key from {given} g)", given(key=("text", keys))
    )


def decide(session: Session, key: str, decision: Decision) -> bool:
    """Notes what a person says of a correction; whether one is held, or was decided on and not loaded."""
    decided = session.run(
        "update ops.held set decision = $decision, decided_at = {now} where object_key = $key",
        decision=decision.value,
        key=key,
    )
    return decided == 1


def forget_rejection(session: Session, dataset: str, key: str) -> bool:
    """Has the next run judge a rejected correction again; whether one was rejected."""
    forgotten = session.run(
        "delete from ops.held where object_key = $key and dataset = $dataset and decision = 'rejected'",
        key=key,
        dataset=dataset,
    )
    return forgotten == 1


def held(session: Session, dataset: str | None) -> list[dict[str, Any]]:
    """Corrections that are held, accepted and not loaded yet, or rejected; of one dataset or of all."""
    return session.dicts(
        """select object_key, dataset, decision, load_id, rows_held, rows_withdrawn, held_at, decided_at
           from ops.held where cast($dataset as text) is null or dataset = $dataset order by object_key""",
        dataset=dataset,
    )


def conflicts(session: Session, dataset: str | None, load_id: int | None, limit: int) -> list[dict[str, Any]]:
    """Rows that a later row of their drop replaced, the newest loads first."""
    return session.dicts(
        """select load_id, dataset, object_key, line, kept_line, content from ops.conflicts
           where (cast($dataset as text) is null or dataset = $dataset)
             and (cast($load as bigint) is null or load_id = $load)
           order by load_id desc, line limit cast($limit as bigint)""",
        dataset=dataset,
        load=load_id,
        limit=limit,
    )
