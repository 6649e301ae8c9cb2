"""Unloaded: what is recorded of a drop that did not come in, after its transaction was undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session
from data_ingestion.excerpts import shorten
from data_ingestion.ledger import decisions, loads, quarantine
from data_ingestion.ledger.model import LoadReport
from data_ingestion.merge.identify import find_standing, is_withdrawn, withdrawn_since

if TYPE_CHECKING:
    from data_ingestion.checks import BadRow
    from data_ingestion.contract import Contract
    from data_ingestion.plan import PlannedDrop


@whole_transaction
def record_failure(
    session: Session, report: LoadReport, planned: PlannedDrop, bad: Sequence[BadRow]
) -> LoadReport:
    """Writes how an attempt failed, with its first bad rows in place of those of earlier ones.

    Under the dataset's lock: of two loaders that fail at once, the later one must see the rows of the other. Of a
    version that was withdrawn meanwhile nothing is recorded: the attempt is taken back, and `PlanStale` raised.
    """
    recorded = _record(session, report, planned, bad)
    if recorded is None:
        raise withdrawn_since(planned)
    return recorded


@whole_transaction
def record_held(
    session: Session,
    contract: Contract,
    planned: PlannedDrop,
    report: LoadReport,
    sha256: bytes,
    bad: Sequence[BadRow],
) -> LoadReport:
    """The same of a correction that waits for a person."""
    with session.transaction():
        recorded = _record(session, report, planned, bad)
        if recorded is not None:
            (finding,) = report.findings
            decisions.record_held(session, contract, planned, recorded, finding, sha256)
    if recorded is None:
        raise withdrawn_since(planned)
    return recorded


def _record(
    session: Session, report: LoadReport, planned: PlannedDrop, bad: Sequence[BadRow]
) -> LoadReport | None:
    with session.transaction():
        session.lock(report.dataset)
        if is_withdrawn(planned, find_standing(session, planned)):
            loads.forget_attempts(session, [report.attempt_id or 0])
            return None
        (load_id,) = session.draw("loads", 1)
        ended = report.ended(report.state, load_id=load_id, error=report.error and shorten(report.error))
        loads.record_ends(session, [(ended, None)], None)
        quarantine.close_quarantine(session, [ended], of_failed_only=True)
        quarantine.record_quarantine(session, [(ended, bad)])
        decisions.record_findings(session, ended)
        return ended
