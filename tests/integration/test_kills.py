"""Law: exactly once. Killed at any instant, a rerun ends in the state of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.landing import FolderLanding
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.conftest import empty_ledger, write_things
from tests.integration.killed_load import LIMITS, Statements, load_landing

# An instant and the how-manieth time of it; of the statements of a load, the first, the last and those at even steps.
INSTANTS = [
    *((instant, nth) for instant in ("reading", "copy") for nth in (1, 3)),
    *(("statement", share) for share in (0, 0.25, 0.5, 0.75, 1)),
    *((instant, nth) for instant in ("before_commit", "after_commit") for nth in (1, 2)),
]
# Many drops in one transaction have one commit.
CASES = [(plan, *at) for plan in LIMITS for at in INSTANTS if plan != "together" or at[1] != 2]
SCRIPT = Path(__file__).with_name("killed_load.py")
CONTENT = {
    "rows": "select id, amount, note from raw.things order by id",
    "waiting": "select id, amount, note from raw.things__history where _fate = 'waiting' order by id, amount, note",
    "quarantine": """select object_key, line, column_name, reason, raw_text from ops.quarantine
                     where closed_by_load_id is null order by object_key, line""",
    "drops": """select o.object_key, d.sha256, d.fingerprint from ops.objects o join ops.drops d using (drop_id)
                where o.state = 'in_force' and d.ended_at is null order by 1""",
    "count": "select raw_rows from ops.datasets",
    "left": "select count(*) from ops.loads where state = 'started'",
    "stages": "select count(*) from pg_class where relnamespace = 'ops'::regnamespace and relname ~ '^_stage'",
}


def write_drop(landing, key, ids, seed):
    chance = random.Random(seed)
    lines = ["id,amount,note"]
    for id_ in ids:
        lines.append(f"{id_},{chance.choice(['bad', '1', '2.50', '7'])},n{chance.randint(0, 9)}")
    landing.write(key, "\n".join(lines).encode())


def first_delivery(landing):
    write_drop(landing, "things/2026-01/a.csv", range(2000), seed=1)
    write_drop(landing, "things/2026-02/b.csv", range(1500, 2500), seed=2)


def second_delivery(landing):
    """A correction that changes and withdraws, rows that come back, and a late month."""
    write_drop(landing, "things/2026-02/b.csv", range(1800, 2600), seed=3)
    write_drop(landing, "things/2025-12/c.csv", range(2400, 3500), seed=4)


def new_drops(landing):
    """Three at once, which contest keys of each other and of what is there."""
    write_drop(landing, "things/2025-12/c.csv", range(2400, 3500), seed=4)
    write_drop(landing, "things/2026-02/d.csv", range(1000, 1800), seed=5)
    write_drop(landing, "things/2026-03/e.csv", range(1600, 2600), seed=6)


# By plan: what is loaded already, what the load that is killed brings, and as what.
DELIVERIES = {
    "copy": (lambda landing: None, first_delivery, {("new", "copy"), ("new", "merge")}),
    "difference": (first_delivery, second_delivery, {("late", "difference"), ("corrected", "difference")}),
    "merge": (first_delivery, second_delivery, {("late", "merge"), ("corrected", "merge")}),
    "together": (first_delivery, new_drops, {("late", "merge"), ("new", "merge")}),
}
UNDISTURBED = {}
# A quarter of the rows are bad: the contract knows of them.
KNOWN_BAD = {"customProperties": [{"property": "knownBad", "value": ["bad"]}]}


def run(plan, contract, landing, url, arm=lambda: None):
    warehouse = PostgresWarehouse.connect(url)
    reports = load_landing(plan, contract, landing, warehouse, arm)
    state = {name: warehouse.connection.execute(query).fetchall() for name, query in CONTENT.items()}
    warehouse.close()
    return reports, state


def undisturbed(plan, contract, landing, url):
    """The state after the same deliveries with nothing in the way, and how many statements the load took."""
    if plan not in UNDISTURBED:
        before, then, expected = DELIVERIES[plan]
        before(landing)
        run("merge", contract, landing, url)
        then(landing)
        statements = []
        reports, state = run(plan, contract, landing, url, lambda: count(statements))
        Statements.begins = staticmethod(lambda: None)
        assert {(report.kind, report.plan) for report in reports} == expected
        assert state["quarantine"]
        assert state["waiting"]
        UNDISTURBED[plan] = state, len(statements) - len(CONTENT)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop table raw.things, raw.things__history")
            empty_ledger(connection)
        for key in [item.key for item in landing.list_objects("things/")]:
            (landing.root / key).unlink()
    return UNDISTURBED[plan]


def count(statements):
    Statements.begins = staticmethod(lambda: statements.append(1))


def wait_until_gone(url):
    """The server notices the death of a client when it next hears of it; till then the attempt is under way."""
    others = """select 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
                and pid <> pg_backend_pid()"""
    with psycopg.connect(url, autocommit=True) as session:
        while session.execute(others).fetchone():
            time.sleep(0.02)


@pytest.mark.parametrize(("plan", "instant", "nth"), CASES)
def test_a_load_killed_at_any_instant_ends_as_an_undisturbed_one(plan, instant, nth, tmp_path, warehouse_url):
    contract_file = write_things(tmp_path, **KNOWN_BAD)
    contract, landing = read_contract(contract_file), FolderLanding(tmp_path)
    expected, statements = undisturbed(plan, contract, landing, warehouse_url)
    before, then, _ = DELIVERIES[plan]
    before(landing)
    run("merge", contract, landing, warehouse_url)
    then(landing)
    when = str(1 + int(nth * (statements - 1)) if instant == "statement" else nth)
    killed = subprocess.run(
        [sys.executable, str(SCRIPT), instant, when, plan, str(contract_file), str(tmp_path), warehouse_url],
        env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    wait_until_gone(warehouse_url)
    _, state = run(plan, contract, landing, warehouse_url)
    assert state == expected
