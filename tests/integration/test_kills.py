"""Law: exactly once. Killed at any instant, a rerun ends in the state of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.conftest import empty_ledger, write_things

INSTANTS = ("reading", "copy", "merging", "before_commit", "after_commit")
TIMES = 4
SCRIPT = Path(__file__).with_name("killed_load.py")
CONTENT = {
    "rows": "select id, amount, note from raw.things order by id",
    "waiting": "select id, amount, note from raw.things__history where _fate = 'waiting' order by id, amount",
    "quarantine": """select object_key, line, column_name, reason, raw_text from ops.quarantine
                     where closed_by_load_id is null order by object_key, line""",
    "drops": """select o.object_key, d.sha256, d.fingerprint from ops.objects o join ops.drops d using (drop_id)
                where o.state = 'in_force' and d.ended_at is null order by 1""",
    "count": "select raw_rows from ops.datasets",
    "left": "select count(*) from ops.loads where state = 'started'",
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


def run(contract, landing, url):
    warehouse = PostgresWarehouse.connect(url)
    warehouse.migrate()
    warehouse.abandon_lost_attempts()
    (plan,) = discover([contract], landing, warehouse).plans
    reports = list(load_drops(contract, landing, warehouse, plan.drops))
    state = {name: warehouse.connection.execute(query).fetchall() for name, query in CONTENT.items()}
    warehouse.close()
    return reports, state


@pytest.mark.parametrize("nth", range(1, TIMES + 1))
@pytest.mark.parametrize("instant", INSTANTS)
def test_a_load_killed_at_any_instant_ends_as_an_undisturbed_one(instant, nth, tmp_path, warehouse_url):
    contract_file = write_things(tmp_path)
    contract = read_contract(contract_file)
    landing = FolderLanding(tmp_path)
    first_delivery(landing)
    run(contract, landing, warehouse_url)
    second_delivery(landing)
    # One instant can be met twice (two drops); `nth` walks on through the work of both.
    when = nth if instant in ("reading", "copy", "merging") else 1 + nth % 2
    killed = subprocess.run(
        [sys.executable, str(SCRIPT), instant, str(when), str(contract_file), str(tmp_path), warehouse_url],
        env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    _, state = run(contract, landing, warehouse_url)
    assert state == undisturbed(contract, tmp_path, warehouse_url)


def undisturbed(contract, tmp_path, url):
    """The same deliveries, loaded with nothing in the way, in a warehouse emptied for it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table raw.things, raw.things__history")
        empty_ledger(connection)
    landing = FolderLanding(tmp_path)
    for key in ("things/2026-02/b.csv", "things/2025-12/c.csv"):
        (landing.root / key).unlink()
    first_delivery(landing)
    run(contract, landing, url)
    second_delivery(landing)
    reports, state = run(contract, landing, url)
    assert [report.kind for report in reports] == ["late", "corrected"]
    assert state["quarantine"]
    assert state["waiting"]
    return state
