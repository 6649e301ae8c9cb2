"""Record: which object holds which drop, and how a drop ranks, in the ledger. Sets, however many drops there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_ingestion.contract import Contract
from data_ingestion.engine.dialect import given
from data_ingestion.engine.session import Session
from data_ingestion.ledger.model import Fates
from data_ingestion.ledger.quarantine import hand_over_quarantine
from data_ingestion.ledger.rank import Rank
from data_ingestion.merge.identify import Action, Standing, delivery_time
from data_ingestion.merge.release import Claims, Owner
from data_ingestion.merge.table import RawTable
from data_ingestion.plan import PlannedDrop


@dataclass(frozen=True)
class Bytes:
    """What lies under an object's key: its hash and size."""

    sha256: bytes
    size: int


@dataclass(frozen=True)
class Entry:
    """An object that holds a drop from now on, by a load."""

    planned: PlannedDrop
    standing: Standing
    action: Action
    bytes: Bytes
    drop_id: int
    load_id: int

    @property
    def rank(self) -> Rank:
        """How the object ranks."""
        is_unchanged = self.action in (Action.TOUCH, Action.READ_AGAIN)
        delivered = delivery_time(self.standing, self.planned, self.bytes.sha256, is_unchanged=is_unchanged)
        return Rank(self.planned.period, delivered, self.planned.object.key)


def record_versions(session: Session, contract: Contract, entries: Sequence[Entry]) -> None:
    """Objects hold their drops in the versions seen, and the drops are as this contract reads them."""
    if new := [entry for entry in entries if entry.action in (Action.NEW, Action.PART)]:
        _insert_drops(session, contract, new)
    if changed := [entry for entry in entries if entry.action in (Action.CORRECT, Action.READ_AGAIN)]:
        session.upsert(
            "ops.drops",
            ("drop_id",),
            given(
                drop_id=("bigint", [entry.drop_id for entry in changed]),
                sha256=("blob", [entry.bytes.sha256 for entry in changed]),
                size_bytes=("bigint", [entry.bytes.size for entry in changed]),
                fingerprint=("text", [_fingerprint(contract, entry) for entry in changed]),
                load_id=("bigint", [entry.load_id for entry in changed]),
            ),
            insert=False,
        )
    _set_objects(session, contract, entries)
    if changed:
        rank_drops(session, [entry.drop_id for entry in changed])


def _insert_drops(session: Session, contract: Contract, entries: Sequence[Entry]) -> None:
    ranks = [entry.rank for entry in entries]
    session.run(
        """insert into ops.drops (drop_id, dataset, sha256, size_bytes, fingerprint, load_id, rank, rank_period,
                                  rank_delivered_at, rank_object_key) {explicit_ids}
           select g.id, $dataset, g.sha256, g.size, g.fingerprint, g.load, g.rank, g.period, g.delivered, g.key
           from {given} g""",
        given(
            id=("bigint", [entry.drop_id for entry in entries]),
            sha256=("blob", [entry.bytes.sha256 for entry in entries]),
            size=("bigint", [entry.bytes.size for entry in entries]),
            fingerprint=("text", [_fingerprint(contract, entry) for entry in entries]),
            load=("bigint", [entry.load_id for entry in entries]),
            rank=("text", [rank.text for rank in ranks]),
            period=("text", [rank.period for rank in ranks]),
            delivered=("timestamptz", [rank.delivered_at for rank in ranks]),
            key=("text", [rank.object_key for rank in ranks]),
        ),
        dataset=contract.dataset,
    )


def _set_objects(session: Session, contract: Contract, entries: Sequence[Entry]) -> None:
    # In the order of their keys, as in every statement that locks several objects: no deadlock.
    entries = sorted(entries, key=lambda entry: entry.planned.object.key)
    seen = [entry.planned.object for entry in entries]
    ranks = [entry.rank for entry in entries]
    nothing = [None for _ in entries]
    session.upsert(
        "ops.objects",
        ("object_key",),
        given(
            object_key=("text", [item.key for item in seen]),
            dataset=("text", [contract.dataset for _ in seen]),
            period=("text", [rank.period for rank in ranks]),
            state=("text", ["in_force" for _ in seen]),
            etag=("text", [item.etag for item in seen]),
            size_bytes=("bigint", [item.size for item in seen]),
            last_modified=("timestamptz", [item.last_modified for item in seen]),
            delivered_at=("timestamptz", [rank.delivered_at for rank in ranks]),
            drop_id=("bigint", [entry.drop_id for entry in entries]),
            rank=("text", [rank.text for rank in ranks]),
            withdrawn_sha256=("blob", nothing),
            gone_at=("timestamptz", nothing),
        ),
    )


def _fingerprint(contract: Contract, entry: Entry) -> str:
    return contract.fingerprint_of(entry.planned.object.key)


def rank_drops(session: Session, drop_ids: Sequence[int]) -> None:
    """Drops rank as the newest of the objects that hold them."""
    found = session.rows(
        """select o.drop_id, max(o.rank) from {given} g join ops.objects o on o.drop_id = g.drop_id
           group by 1""",
        given(drop_id=("bigint", drop_ids)),
    )
    ranks = {drop_id: Rank.of(text) for drop_id, text in found}
    session.upsert(
        "ops.drops",
        ("drop_id",),
        given(
            drop_id=("bigint", ranks),
            rank=("text", [rank.text for rank in ranks.values()]),
            rank_period=("text", [rank.period for rank in ranks.values()]),
            rank_delivered_at=("timestamptz", [rank.delivered_at for rank in ranks.values()]),
            rank_object_key=("text", [rank.object_key for rank in ranks.values()]),
        ),
        insert=False,
    )


def release_drop(
    session: Session, table: RawTable, drop_id: int, load_id: int, object_key: str
) -> tuple[Fates, int]:
    """An object holds the drop no longer: with no holder left its claims end, else it may rank lower now.

    The fates of its rows, and how many places in raw changed hands because of its new rank.
    """
    claims = Claims.of(session, table, [Owner(drop_id, load_id)])
    if session.row("select 1 from ops.objects where drop_id = $drop limit 1", drop=drop_id) is None:
        fates = claims.release()[drop_id]
        session.run("update ops.drops set ended_at = {now} where drop_id = $drop", drop=drop_id)
        return fates, 0
    rank_drops(session, [drop_id])
    settled = claims.settle()
    hand_over_quarantine(session, drop_id, object_key)
    return Fates(), settled
