"""Reader: brings a source's changes to the landing, and lets the source forget them once they are safe there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from psycopg import sql

from data_ingestion.capture.changelog import (
    Log,
    note_safe,
    read_log,
    snapshot_key,
    write_drops,
    write_snapshot,
)
from data_ingestion.capture.changes import Change, as_object
from data_ingestion.capture.faults import SourceReplaced, translated_faults
from data_ingestion.capture.publication import but_columns, of_columns
from data_ingestion.capture.slot import ROWS_A_FETCH, SlotState, Snapshot, Source, format_lsn
from data_ingestion.events import step
from data_ingestion.landing import Landing

CHANGES_A_DROP = 10_000
MOST_KEPT_BYTES = 1 << 30  # of the source's log, where it sets no limit itself


@dataclass(frozen=True)
class CaptureReport:
    """What one run wrote: drops and their records, and what someone should know of it."""

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
    """All changes that are there as it begins, as drops in `folder` of the landing; may be killed and run again.

    A place is acknowledged only when its drop lies on the landing: a run that is killed in between has the next one
    write the same changes again, perhaps more of them under another name, which the key (place, ordinal) sorts out.
    Raises `SourceBusy` where someone else captures at this moment.
    """
    with step("capture", dataset=source.slot) as facts, translated_faults(source.slot), source.alone():
        # Its end first: what is found of the publication after it holds for all changes before it.
        end = source.position()
        log = read_log(landing, folder)
        if log.newest is not None and log.newest > end:
            raise _replaced(landing, log, end)
        mark = source.ensure_publication()
        report = _adopt(source, landing, log, mark)
        state = source.state()
        if state:
            facts |= {
                "behind_bytes": state.behind_bytes,
                "kept_bytes": state.lag_bytes,
                "left_bytes": state.left_bytes,
            }
        report += CaptureReport(0, 0, alarms=_lag_alarm(state))
        if because := _why_snapshot(source, state, log, mark, end, f"{landing.url}/{folder}"):
            report += _take_snapshot(source, landing, log, mark, because, _known(log, state, end))
        elif state:
            report += CaptureReport(0, 0, alarms=_columns_alarm(log, mark))
            log = replace(log, mark=mark)
            report += _write_changes(source, landing, log, (state.acknowledged, end), changes_a_drop)
        facts |= {"drops": report.drops, "changes": report.changes, "alarms": len(report.alarms)}
    return report


def _replaced(landing: Landing, log: Log, found: int) -> SourceReplaced:
    assert log.newest is not None
    return SourceReplaced(
        f"{landing.url}/{log.folder} holds changes up to {format_lsn(log.newest)}, but the source's log ends at"
        f" {format_lsn(found)}: it is a different server, or an older state of the same one\n"
        "  capture it as a separate dataset; or start over: withdraw the drops of this one, and move the folder away"
    )


def _adopt(source: Source, landing: Landing, log: Log, mark: str) -> CaptureReport:
    """A run that was killed when its snapshot was safe, and before its slot had its name, is brought to its end."""
    candidate = source.state(candidate=True)
    if candidate is None:
        return CaptureReport(0, 0)
    place = candidate.acknowledged - 1
    follows = (log.newest, log.is_snapshot, but_columns(log.mark)) == (place, True, but_columns(mark))
    if source.state() is not None or candidate.lost_because or not follows:
        source.drop_candidate()
        return CaptureReport(0, 0)
    note_safe(landing, log.folder, candidate.acknowledged)
    source.name_candidate()
    because = "a run was killed after it had taken a snapshot; this run continues it"
    if log.before is None:
        return CaptureReport(0, 0, notes=(f"snapshot of {', '.join(source.tables)}: {because}",))
    return CaptureReport(0, 0, alarms=(_gap(log.before, place, because),))


def _write_changes(
    source: Source, landing: Landing, log: Log, stretch: tuple[int, int], changes_a_drop: int
) -> CaptureReport:
    """The changes of a stretch of the log, as drops."""
    report, (place, end) = CaptureReport(0, 0), stretch
    while place < end:
        written = write_drops(landing, log, source.look(end, changes_a_drop), changes_a_drop)
        log = replace(log, day=written.day)
        alarms = tuple(
            f"{table} was truncated at the source; its rows end with {key}" for table, key in written.emptied
        )
        alarms += tuple(_partial_alarm(table) for table in written.partial)
        report += CaptureReport(written.drops, written.changes, alarms=alarms)
        # Where nothing is left for us, what others write to the source would be kept for ever.
        place = end if written.end_lsn is None else written.end_lsn
        note_safe(landing, log.folder, place)
        source.acknowledge(place)
    return report


def _partial_alarm(table: str) -> str:
    return (
        f"updates of {table} did not include large values that they left unchanged, so these are empty now"
        f"\n  have its owner run: alter table {table} replica identity full"
    )


def _columns_alarm(log: Log, mark: str) -> tuple[str, ...]:
    """Whether a table has another form than when the newest drop was written; reported until there is a newer one."""
    if log.mark is None or of_columns(log.mark) == of_columns(mark):
        return ()
    return (
        "the columns of the source's tables have changed: silver does not have new or renamed columns, and how the"
        " change altered existing rows is unknown (drop the slot to read every row again)",
    )


def _known(log: Log, state: SlotState | None, end: int) -> int | None:
    """The last place that was captured, by this log or, if its drops are gone, by the slot; None if there is none."""
    if log.newest is not None:
        return log.newest
    place = max(log.safe, state.acknowledged if state else 0)
    return place - 1 if 0 < place <= end else None


def _take_snapshot(
    source: Source, landing: Landing, log: Log, mark: str, because: str, known: int | None
) -> CaptureReport:
    """Every row of every table as of one position, from which a new slot continues.

    Where earlier changes are `known`, each table begins with a gap: what happened between them and this place is
    unknown, and rows that this snapshot lacks have gone meanwhile. `mark` is from before: a publication that changes
    after it shows.
    """
    with source.new_slot() as snapshot:
        if known is not None and known >= snapshot.lsn:
            raise _replaced(landing, log, snapshot.lsn)
        key = snapshot_key(log, snapshot.lsn, snapshot.ts_ms, mark)
        count = write_snapshot(landing, key, _snapshot_records(source, snapshot, known))
        note_safe(landing, log.folder, snapshot.lsn + 1)
    if known is None:
        return CaptureReport(1, count, notes=(f"snapshot of {', '.join(source.tables)}: {because}",))
    alarm = f"{_gap(known, snapshot.lsn, because)}; a snapshot continues from there"
    return CaptureReport(1, count, alarms=(alarm,))


def _gap(known: int, lsn: int, because: str) -> str:
    return f"history from {format_lsn(known)} to {format_lsn(lsn)} is unknown: {because}"


def _lag_alarm(state: SlotState | None) -> tuple[str, ...]:
    """Whether captures are so far apart that the server might give the slot up before the next one, or fill up."""
    if state is None or state.lost_because:
        return ()
    behind, kept = _mebibytes(state.behind_bytes), _mebibytes(state.lag_bytes)
    if state.left_bytes is None:
        if state.lag_bytes <= MOST_KEPT_BYTES:
            return ()
        return (
            f"the source keeps {kept} of its log for the slot, with no upper limit (max_slot_wal_keep_size = -1):"
            " its disk may fill up",
        )
    if state.left_bytes > state.behind_bytes:
        return ()
    left = _mebibytes(max(state.left_bytes, 0))  # below nothing once the next checkpoint will give it up
    return (
        f"the source logged {behind} since the last capture; after {left} more it would have invalidated the slot",
    )


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _why_snapshot(
    source: Source, state: SlotState | None, log: Log, mark: str, end: int, place: str
) -> str | None:
    if state is None:
        return f"the source has no slot '{source.slot}'"
    if state.lost_because:
        return f"the source has invalidated the slot '{source.slot}' ({state.lost_because})"
    if log.newest is None:
        return f"{place} holds no drop of this log"
    if state.acknowledged > log.safe:
        return (
            f"another reader has moved the slot '{source.slot}' on to {format_lsn(state.acknowledged)}; only up to"
            f" {format_lsn(log.safe)} all is at {place} (a slot serves one landing, and other readers must not move it)"
        )
    if log.safe > end:
        at, before = format_lsn(end), format_lsn(log.safe)
        return f"the source's log ends at {at} but was at {before} before: it is an older state"
    if but_columns(log.mark) == but_columns(mark):
        return None
    publication, timeline, _ = mark.split("-")
    if log.mark and log.mark.startswith(f"{publication}-"):
        return (
            f"the source was restored from a backup or a standby, and is on timeline {int(timeline, 16)} now"
        )
    return (
        f"the publication '{source.slot}' has changed since the last snapshot: it was recreated or altered, or a"
        " table was added or removed"
    )


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
