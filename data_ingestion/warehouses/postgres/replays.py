"""Replays on Postgres: drops of a batch whose bytes are read again, under another contract mostly, as sets.

Only of rows that nobody else claims: then a drop's own rows are all that its new reading can touch, and the drops of a
batch have nothing to do with each other. Every other drop is loaded alone, by the rules of `drops`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from psycopg import Connection, sql

from data_ingestion.contract import Contract
from data_ingestion.ledger import LoadReport
from data_ingestion.warehouses.base import BatchDrop, Staged
from data_ingestion.warehouses.postgres import ledger
from data_ingestion.warehouses.postgres.members import Member
from data_ingestion.warehouses.postgres.merge import Merge
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.warehouses.postgres.session import array, by_index, equal, names
from data_ingestion.warehouses.postgres.tables import POSITION, TEMPORARY_STAGE, RawTable, staged_rows
from data_ingestion.warehouses.postgres.together import close_together, draw_load_ids, unstage

# Ids of drops between which those of others are counted with them rather than gone round.
CLOSE = 100


def bring_in_again(
    connection: Connection, contract: Contract, drops: Sequence[BatchDrop], staged: Staged, limits: PlanLimits
) -> list[LoadReport | None]:
    """Makes what was staged of drops in force true, in the caller's transaction, under the dataset's lock.

    A report a drop, in their order; None for one that has to be loaded alone, whose rows leave the stage. Raises
    `LawBroken` if rows don't add up.
    """
    table = RawTable(contract)
    raw_before = ledger.open_dataset(connection, contract)
    moved_before = ledger.rows_moved(connection, table.name)
    held = _those_as_planned(connection, contract, drops)
    contested = _contested(connection, table, held) if held else set()
    again = [each for each in drops if each.position in held and each.position not in contested]
    if not again:
        return [None for _ in drops]
    if len(again) < len(drops):
        staged = replace(staged, rows=staged.rows - unstage(connection, again))
    load_ids = draw_load_ids(connection, len(again))
    members = [
        Member(each.position, held[each.position], load_id, each.read.staged.rows)
        for each, load_id in zip(again, load_ids, strict=True)
    ]
    _record_versions(connection, contract, again, members)
    merged = Merge(connection, table, members, replace(staged_rows(staged), distinct=True), limits).merge(
        raw_before
    )
    told = f"same bytes, read again with {len(again) - 1} others; {merged.reason}"
    reports = close_together(connection, contract, again, members, merged, told, raw_before, moved_before)
    return [reports.get(each.position) for each in drops]


def _those_as_planned(
    connection: Connection, contract: Contract, drops: Sequence[BatchDrop]
) -> dict[int, int]:
    """By position the drop that the object holds, where it alone holds it, of this period, version and bytes."""
    rows = connection.execute(
        """select p.position, o.drop_id
           from unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::bytea[])
               as p (position, object_key, etag, period, sha256)
           -- One after the other, each by its own index: of a ledger without statistics any seems as good.
           cross join lateral (select * from ops.objects where object_key = p.object_key offset 0) o
           cross join lateral (select sha256 from ops.drops where drop_id = o.drop_id offset 0) d
           cross join lateral (select count(*) as holders from ops.objects where drop_id = o.drop_id) h
           where o.dataset = %s and o.state = 'in_force' and o.etag = p.etag and o.period = p.period
             and d.sha256 = p.sha256 and h.holders = 1""",
        [
            array(each.position for each in drops),
            array(each.planned.object.key for each in drops),
            array(each.planned.ledger_etag or "" for each in drops),
            array(each.planned.period for each in drops),
            array(each.read.sha256 for each in drops),
            contract.dataset,
        ],
    )
    return dict(rows.fetchall())


def _contested(connection: Connection, table: RawTable, held: Mapping[int, int]) -> set[int]:
    """Positions of drops that are not by themselves.

    One of their keys is twice in the stage, or another drop's in raw; or they wait for a row, or hold one that they
    have no longer.
    """
    stretches = _stretches(held.values())
    parts = {
        "position": sql.Identifier(POSITION),
        "key_of_s": names(table.key, "s"),
        "stage": TEMPORARY_STAGE,
        "raw": table.name,
        "history": table.history,
        "same_key": equal(table.key, "r", "s"),
    }
    with by_index(connection):
        connection.execute(
            sql.SQL(
                """create temporary table _staged_keys on commit drop as
                   select s.{position} as position, r._drop_id as held_by,
                          count(*) over (partition by {key_of_s}) > 1 as is_shared
                   from {stage} s left join {raw} r on {same_key}"""
            ).format(**parts)
        )
    rows = connection.execute(
        sql.SQL(
            """with members as (
                   select * from unnest(%(positions)s::int[], %(drops)s::bigint[]) as m (position, drop_id)
               ),
               kept as (
                   select m.position, m.drop_id, count(s.held_by) as rows,
                          coalesce(bool_or(s.is_shared or s.held_by <> m.drop_id), false) as is_contested
                   from members m left join _staged_keys s on s.position = m.position
                   group by 1, 2
               ),
               held as (
                   select h.* from unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) as r (first, last)
                   cross join lateral (
                       select _drop_id, count(*) as rows from {raw} where _drop_id between r.first and r.last group by 1
                   ) h
               )
               select k.position from kept k left join held h on h._drop_id = k.drop_id
               where k.is_contested or k.rows <> coalesce(h.rows, 0)
                  or exists (select from {history} w where w._drop_id = k.drop_id and w._fate = 'waiting')"""
        ).format(**parts),
        {
            "positions": array(held),
            "drops": array(held.values()),
            "firsts": array(first for first, _ in stretches),
            "lasts": array(last for _, last in stretches),
        },
    )
    return {position for (position,) in rows}


def _stretches(drop_ids: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of ids that lie close together: raw's rows of these do, too, and are found by one look."""
    stretches: list[tuple[int, int]] = []
    for drop_id in sorted(drop_ids):
        if stretches and drop_id - stretches[-1][1] <= CLOSE:
            stretches[-1] = stretches[-1][0], drop_id
        else:
            stretches.append((drop_id, drop_id))
    return stretches


def _record_versions(
    connection: Connection, contract: Contract, again: Sequence[BatchDrop], members: Sequence[Member]
) -> None:
    """Each drop is as this contract reads it; its object is seen as it was planned. No rank moves."""
    seen = [each.planned.object for each in again]
    parameters = {
        "fingerprint": contract.fingerprint,
        "drops": array(member.drop_id for member in members),
        "loads": array(member.load_id for member in members),
        "keys": array(item.key for item in seen),
        "etags": array(item.etag for item in seen),
        "modified": array(item.last_modified for item in seen),
    }
    connection.execute(
        """update ops.drops d set fingerprint = %(fingerprint)s, load_id = m.load_id
           from unnest(%(drops)s::bigint[], %(loads)s::bigint[]) as m (drop_id, load_id)
           where d.drop_id = m.drop_id""",
        parameters,
    )
    connection.execute(
        """update ops.objects o set etag = m.etag, last_modified = m.last_modified, gone_at = null
           from (select object_key, s.etag, s.last_modified
                 from unnest(%(keys)s::text[], %(etags)s::text[], %(modified)s::timestamptz[])
                     as s (key, etag, last_modified)
                 join ops.objects on object_key = s.key
                 order by object_key for update of objects) m  -- in the order of all who lock several
           where o.object_key = m.object_key""",
        parameters,
    )
