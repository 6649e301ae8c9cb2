"""Loads: attempts from their start to their end, the datasets' row counts, and up to which load models were built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.dialect import as_bytes, given
from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session
from data_ingestion.ledger.model import Fates, LoadReport
from data_ingestion.ledger.quarantine import storable

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.plan import PlannedDrop


@whole_transaction
def start_attempts(session: Session, drops: Sequence[PlannedDrop]) -> list[int]:
    """Records loads as started, shown to be alive as long as this session is; their ids."""
    with session.transaction():
        ids = session.draw("attempts", len(drops))
        session.run(
            """insert into ops.loads (attempt_id, dataset, object_key, kind, state, started_at, plan_reason)
               {explicit_ids}
               select g.id, g.dataset, g.object_key, g.kind, 'started', {now}, g.reason from {given} g""",
            given(
                id=("bigint", ids),
                dataset=("text", (planned.dataset for planned in drops)),
                object_key=("text", (planned.object.key for planned in drops)),
                kind=("text", (planned.kind.value for planned in drops)),
                reason=("text", (planned.reason for planned in drops)),
            ),
        )
        session.hold_attempts(ids)
    return ids


def abandon_lost_attempts(session: Session) -> int:
    """Closes started attempts whose session is gone; how many there were."""
    return session.run(
        """update ops.loads set state = 'abandoned', ended_at = {now},
                  error = 'the session ended before the load did'
           where state = 'started' and {is_lost}""",
        phrases={"is_lost": session.attempt_is_lost},
    )


def forget_attempts(session: Session, attempt_ids: Sequence[int]) -> None:
    """Takes back attempts that came to nothing and will be made again."""
    if attempt_ids:
        session.run(
            """delete from ops.loads where state = 'started' and attempt_id in (select g.id from {given} g)""",
            given(id=("bigint", attempt_ids)),
        )


def open_dataset(session: Session, dataset: str) -> int:
    """Takes the dataset's lock until the transaction ends; how many rows raw holds."""
    session.lock(dataset)
    return raw_rows(session, dataset)


def raw_rows(session: Session, dataset: str) -> int:
    """How many rows raw holds, by the ledger's count."""
    row = session.row("select raw_rows from ops.datasets where dataset = $dataset", dataset=dataset)
    return int(row[0]) if row else 0


def record_raw_rows(session: Session, dataset: str, rows: int) -> None:
    """Notes how many rows raw holds now."""
    session.run(
        "update ops.datasets set raw_rows = cast($count as bigint) where dataset = $dataset",
        count=rows,
        dataset=dataset,
    )


def record_ends(
    session: Session, ended: Sequence[tuple[LoadReport, int | None]], contract: Contract | None
) -> None:
    """Writes how attempts ended, with their counts and the contract that their drops were read under.

    Each comes with its drop's size in bytes. They share the time that they took.
    """
    reports = [report for report, _ in ended]
    fates = {
        fate.name: ("bigint", [getattr(report.fates, fate.name) for report in reports])
        for fate in fields(Fates)
        if fate.name != "read"
    }
    session.run(
        """update ops.loads set load_id = g.load_id, drop_id = g.drop_id, kind = g.kind, state = g.state,
                  ended_at = {now}, sha256 = g.hash, size_bytes = g.size,
                  fingerprint = g.fingerprint, rows_read = g.rows_read, quarantined = g.quarantined,
                  repeated = g.repeated, superseded = g.superseded, inserted = g.inserted, updated = g.updated,
                  unchanged = g.unchanged, restored = g.restored, withdrawn = g.withdrawn,
                  raw_before = g.raw_before, raw_after = g.raw_after, plan = g.plan, plan_reason = g.plan_reason,
                  error = g.error, seconds = {seconds} / $together
           from {given} g where loads.attempt_id = g.attempt""",
        given(
            **fates,
            plan_reason=("text", [report.plan_reason for report in reports]),
            attempt=("bigint", [report.attempt_id for report in reports]),
            load_id=("bigint", [report.load_id for report in reports]),
            drop_id=("bigint", [report.drop_id for report in reports]),
            kind=("text", [report.kind.value for report in reports]),
            state=("text", [report.state.value for report in reports]),
            hash=(
                "blob",
                [bytes.fromhex(report.sha256) if report.sha256 else None for report in reports],
            ),
            size=("bigint", [size for _, size in ended]),
            fingerprint=(
                "text",
                [contract.fingerprint_of(r.object_key) if contract else None for r in reports],
            ),
            rows_read=("bigint", [report.fates.read for report in reports]),
            raw_before=("bigint", [report.raw_before for report in reports]),
            raw_after=("bigint", [report.raw_after for report in reports]),
            plan=("text", [report.plan.value if report.plan else None for report in reports]),
            error=("text", [storable(report.error) for report in reports]),
        ),
        {"seconds": session.dialect.seconds_since("loads.started_at")},
        together=len(ended),
    )


def loads(session: Session, dataset: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest attempts, newest first."""
    found = session.dicts(
        """select attempt_id, load_id, dataset, object_key, drop_id, kind, state, started_at, ended_at,
                  sha256, rows_read, quarantined, repeated, superseded, inserted, updated,
                  unchanged, restored, withdrawn, raw_before, raw_after, plan, plan_reason, seconds, error
           from ops.loads where cast($dataset as text) is null or dataset = $dataset
           order by attempt_id desc limit cast($limit as bigint)""",
        dataset=dataset,
        limit=limit,
    )
    for row in found:
        row["sha256"] = row["sha256"] and as_bytes(row["sha256"]).hex()
    return found


def summary(session: Session) -> list[dict[str, Any]]:
    """A row a dataset: objects, drops in force, rows in raw, open quarantine, last load."""
    return session.dicts(
        """select d.dataset, d.raw_rows, coalesce(o.objects, 0) as objects, coalesce(o.not_loaded, 0) as not_loaded,
                  coalesce(o.withdrawn, 0) as withdrawn,
                  (select count(*) from ops.drops p where p.dataset = d.dataset and p.ended_at is null) as drops,
                  (select count(*) from ops.quarantine q
                   where q.dataset = d.dataset and q.closed_by_load_id is null) as open_quarantine,
                  l.load_id as last_load_id, l.ended_at as last_loaded_at
           from (select d.*, (select max(m.load_id) from ops.loads m
                              where m.dataset = d.dataset and m.state = 'loaded') as newest from ops.datasets d) d
           left join (select dataset, sum(case when state = 'in_force' then 1 else 0 end) as objects,
                             sum(case when state = 'seen' and gone_at is null then 1 else 0 end) as not_loaded,
                             sum(case when state = 'withdrawn' then 1 else 0 end) as withdrawn
                      from ops.objects group by dataset) o on o.dataset = d.dataset
           left join ops.loads l on l.load_id = d.newest
           order by d.dataset"""
    )


def unbuilt_datasets(session: Session, domain: str, datasets: Sequence[str]) -> dict[str, int]:
    """Datasets with loads that changed something after the domain's last build, with their newest load."""
    rows = session.rows(
        """select l.dataset, max(l.load_id) from ops.loads l join {given} g on g.dataset = l.dataset
           left join ops.builds b on b.dataset = l.dataset and b.domain = $domain
           where l.state = 'loaded' and l.plan <> 'nothing' and l.load_id > coalesce(b.load_id, 0)
           group by 1 order by 1""",
        given(dataset=("text", datasets)),
        domain=domain,
    )
    return dict(rows)


@whole_transaction
def record_build(session: Session, domain: str, marks: Mapping[str, int]) -> None:
    """Notes up to which load a domain's models include each dataset; a mark never goes back."""
    rows = given(dataset=("text", marks), load_id=("bigint", marks.values()))
    with session.transaction():
        session.run(
            """update ops.builds set load_id = g.load_id, built_at = {now} from {given} g
               where builds.domain = $domain and builds.dataset = g.dataset and builds.load_id < g.load_id""",
            rows,
            domain=domain,
        )
        session.run(
            """insert into ops.builds (domain, dataset, load_id, built_at)
               select $domain, g.dataset, g.load_id, {now} from {given} g
               where not exists (select 1 from ops.builds b where b.domain = $domain and b.dataset = g.dataset)
               {unless_there}""",
            rows,
            domain=domain,
        )
