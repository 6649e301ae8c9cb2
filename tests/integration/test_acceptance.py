"""Acceptance on a real warehouse: what fails or is held changes nothing, and a person decides by a command."""

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.decisions import accept, find_waiting, load_accepted
from data_ingestion.discovery import discover
from data_ingestion.errors import OperatorFault
from data_ingestion.ledger import Fates, Kind, LoadState, MergePlan
from data_ingestion.plan import Choice, Why
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, history, put, raw

TEN = [f"{number},{number},a" for number in range(1, 11)]


@pytest.fixture
def strict(tmp_path):
    """`things` with every limit as it is by default."""
    return read_contract(with_settings(tmp_path))


def with_settings(folder, *settings, **changes):
    path = write_things(folder, **changes)
    contract = yaml.safe_load(path.read_text())
    contract["schema"][0]["customProperties"] = list(settings)
    path.write_text(yaml.safe_dump(contract))
    return path


def state_of(warehouse):
    """Everything that a load may change but the list of attempts."""
    tables = ("raw.things", "raw.things__history", "ops.drops", "ops.objects", "ops.conflicts")
    return {
        table: warehouse.connection.execute(f"select t::text from {table} t order by 1").fetchall()
        for table in tables
    }


def plan_of(contract, landing, warehouse, choice=Choice()):
    (plan,) = discover([contract], landing, warehouse, choice).plans
    return plan


@pytest.mark.parametrize("bad", [15, 9])
def test_a_correction_of_which_most_rows_are_bad_fails_and_the_rows_before_it_stay(
    bad, strict, landing, warehouse, load
):
    put(landing, JANUARY, *(f"{number},1.5,a" for number in range(15)))
    load(strict)
    before = state_of(warehouse)
    good = [f"{number},1.5,a" for number in range(15 - bad)]
    put(landing, JANUARY, *(f'{number},"1,5",a' for number in range(bad)), *good)
    (report,) = load(strict)
    assert report.state is LoadState.FAILED
    assert f"{bad} amount: not_a_number" in report.error
    assert state_of(warehouse) == before


def test_a_small_first_file_without_a_good_row_fails(strict, landing, warehouse, load):
    put(landing, JANUARY, "1,x,a")
    (report,) = load(strict)
    assert (report.state, raw(warehouse)) == (LoadState.FAILED, [])
    assert "the only row violates the contract" in report.error


def test_a_key_that_does_not_identify_rows_fails_the_drop_and_loses_nothing(strict, landing, warehouse, load):
    put(landing, JANUARY, *(f"{number % 10},{number},a" for number in range(1000)))
    (report,) = load(strict)
    assert report.state is LoadState.FAILED
    assert "990 of 1,000 rows differ from a later row with the same key (id); the limit is 50" in report.error
    assert raw(warehouse) == []
    assert warehouse.conflicts() == []


def test_equal_repeats_of_a_key_are_no_conflicts(strict, landing, warehouse, load):
    put(landing, JANUARY, *["1,1,a"] * 1000)
    (report,) = load(strict)
    assert report.fates == Fates(read=1000, repeated=999, inserted=1)


def test_of_many_small_drops_the_one_with_conflicts_fails_and_the_others_come_in(
    strict, landing, warehouse, load
):
    put(landing, "things/2026-01/a.csv", *(f"1,{number},a" for number in range(30)))
    put(landing, "things/2026-01/b.csv", "2,2,b", "2,3,b")
    put(landing, "things/2026-01/c.csv", "3,3,c")
    reports = {report.object_key[-5]: report for report in load(strict)}
    assert {key: report.state for key, report in reports.items()} == {
        "a": LoadState.FAILED,
        "b": LoadState.LOADED,
        "c": LoadState.LOADED,
    }
    assert raw(warehouse) == [(2, "3.00", "b"), (3, "3.00", "c")]
    (conflict,) = warehouse.conflicts("things")
    assert (conflict["line"], conflict["kept_line"], conflict["content"]["amount"]) == (2, 3, 2)


# One shape of text


def with_na(good, bad, first=0):
    return [f"{first + n},{'NA' if n < bad else '1'},a" for n in range(good + bad)]


def test_a_first_drop_that_loses_many_rows_to_one_shape_fails_until_a_person_accepts_it(
    strict, landing, warehouse, load
):
    put(landing, JANUARY, *with_na(979, 21))
    (report,) = load(strict)
    assert report.state is LoadState.FAILED
    assert "21 of 1,000 rows fail in 'amount' for texts like 'a' (not_a_number)" in report.error
    assert find_waiting([strict], warehouse) == []  # the failure says so in every run
    accepted = accept([strict], warehouse, JANUARY)
    assert accepted.shapes == ("amount: a",)
    (report,) = load_accepted([strict], landing, warehouse, JANUARY)
    assert report.fates == Fates(read=1000, quarantined=21, inserted=979)
    assert find_waiting([strict], warehouse) == []


def test_a_later_drop_comes_in_and_waits_for_a_person_until_one_accepts_it(strict, landing, warehouse, load):
    put(landing, JANUARY, "5000,1,a")
    load(strict)
    put(landing, FEBRUARY, *with_na(979, 21))
    (report,) = load(strict)
    assert report.fates == Fates(read=1000, quarantined=21, inserted=979)
    (waiting,) = find_waiting([strict], warehouse)
    assert (waiting.kind, waiting.object_key) == ("finding", FEBRUARY)
    assert "knownBad" in waiting.message and f"goldworks accept {FEBRUARY}" in waiting.message
    accept([strict], warehouse, FEBRUARY)
    assert find_waiting([strict], warehouse) == []
    put(landing, "things/2026-03/c.csv", *with_na(979, 21, first=10_000))
    (report,) = load(strict)
    assert (report.state, report.findings) == (LoadState.LOADED, ())


def test_what_the_contract_knows_waits_no_longer(strict, landing, warehouse, load, tmp_path):
    put(landing, JANUARY, "5000,1,a")
    load(strict)
    put(landing, FEBRUARY, *with_na(979, 21))
    load(strict)
    known = {"customProperties": [{"property": "knownBad", "value": ["NA"]}]}
    told = read_contract(with_settings(tmp_path, **known))
    assert told.fingerprint == strict.fingerprint  # nothing is read again for it
    assert find_waiting([told], warehouse) == []


def test_a_drop_that_is_corrected_waits_no_longer(strict, landing, warehouse, load):
    put(landing, JANUARY, "5000,1,a")
    load(strict)
    put(landing, FEBRUARY, *with_na(979, 21))
    load(strict)
    put(landing, FEBRUARY, *with_na(1000, 0))
    load(strict)
    assert find_waiting([strict], warehouse) == []


# Held


@pytest.fixture
def holding(strict, landing, warehouse, load):
    """Ten rows, of which a correction would take six."""
    put(landing, JANUARY, *TEN, at=1_700_000_000)
    load(strict)
    put(landing, JANUARY, *TEN[:4], "1,x,a", at=1_700_000_100)
    return strict


def test_a_correction_that_would_take_most_rows_is_held_and_changes_nothing(
    holding, landing, warehouse, load
):
    before = state_of(warehouse)
    (report,) = load(holding)
    assert (report.state, report.kind) == (LoadState.HELD, Kind.CORRECTED)
    assert "has 5 rows and would withdraw 6 of 10 rows" in report.error
    assert state_of(warehouse) == before
    (waiting,) = find_waiting([holding], warehouse)
    assert (waiting.kind, waiting.object_key) == ("held", JANUARY)
    assert len(warehouse.quarantined(None, None, everything=False, limit=10)) == 1


def test_a_held_version_is_not_read_again_not_even_by_a_full_refresh(holding, landing, warehouse, load):
    load(holding)
    for choice in (Choice(), Choice(full_refresh=True), Choice(only_quarantined=True)):
        plan = plan_of(holding, landing, warehouse, choice)
        assert (plan.drops, [item.why for item in plan.left]) == ((), [Why.HELD])


def test_half_of_the_rows_may_leave(strict, landing, warehouse, load):
    put(landing, JANUARY, *TEN)
    load(strict)
    put(landing, JANUARY, *TEN[:5])
    (report,) = load(strict)
    assert report.fates == Fates(read=5, unchanged=5, withdrawn=5)


def test_a_header_without_rows_is_held_as_a_correction_and_loads_as_a_first_file(
    strict, landing, warehouse, load
):
    put(landing, JANUARY)
    (report,) = load(strict)
    assert (report.state, report.fates) == (LoadState.LOADED, Fates())
    put(landing, JANUARY, *(f"{number},1,a" for number in range(1000)))
    load(strict)
    put(landing, JANUARY)
    (report,) = load(strict)
    assert report.state is LoadState.HELD
    assert "is empty and would withdraw 1,000 of 1,000 rows" in report.error


def test_an_accepted_correction_comes_in(holding, landing, warehouse, load):
    load(holding)
    assert accept([holding], warehouse, JANUARY).correction
    (report,) = load_accepted([holding], landing, warehouse, JANUARY)
    assert report.fates == Fates(read=5, quarantined=1, unchanged=4, withdrawn=6)
    assert len(raw(warehouse)) == 4
    assert warehouse.held() == find_waiting([holding], warehouse) == []
    assert load(holding) == []


def test_an_accepted_correction_is_not_the_next_one(holding, landing, warehouse, load):
    load(holding)
    accept([holding], warehouse, JANUARY)
    put(landing, JANUARY, *TEN[:1])
    (report,) = load(holding)
    assert report.state is LoadState.HELD
    assert len(raw(warehouse)) == 10


def test_a_rejected_correction_leaves_the_rows_and_is_not_loaded_until_its_bytes_change(
    holding, landing, warehouse, load
):
    load(holding)
    report = withdraw([holding], landing, warehouse, JANUARY)
    assert (report.plan, report.fates) == (MergePlan.NOTHING, Fates())
    assert len(raw(warehouse)) == 10
    assert find_waiting([holding], warehouse) == []
    assert warehouse.quarantined(None, None, everything=False, limit=10) == []
    assert [item.why for item in plan_of(holding, landing, warehouse).left] == [Why.REJECTED]
    put(landing, JANUARY, *TEN[:4], "1,x,a", at=1_700_000_200)  # touched
    (report,) = load(holding)
    assert (report.kind, report.plan) == (Kind.KNOWN, MergePlan.NOTHING)
    assert load(holding) == []
    put(landing, JANUARY, *TEN[:6])
    (report,) = load(holding)
    assert report.fates == Fates(read=6, unchanged=6, withdrawn=4)
    assert warehouse.held() == []


def test_a_rejection_that_is_undone_has_the_correction_judged_again(holding, landing, warehouse, load):
    load(holding)
    withdraw([holding], landing, warehouse, JANUARY)
    undo_withdrawal([holding], landing, warehouse, JANUARY)
    (report,) = load(holding)
    assert report.state is LoadState.HELD


def test_withdrawn_once_more_the_rows_leave_too(holding, landing, warehouse, load):
    load(holding)
    withdraw([holding], landing, warehouse, JANUARY)
    report = withdraw([holding], landing, warehouse, JANUARY)
    assert (report.fates, raw(warehouse), warehouse.held()) == (Fates(withdrawn=10), [], [])


def test_the_version_in_force_delivered_again_ends_the_wait(holding, landing, warehouse, load):
    load(holding)
    put(landing, JANUARY, *TEN, at=1_700_000_300)
    (report,) = load(holding)
    assert (report.kind, report.plan) == (Kind.KNOWN, MergePlan.NOTHING)
    assert warehouse.held() == []


def test_a_held_correction_is_judged_again_under_another_contract(
    holding, landing, warehouse, load, tmp_path
):
    load(holding)
    wider = {"property": "acceptance", "value": {"withdrawnShare": 0.6}}
    moved = read_contract(with_settings(tmp_path, wider, physicalType="numeric(14,2)"))
    warehouse.connection.execute("alter table raw.things alter amount type numeric(14,2)")
    warehouse.connection.execute("alter table raw.things__history alter amount type numeric(14,2)")
    (report,) = load(moved)
    assert report.fates == Fates(read=5, quarantined=1, unchanged=4, withdrawn=6)


def test_rows_that_another_file_claims_too_do_not_leave_with_a_copy_of_it(strict, landing, warehouse, load):
    put(landing, JANUARY, *TEN)
    put(landing, FEBRUARY, *TEN[:5])
    load(strict)
    put(landing, JANUARY, *TEN[:5])  # the bytes of February: five of ten rows stay
    (report,) = load(strict)
    assert (report.kind, report.state) == (Kind.DUPLICATE, LoadState.LOADED)


def test_another_file_copied_over_one_by_mistake_is_held(strict, landing, warehouse, load):
    put(landing, JANUARY, *TEN)
    put(landing, FEBRUARY, "50,1,a")
    load(strict)
    put(landing, JANUARY, "50,1,a")
    (report,) = load(strict)
    assert report.state is LoadState.HELD
    assert "has the same bytes as another file and would withdraw 10 of 10 rows" in report.error
    accept([strict], warehouse, JANUARY)
    (report,) = load_accepted([strict], landing, warehouse, JANUARY)
    assert (report.kind, report.fates) == (Kind.DUPLICATE, Fates(withdrawn=10))


def test_a_file_whose_twin_keeps_its_rows_may_be_corrected_freely(strict, landing, warehouse, load):
    put(landing, JANUARY, *TEN)
    put(landing, FEBRUARY, *TEN)
    load(strict)
    put(landing, JANUARY, "50,1,a")
    (report,) = load(strict)
    assert (report.state, len(raw(warehouse))) == (LoadState.LOADED, 11)


def test_rows_that_wait_behind_a_newer_file_count_as_held(strict, landing, warehouse, load):
    put(landing, JANUARY, *TEN)
    put(landing, FEBRUARY, *TEN)
    put(landing, FEBRUARY, *[row.replace(",a", ",b") for row in TEN])
    load(strict)
    assert len(history(warehouse)) == 10
    put(landing, JANUARY, *TEN[:1])
    (report,) = load(strict)
    assert report.state is LoadState.HELD
    assert "would withdraw 9 of 10 rows" in report.error


def test_a_key_of_which_nothing_waits_is_refused(strict, landing, warehouse, load):
    put(landing, JANUARY, *TEN)
    load(strict)
    with pytest.raises(OperatorFault, match="nothing of it is held"):
        accept([strict], warehouse, JANUARY)
    with pytest.raises(OperatorFault, match="no such object in the ledger"):
        accept([strict], warehouse, "things/2026-01/other.csv")
