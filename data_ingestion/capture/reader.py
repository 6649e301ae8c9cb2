"""Reader: brings a source's changes to the landing, and lets the source forget them once they are safe there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from data_ingestion.capture.changelog import day_of, drop_key, newest_place, write_drop
from data_ingestion.capture.changes import Change, Transaction, as_object
from data_ingestion.capture.source import SlotState, Snapshot, Source, told_lsn
from data_ingestion.events import step
from data_ingestion.landing import Landing

CHANGES_A_DROP = 10_000
ROWS_A_FETCH = 5_000


@dataclass(frozen=True)
class CaptureReport:
    """What one run brought: drops and their records, and what somebody ought to know of it."""

    drops: int
    changes: int
    notes: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    """Where history is unknown from now on, or a table was emptied."""

    def __add__(self, other: CaptureReport) -> CaptureReport:
        return CaptureReport(
            self.drops + other.drops,
            self.changes + other.changes,
            (*self.notes, *other.notes),
            (*self.alarms, *other.alarms),
        )


def capture(
    source: Source, landing: Landing, folder: str, changes_a_drop: int = CHANGES_A_DROP
) -> CaptureReport:
    """All changes that are there now, as drops in `folder` of the landing; may be killed and run again at any time.

    A place is acknowledged only when its drop lies on the landing: a run that is killed in between has the next one
    write the same changes again, perhaps more of them under another name, which the key (place, ordinal) sorts out.
    Raises `SourceBusy` where somebody else captures at this moment.
    """
    with step("capture", dataset=source.slot) as facts, source.alone():
        source.ensure_publication()
        state = source.state()
        report = CaptureReport(0, 0, alarms=_of_lag(state))
        if because := _why_snapshot(source, state, landing, folder):
            report += take_snapshot(source, landing, folder, because)
        while True:
            here = source.position()
            if not (found := source.look(changes_a_drop)):
                break
            report += _write(landing, folder, found)
            source.acknowledge(found[-1].end_lsn)
        source.acknowledge(here)  # else what others write to the source would be kept for us for ever
        facts |= {"drops": report.drops, "changes": report.changes, "alarms": len(report.alarms)}
    return report


def _write(landing: Landing, folder: str, found: Sequence[Transaction]) -> CaptureReport:
    """Transactions as one drop; those without a change of the captured tables leave none."""
    records = [change for transaction in found for change in transaction.changes]
    if not records:
        return CaptureReport(0, 0)
    key = drop_key(folder, found[0].commit_lsn, found[-1].commit_lsn, found[0].committed_at)
    emptied = sorted({change.source_table for change in records if change.op == "t"})
    alarms = tuple(f"{table} was truncated at the source; its rows end with {key}" for table in emptied)
    return CaptureReport(1, write_drop(landing, key, records), alarms=alarms)


def take_snapshot(source: Source, landing: Landing, folder: str, because: str) -> CaptureReport:
    """Every row of every table as of one place, from which a new slot goes on.

    Where the log knows earlier changes, each table begins with a gap: what happened between them and this place is
    unknown, and rows that this snapshot lacks have gone meanwhile.
    """
    known = newest_place(landing, folder)
    with source.new_slot() as snapshot:
        key = drop_key(folder, snapshot.lsn, snapshot.lsn, day_of(snapshot.ts_ms), is_snapshot=True)
        count = write_drop(landing, key, _snapshot_records(source, snapshot, known))
    if known is None:
        return CaptureReport(1, count, notes=(f"snapshot of {', '.join(source.tables)}: {because}",))
    gap = f"history from {told_lsn(known)} to {told_lsn(snapshot.lsn)} is unknown: {because}"
    return CaptureReport(1, count, alarms=(f"{gap}; a snapshot goes on from there",))


def _of_lag(state: SlotState | None) -> tuple[str, ...]:
    """Whether captures are so far apart that the server might have given the slot up before the next one."""
    if (
        state is None
        or state.lost_because
        or state.left_bytes is None
        or state.left_bytes > state.behind_bytes
    ):
        return ()
    behind, left = (f"{size / 2**20:,.0f} MiB" for size in (state.behind_bytes, state.left_bytes))
    return (f"the source logged {behind} since the last capture; after {left} more it had given the slot up",)


def _why_snapshot(source: Source, state: SlotState | None, landing: Landing, folder: str) -> str | None:
    if state is None:
        return f"the source has no slot '{source.slot}'"
    if state.lost_because:
        return f"the source has given up the slot '{source.slot}' ({state.lost_because})"
    if next(iter(landing.list_objects(f"{folder}/")), None) is None:
        return f"{landing.url}/{folder} holds no drop of this log"
    return None


def _snapshot_records(source: Source, snapshot: Snapshot, known: int | None) -> Iterator[Change]:
    ordinal = 0

    def change(op: str, table: str, before: str | None, after: str | None) -> Change:
        nonlocal ordinal
        ordinal += 1
        return Change(snapshot.lsn, ordinal - 1, op, table, snapshot.ts_ms, before, after)

    with source.at(snapshot) as session:
        for table in source.tables:
            if known is not None:
                yield change("g", table, json.dumps({"lsn": known}), None)
            columns = source.columns(table)
            # as text: so does pgoutput send them, every digit of them
            cells = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
            with session.cursor(name=f"snapshot_of_{table}") as rows:
                rows.itersize = ROWS_A_FETCH
                rows.execute(sql.SQL("select {} from {}").format(cells, sql.Identifier(source.schema, table)))
                for row in rows:
                    yield change("r", table, None, as_object(columns, row))
