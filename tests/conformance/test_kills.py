"""Law: exactly once. Killed at any moment, a rerun ends in the state of an undisturbed run.

GOLDWORKS_KILLS says how many kills to try on each engine, GOLDWORKS_SEED which moments.
"""

import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger.objects import ensure_dataset
from data_ingestion.load import load_drops
from tests.conformance.engines import ENGINES, open_engine
from tests.seed import SEED

KILLS = int(os.environ.get("GOLDWORKS_KILLS", "3"))
# What is slow, as each statement asks a catalogue or a server that is a stand-in, is killed less often.
SHARE = {"ducklake": 0.3, "snowflake": 0.3}
SCRIPT = Path(__file__).with_name("killed_load.py")
STATE = {
    "raw": "select id, amount, note from raw.things",
    "waiting": "select id, amount, note from raw.things__history where _fate = 'waiting'",
    "quarantine": """select object_key, line, column_name, reason, raw_text from ops.quarantine
                     where closed_by_load_id is null""",
    "objects": """select o.object_key, o.state, d.sha256 from ops.objects o
                  left join ops.drops d on d.drop_id = o.drop_id""",
    "rows": "select raw_rows from ops.datasets",
    "started": "select count(*) from ops.loads where state = 'started'",
}


def write_drop(landing, key, ids, seed):
    chance = random.Random(seed)
    lines = [f"{number},{chance.choice(['bad', '1', '2.50', '7'])},n{chance.randint(0, 9)}" for number in ids]
    landing.write(key, "\n".join(["id,amount,note", *lines]).encode())


def first_delivery(landing):
    write_drop(landing, "things/2026-01/a.csv", range(4_000), seed=1)
    for number in range(20):
        write_drop(landing, f"things/2026-02/{number:02}.csv", range(number * 180, number * 200), seed=2)


def second_delivery(landing):
    """Corrections that change and withdraw, rows that come back, a late month, and many small ones at once."""
    write_drop(landing, "things/2026-01/a.csv", range(1_000, 4_400), seed=3)
    write_drop(landing, "things/2025-12/c.csv", range(480, 6_700), seed=4)
    for number in range(0, 20, 3):
        write_drop(landing, f"things/2026-02/{number:02}.csv", range(number * 190, number * 200), seed=5)
    for number in range(30):
        write_drop(landing, f"things/2026-03/{number:02}.csv", range(number * 2, number * 220), seed=6)


@contextmanager
def opened(name, folder, url):
    engine = open_engine(name, folder, url)
    engine.warehouse.abandon_lost_attempts()
    yield engine
    engine.close()


def load(engine, contract, landing):
    (plan,) = discover([contract], landing, engine.warehouse).plans
    return list(load_drops(contract, landing, engine.warehouse, plan.drops))


def state(engine):
    return {name: sorted(engine.warehouse.session.rows(query), key=repr) for name, query in STATE.items()}


def start_again(engine, contract):
    """Nothing is left of what was loaded before."""
    engine.warehouse.prepare(contract)
    for table in ("raw.things", "raw.things__history"):
        engine.warehouse.session.run(f"delete from {table}")
    engine.empty()
    ensure_dataset(engine.warehouse.session, contract.dataset)


def wait_until_gone(url):
    """The server notices the death of a client when it next hears of it; till then the attempt is under way."""
    others = """select 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
                and pid <> pg_backend_pid()"""
    with psycopg.connect(url, autocommit=True) as session:
        while session.execute(others).fetchone():
            time.sleep(0.02)


@pytest.mark.timeout(300 + 120 * KILLS)
@pytest.mark.parametrize("name", ENGINES)
def test_a_load_killed_at_any_moment_is_as_if_it_had_not_been(name, contract, tmp_path, engine_url):
    folders = [tmp_path / part for part in ("landing", "warehouse")]
    for folder in folders:
        folder.mkdir()
    landing, place = FolderLanding(folders[0]), folders[1]
    with opened(name, place, engine_url) as engine:
        start_again(engine, contract)
        first_delivery(landing)
        load(engine, contract, landing)
        second_delivery(landing)
        began = time.monotonic()
        load(engine, contract, landing)
        duration = time.monotonic() - began
        expected = state(engine)
    assert expected["quarantine"]
    assert expected["waiting"]
    chance, kills = random.Random(SEED), 0
    print(f"seed {SEED}")
    while kills < max(1, round(KILLS * SHARE.get(name, 1))):
        with opened(name, place, engine_url) as engine:
            start_again(engine, contract)
            first_delivery(landing)
            load(engine, contract, landing)
        second_delivery(landing)
        if load_and_kill(name, contract, landing, place, engine_url, chance.uniform(0, duration)):
            kills += 1
        else:  # it had ended before: the load that was timed had more to do beside it
            duration *= 0.7
        wait_until_gone(engine_url)
        with opened(name, place, engine_url) as engine:
            load(engine, contract, landing)
            assert state(engine) == expected, f"seed {SEED}"


def load_and_kill(name, contract, landing, place, url, after_seconds):
    """Whether the process was still at work when it was killed."""
    command = [sys.executable, SCRIPT, name, contract.path, landing.root, place, url]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        time.sleep(after_seconds)
        process.kill()
        return process.stdout.read() == ""
