"""Objects on Postgres: what the ledger holds about the keys of the landing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from psycopg import Connection

from data_ingestion.contract import Contract
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import KnownObject, LedgerView, ObjectState
from data_ingestion.warehouses.postgres.session import array, scalar

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
    alike: set[str] = set()
    for part in _parts(seen):
        known.update(_held(connection, dataset, [item.key for item in part]))
        other = [item for item in part if not _is_in_force(known.get(item.key), item)]
        twins.update(_twins(connection, dataset, other))
        alike.update(_alike(connection, dataset, other))
    return LedgerView(known, newest, twins, frozenset(alike))


def newest_begun(connection: Connection, dataset: str) -> str:
    """The newest period in force that had begun when something was loaded last, by this server's clock."""
    return str(
        scalar(
            connection,
            """select coalesce(max(period), '') from ops.objects
               where dataset = %s and state = 'in_force' and period <= (
                   select to_char(ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') from ops.loads
                   where dataset = %s and state = 'loaded' order by load_id desc limit 1)""",
            [dataset, dataset],
        )
    )


def pending_objects(connection: Connection, contract: Contract) -> dict[str, ObjectState]:
    """The dataset's objects that lay there and are still to be dealt with; asks indexes, not all there are."""
    rows = connection.execute(
        """select object_key, state from ops.objects
           where dataset = %(dataset)s and state = 'seen' and gone_at is null
           union all
           select o.object_key, o.state from ops.drops d join ops.objects o using (drop_id)
           where d.dataset = %(dataset)s and d.ended_at is null and o.gone_at is null
             and (d.fingerprint < %(fingerprint)s or d.fingerprint > %(fingerprint)s)""",
        {"dataset": contract.dataset, "fingerprint": contract.fingerprint},
    )
    return {key: ObjectState(state) for key, state in rows}


def record_gone(connection: Connection, keys: Iterable[str]) -> None:
    """Notes that objects lie on the landing no more."""
    if missing := sorted(keys):
        connection.execute(
            """update ops.objects set gone_at = now() where object_key in (
                   select object_key from ops.objects where object_key = any(%s) and gone_at is null
                   order by object_key for update)""",
            [missing],
        )


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
    """Gives every object its ledger row. What is in force or withdrawn stays as it is."""
    state = "seen" if dataset else "unresolved"
    for part in _parts(
        sorted(seen, key=lambda item: item.key)
    ):  # in one order: two runs don't wait for each other
        if dataset:
            connection.execute(
                "insert into ops.datasets (dataset) values (%s) on conflict do nothing", [dataset]
            )
        connection.execute(
            """insert into ops.objects (object_key, dataset, state, etag, size_bytes, last_modified)
               select i.key, %(dataset)s, %(state)s, i.etag, i.size, i.modified
               from unnest(%(keys)s::text[], %(etags)s::text[], %(sizes)s::bigint[], %(times)s::timestamptz[])
                    as i (key, etag, size, modified)
               on conflict (object_key) do update
               set dataset = excluded.dataset, state = excluded.state, etag = excluded.etag,
                   size_bytes = excluded.size_bytes, last_modified = excluded.last_modified, gone_at = null
               where objects.state in ('seen', 'unresolved')
                 and (objects.dataset, objects.state, objects.etag, objects.gone_at)
                     is distinct from (excluded.dataset, excluded.state, excluded.etag, null)""",
            {
                "dataset": dataset,
                "state": state,
                "keys": array(item.key for item in part),
                "etags": array(item.etag for item in part),
                "sizes": array(item.size for item in part),
                "times": array(item.last_modified for item in part),
            },
        )


def withdrawn(connection: Connection, dataset: str | None) -> list[str]:
    """Keys of objects that were withdrawn, of one dataset or of all."""
    rows = connection.execute(
        """select object_key from ops.objects
           where state = 'withdrawn' and (%(dataset)s::text is null or dataset = %(dataset)s) order by 1""",
        {"dataset": dataset},
    ).fetchall()
    return [row[0] for row in rows]


def unresolved(connection: Connection) -> list[str]:
    """Keys of objects that no contract claims, and that were there when last looked for."""
    rows = connection.execute(
        "select object_key from ops.objects where state = 'unresolved' and gone_at is null order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def _held(connection: Connection, dataset: str, keys: Sequence[str]) -> dict[str, KnownObject]:
    rows = connection.execute(
        """select o.object_key, o.state, o.etag, o.size_bytes, o.last_modified, o.dataset, o.period, o.drop_id,
                  coalesce(d.fingerprint, ''),
                  o.object_key in (select q.object_key from ops.quarantine q join ops.loads l using (load_id)
                                   where q.dataset = %(dataset)s and q.closed_by_load_id is null
                                     and l.state = 'loaded'),
                  o.gone_at is not null,
                  o.object_key in (select q.object_key from ops.quarantine q join ops.loads l using (load_id)
                                   where q.dataset = %(dataset)s and q.closed_by_load_id is null
                                     and l.state = 'failed')
           from ops.objects o left join ops.drops d using (drop_id) where o.object_key = any(%(keys)s::text[])""",
        {"dataset": dataset, "keys": array(keys)},
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
        [*_versions(items), dataset],
    )


def _alike(connection: Connection, dataset: str, items: Sequence[LandingObject]) -> Iterator[str]:
    """Keys of objects as large as one that is in force or was withdrawn, where the ETags can't tell the bytes apart.

    An ETag without a dash is the hash of an object put in one piece, so two of those differ with the bytes. Where
    the server encrypts they differ always: then the rows are read before the hash tells, which is only slower.
    """
    rows = connection.execute(
        """select i.key from unnest(%s::text[], %s::bigint[], %s::text[]) i(key, size, etag)
           where exists (select from ops.objects o where o.dataset = %s and o.size_bytes = i.size
                         and o.state in ('in_force', 'withdrawn')
                         and (i.etag like '%%-%%' or o.etag like '%%-%%'))""",
        [*_versions(items), dataset],
    )
    yield from (row[0] for row in rows)


def _versions(items: Sequence[LandingObject]) -> list[str]:
    return [
        array(item.key for item in items),
        array(item.size for item in items),
        array(item.etag for item in items),
    ]


def _parts(seen: Iterable[LandingObject]) -> Iterator[list[LandingObject]]:
    items = iter(seen)
    while part := list(islice(items, KEYS_AT_ONCE)):
        yield part
