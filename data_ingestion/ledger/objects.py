"""Objects: what the ledger holds about the keys of the landing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.dialect import Given, as_bytes, given
from data_ingestion.engine.retry import whole_transaction
from data_ingestion.engine.session import Session
from data_ingestion.ledger.model import Decision, HeldVersion, KnownObject, LedgerView, ObjectState

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.landing import LandingObject

# Keys a question: a landing of a million objects is asked about in parts.
KEYS_AT_ONCE = 10_000


def known_objects(session: Session, dataset: str, seen: Iterable[LandingObject]) -> LedgerView:
    """What the ledger holds about objects that were seen; its cost follows their number, not that of all there are.

    Of objects that are all in force as they were seen, the newest period is not asked for.
    """
    known: dict[str, KnownObject] = {}
    twins: dict[str, str] = {}
    alike: set[str] = set()
    bad: tuple[set[int], set[str]] | None = None
    newest: str | None = None
    for part in _parts(seen):
        bad = bad or _open_quarantine(session, dataset)
        known.update(_known(session, [item.key for item in part], bad))
        if other := [item for item in part if not _is_in_force(known.get(item.key), item)]:
            newest = newest_begun(session, dataset) if newest is None else newest
            twins.update(_twins(session, dataset, other))
            alike.update(_alike(session, dataset, other))
    return LedgerView(known, newest or "", twins, frozenset(alike))


def newest_begun(session: Session, dataset: str) -> str:
    """The newest period in force that had begun when something was loaded last, by the warehouse's clock."""
    loaded = session.row(
        "select ended_at from ops.loads where dataset = $dataset and state = 'loaded' order by load_id desc limit 1",
        dataset=dataset,
    )
    if loaded is None:
        return ""
    return str(
        session.one(
            """select coalesce(max(period), '') from ops.objects
               where dataset = $dataset and state = 'in_force' and period <= cast($moment as text)""",
            dataset=dataset,
            moment=f"{loaded[0].astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        )
    )


def pending_objects(session: Session, contract: Contract) -> dict[str, ObjectState]:
    """The dataset's objects that lay there and are still to be dealt with; asks indexes, not all there are.

    Of several formats, a drop that is as one of them makes it counts as dealt with, whichever its object is of now.
    """
    prints = contract.fingerprints
    rows = session.rows(
        """with outdated as (  -- ranges of the index: before, behind and between the fingerprints
               select drop_id from ops.drops
               where dataset = $dataset and ended_at is null and (fingerprint < $first or fingerprint > $last)
               union all
               select d.drop_id from {given} g
               join ops.drops d on d.dataset = $dataset and d.ended_at is null
                                and d.fingerprint > g.above and d.fingerprint < g.below)
           select object_key, state from ops.objects
           where dataset = $dataset and state = 'seen' and gone_at is null
           union all
           select o.object_key, o.state from outdated join ops.objects o on o.drop_id = outdated.drop_id
           where o.gone_at is null""",
        given(above=("text", prints[:-1]), below=("text", prints[1:])),
        dataset=contract.dataset,
        first=prints[0],
        last=prints[-1],
    )
    return {key: ObjectState(state) for key, state in rows}


def record_gone(session: Session, keys: Iterable[str]) -> None:
    """Notes that objects lie on the landing no more."""
    if missing := sorted(keys):
        session.run(
            """update ops.objects set gone_at = {now} from {given} g
               where objects.object_key = g.key and gone_at is null""",
            given(key=("text", missing)),
        )


def find_object(session: Session, key: str) -> KnownObject | None:
    """An object's row in the ledger, with the correction of it that is held."""
    row = session.row(
        """select o.object_key, o.state, o.etag, o.size_bytes, o.last_modified, o.dataset, o.period, o.drop_id,
                  h.etag, h.size_bytes, h.decision, h.fingerprint, h.sha256
           from ops.objects o left join ops.held h on h.object_key = o.object_key where o.object_key = $key""",
        key=key,
    )
    if row is None:
        return None
    key, state, etag, size, modified, dataset, period, drop_id, *held = row
    return KnownObject(
        key, ObjectState(state), etag, size, modified, dataset,
        period=period, drop_id=drop_id, held=held_version(held),
    )  # fmt: skip


def held_version(row: Sequence[Any]) -> HeldVersion | None:
    """The version of an object that is held, from its columns; None where they are null."""
    etag, size, decision, fingerprint, sha256 = row
    return HeldVersion(etag, size, Decision(decision), fingerprint, as_bytes(sha256)) if decision else None


def similar_objects(session: Session, key: str) -> list[str]:
    """Keys of a few known objects whose file has the same name."""
    rows = session.rows(
        """select object_key from ops.objects
           where regexp_replace(object_key, '^.*/', '') = regexp_replace($key, '^.*/', '')
           order by object_key desc limit 3""",
        key=key,
    )
    return [row[0] for row in rows]


def record_seen(session: Session, dataset: str | None, seen: Iterable[LandingObject]) -> None:
    """Gives every object its ledger row. What is in force or withdrawn stays as it is."""
    # In one order: two runs don't wait for each other.
    for part in _parts(sorted(seen, key=lambda item: item.key)):
        _record_part(session, dataset, part)


@whole_transaction
def _record_part(session: Session, dataset: str | None, part: Sequence[LandingObject]) -> None:
    state = ObjectState.SEEN if dataset else ObjectState.UNRESOLVED
    rows = given(
        key=("text", (item.key for item in part)),
        etag=("text", (item.etag for item in part)),
        size=("bigint", (item.size for item in part)),
        modified=("timestamptz", (item.last_modified for item in part)),
    )
    with session.transaction():
        if dataset:
            ensure_dataset(session, dataset)
        session.run(
            """update ops.objects set dataset = cast($dataset as text), state = $state, etag = g.etag,
                      size_bytes = g.size, last_modified = g.modified, gone_at = null
               from {given} g
               where objects.object_key = g.key and objects.state in ('seen', 'unresolved')
                 and (coalesce(objects.dataset, '') <> coalesce(cast($dataset as text), '') or objects.state <> $state
                      or objects.etag <> g.etag or objects.gone_at is not null)""",
            rows,
            dataset=dataset,
            state=state.value,
        )
        session.run(
            """insert into ops.objects (object_key, dataset, period, state, etag, size_bytes, last_modified,
                                        first_seen_at)
               select g.key, cast($dataset as text), '', $state, g.etag, g.size, g.modified, {now} from {given} g
               where not exists (select 1 from ops.objects o where o.object_key = g.key) {unless_there}""",
            rows,
            dataset=dataset,
            state=state.value,
        )


def ensure_dataset(session: Session, dataset: str) -> None:
    """Gives a dataset its row."""
    session.run(
        """insert into ops.datasets (dataset, raw_rows) select cast($dataset as text), 0
           where not exists (select 1 from ops.datasets where dataset = $dataset) {unless_there}""",
        dataset=dataset,
    )


def withdrawn(session: Session, dataset: str | None) -> list[str]:
    """Keys of objects that were withdrawn, of one dataset or of all."""
    rows = session.rows(
        """select object_key from ops.objects
           where state = 'withdrawn' and (cast($dataset as text) is null or dataset = $dataset) order by 1""",
        dataset=dataset,
    )
    return [row[0] for row in rows]


def unresolved(session: Session) -> list[str]:
    """Keys of objects that no contract claims, and that were there when last looked for."""
    rows = session.rows(
        "select object_key from ops.objects where state = 'unresolved' and gone_at is null order by 1"
    )
    return [row[0] for row in rows]


def _known(
    session: Session, keys: Sequence[str], bad: tuple[set[int], set[str]]
) -> Mapping[str, KnownObject]:
    """What the ledger holds about keys, where `bad` are the drops and the keys with open rows in quarantine."""
    rows = session.rows(
        """select o.object_key, o.state, o.etag, o.size_bytes, o.last_modified, o.dataset, o.period, o.drop_id,
                  coalesce(d.fingerprint, ''), d.rank_object_key, o.gone_at is not null,
                  h.etag, h.size_bytes, h.decision, h.fingerprint, h.sha256
           from {given} g join ops.objects o on o.object_key = g.key
           left join ops.drops d on d.drop_id = o.drop_id
           left join ops.held h on h.object_key = o.object_key""",
        given(key=("text", keys)),
    )
    (bad_drops, failed_keys), known = bad, {}
    for row in rows:
        key, state, etag, size, modified, owner, period, drop_id, fingerprint, ranked_by, is_gone, *held = row
        known[key] = KnownObject(
            key,
            ObjectState(state),
            etag,
            size,
            modified,
            owner,
            period=period,
            drop_id=drop_id,
            fingerprint=fingerprint,
            open_quarantine=drop_id in bad_drops,
            is_gone=is_gone,
            open_failure=key in failed_keys,
            ranked_by=ranked_by,
            held=held_version(held),
        )
    return known


def _open_quarantine(session: Session, dataset: str) -> tuple[set[int], set[str]]:
    """Drops in force with open bad rows, and keys of objects with open bad rows of loads that came to nothing."""
    rows = session.rows(
        """select distinct l.state, l.drop_id, q.object_key
           from ops.quarantine q join ops.loads l on l.load_id = q.load_id
           where q.dataset = $dataset and q.closed_by_load_id is null""",
        dataset=dataset,
    )
    drops = {drop_id for state, drop_id, _ in rows if state == "loaded" and drop_id is not None}
    return drops, {key for state, _, key in rows if state in ("failed", "held")}


def _is_in_force(known: KnownObject | None, item: LandingObject) -> bool:
    """Whether the version seen is the one that the warehouse holds under its key."""
    return (
        known is not None
        and known.state is ObjectState.IN_FORCE
        and (known.etag, known.size) == (item.etag, item.size)
    )


def _twins(session: Session, dataset: str, items: Sequence[LandingObject]) -> Iterator[tuple[str, str]]:
    """Pairs of an object and another in force of the same ETag and size."""
    rows = session.rows(
        """select o.etag, o.size_bytes, min(o.object_key), max(o.object_key)
           from (select distinct etag, size from {given} v) g
           join ops.objects o on o.size_bytes = g.size and o.etag = g.etag
           where o.dataset = $dataset and o.state = 'in_force' group by 1, 2""",
        _versions(items),
        dataset=dataset,
    )
    holders = {(etag, size): (first, last) for etag, size, first, last in rows}
    for item in items:
        for holder in holders.get((item.etag, item.size), ()):
            if holder != item.key:
                yield item.key, holder
                break


def _alike(session: Session, dataset: str, items: Sequence[LandingObject]) -> Iterator[str]:
    """Keys of objects as large as one that is in force or was withdrawn, where the ETags can't tell the bytes apart.

    An ETag without a dash is the hash of an object put in one piece, so two of those differ with the bytes. Where
    the server encrypts they differ always: then the rows are read before the hash tells, which is only slower.
    """
    rows = session.rows(
        """select g.key from {given} g
           where exists (select 1 from ops.objects o where o.dataset = $dataset and o.size_bytes = g.size
                         and o.state in ('in_force', 'withdrawn')
                         and (g.etag like '%-%' or o.etag like '%-%'))""",
        _versions(items),
        dataset=dataset,
    )
    yield from (row[0] for row in rows)


def _versions(items: Sequence[LandingObject]) -> Given:
    return given(
        key=("text", (item.key for item in items)),
        size=("bigint", (item.size for item in items)),
        etag=("text", (item.etag for item in items)),
    )


def _parts(seen: Iterable[LandingObject]) -> Iterator[list[LandingObject]]:
    items = iter(seen)
    while part := list(islice(items, KEYS_AT_ONCE)):
        yield part
