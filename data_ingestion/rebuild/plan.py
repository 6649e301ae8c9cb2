"""Plan of a rebuild: which object to read for each drop in force, and which drops no object holds any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from data_ingestion.contract import Contract
from data_ingestion.errors import DecisionNeeded, ObjectChanged, OperatorFault
from data_ingestion.landing import Landing, LandingObject, hash_object
from data_ingestion.ledger import Decision, Kind
from data_ingestion.ledger.model import HASH_BYTES, same_bytes
from data_ingestion.plan import PlannedDrop
from data_ingestion.rebuild.aside import Aside, Holder

# A message names so many objects.
NAMED = 10


class Missing(StrEnum):
    """Why a drop in force can't be read again."""

    GONE = "gone from the landing"
    CHANGED = "it has other bytes now, which are not loaded"
    HELD = "its correction is held, waiting for a decision"


@dataclass(frozen=True)
class LeftDrop:
    """A drop in force whose bytes lie on the landing no more, an object that holds it, and how many rows it has."""

    drop_id: int
    object_key: str
    why: Missing
    rows: int


@dataclass(frozen=True)
class RebuildPlan:
    """What a rebuild reads again, and what it can't: rows of `left` are kept as they are where it `keeps` such.

    `held` are the objects that the drops are read from, as the ledger has them. `parted` are objects whose drop it
    reads from another one, though under the contract their paths make other rows of its bytes.
    """

    dataset: str
    drops: tuple[PlannedDrop, ...]
    held: tuple[Holder, ...]
    parted: tuple[Holder, ...]
    left: tuple[LeftDrop, ...]
    keeps: bool

    @property
    def bytes(self) -> int:
        """How much has to be read."""
        return sum(drop.object.size for drop in self.drops)

    @property
    def lost(self) -> tuple[LeftDrop, ...]:
        """Drops whose rows would be lost."""
        return () if self.keeps else self.left


def plan_rebuild(aside: Aside, landing: Landing) -> RebuildPlan:
    """Which object to read for each drop in force that was not read yet, and which drops no object has now."""
    contract = aside.contract
    holders: dict[int, list[Holder]] = {}
    for holder in aside.holders():
        holders.setdefault(holder.drop_id, []).append(holder)
    lying: dict[str, LandingObject] = {}
    if holders:
        lying = {item.key: item for prefix in contract.prefixes for item in landing.list_objects(prefix)}
    drops, read, parted, left = [], [], [], []
    for drop_id, held in holders.items():
        seen = [(holder, lying.get(holder.object.key) or landing.look(holder.object.key)) for holder in held]
        found = next(_with_its_bytes(landing, seen), None)
        if found:
            holder, item = found
            reason = "read again by a rebuild"
            drops.append(
                PlannedDrop(contract.dataset, item, Kind.REPLAY, holder.period, reason, holder.object.etag)
            )
            read.append(holder)
            said = contract.path_values(item.key)
            parted += [
                other for other, there in seen if there and contract.path_values(other.object.key) != said
            ]
        else:
            left.append(_left(drop_id, seen))
    left_ids = [drop.drop_id for drop in left]
    rows = aside.rows_of(left_ids)
    counted = (LeftDrop(drop.drop_id, drop.object_key, drop.why, rows[drop.drop_id]) for drop in left)
    return RebuildPlan(
        contract.dataset, tuple(drops), tuple(read), tuple(parted), tuple(counted), aside.can_keep(left_ids)
    )


def check_identities(contract: Contract, plan: RebuildPlan) -> None:
    """Raises `OperatorFault` where two drops are one under the contract, because their paths no longer differ in it."""
    first: dict[bytes, str] = {}
    for holder in plan.held:
        key = holder.object.key
        twin = first.setdefault(contract.identity_of(key, holder.sha256[:HASH_BYTES]), key)
        if twin != key:
            raise OperatorFault(
                f"{key}: has the same bytes as {twin}, and under the contract their paths say the same, so they are "
                f"one drop\n  `goldworks withdraw {key}` under the previous contract, then rebuild, then undo it"
            )


def check_left(plan: RebuildPlan, *, gives_up_rows: bool) -> None:
    """Raises `DecisionNeeded` or `OperatorFault` where rows would be lost that no person has given up."""
    if undecided := [drop.object_key for drop in plan.lost if drop.why is Missing.HELD]:
        raise DecisionNeeded(_undecided_message(plan.dataset, undecided))
    if plan.lost and not gives_up_rows:
        raise OperatorFault(_lost_message(plan))


def _left(drop_id: int, seen: Sequence[tuple[Holder, LandingObject | None]]) -> LeftDrop:
    """A drop without its bytes, by the object that says most of where they are."""
    for holder, _ in seen:
        if holder.decision is Decision.NONE:
            return LeftDrop(drop_id, holder.object.key, Missing.HELD, 0)
    for holder, item in seen:
        if item:
            return LeftDrop(drop_id, holder.object.key, Missing.CHANGED, 0)
    return LeftDrop(drop_id, seen[0][0].object.key, Missing.GONE, 0)


def _with_its_bytes(
    landing: Landing, seen: Sequence[tuple[Holder, LandingObject | None]]
) -> Iterator[tuple[Holder, LandingObject]]:
    """Holders that lie there with the drop's bytes: by their ETag, else by the hash of an object as large."""
    same_size = [(holder, item) for holder, item in seen if item and item.size == holder.object.size]
    yield from ((holder, item) for holder, item in same_size if item.etag == holder.object.etag)
    for holder, item in same_size:
        if item.etag != holder.object.etag and same_bytes(_hash(landing, item), holder.sha256):
            yield holder, item


def _hash(landing: Landing, item: LandingObject) -> bytes | None:
    try:
        return hash_object(landing, item)
    except ObjectChanged:
        return None


def _undecided_message(dataset: str, keys: Sequence[str]) -> str:
    more = f"\n    and {len(keys) - NAMED:,} more" if len(keys) > NAMED else ""
    named = "\n".join(f"    {key}" for key in keys[:NAMED])
    return (
        f"raw.{dataset} can't be rebuilt while these are held: their rows would be lost, because the bytes that they "
        f"came from are no longer on the landing\n{named}{more}\n"
        "  `goldworks accept KEY` accepts the correction, `goldworks withdraw KEY` rejects it, both under the previous "
        "contract"
    )


def _lost_message(plan: RebuildPlan) -> str:
    rows = sum(drop.rows for drop in plan.lost)
    named = "\n".join(f"    {drop.object_key}: {drop.why}; rows: {drop.rows:,}" for drop in plan.lost[:NAMED])
    more = f"\n    and {len(plan.lost) - NAMED:,} more" if len(plan.lost) > NAMED else ""
    return (
        f"raw.{plan.dataset}: {rows:,} of its rows would be lost, because the bytes that they came from "
        f"are no longer on the landing\n{named}{more}\n"
        "  have them delivered again, accept or withdraw what has changed, or accept the loss with --yes"
    )
