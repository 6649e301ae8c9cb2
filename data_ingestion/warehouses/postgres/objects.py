"""Objects on Postgres: what the ledger holds about the keys of the landing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from psycopg import Connection

from data_ingestion.landing import LandingObject
from data_ingestion.ledger import KnownObject, LedgerView, ObjectState
from data_ingestion.warehouses.postgres.session import scalar

# Keys a question: a landing of a million objects is asked about in parts.
KEYS_AT_ONCE = 10_000


def known_objects(connection: Connection, dataset: str, seen: Iterable[LandingObject]) -> LedgerView:
    """What the ledger holds about objects that were seen; its cost follows their number, not that of all there are."""
    newest = scalar(
        connection,
        "select coalesce(max(period), '') from ops.objects where dataset = %s and state = 'in_force'",
        [dataset],
    )
    known: dict[str, KnownObject] = {}
    twins: dict[str, str] = {}
    sizes: set[int] = set()
    for part in _parts(seen):
        known.update(_held(connection, dataset, [item.key for item in part]))
        other = [item for item in part if not _is_in_force(known.get(item.key), item)]
        twins.update(_twins(connection, dataset, other))
        sizes.update(_sizes(connection, dataset, {item.size for item in other}))
    return LedgerView(known, newest, twins, frozenset(sizes))


def find_object(connection: Connection, key: str) -> KnownObject | None:
    """An object's row in the ledger."""
    row = connection.execute(
        """select o.object_key, o.state, o.etag, o.size_bytes, o.last_modified, o.dataset, o.period, o.drop_id
           from ops.objects o where o.object_key = %s""",
        [key],
    ).fetchone()
    return KnownObject(row[0], ObjectState(row[1]), *row[2:]) if row else None


def similar_objects(connection: Connection, key: str) -> list[str]:
    """Keys of a few known objects whose file has the same name."""
    rows = connection.execute(
        """select object_key from ops.objects
           where regexp_replace(object_key, '^.*/', '') = regexp_replace(%s, '^.*/', '')
           order by object_key desc limit 3""",
        [key],
    )
    return [row[0] for row in rows]


def record_seen(connection: Connection, dataset: str | None, seen: Iterable[LandingObject]) -> None:
    """Gives every object its ledger row. What is in force or withdrawn stays; what is unresolved may find a contract."""
    state = "seen" if dataset else "unresolved"
    rows = sorted((item.key, dataset, state, item.etag, item.size, item.last_modified) for item in seen)
    if not rows:
        return
    if dataset:
        connection.execute("insert into ops.datasets (dataset) values (%s) on conflict do nothing", [dataset])
    with connection.cursor() as cursor:
        cursor.executemany(
            """insert into ops.objects (object_key, dataset, state, etag, size_bytes, last_modified)
               values (%s, %s, %s, %s, %s, %s)
               on conflict (object_key) do update
               set dataset = excluded.dataset, state = excluded.state, etag = excluded.etag,
                   size_bytes = excluded.size_bytes, last_modified = excluded.last_modified
               where objects.state in ('seen', 'unresolved')
                 and (objects.dataset, objects.state, objects.etag)
                     is distinct from (excluded.dataset, excluded.state, excluded.etag)""",
            rows,
        )


def unresolved(connection: Connection) -> list[str]:
    """Keys of objects that no contract claims."""
    rows = connection.execute(
        "select object_key from ops.objects where state = 'unresolved' order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def _held(connection: Connection, dataset: str, keys: Sequence[str]) -> dict[str, KnownObject]:
    rows = connection.execute(
        """select o.object_key, o.state, o.etag, o.size_bytes, o.last_modified, o.dataset, o.period, o.drop_id,
                  coalesce(d.fingerprint, ''),
                  o.object_key in (select q.object_key from ops.quarantine q join ops.loads l using (load_id)
                                   where q.dataset = %(dataset)s and q.closed_by_load_id is null
                                     and l.state = 'loaded')
           from ops.objects o left join ops.drops d using (drop_id) where o.object_key = any(%(keys)s)""",
        {"dataset": dataset, "keys": keys},
    )
    return {row[0]: KnownObject(row[0], ObjectState(row[1]), *row[2:]) for row in rows}


def _is_in_force(held: KnownObject | None, item: LandingObject) -> bool:
    """Whether the version seen is the one that the warehouse holds under its key."""
    return (
        held is not None
        and held.state is ObjectState.IN_FORCE
        and (held.etag, held.size) == (item.etag, item.size)
    )


def _twins(connection: Connection, dataset: str, items: Sequence[LandingObject]) -> Iterator[tuple[Any, ...]]:
    """Pairs of an object and another in force of the same ETag and size."""
    yield from connection.execute(
        """select i.key, t.object_key
           from unnest(%s::text[], %s::bigint[], %s::text[]) i(key, size, etag)
           cross join lateral (
               select o.object_key from ops.objects o
               where o.dataset = %s and o.size_bytes = i.size and o.etag = i.etag and o.state = 'in_force'
                 and o.object_key <> i.key
               limit 1) t""",
        [[item.key for item in items], [item.size for item in items], [item.etag for item in items], dataset],
    )


def _sizes(connection: Connection, dataset: str, sizes: Iterable[int]) -> Iterator[int]:
    """Those of the sizes that an object in force has, or one that was withdrawn."""
    rows = connection.execute(
        """select i.size from unnest(%s::bigint[]) i(size)
           where exists (select from ops.objects o where o.dataset = %s and o.size_bytes = i.size
                         and o.state in ('in_force', 'withdrawn'))""",
        [list(sizes), dataset],
    )
    yield from (row[0] for row in rows)


def _parts(seen: Iterable[LandingObject]) -> Iterator[list[LandingObject]]:
    items = iter(seen)
    while part := list(islice(items, KEYS_AT_ONCE)):
        yield part
