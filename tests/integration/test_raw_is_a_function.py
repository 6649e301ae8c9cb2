"""Law: raw is a function of the landing, whatever the order of arrival, correction and repetition.

Random histories on the real warehouse, held against the law's one-line meaning in plain Python.
"""

import os
import uuid
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.conftest import empty_ledger, write_things

# Few objects, keys and values: histories in which everything collides with everything.
NAMES = ("2026-01/a", "2026-01/b", "2026-02/a", "2026-03/a")
OBJECTS = st.sampled_from([f"things/{name}.csv" for name in NAMES])
CONTENTS = st.dictionaries(st.integers(0, 2), st.integers(0, 1), max_size=3)
STEP = st.one_of(
    st.tuples(st.just("deliver"), OBJECTS, st.integers(0, 9), CONTENTS),
    st.tuples(st.just("copy"), OBJECTS, st.integers(0, 9), OBJECTS),
)
STEPS = st.lists(st.tuples(STEP, st.booleans()), min_size=3, max_size=14)
EPOCH = 1_700_000_000


def meaning(landed):
    """For each key the row of the newest drop that holds it; equal bytes rank as the newest of their objects."""
    raw = {}
    for _, rows in sorted((rank, sorted(rows.items())) for rank, rows in landed.values()):
        raw.update(rows)
    return raw


def deliver(landing, key, time, rows):
    lines = ["id,amount,note", *(f"{id_},{value},n" for id_, value in sorted(rows.items())), ""]
    landing.write(key, "\n".join(lines).encode())
    os.utime(landing.root / key, (EPOCH + time, EPOCH + time))


def run(contract, landing, warehouse):
    (plan,) = discover([contract], landing, warehouse).plans
    reports = list(load_drops(contract, landing, warehouse, plan.drops))
    assert all(report.state == "loaded" for report in reports)


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    return read_contract(write_things(tmp_path_factory.mktemp("contracts")))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_raw_is_a_function_of_the_landing(steps, contract, warehouse_url, tmp_path):
    warehouse = PostgresWarehouse.connect(warehouse_url)
    warehouse.migrate()
    warehouse.connection.execute("drop table if exists raw.things, raw.things__history")
    empty_ledger(warehouse.connection)
    root = tmp_path / uuid.uuid4().hex
    root.mkdir()
    landing, lying, landed = FolderLanding(root), {}, {}
    warehouse.prepare(contract)
    for (action, key, time, what), runs_now in [*steps, (("nothing", "", 0, None), True)]:
        if action == "deliver" or what in lying:
            rows = what if action == "deliver" else lying[what][1]
            deliver(landing, key, time, rows)
            lying[key] = (time, rows)
        if runs_now:
            run(contract, landing, warehouse)
            land(lying, landed)
            held = warehouse.connection.execute("select id, amount::int from raw.things").fetchall()
            assert dict(held) == meaning(landed)
            check_claims(warehouse, landed)
    warehouse.close()


def land(lying, landed):
    """What a run takes note of: an object's delivery time moves with its content only, and never falls back."""
    for key, (time, rows) in lying.items():
        was = landed.get(key)
        if was is None or was[1] != rows:
            landed[key] = (key.split("/")[1], max(time, was[0][1]) if was else time, key), rows


def check_claims(warehouse, landed):
    """Raw and history together hold every claim of every drop in force, once."""
    claims = warehouse.connection.execute(
        """select id, amount::int, _drop_id from raw.things
           union all select id, amount::int, _drop_id from raw.things__history where _fate = 'waiting'"""
    ).fetchall()
    held = dict(
        warehouse.connection.execute(
            "select object_key, drop_id from ops.objects where state = 'in_force'"
        ).fetchall()
    )
    expected = {(id_, value, held[key]) for key, (_, rows) in landed.items() for id_, value in rows.items()}
    assert Counter(claims) == Counter(expected)
