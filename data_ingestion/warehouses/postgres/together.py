"""Together on Postgres: the new drops of a batch brought in as sets, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import LiteralString

from psycopg import Connection, sql

from data_ingestion.contract import Contract
from data_ingestion.errors import LawBroken
from data_ingestion.ledger import Fates, LoadReport, LoadState, Rank, check_laws
from data_ingestion.warehouses.base import BatchDrop, Staged
from data_ingestion.warehouses.postgres import ledger
from data_ingestion.warehouses.postgres.members import Member, Merged
from data_ingestion.warehouses.postgres.merge import Merge
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.warehouses.postgres.session import array, by_order
from data_ingestion.warehouses.postgres.tables import POSITION, TEMPORARY_STAGE, RawTable, staged_rows


def bring_in_together(
    connection: Connection,
    contract: Contract,
    drops: Sequence[BatchDrop],
    staged: Staged,
    limits: PlanLimits,
    redelivered: set[str],
) -> list[LoadReport | None]:
    """Makes the staged drops true for their objects, in the caller's transaction, under the dataset's lock.

    A report a drop, in their order; None for one that is not new after all, whose rows leave the stage. Rows are taken
    for new until raw holds one of them after all: the dataset is then added to those that were `redelivered`, since an
    insert that is undone leaves its rows to the next vacuum.
    Raises `LawBroken` if rows don't add up.
    """
    table = RawTable(contract)
    raw_before = ledger.open_dataset(connection, contract)
    moved_before = ledger.rows_moved(connection, table.name)
    new = _those_that_are_new(connection, contract, drops)
    if not new:
        return [None for _ in drops]
    if len(new) < len(drops):
        staged = replace(staged, rows=staged.rows - unstage(connection, new))
    members = [
        Member(each.position, drop_id, load_id, each.read.staged.rows)
        for each, drop_id, load_id in zip(
            new, _draw_drop_ids(connection, len(new)), draw_load_ids(connection, len(new)), strict=True
        )
    ]
    _record_drops(connection, contract, new, members)
    merge, merged = Merge(connection, table, members, staged_rows(staged), limits), None
    if staged.distinct and contract.dataset not in redelivered:
        merged = merge.insert()
        if merged is None:
            redelivered.add(contract.dataset)
            moved_before = ledger.rows_moved(connection, table.name)  # which counts what was undone, too
    merged = merged or merge.merge(raw_before)
    told = f"{len(new)} drops at once, {merged.reason}"
    reports = close_together(connection, contract, new, members, merged, told, raw_before, moved_before)
    return [reports.get(each.position) for each in drops]


def close_together(
    connection: Connection,
    contract: Contract,
    drops: Sequence[BatchDrop],
    members: Sequence[Member],
    merged: Merged,
    told: str,
    raw_before: int,
    moved_before: int,
) -> dict[int, LoadReport]:
    """Holds what a merge of many did against the laws and the server's own count, and records it; by position."""
    reports: dict[int, LoadReport] = {}
    raw_rows = raw_before
    for each, member in zip(drops, members, strict=True):
        fates = merged.fates[each.position] + Fates(read=each.read.read, quarantined=each.read.quarantined)
        check_laws(fates, raw_rows, raw_rows + fates.inserted)
        reports[each.position] = LoadReport(
            contract.dataset, each.planned.object.key, each.planned.kind, LoadState.LOADED, fates,
            each.attempt_id, member.load_id, member.drop_id, each.read.sha256.hex(), merged.plan,
            f"{each.planned.reason}; {told}", raw_rows, raw_rows + fates.inserted,
        )  # fmt: skip
        raw_rows += fates.inserted
    moved = ledger.rows_moved(connection, RawTable(contract).name) - moved_before
    if raw_before + moved != raw_rows:
        raise LawBroken(f"raw holds {raw_before + moved} rows, by the fates it should hold {raw_rows}")
    ledger.record_raw_rows(connection, contract.dataset, raw_rows)
    ledger.record_ends(
        connection, [(reports[each.position], each.read.size) for each in drops], contract.fingerprint
    )
    ledger.close_quarantine_of(connection, list(reports.values()))
    bad = [(reports[each.position], each.bad) for each in drops if each.read.quarantined]
    if bad:
        ledger.record_quarantine(connection, bad)
    return reports


def _those_that_are_new(
    connection: Connection, contract: Contract, drops: Sequence[BatchDrop]
) -> list[BatchDrop]:
    """The drops whose object holds and held nothing, and whose bytes nobody holds; of equal ones the first."""
    known_keys = {
        row[0]
        for row in connection.execute(
            """select object_key from ops.objects
               where object_key = any(%s::text[])
                 and (state in ('in_force', 'withdrawn') or withdrawn_sha256 is not null)""",
            [array(each.planned.object.key for each in drops)],
        )
    }
    with by_order(connection):
        rows = connection.execute(
            """select d.sha256 from unnest(%s::bytea[]) as s (sha256) cross join lateral (
                   select sha256 from ops.drops where dataset = %s and sha256 >= s.sha256 and ended_at is null
                   order by sha256 limit 1) d
               where d.sha256 = s.sha256""",
            [array(each.read.sha256 for each in drops), contract.dataset],
        )
    known_bytes = {bytes(row[0]) for row in rows}
    new = []
    for each in drops:
        if each.planned.object.key not in known_keys and each.read.sha256 not in known_bytes:
            known_bytes.add(each.read.sha256)
            new.append(each)
    # The newest comes first, as if the drops had been loaded one by one in that order: what an older one shares
    # with it then waits behind it from the start.
    return sorted(new, key=_rank, reverse=True)


def _rank(drop: BatchDrop) -> Rank:
    planned = drop.planned
    return Rank(planned.period, planned.object.last_modified, planned.object.key)


def unstage(connection: Connection, new: Sequence[BatchDrop]) -> int:
    """Takes the rows of all other drops out of the stage; how many there were."""
    return connection.execute(
        sql.SQL("delete from {} where {} <> all(%s)").format(TEMPORARY_STAGE, sql.Identifier(POSITION)),
        [[each.position for each in new]],
    ).rowcount


def draw_load_ids(connection: Connection, count: int) -> list[int]:
    """As many load ids, in ascending order."""
    return _drawn(connection, "select nextval('ops.load_ids') from generate_series(1, %s)", count)


def _draw_drop_ids(connection: Connection, count: int) -> list[int]:
    """The same of drops."""
    return _drawn(
        connection,
        """select nextval(s.drop_ids)
           from (select pg_get_serial_sequence('ops.drops', 'drop_id')::regclass as drop_ids offset 0) s,
                generate_series(1, %s)""",
        count,
    )


def _drawn(connection: Connection, query: LiteralString, count: int) -> list[int]:
    return sorted(row[0] for row in connection.execute(query, [count]))


def _record_drops(
    connection: Connection, contract: Contract, new: Sequence[BatchDrop], members: Sequence[Member]
) -> None:
    """Each object holds its drop, and gives it its rank."""
    seen = [each.planned.object for each in new]
    parameters = {
        "dataset": contract.dataset,
        "fingerprint": contract.fingerprint,
        "drops": array(member.drop_id for member in members),
        "loads": array(member.load_id for member in members),
        "hashes": array(each.read.sha256 for each in new),
        "sizes": array(each.read.size for each in new),
        "periods": array(each.planned.period for each in new),
        "delivered": array(item.last_modified for item in seen),
        "keys": array(item.key for item in seen),
        "etags": array(item.etag for item in seen),
        "object_sizes": array(item.size for item in seen),
    }
    connection.execute(
        """insert into ops.drops (drop_id, dataset, sha256, size_bytes, fingerprint, load_id,
                                  rank_period, rank_delivered_at, rank_object_key)
           overriding system value
           select d.drop_id, %(dataset)s, d.sha256, d.size, %(fingerprint)s, d.load_id, d.period, d.delivered, d.key
           from unnest(%(drops)s::bigint[], %(hashes)s::bytea[], %(sizes)s::bigint[], %(loads)s::bigint[],
                       %(periods)s::text[], %(delivered)s::timestamptz[], %(keys)s::text[])
                as d (drop_id, sha256, size, load_id, period, delivered, key)""",
        parameters,
    )
    connection.execute(
        """insert into ops.objects as o (object_key, dataset, period, state, etag, size_bytes,
                                         last_modified, delivered_at, drop_id)
           select d.key, %(dataset)s, d.period, 'in_force', d.etag, d.size, d.delivered, d.delivered, d.drop_id
           from unnest(%(keys)s::text[], %(periods)s::text[], %(etags)s::text[], %(object_sizes)s::bigint[],
                       %(delivered)s::timestamptz[], %(drops)s::bigint[])
                as d (key, period, etag, size, delivered, drop_id)
           order by d.key  -- as all who lock several objects do: nobody waits for one who waits
           on conflict (object_key) do update set
               dataset = excluded.dataset, period = excluded.period, state = 'in_force', etag = excluded.etag,
               size_bytes = excluded.size_bytes, last_modified = excluded.last_modified,
               delivered_at = excluded.delivered_at, drop_id = excluded.drop_id,
               withdrawn_sha256 = null, gone_at = null""",
        parameters,
    )
