"""Ledger follower: loads that have ended, taken through the model one by one, each held to what the model says."""

import re
from collections import Counter
from dataclasses import fields

from data_ingestion.ledger import Fates
from tests.conformance.raw_meaning import Terms, check_laws, read
from tests.conformance.raw_model import Model, Seen
from tests.conformance.world import World


class LedgerFollower:
    """A model that goes where the warehouse has gone. `lying` is what lies on the landing."""

    world: World
    model: Model
    terms: Terms
    lying: dict[str, Seen]
    last_load: int
    is_checked: bool

    def follow_ledger(self, drops, *, broken, before=None):
        """Takes every load that has ended since through the model, in the order of the ledger.

        `before` is what lay there when the drops were planned, where that is not what lies there now.
        """
        planned = {drop.object.key: (drop.object.etag, before[drop.object.key]) for drop in drops if before}
        replays = {drop.object.key for drop in drops if drop.kind == "replay"}
        self.is_checked = False
        rows = self.world.ended_after(self.last_load)
        while rows:
            together = rows[: drops_at_once(rows[0])]
            del rows[: len(together)]
            self.last_load = together[-1]["load_id"]
            if together[0]["kind"] == "withdrawal":
                self._follow_withdrawal(together[0])
            elif (
                broken
                and together[0]["state"] == "failed"
                and self.world.engine.refusal in together[0]["error"]
            ):
                self._forgive(together[0])
            else:
                self._follow_loads(together, replays, planned)

    def _follow_loads(self, rows, replays, planned):
        seen, before = [self._loaded(row, planned) for row in rows], len(self.model.raw)
        if len(rows) > 1:
            again = [one.key in replays for one in seen]
            outcomes = self.model.load_together(seen, self.terms, again)
        else:
            (one,) = seen
            as_planned = one.key not in planned or one is planned[one.key][1]
            outcomes = [self.model.load(one, self.terms, again=as_planned and one.key in replays)]
        for row, outcome in zip(rows, outcomes, strict=True):
            kind = "new" if row["kind"] == "late" else row["kind"]
            assert outcome.kind == (kind if row["state"] == "loaded" else row["state"]), row
            assert outcome.fates == fates_of(row), row
            if row["state"] == "loaded":
                before = self._check_laws(row, before)
                assert self.world.conflicts(row["load_id"]) == outcome.conflicts
        assert rows[-1]["state"] != "loaded" or before == len(self.model.raw)

    def _loaded(self, row, planned):
        """The object as the load took it: bytes that another object has are not read, whatever lies there by then."""
        key = row["object_key"]
        etag, seen = planned.get(key, (None, None))
        is_as_planned = seen and self.world.etag(key, row["state"]) == etag
        return seen if is_as_planned else self.lying[key]

    def _follow_withdrawal(self, row):
        key, before = row["object_key"], len(self.model.raw)
        assert self.model.withdraw(key, self.lying.get(key)) == fates_of(row)
        assert self._check_laws(row, before) == len(self.model.raw)

    def follow_rebuild(self, *, takes_place):
        """Takes a rebuild through the model, and its loads through the laws; whether the contract took all drops."""
        self.is_checked = False
        rows, before = self.world.ended_after(self.last_load), len(self.model.raw)
        if not (takes_place and self.model.rebuild(self.lying, self.terms)):
            assert not rows
            return False
        assert [row["kind"] for row in rows] == ["rebuild", *["replay"] * (len(rows) - 1)]
        assert {row["plan"] for row in rows} == {"rebuild"}
        for row in rows:
            before = self._check_laws(row, before)
        assert before == len(self.model.raw)
        self.last_load = rows[-1]["load_id"]
        return True

    def _check_laws(self, row, before):
        """Holds the ledger to the laws; how many rows raw has after the load."""
        after = row["raw_after"]
        check_laws(fates_of(row), before, after)
        assert row["raw_before"] == before
        return after

    def _forgive(self, row):
        """A load that our own fault made fail: nothing has changed but the bad rows that it kept of what it read."""
        key = row["object_key"]
        bad = read(self.lying[key].content, self.terms).bad
        kept = self.world.facts(self.terms).quarantine
        self.model.failed[key] = tuple(one for one in bad if ("failed", key, one) in kept)

    def drops_by_number(self, facts):
        """The warehouse's ids of the model's drops: one to one, told by the objects that hold them."""
        held = {key: ("in_force", *held.rank[:2], held.drop) for key, held in self.model.objects.items()}
        withdrawn = {key for key, row in facts.objects.items() if row[0] == "withdrawn"}
        assert withdrawn == set(filter(self.model.is_withdrawn, self.model.withdrawn))
        there = {key: row for key, row in facts.objects.items() if row[0] == "in_force"}
        assert {key: row[:3] for key, row in there.items()} == {key: row[:3] for key, row in held.items()}
        pairs = {(held[key][3], there[key][3]) for key in held}
        numbers = dict(pairs)
        assert Counter(one for one, _ in pairs) == Counter(numbers.keys())
        assert Counter(other for _, other in pairs) == Counter(facts.drops)
        return numbers


def drops_at_once(row):
    """How many drops the transaction of this load has brought in."""
    found = re.search(r"(\d+) drops at once", row["plan_reason"] or "")
    return int(found[1]) if found and row["state"] == "loaded" else 1


def fates_of(row):
    """The fates that a load has in the ledger."""
    names = (one.name for one in fields(Fates) if one.name != "read")
    return Fates(read=row["rows_read"], **{name: row[name] for name in names})
