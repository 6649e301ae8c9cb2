"""Reader: brings a source's changes to the landing, and lets the source forget them once they are safe there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from data_ingestion.capture.changelog import day_of, drop_key, newest_place, write_drop
from data_ingestion.capture.changes import Change, as_object
from data_ingestion.capture.source import Snapshot, Source
from data_ingestion.landing import Landing

log = logging.getLogger(__name__)

CHANGES_A_DROP = 10_000
ROWS_A_FETCH = 5_000


@dataclass(frozen=True)
class CaptureReport:
    """What one run brought: drops and their records, and why a snapshot was taken, if one was."""

    drops: int
    changes: int
    snapshot_because: str | None


def capture(
    source: Source, landing: Landing, folder: str, changes_a_drop: int = CHANGES_A_DROP
) -> CaptureReport:
    """All changes that are there now, as drops in `folder` of the landing; may be killed and run again at any time.

    A place is acknowledged only when its drop lies on the landing: a run that is killed in between has the next one
    write the same changes again, perhaps more of them under another name, which the key (place, ordinal) sorts out.
    """
    source.ensure_publication()
    drops = changes = 0
    because = _why_snapshot(source)
    if because:
        changes += take_snapshot(source, landing, folder, because)
        drops += 1
    while True:
        here = source.position()
        found = source.look(changes_a_drop)
        if not found:
            source.acknowledge(here)  # else what others write to the source would be kept for us for ever
            return CaptureReport(drops, changes, because)
        records = [change for transaction in found for change in transaction.changes]
        if records:
            first, last = found[0].commit_lsn, found[-1].commit_lsn
            key = drop_key(folder, first, last, found[0].committed_at)
            changes += write_drop(landing, key, records)
            drops += 1
            for table in sorted({change.source_table for change in records if change.op == "t"}):
                log.warning("%s: truncated at the source; its rows end at %s", table, key)
        source.acknowledge(found[-1].end_lsn)


def take_snapshot(source: Source, landing: Landing, folder: str, because: str) -> int:
    """Every row of every table as of one place, from which a new slot goes on; the number of records.

    Where the log knows earlier changes, each table begins with a gap: what happened between them and this place is
    unknown, and rows that this snapshot lacks have gone meanwhile.
    """
    known = newest_place(landing, folder)
    log.warning("snapshot of %s: %s", ", ".join(source.tables), because)
    with source.new_slot() as snapshot:
        key = drop_key(folder, snapshot.lsn, snapshot.lsn, day_of(snapshot.ts_ms), is_snapshot=True)
        return write_drop(landing, key, _snapshot_records(source, snapshot, known))


def _why_snapshot(source: Source) -> str | None:
    state = source.state()
    if state is None:
        return f"the source has no slot '{source.slot}'"
    if state.lost_because:
        return f"the source has given up the slot '{source.slot}' ({state.lost_because})"
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
