"""Ledger on Postgres: the statements that read and write `ops`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from data_ingestion.checks import BadRow
from data_ingestion.contract import Contract
from data_ingestion.errors import LawBroken
from data_ingestion.ledger import Kind, LoadReport
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.postgres.session import array, lock_dataset, scalar

# Class of the advisory locks that say an attempt's session is alive: "gold" in ASCII.
ALIVE = 0x676F6C64


def start_attempts(connection: Connection, drops: Sequence[PlannedDrop]) -> list[int]:
    """Started loads, each with a lock that lives as long as this session: who can take it knows the session is gone."""
    with connection.transaction():
        rows = connection.execute(
            """insert into ops.loads (dataset, object_key, kind, state, plan_reason)
               select d.dataset, d.object_key, d.kind, 'started', d.reason
               from unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                    with ordinality as d (dataset, object_key, kind, reason, position)
               order by d.position returning attempt_id""",
            [
                array(planned.dataset for planned in drops),
                array(planned.object.key for planned in drops),
                array(planned.kind for planned in drops),
                array(planned.reason for planned in drops),
            ],
        ).fetchall()
        ids = [int(row[0]) for row in rows]
        connection.execute(
            "select pg_advisory_lock(%s, (id %% 2147483648)::int) from unnest(%s::bigint[]) id", [ALIVE, ids]
        )
    return ids


def end_attempts(connection: Connection, attempt_ids: Sequence[int]) -> None:
    """Lets go of the attempts' locks."""
    connection.execute(
        "select pg_advisory_unlock(%s, (id %% 2147483648)::int) from unnest(%s::bigint[]) id",
        [ALIVE, list(attempt_ids)],
    )


def abandon_lost_attempts(connection: Connection) -> int:
    """Closes started attempts whose session is gone."""
    return connection.execute(
        """update ops.loads set state = 'abandoned', ended_at = clock_timestamp(),
                  error = 'the session ended before the load did'
           where state = 'started' and pg_try_advisory_xact_lock(%s, (attempt_id %% 2147483648)::int)""",
        [ALIVE],
    ).rowcount


def forget_attempts(connection: Connection, attempt_ids: Sequence[int]) -> None:
    """Takes back attempts that came to nothing and will be made again."""
    connection.execute(
        "delete from ops.loads where attempt_id = any(%s) and state = 'started'", [list(attempt_ids)]
    )


def draw_load_id(connection: Connection) -> int:
    """The next load id: under the dataset's lock for a load that takes effect, so that ids commit in order."""
    return int(scalar(connection, "select nextval('ops.load_ids')"))


def draw_drop_id(connection: Connection) -> int:
    """The next drop id; one that comes to nothing leaves a gap."""
    return int(scalar(connection, "select nextval(pg_get_serial_sequence('ops.drops', 'drop_id'))"))


def record_raw_rows(connection: Connection, dataset: str, rows: int) -> None:
    """Notes how many rows raw holds now."""
    connection.execute("update ops.datasets set raw_rows = %s where dataset = %s", [rows, dataset])


def record_end(
    connection: Connection, report: LoadReport, contract_fingerprint: str | None, size: int | None
) -> None:
    """Writes how an attempt ended, with its counts."""
    record_ends(connection, [(report, size)], contract_fingerprint)


def record_ends(
    connection: Connection, ended: Sequence[tuple[LoadReport, int | None]], contract_fingerprint: str | None
) -> None:
    """The same for several attempts, each with its drop's size in bytes; they share the time they took.

    As one document in one statement: of a thousand drops, each value as a parameter of its own takes longer.
    """
    rows = [
        {**vars(report), **vars(report.fates), "error": _storable(report.error), "size_bytes": size}
        for report, size in ended
    ]
    connection.execute(
        """update ops.loads l set load_id = e.load_id, drop_id = e.drop_id, kind = e.kind, state = e.state,
               ended_at = clock_timestamp(), sha256 = decode(e.sha256, 'hex'), size_bytes = e.size_bytes,
               fingerprint = %(fingerprint)s, rows_read = e.read, quarantined = e.quarantined, repeated = e.repeated,
               superseded = e.superseded, inserted = e.inserted, updated = e.updated, unchanged = e.unchanged,
               restored = e.restored, withdrawn = e.withdrawn, raw_before = e.raw_before, raw_after = e.raw_after,
               plan = e.plan, plan_reason = e.plan_reason, error = e.error,
               seconds = extract(epoch from clock_timestamp() - l.started_at) / %(together)s
           from json_to_recordset(%(rows)s::json) as e (
               attempt_id bigint, load_id bigint, drop_id bigint, kind text, state text, sha256 text, size_bytes bigint,
               read bigint, quarantined bigint, repeated bigint, superseded bigint, inserted bigint, updated bigint,
               unchanged bigint, restored bigint, withdrawn bigint, raw_before bigint, raw_after bigint, plan text,
               plan_reason text, error text)
           where l.attempt_id = e.attempt_id""",
        {
            "rows": json.dumps(rows, default=lambda fates: None),
            "fingerprint": contract_fingerprint,
            "together": len(ended),
        },
    )


def close_quarantine(connection: Connection, report: LoadReport, *, of_failed_only: bool) -> None:
    """Closes the object's open rows: all of them, or only those of loads that failed.

    Rows of the version in force stay open until another version, or the same under another contract, is in force.
    A drop that is read again has them told once, whichever of its objects told them before.
    """
    read_again = not of_failed_only and report.kind in (Kind.REPLAY, Kind.CORRECTED)
    connection.execute(
        """update ops.quarantine q set closed_by_load_id = %(load)s, closed_at = clock_timestamp()
           from ops.loads l
           where l.load_id = q.load_id and q.dataset = %(dataset)s and q.closed_by_load_id is null
             and q.object_key in (
                 select %(key)s union
                 select o.object_key from ops.objects o where o.drop_id = %(drop)s and %(read_again)s)
             and case when q.object_key = %(key)s then l.state = 'failed' or not %(of_failed_only)s
                      else l.state = 'loaded' end""",
        {"load": report.load_id, "dataset": report.dataset, "key": report.object_key, "drop": report.drop_id,
         "of_failed_only": of_failed_only, "read_again": read_again},
    )  # fmt: skip


def close_quarantine_of(connection: Connection, reports: Sequence[LoadReport]) -> None:
    """The same for objects that were not in force before: all that is open of them are failed loads."""
    connection.execute(
        """update ops.quarantine q set closed_by_load_id = r.load_id, closed_at = clock_timestamp()
           from unnest(%s::text[], %s::bigint[]) as r (object_key, load_id)
           where q.object_key = r.object_key and q.dataset = %s and q.closed_by_load_id is null""",
        [
            array(report.object_key for report in reports),
            array(report.load_id or 0 for report in reports),
            reports[0].dataset,
        ],
    )


def hand_over_quarantine(connection: Connection, drop_id: int, object_key: str) -> None:
    """The object has let go of a drop that others hold: the drop's open rows are told of one of those from now on."""
    connection.execute(
        """update ops.quarantine q
           set object_key = (select o.object_key from ops.objects o where o.drop_id = %(drop)s order by 1 limit 1)
           where q.object_key = %(key)s and q.closed_by_load_id is null
             and exists (select from ops.loads l
                         where l.load_id = q.load_id and l.drop_id = %(drop)s and l.state = 'loaded')""",
        {"drop": drop_id, "key": object_key},
    )


def record_quarantine(connection: Connection, reports: Iterable[tuple[LoadReport, Iterable[BadRow]]]) -> None:
    """Writes loads' bad rows."""
    with connection.cursor().copy(
        """copy ops.quarantine (load_id, dataset, object_key, line, column_name, reason, detail, raw_text, raw_bytes)
           from stdin"""
    ) as copy:
        for report, bad in reports:
            for row in bad:
                text, raw = show_record(row.raw)
                copy.write_row(
                    [report.load_id, report.dataset, report.object_key, row.line, _storable(row.column), row.reason,
                     _storable(row.detail), text, raw]
                )  # fmt: skip


def show_record(raw: bytes) -> tuple[str, bytes | None]:
    """A record as text, and its bytes too where the text can't hold them (no UTF-8, or a NUL byte)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"), raw
    return (text.replace("\x00", "\\x00"), raw) if "\x00" in text else (text, None)


def loads(connection: Connection, dataset: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest attempts, newest first."""
    return _rows(
        connection,
        """select attempt_id, load_id, dataset, object_key, drop_id, kind, state, started_at, ended_at,
                  encode(sha256, 'hex') as sha256, rows_read, quarantined, repeated, superseded, inserted, updated,
                  unchanged, restored, withdrawn, raw_before, raw_after, plan, plan_reason, seconds, error
           from ops.loads where %(dataset)s::text is null or dataset = %(dataset)s
           order by attempt_id desc limit %(limit)s""",
        {"dataset": dataset, "limit": limit},
    )


def summary(connection: Connection) -> list[dict[str, Any]]:
    """A row a dataset: objects, drops in force, rows in raw, open quarantine, last load."""
    return _rows(
        connection,
        """select d.dataset, d.raw_rows,
                  (select count(*) from ops.objects o where o.dataset = d.dataset and o.state = 'in_force') as objects,
                  (select count(*) from ops.objects o where o.dataset = d.dataset and o.state = 'seen'
                   and o.gone_at is null) as not_loaded,
                  (select count(*) from ops.objects o
                   where o.dataset = d.dataset and o.state = 'withdrawn') as withdrawn,
                  (select count(*) from ops.drops p where p.dataset = d.dataset and p.ended_at is null) as drops,
                  (select count(*) from ops.quarantine q
                   where q.dataset = d.dataset and q.closed_by_load_id is null) as open_quarantine,
                  l.load_id as last_load_id, l.ended_at as last_loaded_at
           from ops.datasets d
           left join lateral (select load_id, ended_at from ops.loads l where l.dataset = d.dataset
                              and l.state = 'loaded' order by load_id desc limit 1) l on true
           order by d.dataset""",
    )


def quarantined(
    connection: Connection, dataset: str | None, load_id: int | None, everything: bool, limit: int
) -> list[dict[str, Any]]:
    """Quarantined rows in the order of their files."""
    return _rows(
        connection,
        """select quarantine_id, load_id, dataset, object_key, line, column_name, reason, detail, raw_text,
                  closed_by_load_id
           from ops.quarantine
           where (%(dataset)s::text is null or dataset = %(dataset)s)
             and (%(load)s::bigint is null or load_id = %(load)s)
             and (%(everything)s or closed_by_load_id is null)
           order by dataset, object_key, load_id, line limit %(limit)s""",
        {"dataset": dataset, "load": load_id, "everything": everything, "limit": limit},
    )


def unbuilt_datasets(connection: Connection, domain: str, datasets: Sequence[str]) -> dict[str, int]:
    """Datasets with loads that changed something after the domain's last build, with their newest load."""
    rows = connection.execute(
        """select l.dataset, max(l.load_id) from ops.loads l
           left join ops.builds b on b.dataset = l.dataset and b.domain = %s
           where l.dataset = any(%s) and l.state = 'loaded' and l.plan <> 'nothing'
             and l.load_id > coalesce(b.load_id, 0)
           group by 1 order by 1""",
        [domain, list(datasets)],
    ).fetchall()
    return dict(rows)


def record_build(connection: Connection, domain: str, marks: Mapping[str, int]) -> None:
    """Notes up to which load a domain's models include each dataset; a mark never goes back."""
    with connection.transaction():
        for dataset, load_id in sorted(marks.items()):
            connection.execute(
                """insert into ops.builds (domain, dataset, load_id) values (%s, %s, %s)
                   on conflict (domain, dataset) do update set load_id = excluded.load_id, built_at = now()
                   where builds.load_id < excluded.load_id""",
                [domain, dataset, load_id],
            )


def open_dataset(connection: Connection, contract: Contract) -> int:
    """Takes the dataset's lock until the transaction ends; how many rows raw holds."""
    lock_dataset(connection, contract.dataset)
    return int(scalar(connection, "select raw_rows from ops.datasets where dataset = %s", [contract.dataset]))


def rows_moved(connection: Connection, table: sql.Identifier) -> int:
    """Rows this transaction has added to raw, less those it has deleted, by the server's own count."""
    row = connection.execute(
        sql.SQL(
            """select current_setting('track_counts') = 'on',
                      pg_stat_get_xact_tuples_inserted(c) - pg_stat_get_xact_tuples_deleted(c)
               from (select {}::regclass::oid as c)"""
        ).format(sql.Literal(table.as_string(connection)))
    ).fetchone()
    assert row is not None
    if not row[0]:
        raise LawBroken(
            "the server does not count rows (track_counts is off), so raw can't be checked against the fates"
        )
    return int(row[1])


def _storable(text: str | None) -> str | None:
    """The text with escapes for what the server takes in none: NUL, and halves of characters."""
    return text and text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()


def _rows(
    connection: Connection, statement: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), parameters or {}).fetchall()
