"""Plan: which objects have to be read, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import read_contract
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind, KnownObject, LedgerView, ObjectState
from data_ingestion.plan import Choice, PlannedDrop, Why, cut_batches, plan_drops, sort_objects

CONTRACT = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))
KEY = "bank_transactions/a.csv"


def seen(key=KEY, etag="e1", size=10, day=1):
    return LandingObject(key, size, etag, datetime(2026, 1, day, tzinfo=UTC))


def held(
    key=KEY, etag="e1", size=10, fingerprint=CONTRACT.fingerprint, open_quarantine=False, state="in_force"
):
    known = KnownObject(
        key, ObjectState(state), etag, size, datetime(2026, 1, 1, tzinfo=UTC), "bank_transactions", "", 1,
        fingerprint, open_quarantine,
    )  # fmt: skip
    return LedgerView({key: known})


def test_an_object_the_ledger_does_not_know_is_new():
    assert [drop.kind for drop in plan_drops(CONTRACT, [seen()], LedgerView()).drops] == [Kind.NEW]


def test_nothing_is_read_again_while_object_bytes_and_contract_are_those_in_force():
    plan = plan_drops(CONTRACT, [seen()], held())
    assert (plan.drops, plan.known) == ((), 1)


def test_other_bytes_under_a_known_key_are_a_correction_that_remembers_what_it_corrects():
    (drop,) = plan_drops(CONTRACT, [seen(etag="e2")], held()).drops
    assert (drop.kind, drop.ledger_etag) == (Kind.CORRECTED, "e1")


def test_a_withdrawn_object_is_left_alone_until_its_bytes_change():
    plan = plan_drops(CONTRACT, [seen()], held(state="withdrawn"), Choice(full_refresh=True))
    assert (plan.drops, plan.count_left(Why.WITHDRAWN)) == ((), 1)
    (drop,) = plan_drops(CONTRACT, [seen(etag="e2")], held(state="withdrawn")).drops
    assert (drop.kind, drop.ledger_etag) == (Kind.NEW, None)


def test_a_changed_contract_loads_what_is_in_force_again():
    (drop,) = plan_drops(CONTRACT, [seen()], held(fingerprint="earlier")).drops
    assert drop.kind is Kind.REPLAY


def test_a_replay_takes_only_drops_with_open_quarantine_under_an_earlier_contract():
    choice = Choice(only_quarantined=True)
    assert plan_drops(CONTRACT, [seen()], held(open_quarantine=True), choice).drops == ()
    assert plan_drops(CONTRACT, [seen()], held(fingerprint="earlier"), choice).drops == ()
    assert plan_drops(CONTRACT, [seen()], held(fingerprint="earlier", open_quarantine=True), choice).drops


def test_a_full_refresh_takes_everything():
    assert plan_drops(CONTRACT, [seen()], held(), Choice(full_refresh=True)).drops


def test_an_object_that_may_still_be_written_to_is_left_to_the_next_run():
    settling, fresh = replace(CONTRACT, settle_seconds=60), seen()
    at = fresh.last_modified
    assert plan_drops(settling, [fresh], LedgerView(), now=at + timedelta(seconds=59)).count_left(Why.UNSETTLED) == 1
    assert plan_drops(settling, [fresh], LedgerView(), now=at + timedelta(seconds=61)).drops


def test_older_deliveries_are_loaded_first():
    plan = plan_drops(
        CONTRACT,
        [seen("bank_transactions/b.csv", day=2), seen("bank_transactions/c.csv", day=1)],
        LedgerView(),
    )
    assert [drop.object.key[-5] for drop in plan.drops] == ["c", "b"]


def test_an_object_that_no_contract_claims_is_unresolved_not_lost():
    stray = seen("tmp/notes.txt")
    lying = sort_objects([CONTRACT], [seen(), stray])
    assert (lying.drops, lying.unresolved) == ({"bank_transactions": [seen()]}, [stray])


def test_two_contracts_that_claim_one_object_are_refused():
    with pytest.raises(ContractFault, match="claimed by both"):
        sort_objects([CONTRACT, CONTRACT], [seen()])


def test_a_period_range_includes_both_ends_and_what_lies_in_them():
    choice = Choice("2026-02", "2026-03")
    assert [choice.takes(period) for period in ("2026-01", "2026-02", "2026-03-31", "2026-04")] == [
        False,
        True,
        True,
        False,
    ]


def test_a_planned_drop_survives_the_way_through_json():
    (drop,) = plan_drops(CONTRACT, [seen()], LedgerView()).drops
    assert PlannedDrop.from_json(drop.as_json()) == drop


@given(st.lists(st.integers(0, 10**9), max_size=200), st.integers(1, 64))
def test_batches_hold_every_drop_once_in_order_and_are_never_too_many(sizes, limit):
    drops = [
        PlannedDrop("d", LandingObject(str(i), size, "e", datetime(2026, 1, 1, tzinfo=UTC)), Kind.NEW, "", "")
        for i, size in enumerate(sizes)
    ]
    batches = cut_batches(drops, limit)
    assert [drop for batch in batches for drop in batch] == drops
    assert len(batches) <= limit
    assert all(batches)


@pytest.mark.parametrize("period", ["2026-3", "March", "2026-03-05 10:00", "2026/03"])
def test_a_period_in_another_form_is_refused_not_compared(period):
    with pytest.raises(OperatorFault, match="is no period\n  write 2026"):
        Choice(last_period=period)
