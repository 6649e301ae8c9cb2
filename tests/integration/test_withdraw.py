"""Withdrawals: an object leaves force because a person says so, and comes back when they take it back."""

import json
import os

import pytest

from data_ingestion.discovery import discover
from data_ingestion.errors import DropFault, ObjectChanged, OperatorFault
from data_ingestion.ledger import Fates, Kind, LoadState
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice, PlannedDrop
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.integration.test_load import FEBRUARY, JANUARY, history, put
from tests.integration.test_load import raw as raw_of


def raw(warehouse):
    return raw_of(warehouse, columns="id, amount::int, note")


@pytest.fixture
def two_months(things, landing, load):
    """January holds 1 and 2, February 2 and 3."""
    put(landing, JANUARY, "1,1,jan", "2,1,jan")
    put(landing, FEBRUARY, "2,2,feb", "3,2,feb")
    load(things)


def test_a_withdrawn_month_leaves_raw_and_an_older_one_gets_its_place_back(
    things, landing, warehouse, load, two_months
):
    report = withdraw([things], landing, warehouse, FEBRUARY)
    assert (report.kind, report.state, report.plan) == (Kind.WITHDRAWAL, LoadState.LOADED, "withdraw")
    assert report.fates == Fates(withdrawn=2, restored=1)
    assert (report.raw_before, report.raw_after) == (3, 2)
    assert raw(warehouse) == [(1, 1, "jan"), (2, 1, "jan")]
    assert load(things) == []


def test_what_a_withdrawal_took_and_brought_back_carries_its_load(things, landing, warehouse, two_months):
    report = withdraw([things], landing, warehouse, FEBRUARY)
    gone = warehouse.connection.execute(
        "select id, _fate from raw.things__history where _by_load_id = %s order by id", [report.load_id]
    ).fetchall()
    assert gone == [(2, "withdrawn"), (3, "withdrawn")]
    back = warehouse.connection.execute("select id from raw.things where _load_id = %s", [report.load_id])
    assert back.fetchall() == [(2,)]
    assert warehouse.unbuilt_datasets("store", ["things"]) == {"things": report.load_id}


def test_the_ledger_tells_of_a_withdrawal(things, landing, warehouse, two_months):
    report = withdraw([things], landing, warehouse, FEBRUARY)
    row = warehouse.loads("things", 1)[0]
    assert (row["kind"], row["state"], row["load_id"], row["withdrawn"]) == (
        "withdrawal", "loaded", report.load_id, 2,
    )  # fmt: skip
    (dataset,) = warehouse.summary()
    assert (dataset["raw_rows"], dataset["objects"], dataset["drops"]) == (2, 1, 1)


def test_it_stays_withdrawn_through_listings_full_refreshes_and_touches(
    things, landing, warehouse, load, two_months
):
    withdraw([things], landing, warehouse, FEBRUARY)
    load(things, Choice(full_refresh=True))
    os.utime(landing.root / FEBRUARY, (1_900_000_000, 1_900_000_000))
    (touched,) = load(things)
    assert (touched.kind, touched.plan) == (Kind.KNOWN, "nothing")
    assert load(things) == []
    assert raw(warehouse) == [(1, 1, "jan"), (2, 1, "jan")]


def test_other_bytes_under_its_key_are_new(things, landing, warehouse, load, two_months):
    withdraw([things], landing, warehouse, FEBRUARY)
    put(landing, FEBRUARY, "9,9,new")
    (report,) = load(things)
    assert (report.kind, report.fates.inserted) == (Kind.NEW, 1)


def test_an_undone_withdrawal_is_loaded_again_by_the_next_run_in_the_rank_it_had(
    things, landing, warehouse, load, two_months
):
    was = warehouse.connection.execute(
        "select rank_delivered_at from ops.drops order by rank_period"
    ).fetchall()
    withdraw([things], landing, warehouse, FEBRUARY)
    os.utime(landing.root / FEBRUARY, (1_900_000_000, 1_900_000_000))
    undo_withdrawal([things], landing, warehouse, FEBRUARY)
    (report,) = load(things)
    assert report.fates == Fates(read=2, inserted=1, updated=1)
    assert raw(warehouse) == [(1, 1, "jan"), (2, 2, "feb"), (3, 2, "feb")]
    (rank,) = warehouse.connection.execute(
        "select rank_delivered_at from ops.drops where ended_at is null order by rank_period desc limit 1"
    ).fetchone()
    assert rank == was[1][0]


def test_bytes_that_another_object_holds_stay(things, landing, warehouse, load, two_months):
    put(landing, "things/2026-03/copy.csv", "2,2,feb", "3,2,feb")
    load(things)
    report = withdraw([things], landing, warehouse, FEBRUARY)
    assert (report.fates, report.plan) == (Fates(), "nothing")
    assert raw(warehouse) == [(1, 1, "jan"), (2, 2, "feb"), (3, 2, "feb")]


def test_a_copy_that_ranked_its_drop_higher_takes_the_rank_with_it(
    things, landing, warehouse, load, two_months
):
    put(landing, "things/2026-03/copy.csv", "1,1,jan", "2,1,jan")
    load(things)
    assert raw(warehouse)[1] == (2, 1, "jan")
    report = withdraw([things], landing, warehouse, "things/2026-03/copy.csv")
    assert report.plan == "settle"
    assert raw(warehouse)[1] == (2, 2, "feb")
    assert warehouse.unbuilt_datasets("store", ["things"]) == {"things": report.load_id}


def test_a_drop_that_only_waited_leaves_the_history(things, landing, warehouse, load):
    put(landing, FEBRUARY, "1,2,feb")
    load(things)
    put(landing, JANUARY, "1,1,jan")
    load(things)
    assert history(warehouse) != []
    withdraw([things], landing, warehouse, JANUARY)
    assert history(warehouse) == []
    assert raw(warehouse) == [(1, 2, "feb")]


def test_its_open_quarantine_is_closed(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a", "2,two,b")
    load(things)
    report = withdraw([things], landing, warehouse, JANUARY)
    assert warehouse.quarantined("things") == []
    (row,) = warehouse.quarantined("things", everything=True)
    assert row["closed_by_load_id"] == report.load_id


def test_an_object_that_could_not_be_loaded_is_not_tried_again(things, landing, warehouse, load):
    put(landing, JANUARY, *(f"{number},bad,x" for number in range(9)))
    (failed,) = load(things)
    assert failed.state is LoadState.FAILED
    assert withdraw([things], landing, warehouse, JANUARY).plan == "nothing"
    assert (load(things), warehouse.quarantined("things")) == ([], [])


def test_of_an_object_that_could_not_be_loaded_the_version_last_seen_is_withdrawn(
    things, landing, warehouse, load
):
    for bad in ("bad", "worse"):
        put(landing, JANUARY, *(f"{number},{bad},x" for number in range(9)))
        load(things)
    withdraw([things], landing, warehouse, JANUARY)
    assert load(things) == []


def test_withdrawn_twice_is_withdrawn_once(things, landing, warehouse, two_months):
    withdraw([things], landing, warehouse, FEBRUARY)
    before = warehouse.loads("things")
    assert withdraw([things], landing, warehouse, FEBRUARY).plan_reason == "withdrawn already"
    assert warehouse.loads("things") == before


def test_a_withdrawal_that_does_not_commit_has_not_been(things, landing, warehouse, two_months, monkeypatch):
    original = PostgresWarehouse.withdraw

    def withdraw_and_fail(self, *arguments):
        original(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(PostgresWarehouse, "withdraw", withdraw_and_fail)
    loads = warehouse.loads("things")
    with pytest.raises(KeyboardInterrupt):
        withdraw([things], landing, warehouse, FEBRUARY)
    assert raw(warehouse) == [(1, 1, "jan"), (2, 2, "feb"), (3, 2, "feb")]
    assert warehouse.loads("things") == loads


def test_a_key_that_is_not_known_is_refused_with_those_alike(things, landing, warehouse, two_months):
    with pytest.raises(OperatorFault, match=f"did you mean {JANUARY}"):
        withdraw([things], landing, warehouse, "a.csv")
    with pytest.raises(OperatorFault, match="relative to the landing"):
        withdraw([things], landing, warehouse, "z.csv")


def test_what_can_not_be_withdrawn_or_undone_says_why(things, landing, warehouse, load, two_months):
    landing.write("notes.txt", b"x")
    load(things)
    with pytest.raises(OperatorFault, match="no contract matches it"):
        withdraw([things], landing, warehouse, "notes.txt")
    with pytest.raises(OperatorFault, match="restore the contract of 'things'"):
        withdraw([], landing, warehouse, FEBRUARY)
    with pytest.raises(OperatorFault, match="is not withdrawn"):
        undo_withdrawal([things], landing, warehouse, FEBRUARY)
    withdraw([things], landing, warehouse, FEBRUARY)
    (landing.root / FEBRUARY).unlink()
    with pytest.raises(DropFault, match=r"was not found on .*"):
        undo_withdrawal([things], landing, warehouse, FEBRUARY)


# Objects that were never loaded


def plan_of(things, landing, warehouse):
    (plan,) = discover([things], landing, warehouse).plans
    return list(plan.drops)


def in_another_task(drops):
    """Drops as Airflow's load gets them from its discover."""
    return [PlannedDrop.from_json(plain) for plain in json.loads(json.dumps([d.as_json() for d in drops]))]


@pytest.mark.parametrize("others", [0, 1, 5])
def test_a_withdrawal_between_plan_and_load_stands(others, things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,jan")
    for number in range(others):
        put(landing, f"things/2026-02/{number}.csv", f"{number + 2},2,feb")
    drops = in_another_task(plan_of(things, landing, warehouse))
    withdraw([things], landing, warehouse, JANUARY)
    reports = {report.object_key: report for report in load_drops(things, landing, warehouse, drops)}
    assert len(reports) == others + 1
    left = reports[JANUARY]
    assert (left.kind, left.plan, left.load_id) == (Kind.KNOWN, "nothing", None)
    assert left.plan_reason == f"{JANUARY}: withdrawn since it was planned"
    assert raw(warehouse) == [(number + 2, 2, "feb") for number in range(others)]
    assert warehouse.withdrawn("things") == [JANUARY]
    assert load(things) == []


def test_a_withdrawal_between_plan_and_load_of_a_large_first_drop_stands(things, landing, warehouse, load):
    warehouse.plan_limits = PlanLimits(copy_bytes=0)
    put(landing, JANUARY, "1,1,jan")
    drops = plan_of(things, landing, warehouse)
    withdraw([things], landing, warehouse, JANUARY)
    (report,) = load_drops(things, landing, warehouse, drops)
    assert (report.plan, raw(warehouse)) == ("nothing", [])


def test_a_withdrawal_between_plan_and_load_of_a_copy_stands(things, landing, warehouse, load, two_months):
    copy = "things/2026-03/copy.csv"
    put(landing, copy, "1,1,jan", "2,1,jan")
    drops = plan_of(things, landing, warehouse)
    withdraw([things], landing, warehouse, copy)
    (report,) = load_drops(things, landing, warehouse, drops)
    assert report.plan == "nothing"
    assert (raw(warehouse)[1], warehouse.withdrawn("things")) == ((2, 2, "feb"), [copy])


def test_what_was_withdrawn_before_it_was_loaded_stays_so_when_it_is_touched(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,jan")
    plan_of(things, landing, warehouse)
    withdraw([things], landing, warehouse, JANUARY)
    os.utime(landing.root / JANUARY, (1_900_000_000, 1_900_000_000))
    (touched,) = load(things)
    assert (touched.kind, touched.plan_reason) == (Kind.KNOWN, "the bytes are those that were withdrawn")
    assert (load(things), raw(warehouse)) == ([], [])


def test_what_was_touched_before_it_was_withdrawn_stays_withdrawn(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,jan")
    plan_of(things, landing, warehouse)
    os.utime(landing.root / JANUARY, (1_900_000_000, 1_900_000_000))
    withdraw([things], landing, warehouse, JANUARY)
    assert (load(things), raw(warehouse)) == ([], [])


def test_an_undone_withdrawal_of_what_was_never_loaded_brings_it_in(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,jan", at=1_700_000_000)
    plan_of(things, landing, warehouse)
    withdraw([things], landing, warehouse, JANUARY)
    undo_withdrawal([things], landing, warehouse, JANUARY)
    (report,) = load(things)
    assert report.fates.inserted == 1
    (delivered,) = warehouse.connection.execute("select delivered_at from ops.objects").fetchone()
    assert delivered.timestamp() == 1_700_000_000


def test_other_bytes_that_fail_under_a_withdrawn_key_can_be_withdrawn_too(
    things, landing, warehouse, load, two_months
):
    withdraw([things], landing, warehouse, FEBRUARY)
    put(landing, FEBRUARY, *(f"{number},bad,x" for number in range(9)))
    (failed,) = load(things)
    assert failed.state is LoadState.FAILED
    withdraw([things], landing, warehouse, FEBRUARY)
    assert (load(things), warehouse.quarantined("things")) == ([], [])


def test_what_is_gone_is_withdrawn_as_the_ledger_knows_it(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,jan")
    plan_of(things, landing, warehouse)
    (landing.root / JANUARY).unlink()
    assert withdraw([things], landing, warehouse, JANUARY).plan == "nothing"
    assert warehouse.withdrawn("things") == [JANUARY]


def test_what_can_not_be_read_can_be_withdrawn(things, landing, warehouse, load, monkeypatch):
    put(landing, JANUARY, "1,1,jan")
    plan_of(things, landing, warehouse)

    def refuse(*_):
        raise OperatorFault("permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(type(landing), "open", refuse)
        withdraw([things], landing, warehouse, JANUARY)
    assert (load(things), raw(warehouse)) == ([], [])


def test_what_changes_while_it_is_withdrawn_is_not_withdrawn(things, landing, warehouse, load, monkeypatch):
    put(landing, JANUARY, "1,1,jan")
    plan_of(things, landing, warehouse)

    def change(*_):
        raise ObjectChanged(f"{JANUARY}: changed since it was listed")

    with monkeypatch.context() as patch:
        patch.setattr(type(landing), "open", change)
        with pytest.raises(ObjectChanged):
            withdraw([things], landing, warehouse, JANUARY)
    assert warehouse.withdrawn("things") == []


# What has become of a key


def made_a_folder(path):
    path.mkdir()


def made_a_link_to_itself(path):
    path.symlink_to(path.name)


@pytest.mark.parametrize("become", [made_a_folder, made_a_link_to_itself])
def test_a_key_that_is_no_file_any_more_can_not_be_brought_back(
    become, things, landing, warehouse, load, two_months
):
    withdraw([things], landing, warehouse, FEBRUARY)
    (landing.root / FEBRUARY).unlink()
    become(landing.root / FEBRUARY)
    with pytest.raises(DropFault, match=r"was not found on .*"):
        undo_withdrawal([things], landing, warehouse, FEBRUARY)
    assert warehouse.withdrawn("things") == [FEBRUARY]


def test_a_key_whose_folder_has_become_a_file_can_not_be_brought_back(
    things, landing, warehouse, load, two_months
):
    withdraw([things], landing, warehouse, FEBRUARY)
    (landing.root / FEBRUARY).unlink()
    (landing.root / "things/2026-02").rmdir()
    (landing.root / "things/2026-02").write_text("a file")
    with pytest.raises(DropFault, match=r"was not found on .*"):
        undo_withdrawal([things], landing, warehouse, FEBRUARY)
