"""Raw does not depend on its past: by whatever road rows came in, it is what a fresh load of the landing gives.

Here for what a comparison of rows may overlook: columns that the contract no longer has, and zeros of either sign.
"""

import os
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from data_ingestion.contract import read_contract
from data_ingestion.ledger import LoadState
from data_ingestion.plan import Choice
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.withdraw import withdraw
from tests.integration.conftest import empty_ledger, write_things

JANUARY, FEBRUARY, MARCH = (f"things/2026-0{month}/a.csv" for month in (1, 2, 3))
ROADS = {
    "merge": PlanLimits(known_share=2),
    "difference": PlanLimits(known_share=0, least_of_raw=0),
    "copy": PlanLimits(copy_bytes=0),
}


@pytest.fixture(params=ROADS)
def road(request, warehouse):
    warehouse.plan_limits = ROADS[request.param]


@pytest.fixture(params=[1, 1000], ids=["alone", "together"])
def together(request, monkeypatch):
    monkeypatch.setattr("data_ingestion.grouping.MOST_TOGETHER", request.param)


@pytest.fixture
def agreed(tmp_path):
    """The contract of `things` with `share`, a floating number, and with the column `extra` or without it."""

    def write(*, extra):
        path = write_things(tmp_path)
        document = yaml.safe_load(path.read_text())
        (schema,) = document["schema"]
        share = {"name": "share", "logicalType": "number", "physicalType": "double precision"}
        former = {"name": "extra", "logicalType": "string", "required": True}
        schema["properties"] += [share, former] if extra else [share]
        schema["customProperties"].append({"property": "ignoredHeaders", "value": [] if extra else ["extra"]})
        path.write_text(yaml.safe_dump(document))
        return read_contract(path)

    return write


@pytest.fixture
def before(agreed):
    return agreed(extra=True)


@pytest.fixture
def after(agreed, before):
    return agreed(extra=False)


def put(landing, key, *rows, share="0"):
    lines = ["id,amount,note,share,extra", *(f"{row},{share},of {key[12:14]}" for row in rows), ""]
    landing.write(key, "\n".join(lines).encode())


def columns_of(warehouse):
    columns = "id, amount::text, note, share::text"  # an unchanged row keeps the line it had
    has_extra = warehouse.connection.execute(
        "select exists (select from information_schema.columns where column_name = 'extra')"
    ).fetchone() == (True,)
    return f"{columns}, {'extra' if has_extra else 'null'}"  # an empty table has the contract's columns alone


def raw(warehouse):
    return warehouse.connection.execute(
        f"select {columns_of(warehouse)} from raw.things order by id"
    ).fetchall()


def waiting(warehouse):
    rows = warehouse.connection.execute(
        f"select {columns_of(warehouse)} from raw.things__history where _fate = 'waiting'"
    )
    return sorted(rows, key=str)


def check_against_a_fresh_load(contract, warehouse, load):
    state = raw(warehouse), waiting(warehouse)
    empty_ledger(warehouse.connection)
    warehouse.connection.execute("truncate raw.things, raw.things__history")
    assert {report.state for report in load(contract)} <= {LoadState.LOADED}
    assert state == (raw(warehouse), waiting(warehouse))
    return state


# A column that the contract no longer has


def test_rows_that_are_read_again(before, after, landing, warehouse, load, road, together):
    for key in (JANUARY, FEBRUARY):
        put(landing, key, f"{key[12:14]},1,a", f"1{key[12:14]},1,b")
    load(before)
    reports = load(after)
    assert sum(report.fates.updated for report in reports) == 4
    check_against_a_fresh_load(after, warehouse, load)


def test_rows_that_were_null_there_are_not_written_again(agreed, landing, warehouse, load, road, together):
    without = agreed(extra=False)
    put(landing, JANUARY, "1,1,a")
    load(without)
    load(agreed(extra=True))
    load(agreed(extra=False))
    (report,) = load(agreed(extra=False), Choice(full_refresh=True))
    assert report.fates.unchanged == 1


def test_rows_that_a_correction_leaves_or_changes(before, after, landing, warehouse, load, road, together):
    put(landing, JANUARY, "1,1,a", "2,1,b", "3,1,c")
    load(before)
    put(landing, JANUARY, "1,1,a", "2,2,b", "4,1,d")
    load(after)
    check_against_a_fresh_load(after, warehouse, load)


@pytest.mark.parametrize("february", [("1,1,a",), ("1,2,a",), ("1,1,a", "2,9,b", "5,5,e")])
def test_rows_that_a_newer_drop_repeats_or_changes(
    before, after, landing, warehouse, load, road, together, february
):
    put(landing, JANUARY, "1,1,a", "2,1,b")
    load(before)
    put(landing, FEBRUARY, *february)
    load(after)
    check_against_a_fresh_load(after, warehouse, load)


def test_new_drops_that_share_rows(before, after, landing, warehouse, load, road, together):
    load(before)
    warehouse.prepare(before)
    for key in (JANUARY, FEBRUARY, MARCH):
        put(landing, key, "1,1,a", f"{key[12:14]},1,b")
    load(after)
    check_against_a_fresh_load(after, warehouse, load)


def test_rows_that_come_back_because_a_newer_drop_is_withdrawn(before, after, landing, warehouse, load, road):
    put(landing, JANUARY, "1,1,a", "2,1,b")
    put(landing, FEBRUARY, "1,2,a")
    load(before)
    load(after)
    withdraw([after], landing, warehouse, FEBRUARY)
    (landing.root / FEBRUARY).unlink()
    check_against_a_fresh_load(after, warehouse, load)


def test_rows_that_change_hands_because_an_older_drop_is_copied(
    before, after, landing, warehouse, load, road
):
    put(landing, JANUARY, "1,1,a", "2,1,b")
    put(landing, FEBRUARY, "1,2,a")
    load(before)
    landing.write(MARCH, (landing.root / JANUARY).read_bytes())
    load(after)
    check_against_a_fresh_load(after, warehouse, load)


def test_a_row_whose_file_is_gone_keeps_what_its_own_drop_brought(
    before, after, landing, warehouse, load, road
):
    put(landing, JANUARY, "1,1,a", "2,1,b")
    load(before)
    (landing.root / JANUARY).unlink()
    put(landing, FEBRUARY, "1,2,a")
    load(after)
    assert raw(warehouse) == [(1, "2.00", "a", "0", None), (2, "1.00", "b", "0", "of 01")]
    assert waiting(warehouse) == [(1, "1.00", "a", "0", "of 01")]
    withdraw([after], landing, warehouse, FEBRUARY)
    assert raw(warehouse) == [(1, "1.00", "a", "0", "of 01"), (2, "1.00", "b", "0", "of 01")]


def test_what_is_replaced_or_withdrawn_is_kept_whole(before, after, landing, warehouse, load, road):
    put(landing, JANUARY, "1,1,a", "2,1,b")
    load(before)
    put(landing, JANUARY, "1,2,a")
    load(after)
    left = warehouse.connection.execute("select id, extra, _fate from raw.things__history order by id")
    assert left.fetchall() == [(1, "of 01", "replaced"), (2, "of 01", "withdrawn")]


# Zeros


@pytest.mark.parametrize(("first", "second"), [("0", "-0.0"), ("-0", "0"), ("-0.0", "0.00")])
def test_a_zero_that_changes_its_sign(after, landing, warehouse, load, road, first, second):
    put(landing, JANUARY, "1,1,a", "2,1,b", share=first)
    load(after)
    put(landing, JANUARY, "1,1,a", "2,1,b", share=second)
    (report,) = load(after)
    assert report.fates.updated == 2
    rows, _ = check_against_a_fresh_load(after, warehouse, load)
    assert {row[3] for row in rows} == {"-0" if second.startswith("-") else "0"}


def test_a_zero_of_a_newer_drop(after, landing, warehouse, load, road, together):
    put(landing, JANUARY, "1,1,a", "2,1,b", share="0")
    load(after)
    put(landing, FEBRUARY, "1,1,a", share="-0")
    put(landing, MARCH, "2,1,b", share="-0")
    load(after)
    check_against_a_fresh_load(after, warehouse, load)


def test_numbers_that_are_equal_are_unchanged(after, landing, warehouse, load, road):
    put(landing, JANUARY, "1,1,a", share="1e1")
    load(after)
    put(landing, JANUARY, "1,1.0,a", share="10.0")
    os.utime(landing.root / JANUARY, (1_900_000_000, 1_900_000_000))
    (report,) = load(after)
    assert report.fates.unchanged == 1
    put(landing, JANUARY, "1,-0,a", share="10.0")
    load(after)
    put(landing, JANUARY, "1,0.00,a", share="10.0")
    (report,) = load(after)
    assert report.fates.unchanged == 1


# All of it


ROWS = st.lists(
    st.tuples(st.sampled_from("123"), st.sampled_from(["0", "-0", "1"]), st.sampled_from(["x", "y"])),
    max_size=4,
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([JANUARY, FEBRUARY, MARCH]), ROWS,
        st.sampled_from(["wait", "load", "load", "withdraw"]), st.booleans(), st.sampled_from(list(ROADS)),
    ),
    min_size=2, max_size=7,
)  # fmt: skip


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(STEPS)
@example([
    (JANUARY, [("1", "0", "x"), ("1", "0", "x")], "wait", False, "difference"),
    (MARCH, [("3", "0", "y"), ("1", "1", "x"), ("1", "-0", "y"), ("2", "0", "x")], "withdraw", True, "difference"),
    (MARCH, [("2", "1", "x"), ("2", "-0", "y"), ("2", "1", "x")], "load", False, "merge"),
    (FEBRUARY, [("1", "0", "y")], "load", True, "copy"),
    (FEBRUARY, [], "wait", False, "merge"),
    (MARCH, [("1", "1", "x"), ("2", "-0", "y"), ("3", "0", "x"), ("2", "1", "x")], "load", True, "difference"),
    (FEBRUARY, [], "load", True, "copy"),
])  # fmt: skip
def test_after_any_history_raw_is_what_a_fresh_load_gives(agreed, landing, warehouse, load, steps):
    contracts = {extra: agreed(extra=extra) for extra in (True, False)}
    empty_ledger(warehouse.connection)
    warehouse.connection.execute("drop table if exists raw.things, raw.things__history")
    shutil.rmtree(landing.root / "things", ignore_errors=True)
    contract = contracts[True]
    warehouse.prepare(contract)
    for number, (key, rows, then, extra, road) in enumerate(steps):
        warehouse.plan_limits, contract = ROADS[road], contracts[extra]
        lines = [
            "id,amount,note,share,extra",
            *(f"{id_},1,a,{share},{kept}" for id_, share, kept in rows),
            "",
        ]
        landing.write(key, "\n".join(lines).encode())
        os.utime(landing.root / key, (1_700_000_000 + number,) * 2)
        if then != "wait":
            load(contract)
        if then == "withdraw":
            withdraw([contract], landing, warehouse, key)
            (landing.root / key).unlink()
            forget(warehouse, key)
    load(contract)
    check_against_a_fresh_load(contract, warehouse, load)


def forget(warehouse, key):
    """Has the ledger forget a withdrawn object: what is delivered under its key is as new as in a fresh load."""
    warehouse.connection.execute("delete from ops.objects where object_key = %s", [key])
