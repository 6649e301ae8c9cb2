"""Law: a rebuild ends as a fresh load of the same files under the same contract; broken at any moment, all or nothing.

Random deliveries, corrections, copies and withdrawals are loaded; some files vanish, or change and are not loaded yet.
GOLDWORKS_REBUILDS says how many histories to try with each contract, GOLDWORKS_SEED which.
"""

import os
import random
from dataclasses import dataclass, field

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger.objects import ensure_dataset
from data_ingestion.load import load_drops
from data_ingestion.rebuild import rebuild
from data_ingestion.withdraw import withdraw
from tests.conformance.engine import NEVER, Fuse
from tests.conformance.engines import ENGINES, open_engine
from tests.integration.conftest import write_things
from tests.integration.limits import without_limits
from tests.seed import SEED

REBUILDS = int(os.environ.get("GOLDWORKS_REBUILDS", "2"))
# What is slow, as each statement asks a catalogue, has fewer.
SHARE = {"ducklake": 0.5, "postgres-plain": 0.5, "redshift": 0.3}
NAMES = [f"things/2026-0{month}/{name}.csv" for month in (1, 2, 3) for name in "ab"]
START, STEPS = 1_700_000_000, 8
BREAKS = {"postgres": 8, "postgres-plain": 4, "duckdb": 10, "ducklake": 2, "redshift": 4}

# Without the lines: a row that a correction repeats further down keeps its first one, until a rebuild.
OF_DROP = "(select min(o.object_key) from ops.objects o where o.drop_id = {}.drop_id)"
STATE = {
    "raw": f"""select id, cast(amount as text), note, {OF_DROP.format("d")}
               from raw.things r join ops.drops d on d.drop_id = r._drop_id""",
    "waiting": f"""select id, cast(amount as text), note, {OF_DROP.format("d")}
                   from raw.things__history r join ops.drops d on d.drop_id = r._drop_id where _fate = 'waiting'""",
    "quarantine": f"""select {OF_DROP.format("x")}, line, column_name, reason, raw_text
                      from ops.quarantine q join ops.objects x on x.object_key = q.object_key
                      where closed_by_load_id is null""",
    "conflicts": f"""select {OF_DROP.format("d")}, line, kept_line, content
                     from ops.conflicts c join ops.drops d on d.load_id = c.load_id where d.ended_at is null""",
    "objects": """select o.object_key, d.sha256, d.rank from ops.objects o join ops.drops d on d.drop_id = o.drop_id
                  where o.state = 'in_force'""",
    "rows": "select raw_rows, (select count(*) from raw.things) from ops.datasets",
    "started": "select count(*) from ops.loads where state = 'started'",
}
LEFT_BEHIND = "select table_name from information_schema.tables where table_name like '%rebuild%'"


def as_it_was(document):
    """Amount is a number, id is the key."""


def another_type(document):
    document["schema"][0]["properties"][1].update(logicalType="string", physicalType="text")


def another_key(document):
    first, _, note = document["schema"][0]["properties"]
    del first["primaryKey"], first["primaryKeyPosition"]
    note.update(primaryKey=True, primaryKeyPosition=1)


def by_occurrence(document):
    another_key(document)
    another_type(document)
    schema = document["schema"][0]
    del schema["properties"][2]["primaryKey"], schema["properties"][2]["primaryKeyPosition"]
    schema["customProperties"].append(
        {"property": "key", "value": {"rule": "occurrence", "columns": ["id", "note"]}}
    )


@dataclass
class Story:
    """A landing, and by key what of it is in force: its bytes and when they were delivered."""

    engine: object
    folder: object
    chance: random.Random
    now: int = 0
    in_force: dict = field(default_factory=dict)
    pending: dict = field(default_factory=dict)
    withdrawn: set = field(default_factory=set)

    def __post_init__(self):
        self.landing = new_landing(self.folder / "landing")
        self.contract = self.read(as_it_was)

    def read(self, edit):
        path = write_things(self.folder)
        document = yaml.safe_load(path.read_text())
        edit(document)
        path.write_text(yaml.safe_dump(document))
        return without_limits(read_contract(path))

    def play(self):
        """A random history, all of it loaded at its end."""
        for key in NAMES[1:]:
            self.deliver(key)
        for _ in range(STEPS):
            self.chance.choice([self.deliver, self.deliver, self.copy, self.take_back])()
            if self.chance.random() < 0.6:
                self.load()
        self.load()

    def deliver(self, key=None):
        """New bytes: no two deliveries are equal."""
        self.now += 1
        lines = [f"{self.chance.randint(1, 6)},{self.now},{self.chance.choice('abc')}"]
        lines += [
            f"{self.chance.randint(1, 6)},{self.chance.choice(['1', '2.5', 'bad'])},{self.chance.choice('abc')}"
            for _ in range(self.chance.randint(0, 5))
        ]
        self.put(key or self.chance.choice(NAMES), "\n".join(["id,amount,note", *lines, ""]).encode())

    def copy(self):
        others = [key for key in NAMES if key not in {*self.in_force, *self.pending, *self.withdrawn}]
        if self.in_force and others:
            self.now += 1
            self.put(self.chance.choice(others), self.chance.choice(list(self.in_force.values()))[0])

    def take_back(self):
        if len(self.in_force) > 1 and not self.pending:
            key = self.chance.choice(list(self.in_force))
            withdraw([self.contract], self.landing, self.engine.warehouse, key)
            del self.in_force[key]
            self.withdrawn.add(key)

    def put(self, key, content):
        write(self.landing, key, content, self.now)
        self.pending[key] = (content, self.now)

    def load(self):
        load(self.engine, self.contract, self.landing)
        self.in_force |= self.pending
        self.pending = {}

    def lose(self):
        """Files vanish, or have other bytes by now."""
        for key in list(self.in_force):
            fate = self.chance.random()
            if fate < 0.2:
                (self.landing.root / key).unlink()
            elif fate < 0.4:
                self.deliver(key)

    def forget_lost(self):
        """Drops of which no object holds the bytes any more are not in force after a rebuild that can't keep them."""
        there = {
            content
            for key, (content, _) in self.in_force.items()
            if (path := self.landing.root / key).exists() and path.read_bytes() == content
        }
        self.in_force = {key: held for key, held in self.in_force.items() if held[0] in there}

    def fresh(self):
        """The state after a first load of what is in force."""
        drop_tables(self.engine)
        shadow = new_landing(self.folder / f"shadow-{len(list(self.folder.iterdir()))}")
        for key, held in self.in_force.items():
            write(shadow, key, *held)
        load(self.engine, self.contract, shadow)
        return state(self.engine)


def new_landing(folder):
    folder.mkdir()
    return FolderLanding(folder)


def write(landing, key, content, second):
    landing.write(key, content)
    os.utime(landing.root / key, (START + second, START + second))


def load(engine, contract, landing):
    (plan,) = discover([contract], landing, engine.warehouse).plans
    reports = list(load_drops(contract, landing, engine.warehouse, plan.drops))
    assert all(report.state == "loaded" for report in reports), reports


def state(engine):
    return {name: sorted(engine.warehouse.session.rows(query), key=repr) for name, query in STATE.items()}


def drop_tables(engine):
    """Nothing is left of what was loaded before."""
    for table in ("raw.things", "raw.things__history"):
        engine.warehouse.session.run(f"drop table if exists {table}")
    engine.empty()
    ensure_dataset(engine.warehouse.session, "things")


@pytest.fixture
def begin_story(request, tmp_path, engine_url):
    name = request.getfixturevalue("name")
    place = tmp_path / "warehouse"
    place.mkdir()
    engine = open_engine(name, place, engine_url)

    def begin(number, seed=SEED):
        drop_tables(engine)
        folder = tmp_path / str(number)
        folder.mkdir()
        if not engine.can_rebuild:  # found out at once, before a story is told
            rebuild(read_contract(write_things(folder)), FolderLanding(folder), engine.warehouse)
        return Story(engine, folder, random.Random(f"{seed} {number}"))

    yield begin
    drop_tables(engine)
    engine.close()


@pytest.mark.timeout(120 * REBUILDS)
@pytest.mark.parametrize("edit", [as_it_was, another_type, another_key, by_occurrence])
@pytest.mark.parametrize("name", ENGINES)
def test_a_rebuild_ends_as_a_fresh_load(name, edit, begin_story):
    print(f"seed {SEED}")
    for number in range(max(1, round(REBUILDS * SHARE.get(name, 1)))):
        story = begin_story(number)
        story.play()
        story.lose()
        before, history = keys_and_history(story.engine)
        story.contract = story.read(edit)
        if edit is not as_it_was:
            with pytest.raises(ContractFault, match="run `goldworks rebuild things`"):
                story.engine.warehouse.prepare(story.contract)
        report = rebuild(story.contract, story.landing, story.engine.warehouse, gives_up_rows=True)
        found = state(story.engine)
        after, remembered = keys_and_history(story.engine)
        if edit is as_it_was:
            assert not report.lost
        else:
            assert not report.kept
            story.forget_lost()
        if not report.is_other_key:
            gone = [(key, "withdrawn", report.load_id) for key in sorted(before - after)]
            assert remembered == sorted([*history, *gone], key=repr)
        pending, story.pending = story.pending, {}
        load(story.engine, story.contract, story.landing)
        loaded = state(story.engine)
        assert found == story.fresh(), f"seed {SEED}, history {number}"
        story.in_force |= pending
        assert loaded == story.fresh(), f"seed {SEED}, history {number}"


def keys_and_history(engine):
    """The keys that raw holds, and what has left it."""
    session = engine.warehouse.session
    keys = {key for (key,) in session.rows("select id from raw.things")}
    left = session.rows("select id, _fate, _by_load_id from raw.things__history where _fate <> 'waiting'")
    return keys, sorted(left, key=repr)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("refuse", [False, True])
@pytest.mark.parametrize("name", ENGINES)
def test_a_rebuild_broken_at_any_statement_has_done_all_or_nothing(name, refuse, begin_story):
    story = begin_story(0, seed=1)
    story.play()
    before = story.fresh()
    story.contract = story.read(another_type)
    after, statements = rebuild_and_break(story, NEVER, refuse=refuse)
    assert before["waiting"]
    assert before["quarantine"]
    assert after != before
    for share in range(BREAKS[name] + 1):
        story.contract = story.read(as_it_was)
        assert story.fresh() == before
        story.contract = story.read(another_type)
        found, _ = rebuild_and_break(story, share * (statements - 1) // BREAKS[name], refuse=refuse)
        assert found in (before, after), share
        rebuild(story.contract, story.landing, story.engine.warehouse)
        assert state(story.engine) == after, share
        assert story.engine.warehouse.session.rows(LEFT_BEHIND) == []


def rebuild_and_break(story, statements, *, refuse):
    """The state after a rebuild that breaks, and how many statements there were before that."""
    story.engine.break_after(
        statements,
        lambda: rebuild(story.contract, story.landing, story.engine.warehouse),
        refuse=refuse,
    )
    story.engine.warehouse.abandon_lost_attempts()
    return state(story.engine), statements - Fuse.left


@pytest.mark.parametrize("name", ENGINES)
def test_a_row_that_a_correction_repeats_further_down_keeps_its_line_until_a_rebuild(name, begin_story):
    story = begin_story(0)
    for second, lines in enumerate([b"1,1,a\n", b"2,2,b\n1,1,a\n"], start=1):
        write(story.landing, NAMES[0], b"id,amount,note\n" + lines, second)
        load(story.engine, story.contract, story.landing)
    lines = "select id, _line from raw.things order by id"
    assert story.engine.warehouse.session.rows(lines) == [(1, 2), (2, 2)]
    rebuild(story.contract, story.landing, story.engine.warehouse)
    assert story.engine.warehouse.session.rows(lines) == [(1, 3), (2, 2)]


@pytest.mark.parametrize("name", ENGINES)
def test_rows_that_lack_what_is_required_now_are_not_kept(name, begin_story):
    def optional(document):
        document["schema"][0]["properties"][2]["required"] = False

    story = begin_story(0)
    story.contract = story.read(optional)
    write(story.landing, NAMES[0], b"id,amount,note\n1,1,a\n", 1)
    write(story.landing, NAMES[1], b"id,amount,note\n2,1,\n", 2)
    write(story.landing, NAMES[2], b"id,amount,note\n2,2,b\n", 3)
    load(story.engine, story.contract, story.landing)
    story.contract = story.read(as_it_was)
    for key in NAMES[:2]:
        (story.landing.root / key).unlink()
    with pytest.raises(OperatorFault, match="2 of its rows would be lost"):
        rebuild(story.contract, story.landing, story.engine.warehouse)
    withdraw([story.contract], story.landing, story.engine.warehouse, NAMES[1])
    report = rebuild(story.contract, story.landing, story.engine.warehouse)
    assert [drop.object_key for drop in report.kept] == [NAMES[0]]
