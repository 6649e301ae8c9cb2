"""Law: a rebuild that is killed at any instant has done all or nothing, and a second one ends as an undisturbed one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.landing import FolderLanding
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.conftest import empty_ledger, write_things
from tests.integration.killed_load import Statements
from tests.integration.killed_rebuild import make_again
from tests.integration.test_kills import CONTENT, KNOWN_BAD, first_delivery, new_drops, run, wait_until_gone

SCRIPT = Path(__file__).with_name("killed_rebuild.py")
# Its transactions: the one batch that is read, and the one that replaces raw.
CASES = [
    ("reading", 2), ("copy", 1), ("before_commit", 1), ("before_commit", 2), ("after_commit", 1), ("after_commit", 2),
    *(("statement", share) for share in (0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)),
]  # fmt: skip
OF_READERS = ("rows", "waiting", "quarantine", "drops", "count")
UNDISTURBED = {}


@pytest.fixture
def narrow(tmp_path):
    (tmp_path / "narrow").mkdir()
    return write_things(tmp_path / "narrow", **KNOWN_BAD)


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text").mkdir()
    return write_things(tmp_path / "text", logicalType="string", physicalType="text")


def rebuilt(contract, landing, url, begins=lambda: None):
    warehouse = PostgresWarehouse.connect(url)
    make_again(contract, landing, warehouse, begins)
    Statements.begins = staticmethod(lambda: None)
    state = look(warehouse)
    warehouse.close()
    return state


def look(warehouse):
    return {name: warehouse.connection.execute(query).fetchall() for name, query in CONTENT.items()}


def undisturbed(narrow, text, landing, url):
    """The states before and after a rebuild with nothing in the way, and how many statements it takes."""
    if not UNDISTURBED:
        _, before = run("merge", read_contract(narrow), landing, url)
        statements = []

        def count():
            Statements.begins = staticmethod(lambda: statements.append(1))

        after = rebuilt(read_contract(text), landing, url, count)
        assert before["quarantine"]
        assert before["waiting"]
        assert after != before
        UNDISTURBED.update(before=before, after=after, statements=len(statements))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop table raw.things, raw.things__history")
            empty_ledger(connection)
    return UNDISTURBED["before"], UNDISTURBED["after"], UNDISTURBED["statements"]


@pytest.mark.parametrize(("instant", "nth"), CASES)
def test_a_rebuild_killed_at_any_instant_has_done_all_or_nothing(
    instant, nth, narrow, text, tmp_path, warehouse_url
):
    landing = FolderLanding(tmp_path)
    first_delivery(landing)
    new_drops(landing)
    before, after, statements = undisturbed(narrow, text, landing, warehouse_url)
    run("merge", read_contract(narrow), landing, warehouse_url)
    when = str(1 + int(nth * (statements - 1)) if instant == "statement" else nth)
    killed = subprocess.run(
        [sys.executable, str(SCRIPT), instant, when, str(text), str(tmp_path), warehouse_url],
        env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    wait_until_gone(warehouse_url)
    warehouse = PostgresWarehouse.connect(warehouse_url)
    found = look(warehouse)
    warehouse.close()
    assert {name: found[name] for name in OF_READERS} in (
        {name: before[name] for name in OF_READERS},
        {name: after[name] for name in OF_READERS},
    )
    assert rebuilt(read_contract(text), landing, warehouse_url) == after
    with psycopg.connect(warehouse_url) as connection:
        left = (
            "select relname from pg_class where relnamespace = 'ops'::regnamespace and relname ~ '^_rebuild'"
        )
        assert connection.execute(left).fetchall() == []
