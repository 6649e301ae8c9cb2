"""Quarantine: which rows are open, through failures, corrections, replays and copies of a drop."""

import os
from pathlib import Path

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.withdraw import withdraw
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, put

BAD = [f"{number},bad,x" for number in range(2, 9)]  # more than the contract bears


def open_rows(warehouse):
    return [(row["object_key"], row["line"]) for row in warehouse.quarantined("things")]


@pytest.fixture
def quarantined(things, landing, load):
    """January, loaded with one row in quarantine."""
    put(landing, JANUARY, "1,1,a", "2,two,b")
    load(things)


def test_a_correction_that_fails_leaves_the_rows_of_the_version_in_force_open(
    things, landing, warehouse, load, quarantined
):
    put(landing, JANUARY, "1,1,a", *BAD)
    assert [load(things)[0].state for _ in range(2)] == [LoadState.FAILED] * 2
    assert len(open_rows(warehouse)) == 1 + len(BAD)  # of the failures, those of the newest
    put(landing, JANUARY, "1,1,a", "2,2,b")
    load(things)
    assert open_rows(warehouse) == []


def test_a_replay_that_fails_can_be_tried_again(things, landing, warehouse, load, quarantined, tmp_path):
    path = write_things(tmp_path, customProperties=[{"property": "headers", "value": ["amt"]}])
    good = path.read_text()
    document = yaml.safe_load(good)
    document["schema"][0]["properties"].append(
        {"name": "more", "physicalName": "more", "logicalType": "string"}
    )
    path.write_text(yaml.safe_dump(document))
    (failed,) = load(read_contract(path), Choice(only_quarantined=True))
    assert "missing 'more'" in failed.error
    path.write_text(good)
    (report,) = load(read_contract(path), Choice(only_quarantined=True))
    assert report.state is LoadState.LOADED
    assert open_rows(warehouse) == [(JANUARY, 3)]


def test_a_sender_who_takes_a_bad_correction_back_closes_its_rows(
    things, landing, warehouse, load, quarantined
):
    put(landing, JANUARY, "1,1,a", *BAD)
    load(things)
    put(landing, JANUARY, "1,1,a", "2,two,b")
    load(things)
    assert open_rows(warehouse) == [(JANUARY, 3)]


def test_rows_of_a_drop_in_two_objects_stay_open_while_one_of_them_holds_it(
    things, landing, warehouse, load, quarantined
):
    put(landing, FEBRUARY, "1,1,a", "2,two,b")
    load(things)
    assert open_rows(warehouse) == [(JANUARY, 3)]
    put(landing, JANUARY, "7,7,g")
    load(things)
    assert open_rows(warehouse) == [(FEBRUARY, 3)]
    put(landing, FEBRUARY, "7,7,g")
    load(things)
    assert open_rows(warehouse) == []


def test_a_copy_that_ranks_its_drop_higher_quarantines_nothing_twice(
    things, landing, warehouse, load, quarantined
):
    put(landing, "things/2026-03/other.csv", "1,3,c")
    load(things)
    put(landing, "things/2026-04/copy.csv", "1,1,a", "2,two,b")
    (report,) = load(things)
    assert report.plan == "settle"
    assert open_rows(warehouse) == [(JANUARY, 3)]


def test_touching_an_object_leaves_its_rows_open(things, landing, warehouse, load, quarantined):
    os.utime(landing.root / JANUARY, (1_900_000_000, 1_900_000_000))
    load(things)
    assert open_rows(warehouse) == [(JANUARY, 3)]


def test_a_drop_in_two_objects_that_is_read_again_for_each_has_its_rows_open_once(
    things, landing, warehouse, load, quarantined
):
    put(landing, FEBRUARY, "1,1,a", "2,two,b")
    load(things)
    assert [report.kind for report in load(things, Choice(full_refresh=True))] == ["replay", "replay"]
    assert [line for _, line in open_rows(warehouse)] == [3]


@pytest.mark.parametrize("told", ['"gone"', "[1]", "7", "true", '"{\\n}"'])
@pytest.mark.parametrize("row", ["before", "after"])
def test_a_change_log_in_which_a_row_is_no_object_stays_out_whole(landing, load, row, told):
    """Once in raw it would break every build of its domain."""
    contract = read_contract(Path("contracts/orders/order_changes.odcs.yaml"))
    start = '"op": "u", "source_table": "orders", "ts_ms": 1767600300007'
    good = f'{{"lsn": 7, {start}, "before": {{"order_id": 7}}, "after": {{"order_id": 7, "note": "a}}\\n{{"}}}}\n'
    landing.write("orders/changes/2026/01/05/a.jsonl", good.encode())
    landing.write(
        "orders/changes/2026/01/05/b.jsonl", f'{good}{{"lsn": 8, {start}, "{row}": {told}}}\n'.encode()
    )
    assert [report.state for report in load(contract)] == [LoadState.LOADED, LoadState.FAILED]


@pytest.mark.parametrize("gone", [JANUARY, FEBRUARY])
def test_a_drop_in_two_objects_is_replayed_whichever_of_them_is_gone(
    gone, landing, warehouse, load, quarantined, tmp_path, things
):
    landing.write(FEBRUARY, (landing.root / JANUARY).read_bytes())
    load(things)
    (landing.root / gone).unlink()
    assert load(things) == []
    cleaned = read_contract(
        write_things(tmp_path, customProperties=[{"property": "cleaning", "value": ["number_words"]}])
    )
    (report,) = load(cleaned, Choice(only_quarantined=True))
    assert (report.kind, report.fates.inserted) == ("replay", 1)
    assert open_rows(warehouse) == []


def test_a_failure_of_what_is_withdrawn_meanwhile_is_not_told(things, landing, warehouse, load):
    put(landing, JANUARY, *BAD)
    (plan,) = discover([things], landing, warehouse).plans
    withdraw([things], landing, warehouse, JANUARY)
    (report,) = load_drops(things, landing, warehouse, plan.drops)
    assert (report.state, report.plan) == (LoadState.LOADED, "nothing")
    assert open_rows(warehouse) == []
    assert [row["kind"] for row in warehouse.loads("things")] == ["withdrawal"]
