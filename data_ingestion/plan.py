"""Plan: which objects of the landing a run has to load, and why. Pure: facts in, decisions out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from data_ingestion.contract import Contract
from data_ingestion.errors import ContractFault, UsageFault
from data_ingestion.landing import LandingObject, is_unfinished
from data_ingestion.ledger import Kind, KnownObject, LedgerView, ObjectState

MAX_BATCHES = 64
# A drop up to that size shares its transaction with others, so many of them and so many bytes at most. Each holds
# one of the server's locks meanwhile, of which there are some 14,000 by default: enough for several such loads at once.
SMALL_BYTES, MOST_TOGETHER, TOGETHER_BYTES = 4 << 20, 1000, 32 << 20
PERIOD = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}(:[0-9]{2}){0,2})?)?)?")


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
    def is_read_again(self) -> bool:
        """Whether its bytes are in force, and are read once more."""
        return self.kind is Kind.REPLAY and self.twin is None

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
            if not _is_period(period):
                raise UsageFault(
                    f"{period!r} is no period\n  write 2026, 2026-03, 2026-03-31 or 2026-03-31T23:59"
                )
        if first and last and last < first[: len(last)]:
            raise UsageFault(f"no period is from {first} on and up to {last}\n  write the earlier one first")

    def takes(self, period: str) -> bool:
        """Whether a period overlaps the range asked for: `2026-03` does `2026-03-05`, and the other way round.

        What has no period lies in no range.
        """
        if not period:
            return not (self.first_period or self.last_period)
        late_enough = period >= self.first_period[: len(period)]
        return late_enough and (not self.last_period or period[: len(self.last_period)] <= self.last_period)


def _is_period(text: str) -> bool:
    if not PERIOD.fullmatch(text):  # compared as text, 2026-3 would come after 2026-12
        return False
    try:
        datetime.fromisoformat(text + "0001-01-01T00:00:00"[len(text) :])
    except ValueError:  # month 13
        return False
    return True


class Why(StrEnum):
    """Why an object that is not in force as it lies there is left where it lies."""

    UNSETTLED = "unsettled"
    UNMARKED = "unmarked"
    WITHDRAWN = "withdrawn"


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
    """Objects by what they are: a dataset's drops, its done markers, unfinished files, and what no contract claims."""

    drops: Mapping[str, list[LandingObject]]
    markers: Mapping[str, dict[str, LandingObject]]
    ignored: list[LandingObject]
    unresolved: list[LandingObject]


def sort_objects(contracts: Sequence[Contract], seen: Iterable[LandingObject]) -> SortedLanding:
    """Which contract claims which object.

    Raises `ContractFault` where two contracts claim one object: loading it twice can't be right.
    """
    landing = SortedLanding(
        {contract.dataset: [] for contract in contracts},
        {contract.dataset: {} for contract in contracts},
        [],
        [],
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
            first, second = claimants[:2]
            raise ContractFault(
                f"{item.key}: claimed by both {first.path} and {second.path}\n"
                f"  make the patterns '{first.pattern.text}' and '{second.pattern.text}' exclude each other"
            )
        if claimants:
            landing.drops[claimants[0].dataset].append(item)
        elif not marked:
            landing.unresolved.append(item)
    return landing


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
        kind, reason = _judge(contract, item, held, match.period, known, choice)
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
    return Plan(contract.dataset, tuple(_with_twins(planned)), in_force, tuple(left), outside)


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
    """Drops by batches, each for one transaction: small ones that follow each other together, others alone.

    Together are new ones, or such as are read again.
    """
    together: list[PlannedDrop] = []
    filled = 0
    for planned in drops:
        size = planned.object.size
        if not (planned.is_new or planned.is_read_again) or size > SMALL_BYTES:
            if together:
                yield together
            yield [planned]
            together, filled = [], 0
            continue
        is_full = len(together) >= MOST_TOGETHER or filled + size > TOGETHER_BYTES
        if together and (is_full or planned.is_read_again is not together[0].is_read_again):
            yield together
            together, filled = [], 0
        together.append(planned)
        filled += size
    if together:
        yield together


def _is_withdrawn(contract: Contract, item: LandingObject, held: KnownObject | None) -> bool:
    """Whether this very version was withdrawn from this very dataset."""
    return (
        held is not None
        and held.state is ObjectState.WITHDRAWN
        and held.dataset == contract.dataset
        and (held.etag, held.size) == (item.etag, item.size)
    )


def _judge(
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
        return _judge_new(item, held, period, known)
    if held.dataset != contract.dataset:
        return Kind.NEW, (
            f"its rows are in raw.{held.dataset}, which claimed it before; "
            f"it comes in here after `goldworks withdraw {item.key}`"
        )
    if (item.etag, item.size) != (held.etag, held.size):
        if choice.only_quarantined:
            return Kind.KNOWN, "corrected since; a replay takes loaded versions only"
        if twin := known.twins.get(item.key):
            return Kind.DUPLICATE, f"another version than the one in force: the bytes of {twin}"
        return Kind.CORRECTED, "another version than the one in force"
    if choice.full_refresh:
        return Kind.REPLAY, "full refresh asked for"
    if held.period != period and not choice.only_quarantined:
        return (
            Kind.REPLAY,
            f"of {held.period or 'no period'} under an earlier pattern, of {period or 'none'} now",
        )
    if held.open_failure and not choice.only_quarantined:
        return Kind.CORRECTED, "the version in force lies there again, after one that failed"
    if held.fingerprint != contract.fingerprint and (held.open_quarantine or not choice.only_quarantined):
        return Kind.REPLAY, "loaded under an earlier contract"
    return Kind.KNOWN, "in force"


def _judge_new(
    item: LandingObject, held: KnownObject | None, period: str, known: LedgerView
) -> tuple[Kind, str]:
    again = held is not None and held.state is ObjectState.WITHDRAWN
    before = "; withdrawn before, in another version or from another dataset" if again else ""
    if twin := known.twins.get(item.key):
        return Kind.DUPLICATE, f"the bytes of {twin}, by ETag and size{before}"
    if period < known.newest:
        return Kind.LATE, f"new, of {period or 'no period'}; {known.newest} is loaded already{before}"
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
        reason = f"changed {max(age.total_seconds(), 0):.0f} s ago; read once it rests for {contract.settle_seconds} s"
        return LeftAlone(item, Why.UNSETTLED, period, reason)
    if contract.done_marker is not None:
        wanted = contract.done_marker.of(item.key)
        marker = markers.get(wanted)
        if marker is None:
            return LeftAlone(item, Why.UNMARKED, period, f"waits for its done marker {wanted}")
        if marker.last_modified < item.last_modified:
            return LeftAlone(item, Why.UNMARKED, period, f"changed after its done marker {wanted}")
    return None


def _with_twins(planned: Sequence[PlannedDrop]) -> Iterator[PlannedDrop]:
    """The drops, those of them as duplicates whose bytes an earlier one has."""
    first: dict[tuple[str, int], str] = {}
    for drop in planned:
        twin = first.setdefault((drop.object.etag, drop.object.size), drop.object.key)
        if twin != drop.object.key and drop.kind in (Kind.NEW, Kind.LATE, Kind.CORRECTED):
            reason = f"the bytes of {twin}, by ETag and size"
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
