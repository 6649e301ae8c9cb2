"""Faults in the ledger: what keeps datasets out of runs, where a dashboard can show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.dialect import given
from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session

if TYPE_CHECKING:
    from data_ingestion.faults import DatasetFault

MOST_CHARACTERS = 4000
LOCK = "goldworks faults"  # runs of several domains write the same rows


@whole_transaction
def record_faults(
    session: Session, step: str, datasets: Sequence[str] | None, faults: Sequence[DatasetFault]
) -> None:
    """Leaves exactly these faults of a step, of the datasets that it was tried for; `since` stays where one stays."""
    known = {
        fault.dataset: (fault.domain, fault.message[:MOST_CHARACTERS].replace("\0", "")) for fault in faults
    }
    rows = given(
        dataset=("text", known),
        domain=("text", [domain for domain, _ in known.values()]),
        fault=("text", [fault for _, fault in known.values()]),
    )
    if _noted(session, step, datasets) == known:  # as in most runs, which then lock nothing
        return
    with session.transaction():
        session.lock(LOCK)
        if gone := _noted(session, step, datasets).keys() - known.keys():
            session.run(
                "delete from ops.faults where step = $step and dataset in (select g.dataset from {given} g)",
                given(dataset=("text", sorted(gone))),
                step=step,
            )
        session.run(
            """update ops.faults set domain = g.domain, fault = g.fault from {given} g
               where faults.step = $step and faults.dataset = g.dataset""",
            rows,
            step=step,
        )
        session.run(
            """insert into ops.faults (dataset, step, domain, fault, since)
               select g.dataset, $step, g.domain, g.fault, {now} from {given} g
               where not exists (select 1 from ops.faults f where f.step = $step and f.dataset = g.dataset)""",
            rows,
            step=step,
        )


def _noted(session: Session, step: str, datasets: Sequence[str] | None) -> dict[str, tuple[str, str]]:
    """Domain and fault by dataset."""
    rows = session.rows("select dataset, domain, fault from ops.faults where step = $step", step=step)
    return {
        dataset: (domain, fault) for dataset, domain, fault in rows if datasets is None or dataset in datasets
    }


def faults(session: Session) -> list[dict[str, Any]]:
    """All of them, by domain and dataset."""
    return session.dicts(
        "select domain, dataset, step, fault, since from ops.faults order by domain, dataset, step"
    )
