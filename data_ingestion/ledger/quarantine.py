"""Quarantine in the ledger: bad rows, open until their drop is loaded again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.dialect import given
from data_ingestion.engine.session import Session
from data_ingestion.excerpts import shorten
from data_ingestion.ledger.model import Kind, LoadReport

if TYPE_CHECKING:
    from data_ingestion.checks import BadRow

COLUMNS = {
    "load_id": "bigint", "dataset": "text", "object_key": "text", "line": "bigint", "column_name": "text",
    "reason": "text", "detail": "text", "raw_text": "text", "raw_bytes": "blob",
}  # fmt: skip


def record_quarantine(
    session: Session, reports: Iterable[tuple[LoadReport, Iterable[BadRow]]], into: str = "ops.quarantine"
) -> None:
    """Writes loads' bad rows."""
    session.insert(into, COLUMNS, _rows_of(reports))


def _rows_of(reports: Iterable[tuple[LoadReport, Iterable[BadRow]]]) -> Iterator[Sequence[object]]:
    for report, bad in reports:
        for row in bad:
            text, raw = show_record(row.raw)
            yield (
                report.load_id, report.dataset, report.object_key, row.line, storable(row.column), row.reason,
                storable(row.detail), text, raw,
            )  # fmt: skip


def close_quarantine(session: Session, reports: Sequence[LoadReport], *, of_failed_only: bool) -> None:
    """Closes the objects' open rows, each with the load that does it: all of them, or only those of loads that failed.

    Rows of the version in force stay open until another version, or the same under another contract, is in force.
    A drop that is read again shows them once, whichever of its objects showed them before.
    """
    if not reports:
        return
    of_failed = """and exists (select 1 from ops.loads l
                               where l.load_id = quarantine.load_id and l.state in ('failed', 'held'))"""
    session.run(
        """update ops.quarantine set closed_by_load_id = g.load_id, closed_at = {now} from {given} g
           where quarantine.object_key = g.key and quarantine.dataset = $dataset
             and quarantine.closed_by_load_id is null """
        + (of_failed if of_failed_only else ""),
        given(
            key=("text", [report.object_key for report in reports]),
            load_id=("bigint", [report.load_id for report in reports]),
            drop_id=("bigint", [report.drop_id for report in reports]),  # for the next statement
        ),
        dataset=reports[0].dataset,
    )
    again = [report for report in reports if report.kind in (Kind.REPLAY, Kind.CORRECTED)]
    if again and not of_failed_only:
        session.run(
            """update ops.quarantine set closed_by_load_id = x.load_id, closed_at = {now}
               from (select o.object_key, g.load_id from {given} g join ops.objects o on o.drop_id = g.drop_id
                     where o.object_key <> g.key) x
               where quarantine.object_key = x.object_key and quarantine.dataset = $dataset
                 and quarantine.closed_by_load_id is null
                 and exists (select 1 from ops.loads l
                             where l.load_id = quarantine.load_id and l.state = 'loaded')""",
            given(
                key=("text", [report.object_key for report in again]),
                load_id=("bigint", [report.load_id for report in again]),
                drop_id=("bigint", [report.drop_id for report in again]),
            ),
            dataset=again[0].dataset,
        )


def hand_over_quarantine(session: Session, drop_id: int, object_key: str) -> None:
    """The object has let go of a drop that others hold: its open rows are shown under one of those from now on."""
    session.run(
        """update ops.quarantine
           set object_key = (select min(o.object_key) from ops.objects o where o.drop_id = $drop)
           where object_key = $key and closed_by_load_id is null
             and load_id in (select l.load_id from ops.loads l where l.drop_id = $drop and l.state = 'loaded')""",
        drop=drop_id,
        key=object_key,
    )


def quarantined(
    session: Session, dataset: str | None, load_id: int | None, everything: bool, limit: int
) -> list[dict[str, Any]]:
    """Quarantined rows in the order of their files."""
    return session.dicts(
        """select quarantine_id, load_id, dataset, object_key, line, column_name, reason, detail, raw_text,
                  closed_by_load_id
           from ops.quarantine
           where (cast($dataset as text) is null or dataset = $dataset)
             and (cast($load as bigint) is null or load_id = $load)
             and (cast($everything as boolean) or closed_by_load_id is null)
           order by dataset, object_key, load_id, line limit cast($limit as bigint)""",
        dataset=dataset,
        load=load_id,
        everything=everything,
        limit=limit,
    )


def show_record(raw: bytes) -> tuple[str, bytes | None]:
    """A record as text, and its bytes too where the text can't hold them (not UTF-8, or a NUL byte)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"), raw
    return (text.replace("\x00", "\\x00"), raw) if "\x00" in text else (text, None)


def storable(text: str | None) -> str | None:
    """The text, cut, with escapes for what a warehouse takes in none: NUL, and halves of characters."""
    return text and shorten(text).replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
