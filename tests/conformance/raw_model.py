"""Model: the program by which a loader can afford what `raw_meaning` says of raw.

It touches the rows of the drop that is loaded, what they collide with, and the ledger; nothing is read twice. Random
histories hold it against the meaning (tests/unit/test_raw_model.py), and the loader on each engine against both
(test_histories.py).

    owner     the drop whose claim has the key's place in raw; the other claims wait in the history
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data_ingestion.ledger import Fates
from tests.conformance.raw_meaning import Bad, Content, Key, Rank, Reading, Terms, Value, meaning, read

SHARE_TO_HOLD = 0.5


@dataclass(frozen=True)
class Seen:
    """An object as it lies on the landing: `version` tells two deliveries apart, on a folder even of the same bytes."""

    key: str
    content: Content
    delivered: int
    version: object


@dataclass
class Held:
    """An object in force."""

    rank: Rank
    version: object
    drop: int


@dataclass
class Drop:
    """A content in force, and the contract it was read under."""

    content: Content
    terms: Terms

    @property
    def reading(self) -> Reading:
        return read(self.content, self.terms)


@dataclass
class Waiting:
    """A correction that would have taken away most of what its object held, and what a person has said of it."""

    version: object
    content: Content
    fingerprint: object
    decision: str = "held"


@dataclass
class Withdrawn:
    """An object that a person took out of force: in which version, and what it held with which delivery time."""

    version: object
    content: Content | None
    delivered: int | None
    is_undone: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a load must report: its kind, its fates, how many rows of a key contradicted each other."""

    kind: str
    fates: Fates = field(default_factory=Fates)
    conflicts: int = 0


@dataclass
class Model:
    """The program. `left` counts what corrections replaced or withdrew, for what downstream must undo."""

    objects: dict[str, Held] = field(default_factory=dict)
    drops: dict[int, Drop] = field(default_factory=dict)
    raw: dict[Key, tuple[Value, int]] = field(default_factory=dict)
    waiting: dict[tuple[Key, int], Value] = field(default_factory=dict)
    left: Counter[tuple[Key, Value, str]] = field(default_factory=Counter)
    failed: dict[str, tuple[Bad, ...]] = field(default_factory=dict)
    withdrawn: dict[str, Withdrawn] = field(default_factory=dict)
    held: dict[str, Waiting] = field(default_factory=dict)
    ids: int = 0

    # What a load does

    def is_due(self, seen: Seen, terms: Terms) -> bool:
        """Whether a run has to load the object: it, its bytes, its contract or its period is not that in force."""
        held, withdrawn = self.objects.get(seen.key), self.withdrawn.get(seen.key)
        if withdrawn and not withdrawn.is_undone:
            return withdrawn.version != seen.version
        waiting = self.held.get(seen.key)
        if waiting and waiting.version == seen.version:
            if waiting.decision == "rejected":
                return False
            if waiting.decision == "held" and waiting.fingerprint == terms.fingerprint:
                return False
        if held is None or held.version != seen.version:
            return True
        if waiting or self.failed.get(
            seen.key
        ):  # the version in force lies there again, after one that was not let in
            return True
        read_under = self.drops[held.drop].terms.fingerprint
        return (read_under, held.rank.period) != (terms.fingerprint, terms.period(seen.key))

    def load(self, seen: Seen, terms: Terms, *, again: bool = False) -> Outcome:
        """Loads an object as it lies there; `again` reads its rows even where nothing has changed."""
        held = self.objects.get(seen.key)
        before = self.drops[held.drop] if held else None
        twin = next((drop for drop, has in self.drops.items() if has.content == seen.content), None)
        if held and before and before.content == seen.content:
            return self._load_same(seen, terms, held, before, again)
        if self.is_withdrawn(seen.key) and self.withdrawn[seen.key].content == seen.content:
            self.failed.pop(seen.key, None)
            self.withdrawn[seen.key].version = seen.version  # touched: it stays withdrawn
            return Outcome("known")
        if held and self._is(seen, "rejected"):
            self.failed.pop(seen.key, None)
            self.held[seen.key].version = seen.version  # touched: it stays rejected
            return Outcome("known")
        if twin is not None:
            if held and self._must_wait(seen, held, self.drops[twin].reading):
                return self._wait(seen, terms, Fates(), ())
            self.failed.pop(seen.key, None)
            self._hold(seen, terms, twin)
            fates = self._leave(held.drop) if held else Fates()
            self._settle(twin)
            return Outcome("duplicate", fates)
        reading = read(seen.content, terms)
        if reading.fails:
            self.failed[seen.key] = reading.bad
            return Outcome("failed", Fates(read=reading.read, quarantined=len(reading.bad)))
        if held and self._must_wait(seen, held, reading):
            fates = Fates(read=reading.read, quarantined=len(reading.bad))
            return self._wait(seen, terms, fates, reading.bad)
        self.failed.pop(seen.key, None)
        if held and self._holders(held.drop) == 1:
            # The drop keeps its id: what the correction leaves as it was is not rewritten.
            self.drops[held.drop] = Drop(seen.content, terms)
            self._hold(seen, terms, held.drop)
            fates = self._read_in(held.drop) + self._release(held.drop, keep=reading.claims)
            self._settle(held.drop)
            return Outcome("corrected", fates, reading.conflicts)
        self.ids += 1
        self.drops[self.ids] = Drop(seen.content, terms)
        self._hold(seen, terms, self.ids)
        left = self._leave(held.drop) if held else Fates()
        kind = "corrected" if held else "new"
        return Outcome(kind, left + self._read_in(self.ids), reading.conflicts)

    def load_together(self, batch: Sequence[Seen], terms: Terms, again: Sequence[bool]) -> list[Outcome]:
        """Loads objects in one transaction. Of a key that several new ones hold, the newest has its place at once."""
        newest_first = sorted(
            range(len(batch)),
            key=lambda n: Rank(terms.period(batch[n].key), batch[n].delivered, batch[n].key),
            reverse=True,
        )
        outcomes = {n: self.load(batch[n], terms, again=again[n]) for n in newest_first}
        return [outcomes[n] for n in range(len(batch))]

    def withdraw(self, key: str, lying: Seen | None) -> Fates:
        """Ends the object's claim: no run loads it until its bytes change. If it has none, it is `lying` that goes.

        Of an object with a correction that waits, only that is rejected.
        """
        waiting = self.held.get(key)
        if waiting and waiting.decision != "rejected":
            waiting.decision = "rejected"
            self.failed.pop(key, None)
            return Fates()
        self.held.pop(key, None)
        held = self.objects.pop(key, None)
        self.failed.pop(key, None)
        if held is None:
            was = self.withdrawn.get(key, Withdrawn(None, None, None))
            content = lying.content if lying else was.content
            delivered = was.delivered if content == was.content else None
            self.withdrawn[key] = Withdrawn(lying.version if lying else None, content, delivered)
            return Fates()
        self.withdrawn[key] = Withdrawn(held.version, self.drops[held.drop].content, held.rank.delivered)
        return self._leave(held.drop)

    def rebuild(self, lying: Mapping[str, Seen], terms: Terms) -> bool:
        """Reads drops again whose bytes lie there, keeps what others claim; whether the contract takes them all."""
        again = {
            held.drop
            for key, held in self.objects.items()
            if key in lying and lying[key].content == self.drops[held.drop].content
        }
        if any(read(self.drops[drop].content, terms).fails for drop in again):
            return False
        for key, held in self.objects.items():
            if held.drop in again:
                self.drops[held.drop].terms = terms
                self.failed.pop(key, None)
        before, self.raw, self.waiting = self.raw, {}, {}
        for drop in sorted(self.drops, key=self.rank):
            for key, value in self.drops[drop].reading.claims.items():
                if key in self.raw:
                    older, owner = self.raw[key]
                    self.waiting[key, owner] = older
                self.raw[key] = value, drop
        self.left.update(
            (key, value, "withdrawn") for key, (value, _) in before.items() if key not in self.raw
        )
        return True

    def accept(self, key: str) -> None:
        """A person lets a correction in that waits, or that was rejected."""
        self.held[key].decision = "accepted"

    def undo(self, key: str) -> None:
        """The next run loads a withdrawn object again; as the bytes it was withdrawn with, in the rank it had.

        A correction that was rejected is judged again.
        """
        if key in self.held and self.held[key].decision == "rejected":
            del self.held[key]
            return
        self.withdrawn[key].is_undone = True

    def is_withdrawn(self, key: str) -> bool:
        """Whether a person has taken the object out of force."""
        return key in self.withdrawn and not self.withdrawn[key].is_undone

    def _is(self, seen: Seen, decision: str) -> bool:
        """Whether a person has said this of these bytes as a correction of this object."""
        waiting = self.held.get(seen.key)
        return waiting is not None and (waiting.content, waiting.decision) == (seen.content, decision)

    def _must_wait(self, seen: Seen, held: Held, reading: Reading) -> bool:
        """Whether the correction would take away most of what the object alone holds, and nobody has accepted it."""
        if self._holders(held.drop) > 1 or self._is(seen, "accepted"):
            return False
        before = self.drops[held.drop].reading.claims
        return len(before.keys() - reading.claims.keys()) > SHARE_TO_HOLD * len(before)

    def _wait(self, seen: Seen, terms: Terms, fates: Fates, bad: tuple[Bad, ...]) -> Outcome:
        self.held[seen.key] = Waiting(seen.version, seen.content, terms.fingerprint)
        self.failed[seen.key] = bad
        return Outcome("held", fates)

    def _load_same(self, seen: Seen, terms: Terms, held: Held, before: Drop, again: bool) -> Outcome:
        """The bytes in force: touched, or under another contract."""
        as_loaded = (before.terms.fingerprint, held.rank.period)
        reading = read(seen.content, terms)
        if as_loaded == (terms.fingerprint, terms.period(seen.key)) and not again:
            self.failed.pop(seen.key, None)
            self._hold(seen, terms, held.drop, same_bytes=True)
            return Outcome("known")
        if reading.fails:
            self.failed[seen.key] = reading.bad
            return Outcome("failed", Fates(read=reading.read, quarantined=len(reading.bad)))
        self.failed.pop(seen.key, None)
        before.terms = terms
        self._hold(seen, terms, held.drop, same_bytes=True)
        fates = self._read_in(held.drop) + self._release(held.drop, keep=reading.claims)
        self._settle(held.drop)
        return Outcome("replay", fates, reading.conflicts)

    def _hold(self, seen: Seen, terms: Terms, drop: int, *, same_bytes: bool = False) -> None:
        """The object holds this drop now. Its delivery time moves only with its content, and never falls back."""
        self.held.pop(seen.key, None)
        was, withdrawn = self.objects.get(seen.key), self.withdrawn.pop(seen.key, None)
        delivered = seen.delivered
        if was:
            delivered = was.rank.delivered if same_bytes else max(delivered, was.rank.delivered)
        elif withdrawn and withdrawn.content == seen.content and withdrawn.delivered is not None:
            delivered = withdrawn.delivered
        self.objects[seen.key] = Held(Rank(terms.period(seen.key), delivered, seen.key), seen.version, drop)

    # Claims and places

    def rank(self, drop: int) -> Rank:
        return max(held.rank for held in self.objects.values() if held.drop == drop)

    def _holders(self, drop: int) -> int:
        return sum(held.drop == drop for held in self.objects.values())

    def _read_in(self, drop: int) -> Fates:
        """The drop's rows take the places that its rank gives them."""
        reading, mine = self.drops[drop].reading, self.rank(drop)
        fates = Counter(read=reading.read, quarantined=len(reading.bad), repeated=reading.repeated)
        for claim in [claim for claim in self.waiting if claim[1] == drop]:
            del self.waiting[claim]
        for key, value in reading.claims.items():
            there = self.raw.get(key)
            if there is None:
                fates["inserted"] += 1
                self.raw[key] = value, drop
                continue
            old, owner = there
            if owner != drop and self.rank(owner) > mine:
                fates["superseded"] += 1
                self.waiting[key, drop] = value
                continue
            fates["unchanged" if old == value else "updated"] += 1
            if owner != drop:
                self.waiting[key, owner] = old
            elif old != value:
                self.left[key, old, "replaced"] += 1
            self.raw[key] = value, drop
        return Fates(**fates)

    def _leave(self, drop: int) -> Fates:
        """An object has let go of a drop: with no holder left its claims end, else it may rank lower now."""
        if self._holders(drop):
            self._settle(drop)
            return Fates()
        fates = self._release(drop, keep={})
        del self.drops[drop]
        return fates

    def _release(self, drop: int, keep: Mapping[Key, Value]) -> Fates:
        """The drop lets go of the keys that it no longer holds; the newest claim that waits takes each place."""
        for claim in [(key, owner) for key, owner in self.waiting if owner == drop and key not in keep]:
            del self.waiting[claim]
        gone = [key for key, (_, owner) in self.raw.items() if owner == drop and key not in keep]
        restored = 0
        for key in gone:
            value, _ = self.raw.pop(key)
            self.left[key, value, "withdrawn"] += 1
            if claimants := self._waiting_for(key):
                restored += 1
                self._promote(key, max(claimants, key=self.rank))
        return Fates(withdrawn=len(gone), restored=restored)

    def _settle(self, drop: int) -> None:
        """The drop's rank has moved: each contested key that it claims goes to the newest claim."""
        for key in {key for key, owner in self.waiting if owner == drop or self.raw[key][1] == drop}:
            value, owner = self.raw[key]
            newest = max([owner, *self._waiting_for(key)], key=self.rank)
            if newest != owner:
                self._promote(key, newest)
                self.waiting[key, owner] = value

    def _waiting_for(self, key: Key) -> list[int]:
        return [drop for claimed, drop in self.waiting if claimed == key]

    def _promote(self, key: Key, drop: int) -> None:
        self.raw[key] = self.waiting.pop((key, drop)), drop

    # What it must agree with

    @property
    def rows(self) -> dict[Key, Value]:
        """Raw without its owners."""
        return {key: value for key, (value, _) in self.raw.items()}

    def check(self) -> None:
        """Raw is its meaning, and with the history it holds every claim of every drop in force, once."""
        in_force = {key: (held.rank, self.drops[held.drop].content) for key, held in self.objects.items()}
        assert self.rows == meaning(in_force, {drop.content: drop.terms for drop in self.drops.values()})
        places = {(key, drop): value for key, (value, drop) in self.raw.items()}
        assert not places.keys() & self.waiting.keys()
        assert {**places, **self.waiting} == {
            (key, number): value
            for number, drop in self.drops.items()
            for key, value in drop.reading.claims.items()
        }
        assert all(self._holders(drop) for drop in self.drops)

    def open_quarantine(self) -> Counter[tuple[str, object, Bad]]:
        """Rows that must be open: of each drop in force once, and of each object whose newest load failed."""
        of_drops = [("drop", number, bad) for number, drop in self.drops.items() for bad in drop.reading.bad]
        of_failures = [("failed", key, bad) for key, rows in self.failed.items() for bad in rows]
        return Counter([*of_drops, *of_failures])
