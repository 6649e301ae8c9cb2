"""Law: after any history of deliveries, loads, failures and changes, the warehouse is what the model says.

Files arrive in any order, are corrected, copied, touched, removed and withdrawn; contracts change; loads take any part
of what is due, in any order, and break at any statement. After each step raw, history, ledger and quarantine are held
against the model of raw_model.py: against its program row by row, and through it against the meaning of raw.

GOLDWORKS_STATE_MACHINE_RUNS says how many histories to try.
"""

import os
import re
from collections import Counter
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from data_ingestion.ledger import Fates
from data_ingestion.plan import Choice
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from tests.integration.model_world import DATASETS, World, as_text
from tests.integration.raw_model import Model, Seen, Terms, check_laws, read

RUNS = int(os.environ.get("GOLDWORKS_STATE_MACHINE_RUNS", "120"))
STEPS = 24

# Few objects, keys and values: histories in which everything collides with everything.
ALL_NAMES = ("2026-02/a.csv", "2026-01/a.csv", "2026-03/a.csv", "2026-02/b.csv", "2026-01/b.csv")
NAMES = st.sampled_from(ALL_NAMES)
TIMES = st.integers(0, 6)
AMOUNTS = ("0", "0", "0", "0", "1", "1", "1", "-1", "x")
LINE = st.tuples(st.sampled_from("123"), st.sampled_from(AMOUNTS), st.sampled_from(["a", "", " a"]))
CONTENTS = st.lists(LINE, max_size=5).map(tuple)
# What lies there at first: a key that one of them lets go of has several others waiting for it.
FIRST = st.lists(st.lists(LINE, min_size=1, max_size=4).map(tuple), min_size=2, max_size=5)
# The limits by which tiny drops take each of the merge plans.
LIMITS = st.builds(
    PlanLimits,
    copy_bytes=st.sampled_from([0, 4 << 20]),
    large_bytes=st.sampled_from([0, 16 << 20]),
    lanes=st.sampled_from([1, 2, 3]),
    sample_rows=st.sampled_from([1, 1000]),
    known_share=st.sampled_from([0.0, 0.5, 2.0]),
    least_of_raw=st.sampled_from([0.0, 0.5]),
)
ORDERS = st.lists(st.integers(0, 4), max_size=4)


class RawMachine(RuleBasedStateMachine):
    """A landing, a warehouse and the model, one step at a time."""

    world: World

    # What happens on the landing

    @initialize(
        occurrence=st.booleans(),
        contents=FIRST,
        times=st.tuples(*[TIMES] * 5),
        limits=LIMITS,
        by_content=st.booleans(),
    )
    def begin(self, occurrence, contents, times, limits, by_content):
        self.terms, self.model = Terms(occurrence), Model()
        self.lying: dict[str, Seen] = {}
        self.versions = self.last_load = self.mark = 0
        self.followed: dict = {}
        self.is_checked = True
        self.by_content = by_content  # what tells two versions of an object apart
        self.world.begin(self.terms, by_content=by_content)
        self.world.plan_limits = limits
        for name, time, content in zip(ALL_NAMES, times, contents, strict=False):
            self._put(self._key(name), time, content)

    @rule(name=NAMES, time=TIMES, content=CONTENTS)
    def an_object_arrives_or_is_corrected(self, name, time, content):
        self._put(self._key(name), time, content)

    @rule(name=NAMES, time=TIMES, line=LINE, at=st.integers(0, 5), replaces=st.booleans())
    def a_line_is_added_or_corrected(self, name, time, line, at, replaces):
        if seen := self.lying.get(self._key(name)):
            self._put(seen.key, time, (*seen.content[:at], line, *seen.content[at + replaces :]))

    @rule(name=NAMES, time=TIMES, at=st.integers(0, 4))
    def a_line_is_taken_out(self, name, time, at):
        if seen := self.lying.get(self._key(name)):
            self._put(seen.key, time, seen.content[:at] + seen.content[at + 1 :])

    @rule(name=NAMES, time=TIMES, source=NAMES)
    def an_object_is_copied(self, name, time, source):
        if seen := self.lying.get(self._key(source)):
            self._put(self._key(name), time, seen.content)

    @rule(name=NAMES, time=TIMES)
    def an_object_is_touched(self, name, time):
        if seen := self.lying.get(self._key(name)):
            self.world.touch(seen.key, time)
            self._lies(seen.key, time, seen.content)

    @rule(name=NAMES)
    def an_object_vanishes(self, name):
        if self.lying.pop(self._key(name), None):
            self.world.remove(self._key(name))

    @rule(
        least=st.sampled_from([None, None, 0]),
        trims=st.booleans(),
        dated=st.sampled_from([True, True, False]),
    )
    def the_contract_changes(self, least, trims, dated):
        self.terms = Terms(self.terms.occurrence, least, trims, dated)

    # What the loader does

    @rule(limits=LIMITS)
    def the_loader_prefers_another_merge_plan(self, limits):
        self.world.plan_limits = limits

    @rule()
    def everything_due_is_loaded(self):
        self._load(self._plan())

    @rule(order=ORDERS)
    def some_of_it_is_loaded_in_any_order(self, order):
        self._load(self._pick(self._plan(), order))

    @rule()
    def everything_is_loaded_again(self):
        self._load(self.world.plan(self.terms, Choice(full_refresh=True)))

    @rule(order=ORDERS, statements=st.integers(0, 60), refused=st.booleans(), again=st.booleans())
    def a_load_breaks(self, order, statements, refused, again):
        drops = self._pick(self._plan(), order)
        self.world.until_it_breaks(lambda: self.world.load(self.terms, drops), statements, refuse=refused)
        self._follow_ledger(drops, broken=True)
        if again:
            self._load(self._plan())

    @rule(name=NAMES, statements=st.none() | st.integers(0, 30), refused=st.booleans())
    def an_object_is_withdrawn(self, name, statements, refused):
        self._plan()  # the ledger knows what lies there
        key = self._key(name)
        if key not in self.lying and key not in self.model.objects:
            return
        if statements is None:
            self.world.withdraw(self.terms, key)
        else:
            self.world.until_it_breaks(
                lambda: self.world.withdraw(self.terms, key), statements, refuse=refused
            )
        self._follow_ledger([], broken=statements is not None)

    @rule(name=NAMES)
    def a_withdrawal_is_undone(self, name):
        key = self._key(name)
        if key in self.lying and self.model.is_withdrawn(key):
            self.world.undo(self.terms, key)
            self.model.undo(key)

    @rule(name=NAMES, time=TIMES, content=CONTENTS)
    def an_object_changes_between_plan_and_load(self, name, time, content):
        drops, before = self._plan(), dict(self.lying)
        self._put(self._key(name), time, content)
        self._load(drops, before=before)

    @rule()
    def two_loaders_made_the_same_plan(self):
        drops = self._plan()
        self._load(drops)
        self._load(drops)

    @rule()
    def a_model_follows(self):
        self.mark, touched, rows = self.world.changes_after(self.mark, self.terms)
        for key in touched:
            self.followed.pop(key, None)
        self.followed.update({key: value for key, value in rows.items() if key in touched})
        assert self.followed == {as_text(key): as_text(value) for key, value in self.model.rows.items()}

    # What must hold

    @invariant()
    def the_warehouse_is_what_the_model_says(self):
        if self.is_checked:
            return
        self.is_checked = True
        self.model.check()
        facts = self.world.facts(self.terms)
        drops = self._drops_by_number(facts)
        rows = {as_text(key): (as_text(value), drops[drop]) for key, (value, drop) in self.model.raw.items()}
        assert facts.raw == rows
        waiting = {
            (as_text(key), drops[drop], as_text(value)): 1
            for (key, drop), value in self.model.waiting.items()
        }
        assert facts.waiting == waiting
        left = {
            (as_text(key), as_text(value), fate): count
            for (key, value, fate), count in self.model.left.items()
        }
        assert facts.left == left
        open_rows = {
            (of, drops[who] if of == "drop" else who, bad): count
            for (of, who, bad), count in self.model.open_quarantine().items()
        }
        assert facts.quarantine == open_rows
        assert (facts.raw_rows, facts.started) == (len(rows), 0)

    def teardown(self):
        if hasattr(self, "model") and self.is_checked:
            self._load(self._plan())
            self.the_warehouse_is_what_the_model_says()
            self.a_model_follows()

    # How it is done

    def _key(self, name):
        return f"{DATASETS[self.terms.occurrence]}/{name}"

    def _put(self, key, time, content):
        self.world.put(key, content, time)
        self._lies(key, time, content)

    def _lies(self, key, time, content):
        self.versions += 1
        version = content if self.by_content else self.versions
        self.lying[key] = Seen(key, content, time, version)

    def _plan(self):
        """What is due, which must be what the model finds due."""
        drops = self.world.plan(self.terms)
        due = [seen.key for seen in self.lying.values() if self.model.is_due(seen, self.terms)]
        assert sorted(drop.object.key for drop in drops) == sorted(due)
        return drops

    def _pick(self, drops, order):
        """The drops whose numbers are drawn, in that order."""
        picked = dict.fromkeys(number % len(drops) for number in order) if drops else {}
        return [drops[number] for number in picked]

    def _load(self, drops, *, before=None):
        reports = self.world.load(self.terms, drops)
        assert sorted(report.object_key for report in reports) == sorted(drop.object.key for drop in drops)
        self._follow_ledger(drops, broken=False, before=before)

    def _follow_ledger(self, drops, *, broken, before=None):
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
            elif broken and together[0]["state"] == "failed" and "DivisionByZero" in together[0]["error"]:
                self._forgive(together[0])
            else:
                self._follow_loads(together, replays, planned)

    def _follow_loads(self, rows, replays, planned):
        seen, before = [self._loaded(row, planned) for row in rows], len(self.model.raw)
        if len(rows) > 1:
            outcomes = self.model.load_together(seen, self.terms)
        else:
            (one,) = seen
            as_planned = one.key not in planned or one is planned[one.key][1]
            outcomes = [self.model.load(one, self.terms, again=as_planned and one.key in replays)]
        for row, outcome in zip(rows, outcomes, strict=True):
            kind = "new" if row["kind"] == "late" else row["kind"]
            assert outcome.kind == ("failed" if row["state"] == "failed" else kind), row
            assert outcome.fates == fates_of(row), row
            if row["state"] == "loaded":
                before = self._check_laws(row, before)
                assert self.world.conflicts(row["load_id"]) == outcome.conflicts
        assert rows[-1]["state"] == "failed" or before == len(self.model.raw)

    def _loaded(self, row, planned):
        """The object as the load took it: bytes that another object has are not read, whatever lies there by then."""
        key = row["object_key"]
        etag, seen = planned.get(key, (None, None))
        is_as_planned = seen and row["state"] == "loaded" and self.world.etag(key) == etag
        return seen if is_as_planned else self.lying[key]

    def _follow_withdrawal(self, row):
        key, before = row["object_key"], len(self.model.raw)
        version = self.lying[key].version if key in self.lying else None
        assert self.model.withdraw(key, version) == fates_of(row)
        assert self._check_laws(row, before) == len(self.model.raw)

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

    def _drops_by_number(self, facts):
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


@pytest.fixture
def world(tmp_path, warehouse_url):
    opened = World(tmp_path, warehouse_url)
    yield opened
    opened.close()


@pytest.mark.timeout(60 * RUNS)
def test_the_warehouse_agrees_with_the_model_after_every_step(world):
    machine = type("RawMachineOfThisWorld", (RawMachine,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
