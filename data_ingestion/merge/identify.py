"""Identify: what an object that was read is to the ledger now, and what follows from that. The choice is pure.

Whether its bytes are read at all is asked before: in `plan` by ETag and size, in `load` by their hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import Enum, auto

from data_ingestion.contract import Contract
from data_ingestion.engine.dialect import as_bytes, given
from data_ingestion.engine.session import Row, Session
from data_ingestion.errors import ContractFault, PlanStale
from data_ingestion.ledger.model import Decision, Kind, ObjectState, same_bytes
from data_ingestion.plan import PlannedDrop


class Action(Enum):
    """What a load does with an object's bytes."""

    NEW = auto()  # bytes that were never loaded
    CORRECT = auto()  # other bytes in the place of a drop that only this object held
    PART = auto()  # other bytes for an object that shared its drop with others
    READ_AGAIN = auto()  # the bytes in force, read once more
    TOUCH = auto()  # the bytes in force, as they were read
    JOIN = auto()  # the bytes of a drop that other objects hold
    STAY_WITHDRAWN = auto()  # the bytes that were withdrawn under this key
    STAY_REJECTED = auto()  # the bytes of a correction that a person has rejected

    @property
    def reads(self) -> bool:
        """Whether rows come in."""
        return self in (Action.NEW, Action.CORRECT, Action.PART, Action.READ_AGAIN)


@dataclass(frozen=True)
class Held:
    """The drop that an object holds in force."""

    drop_id: int
    sha256: bytes
    fingerprint: str
    ranked_by: str  # the object that gives the drop its rank
    holders: int
    claims: int | None  # its rows, by its newest load


@dataclass(frozen=True)
class Standing:
    """How an object stands in the ledger, under the dataset's lock."""

    state: ObjectState | None = None
    dataset: str | None = None
    _: KW_ONLY
    etag: str | None = None
    size: int | None = None
    period: str = ""
    delivered_at: datetime | None = None
    withdrawn: bytes | None = None  # the hash of what was withdrawn under its key
    held: Held | None = None
    decision: Decision | None = None  # of a correction of it, whose hash follows
    decided: bytes | None = None
    twin: int | None = None  # a drop in force that has the bytes read


def find_standings(
    session: Session, dataset: str, drops: Sequence[tuple[PlannedDrop, bytes]]
) -> list[Standing]:
    """How the objects of planned drops stand, with the hash of what was read of each; in their order."""
    known = {
        row[0]: row[1:]
        for row in session.rows(
            """select o.object_key, o.state, o.dataset, o.etag, o.size_bytes, o.period, o.delivered_at,
                      o.withdrawn_sha256, d.drop_id, d.sha256, d.fingerprint, d.rank_object_key,
                      (select count(*) from ops.objects x where x.drop_id = d.drop_id),
                      (select max(l.superseded + l.inserted + l.updated + l.unchanged) from ops.loads l
                       where l.load_id = d.load_id and l.state = 'loaded' and l.rows_read > 0),
                      h.decision, h.sha256
               from {given} g join ops.objects o on o.object_key = g.key
               left join ops.drops d on d.drop_id = o.drop_id
               left join ops.held h on h.object_key = o.object_key""",
            given(key=("text", [planned.object.key for planned, _ in drops])),
        )
    }
    twins = {
        as_bytes(sha256): drop_id
        for sha256, drop_id, owner in session.rows(
            """select d.sha256, d.drop_id, d.dataset from {given} g join ops.drops d on d.sha256 = g.sha256
               where d.ended_at is null""",
            given(sha256=("blob", [sha256 for _, sha256 in drops])),
        )
        if owner == dataset
    }
    return [_standing(known.get(planned.object.key), twins.get(sha256)) for planned, sha256 in drops]


def find_standing(session: Session, planned: PlannedDrop) -> Standing:
    """How an object stands of which nothing was read."""
    return find_standings(session, planned.dataset, [(planned, b"")])[0]


def _standing(row: Row | None, twin: int | None) -> Standing:
    if row is None:
        return Standing(twin=twin)
    state, dataset, etag, size, period, delivered_at, withdrawn, drop_id, sha256, *rest = row
    fingerprint, ranked_by, holders, claims, decision, decided = rest
    held = None
    if drop_id is not None:
        held = Held(drop_id, as_bytes(sha256), fingerprint, ranked_by, holders, claims)
    return Standing(
        ObjectState(state),
        dataset,
        etag=etag,
        size=size,
        period=period,
        delivered_at=delivered_at,
        withdrawn=withdrawn and as_bytes(withdrawn),
        held=held,
        decision=Decision(decision) if decision else None,
        decided=decided and as_bytes(decided),
        twin=twin,
    )


def check_plan(planned: PlannedDrop, standing: Standing) -> None:
    """Raises `PlanStale` if the object does not stand as it did when it was planned, or was withdrawn since."""
    key, held = planned.object.key, standing.held
    if held is None and is_withdrawn(planned, standing):
        raise withdrawn_since(planned)
    if held and standing.dataset != planned.dataset:
        raise ContractFault(
            f"{key}: its rows are in raw.{standing.dataset}, but the path of '{planned.dataset}' matches it now\n"
            f"  remove them with `goldworks withdraw {key}` and load again, "
            f"or let only the path of '{standing.dataset}' match it"
        )
    if (standing.etag if held else None) != planned.ledger_etag:
        raise PlanStale(f"{key}: another load has changed its ledger row since it was planned")


def is_withdrawn(planned: PlannedDrop, standing: Standing) -> bool:
    """Whether a person has withdrawn the planned version of the object from its dataset."""
    seen = planned.object
    return standing.state is ObjectState.WITHDRAWN and (
        (standing.dataset, standing.etag, standing.size) == (planned.dataset, seen.etag, seen.size)
    )


def withdrawn_since(planned: PlannedDrop) -> PlanStale:
    """What a load raises where that has happened after the plan was made: planned again, the object is left alone."""
    return PlanStale(f"{planned.object.key}: withdrawn since it was planned")


def decide(contract: Contract, planned: PlannedDrop, sha256: bytes, standing: Standing) -> Action:
    """What follows for an object with these bytes. Pure."""
    held = standing.held
    if held and held.sha256 != sha256 and same_bytes(held.sha256, sha256) and standing.twin is None:
        # The contract makes other rows of its path than the one before.
        return Action.READ_AGAIN if held.holders == 1 else Action.PART
    if held and held.sha256 == sha256:
        is_as_read = _is_as_read(contract, planned, standing, held)
        return Action.TOUCH if is_as_read and planned.kind is not Kind.REPLAY else Action.READ_AGAIN
    if held and standing.decision is Decision.REJECTED and same_bytes(standing.decided, sha256):
        return Action.STAY_REJECTED
    is_withdrawn_here = standing.state is ObjectState.WITHDRAWN and standing.dataset == planned.dataset
    if is_withdrawn_here and same_bytes(standing.withdrawn, sha256):
        return Action.STAY_WITHDRAWN
    if standing.twin is not None:
        return Action.JOIN
    if held is None:
        return Action.NEW
    return Action.CORRECT if held.holders == 1 else Action.PART


def _is_as_read(contract: Contract, planned: PlannedDrop, standing: Standing, held: Held) -> bool:
    """Whether the contract makes of the drop what it made of it when it was loaded."""
    now = contract.fingerprint_of(planned.object.key, held.ranked_by)
    return (held.fingerprint, standing.period) == (now, planned.period)


def delivery_time(standing: Standing, planned: PlannedDrop, sha256: bytes, *, is_unchanged: bool) -> datetime:
    """When the object was delivered as it is now. That moves only with its content, and never back. Pure."""
    seen, before = planned.object.last_modified, standing.delivered_at
    if before is None:
        return seen
    if is_unchanged or same_bytes(standing.withdrawn, sha256):
        return before
    return max(before, seen) if standing.state is ObjectState.IN_FORCE else seen
