"""Law: after any history of deliveries, loads, failures and changes, the warehouse is what the model says.

Files arrive in any order, are corrected, copied, touched, removed and withdrawn; contracts change; loads take any part
of what is due, in any order, and break at any statement. After each step raw, history, ledger and quarantine are held
against the model: against its program (raw_model.py) row by row, and through it against the meaning of raw.

GOLDWORKS_STATE_MACHINE_RUNS says how many histories to try.
"""

import json
import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from data_ingestion.errors import OperatorFault
from data_ingestion.plan import Choice, PlannedDrop
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from tests.conformance.engines import ENGINES, open_engine
from tests.conformance.ledger_follower import LedgerFollower
from tests.conformance.raw_meaning import Terms
from tests.conformance.raw_model import Model, Seen
from tests.conformance.world import DATASETS, World, as_text

RUNS = int(os.environ.get("GOLDWORKS_STATE_MACHINE_RUNS", "60"))
# Of these, an engine has so many: what costs more, or goes a way that another has gone before, has fewer.
SHARE = {
    "postgres": 1,
    "postgres-plain": 0.5,
    "duckdb": 0.5,
    "ducklake": 0.1,
    "redshift": 0.1,
    "snowflake": 0.03,
}
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
    copy_sessions=st.sampled_from([1, 2, 3]),
    sample_rows=st.sampled_from([1, 1000]),
    known_share=st.sampled_from([0.0, 0.5, 2.0]),
    least_of_raw=st.sampled_from([0.0, 0.5]),
)
ORDERS = st.lists(st.integers(0, 4), max_size=4)


class RawMachine(LedgerFollower, RuleBasedStateMachine):
    """A landing, a warehouse and the model, one step at a time."""

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

    @rule(name=NAMES, leads_to=st.sampled_from(["/etc/passwd", "/etc", "odd.csv", "nothing", "..", "."]))
    def a_link_lies_beside_an_object_that_leads_out_or_to_a_folder(self, name, leads_to):
        self.world.lay(self._key(name).rpartition("/")[0] + "/odd.csv", leads_to)

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

    @rule(statements=st.none() | st.integers(0, 99), refused=st.booleans())
    def raw_is_made_again(self, statements, refused):
        if not self.world.engine.can_rebuild:
            with pytest.raises(OperatorFault, match="can't be rebuilt"):
                self.world.rebuild(self.terms)
        elif statements is None:
            assert self.world.rebuild(self.terms) == self.follow_rebuild(takes_place=True)
        else:
            self.world.until_it_breaks(lambda: self.world.rebuild(self.terms), statements, refuse=refused)
            self.follow_rebuild(takes_place=bool(self.world.ended_after(self.last_load)))

    @rule(order=ORDERS, statements=st.integers(0, 60), refused=st.booleans(), again=st.booleans())
    def a_load_breaks(self, order, statements, refused, again):
        drops = self._pick(self._plan(), order)
        self.world.until_it_breaks(lambda: self.world.load(self.terms, drops), statements, refuse=refused)
        self.follow_ledger(drops, broken=True)
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
        self.follow_ledger([], broken=statements is not None)

    @rule(names=st.lists(NAMES, min_size=1, max_size=3), order=st.none() | ORDERS)
    def objects_are_withdrawn_between_plan_and_load(self, names, order):
        """By another task, say: what was planned has become a message of Airflow meanwhile."""
        drops = self._plan()
        drops = drops if order is None else self._pick(drops, order)
        packed = json.dumps([drop.as_json() for drop in drops])
        for key in {self._key(name) for name in names}:
            if key in self.lying or key in self.model.objects:
                self.world.withdraw(self.terms, key)
                self.follow_ledger([], broken=False)
        self._load([PlannedDrop.from_json(plain) for plain in json.loads(packed)])

    @rule(name=NAMES)
    def a_withdrawal_is_undone(self, name):
        key = self._key(name)
        if key in self.lying and (self.model.is_withdrawn(key) or self._decision(key) == "rejected"):
            self.world.undo(self.terms, key)
            self.model.undo(key)

    @precondition(lambda self: self.model.held)
    @rule(at=st.integers(0, 4), action=st.sampled_from(["accept", "accept", "reject"]), loads=st.booleans())
    def a_person_decides_on_a_held_correction(self, at, action, loads):
        key = sorted(self.model.held)[at % len(self.model.held)]
        if action == "accept":
            self.world.accept(self.terms, key)
            self.model.accept(key)
        elif self._decision(key) != "rejected":
            self.world.withdraw(self.terms, key)
            self.follow_ledger([], broken=False)
        if loads:
            self._load(self._plan())

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
        drops = self.drops_by_number(facts)
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
        held = {row["object_key"]: row["decision"] for row in self.world.warehouse.held()}
        assert held == {key: waiting.decision for key, waiting in self.model.held.items()}

    def teardown(self):
        if hasattr(self, "model") and self.is_checked:
            self._load(self._plan())
            self.the_warehouse_is_what_the_model_says()
            self.a_model_follows()

    # How it is done

    def _key(self, name):
        return f"{DATASETS[self.terms.occurrence]}/{name}"

    def _decision(self, key):
        """What a person has said of the correction that waits; None where none does."""
        return self.model.held[key].decision if key in self.model.held else None

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
        self.follow_ledger(drops, broken=False, before=before)


@pytest.mark.timeout(60 * RUNS)
@pytest.mark.parametrize("name", ENGINES)
def test_the_warehouse_agrees_with_the_model_after_every_step(name, tmp_path, engine_url):
    world = World(tmp_path, open_engine(name, tmp_path, engine_url))
    machine = type("RawMachineOfThisWorld", (RawMachine,), {"world": world})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, round(RUNS * SHARE[name])),
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        world.close()
