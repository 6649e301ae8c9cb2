"""Plan: which objects of the landing a run has to load, and why. Pure: facts in, decisions out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from data_ingestion.contract import Contract
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind, KnownObject, LedgerView, ObjectState

MAX_BATCHES = 64
# A drop up to that size shares its transaction with others, so many of them and so many bytes at most.
SMALL_BYTES, MOST_TOGETHER, TOGETHER_BYTES = 4 << 20, 500, 32 << 20
PERIOD = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}(:[0-9]{2}){0,2})?)?)?")


@dataclass(frozen=True)
class PlannedDrop:
    """An object to load, why, and what the ledger held for it when that was decided (`None`: nothing).

    `twin` is an object in force which by its ETag and size holds the same bytes; with `size_known`, some object in
    force or withdrawn has at least the same size, and to hash the bytes comes before reading rows.
    """

    dataset: str
    object: LandingObject
    kind: Kind
    period: str
    reason: str
    ledger_etag: str | None = None
    twin: str | None = None
    size_known: bool = False

    @property
    def is_new(self) -> bool:
        """Whether the ledger held nothing for its object, and knew of no other with its bytes."""
        return self.kind in (Kind.NEW, Kind.LATE) and self.ledger_etag is None and self.twin is None

    def as_json(self) -> dict[str, Any]:
        """As plain values, for a task's message or `--json`."""
        plain = asdict(self)
        plain["object"]["last_modified"] = self.object.last_modified.isoformat()
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> PlannedDrop:
        """The drop that `as_json` wrote."""
        seen = dict(plain["object"])
        seen["last_modified"] = datetime.fromisoformat(seen["last_modified"])
        return cls(**{**plain, "object": LandingObject(**seen), "kind": Kind(plain["kind"])})


@dataclass(frozen=True)
class Choice:
    """What a run was asked to take: a range of periods (both ends included), everything again, or only replays."""

    first_period: str = ""
    last_period: str = ""
    full_refresh: bool = False
    only_quarantined: bool = False

    def __post_init__(self) -> None:
        for period in filter(None, (self.first_period, self.last_period)):
            if not PERIOD.fullmatch(period):  # compared as text, 2026-3 would come after 2026-12
                raise OperatorFault(
                    f"{period!r} is no period\n  write 2026, 2026-03, 2026-03-31 or 2026-03-31T23:59"
                )

    def takes(self, period: str) -> bool:
        """Whether a period lies in the range asked for; `2026-03` takes in `2026-03-05`."""
        if self.first_period and period < self.first_period:
            return False
        return not (self.last_period and period[: len(self.last_period)] > self.last_period)


@dataclass(frozen=True)
class Plan:
    """The drops of one dataset to load, oldest first, and how many objects are left alone, by why.

    They are known (in force as they lie there), too fresh to be trusted whole, or withdrawn.
    """

    dataset: str
    drops: tuple[PlannedDrop, ...]
    known: int
    unsettled: int = 0
    withdrawn: int = 0

    def count(self, kind: Kind) -> int:
        """How many drops are planned as `kind`."""
        return sum(drop.kind is kind for drop in self.drops)


def sort_objects(
    contracts: Sequence[Contract], seen: Iterable[LandingObject]
) -> tuple[dict[str, list[LandingObject]], list[LandingObject]]:
    """Objects by the dataset whose contract claims them, and those that none claims (unresolved).

    Raises `ContractFault` where two contracts claim one object: loading it twice can't be right.
    """
    claimed: dict[str, list[LandingObject]] = {contract.dataset: [] for contract in contracts}
    unresolved: list[LandingObject] = []
    for item in seen:
        claimants = [contract for contract in contracts if contract.match(item.key)]
        if len(claimants) > 1:
            first, second = claimants[:2]
            raise ContractFault(
                f"{item.key}: claimed by both {first.path} and {second.path}\n"
                f"  make the patterns '{first.pattern.text}' and '{second.pattern.text}' exclude each other"
            )
        (claimed[claimants[0].dataset] if claimants else unresolved).append(item)
    return claimed, unresolved


def plan_drops(
    contract: Contract,
    seen: Iterable[LandingObject],
    known: LedgerView = LedgerView(),
    choice: Choice = Choice(),
    now: datetime | None = None,
) -> Plan:
    """Which of a dataset's objects have to be read.

    Nothing is read again while object, bytes and contract fingerprint are those in force. Oldest first, so that
    a later drop seldom finds its rows superseded. An object changed within the contract's settle time before `now`
    may still be written to, and is left to the next run.
    """
    settled_before = (now or datetime.now(UTC)) - timedelta(seconds=contract.settle_seconds)
    planned: list[PlannedDrop] = []
    in_force = unsettled = withdrawn = 0
    for item in seen:
        match = contract.match(item.key)
        if match is None or not choice.takes(match.period):
            continue
        held = known.objects.get(item.key)
        kind, reason = _judge(contract, item, held, match.period, known.newest, choice)
        if kind is Kind.KNOWN:
            in_force += 1
        elif kind is Kind.WITHDRAWAL:
            withdrawn += 1
        elif contract.settle_seconds and item.last_modified > settled_before:
            unsettled += 1
        else:
            twin = known.twins.get(item.key) if kind is not Kind.REPLAY else None
            if twin:
                kind, reason = Kind.DUPLICATE, f"{twin} holds the same bytes"
            planned.append(
                PlannedDrop(
                    contract.dataset, item, kind, match.period, reason, _etag_in_force(held),
                    twin, kind is not Kind.REPLAY and item.size in known.sizes,
                )
            )  # fmt: skip
    planned.sort(key=lambda drop: (drop.period, drop.object.last_modified, drop.object.key))
    return Plan(contract.dataset, tuple(planned), in_force, unsettled, withdrawn)


def cut_batches(drops: Sequence[PlannedDrop], limit: int = MAX_BATCHES) -> list[list[PlannedDrop]]:
    """The drops in at most `limit` runs of neighbours, of nearly equal bytes, in their order."""
    if not drops:
        return []
    total, batches, filled = (
        sum(drop.object.size + 1 for drop in drops),
        [[drops[0]]],
        drops[0].object.size + 1,
    )
    for drop in drops[1:]:
        if len(batches) < limit and (len(drops) <= limit or filled >= total * len(batches) / limit):
            batches.append([])
        batches[-1].append(drop)
        filled += drop.object.size + 1
    return batches


def group_drops(drops: Iterable[PlannedDrop]) -> Iterator[list[PlannedDrop]]:
    """Drops by batches, each for one transaction: small new ones that follow each other together, others alone."""
    together: list[PlannedDrop] = []
    filled = 0
    for planned in drops:
        size = planned.object.size
        if not planned.is_new or size > SMALL_BYTES:
            if together:
                yield together
            yield [planned]
            together, filled = [], 0
            continue
        if together and (len(together) >= MOST_TOGETHER or filled + size > TOGETHER_BYTES):
            yield together
            together, filled = [], 0
        together.append(planned)
        filled += size
    if together:
        yield together


def _judge(
    contract: Contract,
    item: LandingObject,
    held: KnownObject | None,
    period: str,
    newest: str,
    choice: Choice,
) -> tuple[Kind, str]:
    if held is not None and held.state is ObjectState.WITHDRAWN:
        if (item.etag, item.size) == (held.etag, held.size):
            return Kind.WITHDRAWAL, "withdrawn"
        return Kind.NEW, "withdrawn before, in another version"
    if held is None or held.state is not ObjectState.IN_FORCE:
        if choice.only_quarantined:
            return Kind.KNOWN, "not loaded yet; a replay takes loaded drops only"
        if period < newest:
            return Kind.LATE, f"new, of {period}; {newest} is loaded already"
        return Kind.NEW, "not in the ledger"
    if (item.etag, item.size) != (held.etag, held.size):
        if choice.only_quarantined:
            return Kind.KNOWN, "corrected since; a replay takes loaded versions only"
        return Kind.CORRECTED, "another version than the one in force"
    if choice.full_refresh:
        return Kind.REPLAY, "full refresh asked for"
    if held.period != period and not choice.only_quarantined:
        return (
            Kind.REPLAY,
            f"of {held.period or 'no period'} under an earlier pattern, of {period or 'none'} now",
        )
    if held.fingerprint != contract.fingerprint and (held.open_quarantine or not choice.only_quarantined):
        return Kind.REPLAY, "loaded under an earlier contract"
    return Kind.KNOWN, "in force"


def _etag_in_force(held: KnownObject | None) -> str | None:
    return held.etag if held is not None and held.state is ObjectState.IN_FORCE else None
