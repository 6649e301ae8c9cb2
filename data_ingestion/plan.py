"""Plan: which objects of the landing a run has to load, and why: not those whose bytes are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from data_ingestion.contract import Contract
from data_ingestion.errors import ContractFault, UsageFault
from data_ingestion.landing import LandingObject, is_unfinished
from data_ingestion.ledger import Decision, Kind, KnownObject, LedgerView, ObjectState
from data_ingestion.periods import WRITTEN, is_period


@dataclass(frozen=True, slots=True)
class PlannedDrop:
    """An object to load, why, and what the ledger held for it when that was decided (`None`: nothing).

    `twin` is another object of the dataset with the same ETag and size, hence the same bytes: if it is in force in
    that version when this one is loaded, nothing has to be read. With `size_known` some drop in force or withdrawn
    has this size, and the ETags can't tell whether it is this one: the hash of the bytes can, before a row is read.
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

    @property
    def replaces(self) -> bool:
        """Whether it is read to take the place of what its object holds: a correction, or the same bytes again."""
        return self.kind in (Kind.REPLAY, Kind.CORRECTED) and self.twin is None

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
        first, last = self.first_period, self.last_period
        for period in filter(None, (first, last)):
            if not is_period(period):
                raise UsageFault(f"{period!r} is not a period\n  write {WRITTEN}")
        if first and last and last < first[: len(last)]:
            raise UsageFault(f"the range {first} to {last} is empty\n  give the earlier period first")

    @property
    def is_range(self) -> bool:
        """Whether only some periods are asked for."""
        return bool(self.first_period or self.last_period)

    def takes(self, period: str) -> bool:
        """Whether a period overlaps the range asked for: `2026-03` does `2026-03-05`, and the other way round.

        What has no period lies in no range.
        """
        if not period:
            return not self.is_range
        late_enough = period >= self.first_period[: len(period)]
        return late_enough and (not self.last_period or period[: len(self.last_period)] <= self.last_period)


class Why(StrEnum):
    """Why an object that is not in force as it lies there is left where it lies."""

    UNSETTLED = "unsettled"
    UNMARKED = "unmarked"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    REJECTED = "rejected"


@dataclass(frozen=True)
class LeftAlone:
    """An object that this run does not load, though it is not in force as it lies there."""

    object: LandingObject
    why: Why
    period: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """The drops of one dataset to load, oldest first, and what is left alone.

    `known` objects are in force as they lie there, `outside` ones are not of the range asked for, `outdated` are the
    keys of objects that lie on the landing no more, with rows as an earlier contract made them.
    """

    dataset: str
    drops: tuple[PlannedDrop, ...]
    known: int
    left: tuple[LeftAlone, ...] = ()
    outside: int = 0
    outdated: tuple[str, ...] = ()

    def count(self, kind: Kind) -> int:
        """How many drops are planned as `kind`."""
        return sum(drop.kind is kind for drop in self.drops)

    def count_left(self, why: str) -> int:
        """How many objects are left alone for this reason."""
        return sum(item.why == why for item in self.left)


@dataclass(frozen=True)
class SortedLanding:
    """Objects by what they are: a dataset's drops, its done markers, unfinished files, and what no contract claims.

    `set_aside` are those that only a faulty contract claims. `conflicts` are the datasets of which another one claims
    an object, too: loading it twice can't be right.
    """

    drops: Mapping[str, list[LandingObject]]
    markers: Mapping[str, dict[str, LandingObject]]
    ignored: list[LandingObject] = field(default_factory=list)
    unresolved: list[LandingObject] = field(default_factory=list)
    set_aside: list[LandingObject] = field(default_factory=list)
    conflicts: dict[str, ContractFault] = field(default_factory=dict)


def sort_objects(
    contracts: Sequence[Contract], seen: Iterable[LandingObject], faulty: Sequence[Contract] = ()
) -> SortedLanding:
    """Which contract claims which object; what one of them and a `faulty` one claim belongs to the first."""
    landing = SortedLanding(
        {contract.dataset: [] for contract in contracts},
        {contract.dataset: {} for contract in contracts},
    )
    for item in seen:
        if is_unfinished(item.key):
            landing.ignored.append(item)
            continue
        marked = [contract for contract in contracts if is_marker(contract, item.key)]
        for contract in marked:
            landing.markers[contract.dataset][item.key] = item
        claimants = [
            contract for contract in contracts if contract not in marked and contract.match(item.key)
        ]
        if len(claimants) > 1:
            fault = _conflict(item.key, *claimants[:2])
            for contract in claimants:
                landing.conflicts.setdefault(contract.dataset, fault)
        elif claimants:
            landing.drops[claimants[0].dataset].append(item)
        elif any(contract.match(item.key) or is_marker(contract, item.key) for contract in faulty):
            landing.set_aside.append(item)
        elif not marked:
            landing.unresolved.append(item)
    return landing


def _conflict(key: str, one: Contract, other: Contract) -> ContractFault:
    return ContractFault(
        f"{key}: matched by both {one.path} and {other.path}\n"
        f"  make the patterns '{one.pattern.text}' and '{other.pattern.text}' exclude each other"
    )


def is_marker(contract: Contract, key: str) -> bool:
    """Whether an object says that a drop of the contract is whole, rather than being one."""
    marker = contract.done_marker
    return marker is not None and marker.is_one(key) and key.startswith(contract.prefixes)


def plan_drops(
    contract: Contract,
    seen: Iterable[LandingObject],
    known: LedgerView = LedgerView(),
    choice: Choice = Choice(),
    now: datetime | None = None,
    markers: Mapping[str, LandingObject] = MappingProxyType({}),
) -> Plan:
    """Which of a dataset's objects have to be read.

    Nothing is read again while object, bytes and contract fingerprint are those in force. Oldest first, so that
    a later drop seldom finds its rows superseded. An object that may still be written to is left to a later run:
    one changed within the contract's settle time before `now`, or without the contract's done marker.
    """
    now = now or datetime.now(UTC)
    known = _of_one_path(contract, known)
    planned: list[PlannedDrop] = []
    left: list[LeftAlone] = []
    in_force = outside = 0
    for item in seen:
        match = contract.match(item.key)
        if match is None:
            continue
        if not choice.takes(match.period):
            outside += 1
            continue
        held = known.objects.get(item.key)
        if _is_withdrawn(contract, item, held):
            reason = "withdrawn; not loaded until its bytes change"
            left.append(LeftAlone(item, Why.WITHDRAWN, match.period, reason))
            continue
        if waits := _waits_for_a_person(contract, item, held, match.period):
            left.append(waits)
            continue
        kind, reason = _choose_kind(contract, item, held, match.period, known, choice)
        if kind is Kind.KNOWN:
            in_force += 1
        elif unfinished := _unfinished(contract, item, match.period, now, markers):
            left.append(unfinished)
        else:
            planned.append(
                PlannedDrop(
                    contract.dataset, item, kind, match.period, reason, _etag_in_force(held),
                    known.twins.get(item.key) if kind is Kind.DUPLICATE else None,
                    _may_be_known(item, held, kind, known),
                )
            )  # fmt: skip
    planned.sort(key=lambda drop: (drop.period, drop.object.last_modified, drop.object.key))
    return Plan(contract.dataset, tuple(_with_twins(contract, planned)), in_force, tuple(left), outside)


def _of_one_path(contract: Contract, known: LedgerView) -> LedgerView:
    """What is known, without twins of which the path says something else: equal bytes are other rows there."""
    if not contract.path_columns or not known.twins:
        return known
    alike = {
        key: twin
        for key, twin in known.twins.items()
        if contract.path_values(key) == contract.path_values(twin)
    }
    return replace(known, twins=alike)


def _is_withdrawn(contract: Contract, item: LandingObject, held: KnownObject | None) -> bool:
    """Whether this very version was withdrawn from this very dataset."""
    return (
        held is not None
        and held.state is ObjectState.WITHDRAWN
        and held.dataset == contract.dataset
        and (held.etag, held.size) == (item.etag, item.size)
    )


def _waits_for_a_person(
    contract: Contract, item: LandingObject, known: KnownObject | None, period: str
) -> LeftAlone | None:
    """The object as one to be left alone, if this very version of it is held or was rejected.

    Under another contract a held one is judged again.
    """
    held = known.held if known and known.dataset == contract.dataset else None
    if held is None or (held.etag, held.size) != (item.etag, item.size):
        return None
    if held.decision is Decision.REJECTED:
        reason = "its correction was rejected; its previous rows stay until its bytes change"
        return LeftAlone(item, Why.REJECTED, period, reason)
    if held.decision is Decision.NONE and held.fingerprint == contract.fingerprint_of(item.key):
        reason = "held: its correction would withdraw most of its rows; they stay until a person decides"
        return LeftAlone(item, Why.HELD, period, reason)
    return None


def _choose_kind(
    contract: Contract,
    item: LandingObject,
    held: KnownObject | None,
    period: str,
    known: LedgerView,
    choice: Choice,
) -> tuple[Kind, str]:
    if held is None or held.state is not ObjectState.IN_FORCE:
        if choice.only_quarantined:
            return Kind.KNOWN, "not loaded yet; a replay takes loaded drops only"
        return _why_read(item, held, period, known)
    if held.dataset != contract.dataset:
        return Kind.NEW, (
            f"its rows are in raw.{held.dataset}, whose pattern matched it before; "
            f"it is loaded here after `goldworks withdraw {item.key}`"
        )
    if (item.etag, item.size) != (held.etag, held.size):
        if choice.only_quarantined:
            return Kind.KNOWN, "corrected since; a replay takes loaded versions only"
        if twin := known.twins.get(item.key):
            return Kind.DUPLICATE, f"not the version in force: the same bytes as {twin}"
        is_accepted = held.held is not None and held.held.decision is Decision.ACCEPTED
        return Kind.CORRECTED, f"not the version in force{', accepted' if is_accepted else ''}"
    if held.held and not choice.only_quarantined:
        return Kind.CORRECTED, "the version in force is back, after one that was held"
    if choice.full_refresh:
        return Kind.REPLAY, "full refresh requested"
    if held.period != period and not choice.only_quarantined:
        return (
            Kind.REPLAY,
            f"period {held.period or 'none'} under an earlier pattern, {period or 'none'} now",
        )
    if held.open_failure and not choice.only_quarantined:
        return Kind.CORRECTED, "the version in force is back, after one that failed"
    if _is_outdated(contract, item.key, held) and (held.open_quarantine or not choice.only_quarantined):
        return Kind.REPLAY, "loaded under an earlier contract"
    return Kind.KNOWN, "in force"


def _is_outdated(contract: Contract, key: str, held: KnownObject) -> bool:
    """Whether the contract makes other rows of the object's drop than it was loaded as, to be read from this object."""
    now = contract.fingerprint_of(key, held.ranked_by)
    return held.fingerprint != now == contract.fingerprint_of(key)


def _why_read(
    item: LandingObject, held: KnownObject | None, period: str, known: LedgerView
) -> tuple[Kind, str]:
    again = held is not None and held.state is ObjectState.WITHDRAWN
    before = "; withdrawn before, in another version or from another dataset" if again else ""
    if twin := known.twins.get(item.key):
        return Kind.DUPLICATE, f"the same bytes as {twin}, by ETag and size{before}"
    if period < known.newest:
        return Kind.LATE, f"new, period {period or 'none'}; {known.newest} is loaded already{before}"
    return (
        Kind.NEW,
        f"not loaded yet{before}" if before else "not loaded yet",
    )  # one text for all of many drops


def _unfinished(
    contract: Contract,
    item: LandingObject,
    period: str,
    now: datetime,
    markers: Mapping[str, LandingObject],
) -> LeftAlone | None:
    """The object as one to be left alone, if its sender may not be done with it."""
    age = now - item.last_modified
    if contract.settle_seconds and age < timedelta(seconds=contract.settle_seconds):
        reason = f"changed {max(age.total_seconds(), 0):.0f} s ago; read once unchanged for {contract.settle_seconds} s"
        return LeftAlone(item, Why.UNSETTLED, period, reason)
    if contract.done_marker is not None:
        wanted = contract.done_marker.of(item.key)
        marker = markers.get(wanted)
        if marker is None:
            return LeftAlone(item, Why.UNMARKED, period, f"waiting for its done marker {wanted}")
        if marker.last_modified < item.last_modified:
            return LeftAlone(item, Why.UNMARKED, period, f"changed after its done marker {wanted}")
    return None


def _with_twins(contract: Contract, planned: Sequence[PlannedDrop]) -> Iterator[PlannedDrop]:
    """The drops, those of them as duplicates whose bytes an earlier one has."""
    first: dict[tuple[str, int, tuple[str, ...]], str] = {}
    for drop in planned:
        seen = drop.object
        twin = first.setdefault((seen.etag, seen.size, contract.path_values(seen.key)), seen.key)
        if twin != drop.object.key and drop.kind in (Kind.NEW, Kind.LATE, Kind.CORRECTED):
            reason = f"the same bytes as {twin}, by ETag and size"
            yield replace(drop, kind=Kind.DUPLICATE, reason=reason, twin=twin, size_known=False)
        else:
            yield drop


def _may_be_known(item: LandingObject, held: KnownObject | None, kind: Kind, known: LedgerView) -> bool:
    """Whether a hash is worth its time before rows are read."""
    if kind in (Kind.DUPLICATE, Kind.REPLAY):
        return False
    return item.key in known.alike or _etag_in_force(held) == item.etag


def _etag_in_force(held: KnownObject | None) -> str | None:
    return held.etag if held is not None and held.state is ObjectState.IN_FORCE else None
