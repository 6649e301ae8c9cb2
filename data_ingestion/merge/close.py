"""Close: what was done is held against the laws and the warehouse's own count, and recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data_ingestion.contract import Contract
from data_ingestion.engine.session import Session
from data_ingestion.errors import LawBroken
from data_ingestion.ledger import decisions, loads, quarantine
from data_ingestion.ledger.model import Kind, LoadReport, LoadState, check_laws
from data_ingestion.merge.drops import LoadingDrop, Outcome
from data_ingestion.merge.table import RawTable


@dataclass(frozen=True)
class RawBefore:
    """What raw held when the dataset's lock was taken: rows by the ledger, and the warehouse's count of moved ones."""

    session: Session
    table: RawTable
    rows: int
    moved: int | None

    @classmethod
    def lock(cls, session: Session, contract: Contract) -> RawBefore:
        """Takes the dataset's lock until the transaction ends."""
        session.prepare_scratch(contract)
        rows = loads.open_dataset(session, contract.dataset)
        table = session.raw_table(contract)
        return cls(session, table, rows, session.rows_moved(table.name))

    def record_after(self, rows: int) -> None:
        """Notes how many rows raw holds now. Raises `LawBroken` if the warehouse has counted others."""
        moved = self.session.rows_moved(self.table.name)
        if moved is not None and self.moved is not None and self.rows + moved - self.moved != rows:
            counted = self.rows + moved - self.moved
            raise LawBroken(f"raw holds {counted} rows, by the fates it should hold {rows}")
        loads.record_raw_rows(self.session, self.table.contract.dataset, rows)


def close(before: RawBefore, done: Sequence[tuple[LoadingDrop, Outcome]]) -> dict[int, LoadReport]:
    """Records what became of the drops of a batch; reports by position. Raises `LawBroken` if rows don't add up."""
    contract = before.table.contract
    reports: dict[int, LoadReport] = {}
    rows = before.rows
    for drop, outcome in done:
        fates = outcome.fates
        after = rows + fates.inserted + fates.restored - fates.withdrawn
        check_laws(fates, rows, after)
        reports[drop.batch.position] = LoadReport(
            contract.dataset,
            drop.key,
            outcome.kind,
            LoadState.LOADED,
            fates=fates,
            attempt_id=drop.batch.attempt_id,
            load_id=drop.load_id,
            drop_id=outcome.drop_id,
            sha256=drop.batch.read.sha256.hex(),
            plan=outcome.plan,
            plan_reason=outcome.reason,
            raw_before=rows,
            raw_after=after,
            findings=drop.batch.findings,
        )
        rows = after
    before.record_after(rows)
    ended = [(reports[drop.batch.position], drop.batch.read.size) for drop, _ in done]
    loads.record_ends(before.session, ended, contract)
    _record_what_waits(before.session, done, reports)
    return reports


def _record_what_waits(
    session: Session, done: Sequence[tuple[LoadingDrop, Outcome]], reports: Mapping[int, LoadReport]
) -> None:
    """Quarantine, findings and held corrections, of objects that have moved on."""
    if moved_on := [drop.key for drop, outcome in done if not outcome.is_rejected]:
        decisions.clear_held(session, moved_on)
    touched = [reports[drop.batch.position] for drop, outcome in done if outcome.kind is Kind.KNOWN]
    read = [reports[drop.batch.position] for drop, outcome in done if outcome.kind is not Kind.KNOWN]
    # What the version in force has in quarantine stays there while it is only touched.
    quarantine.close_quarantine(session, touched, of_failed_only=True)
    quarantine.close_quarantine(session, read, of_failed_only=False)
    if read:
        decisions.close_findings(session, [report.object_key for report in read])
        decisions.open_findings_of(session, read)
    bad = [
        (reports[drop.batch.position], drop.batch.bad)
        for drop, outcome in done
        if outcome.kind not in (Kind.KNOWN, Kind.DUPLICATE) and drop.batch.read.quarantined
    ]
    if bad:
        quarantine.record_quarantine(session, bad)
