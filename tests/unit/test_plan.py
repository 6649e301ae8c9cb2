"""Plan: which objects have to be read, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_ingestion.contract import JsonLinesFormat, Pattern, read_contract
from data_ingestion.contract.arrival import DoneMarker
from data_ingestion.contract.terms import Source
from data_ingestion.errors import UsageFault
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind, KnownObject, LedgerView, ObjectState
from data_ingestion.plan import (
    Choice,
    PlannedDrop,
    Why,
    plan_drops,
    sort_objects,
)

CONTRACT = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))
KEY = "bank_transactions/a.csv"


def seen(key=KEY, etag="e1", size=10, day=1):
    return LandingObject(key, size, etag, datetime(2026, 1, day, tzinfo=UTC))


def held(
    key=KEY, etag="e1", size=10, fingerprint=CONTRACT.fingerprint, open_quarantine=False, state="in_force"
):
    known = KnownObject(
        key, ObjectState(state), etag, size, datetime(2026, 1, 1, tzinfo=UTC), "bank_transactions",
        drop_id=1, fingerprint=fingerprint, open_quarantine=open_quarantine,
    )  # fmt: skip
    return LedgerView({key: known})


def test_an_object_the_ledger_does_not_know_is_new():
    assert [drop.kind for drop in plan_drops(CONTRACT, [seen()], LedgerView()).drops] == [Kind.NEW]


def test_nothing_is_read_again_while_object_bytes_and_contract_are_those_in_force():
    plan = plan_drops(CONTRACT, [seen()], held())
    assert (plan.drops, plan.known) == ((), 1)


BOTH = replace(
    CONTRACT,
    pattern=Pattern("d/*.csv"),
    also=(Source(Pattern("d/*.txt"), JsonLinesFormat()),),
)


def ranked(key, fingerprint, ranked_by):
    view = held(key, fingerprint=fingerprint)
    return LedgerView({key: replace(view.objects[key], ranked_by=ranked_by)})


def test_an_object_that_another_server_matches_now_is_read_again_if_that_is_of_another_format():
    key = "d/a.txt"
    as_csv, as_jsonl = BOTH.fingerprint_of("d/a.csv"), BOTH.fingerprint_of(key)
    assert [drop.kind for drop in plan_drops(BOTH, [seen(key)], ranked(key, as_csv, key)).drops] == [
        Kind.REPLAY
    ]
    assert plan_drops(BOTH, [seen(key)], ranked(key, as_jsonl, key)).drops == ()


def test_of_objects_with_the_same_bytes_and_two_formats_the_one_of_the_rank_is_read_and_the_other_left_alone():
    """Else each run would read one of them in its own format, and the next run the other one."""
    as_csv, as_jsonl = BOTH.fingerprint_of("d/a.csv"), BOTH.fingerprint_of("d/a.txt")

    def read(key, fingerprint):
        return [
            drop.object.key
            for drop in plan_drops(BOTH, [seen(key)], ranked(key, fingerprint, "d/a.txt")).drops
        ]

    assert (read("d/a.csv", as_csv), read("d/a.txt", as_csv)) == ([], ["d/a.txt"])
    assert (read("d/a.csv", as_jsonl), read("d/a.txt", as_jsonl)) == ([], [])


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
    assert (
        plan_drops(settling, [fresh], LedgerView(), now=at + timedelta(seconds=59)).count_left(Why.UNSETTLED)
        == 1
    )
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


def test_two_contracts_that_claim_one_object_are_both_in_conflict_and_a_third_is_not():
    double = replace(CONTRACT, dataset="other_transactions")
    third = replace(CONTRACT, dataset="notes", pattern=Pattern("notes/*.csv"))
    lying = sort_objects([CONTRACT, double, third], [seen(), seen("notes/a.csv")])
    assert lying.conflicts.keys() == {"bank_transactions", "other_transactions"}
    assert "matched by both" in str(lying.conflicts["bank_transactions"])
    assert lying.drops == {"bank_transactions": [], "other_transactions": [], "notes": [seen("notes/a.csv")]}


def test_what_only_a_faulty_contract_claims_is_set_aside_and_what_another_claims_too_is_loaded():
    marker = DoneMarker("{stem}.done")
    faulty = replace(CONTRACT, dataset="faulty", pattern=Pattern("**/*.csv"), done_marker=marker)
    its = [seen("new/a.csv"), seen("new/a.done")]
    lying = sort_objects([CONTRACT], [seen(), *its, seen("notes.txt")], [faulty])
    assert (lying.drops, lying.set_aside) == ({"bank_transactions": [seen()]}, its)
    assert lying.unresolved == [seen("notes.txt")]


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


@pytest.mark.parametrize(
    "period",
    ["2026-3", "March", "2026-03-05 10:00", "2026/03", "2026-13", "2026-02-30", "2026-03-05T24", "0000"],
)
def test_a_period_in_another_form_is_refused_not_compared(period):
    with pytest.raises(UsageFault, match="is not a period\n  write 2026"):
        Choice(last_period=period)


@pytest.mark.parametrize("period", ["2026", "2026-12", "2024-02-29", "2026-03-05T23", "2026-03-05T23:59:59"])
def test_a_period_may_end_at_any_part_of_it(period):
    assert Choice(first_period=period, last_period=period).takes(period)


@pytest.mark.parametrize(
    ("first", "last"), [("2026-05", "2026-01"), ("2027", "2026-12"), ("2026-03", "2025")]
)
def test_a_range_that_ends_before_it_begins_is_refused(first, last):
    with pytest.raises(UsageFault, match=f"range {first} to {last} is empty"):
        Choice(first, last)


def test_a_range_may_begin_within_the_period_that_it_ends_with():
    assert Choice("2026-03", "2026").takes("2026-04-01")


def known(twins=(), alike=(), newest="", **states):
    return LedgerView(held(**states).objects if states else {}, newest, dict(twins), frozenset(alike))


def test_bytes_that_an_object_in_force_has_by_etag_and_size_are_a_duplicate_before_they_are_read():
    (drop,) = plan_drops(CONTRACT, [seen()], known(twins={KEY: "bank_transactions/z.csv"})).drops
    assert (drop.kind, drop.twin, drop.is_new) == (Kind.DUPLICATE, "bank_transactions/z.csv", False)
    assert drop.reason == "the same bytes as bank_transactions/z.csv, by ETag and size"


def test_a_correction_to_bytes_that_another_object_has_is_a_duplicate_too():
    (drop,) = plan_drops(CONTRACT, [seen(etag="e2")], known(twins={KEY: "x.csv"}, etag="e1")).drops
    assert (drop.kind, drop.twin, drop.ledger_etag) == (Kind.DUPLICATE, "x.csv", "e1")


def test_of_equal_objects_in_one_plan_the_later_ones_are_duplicates_of_the_first():
    items = [seen(f"bank_transactions/{name}.csv", day=day) for name, day in (("b", 2), ("a", 3), ("c", 1))]
    drops = plan_drops(CONTRACT, items).drops
    assert [(drop.object.key[-5], drop.kind) for drop in drops] == [
        ("c", Kind.NEW), ("b", Kind.DUPLICATE), ("a", Kind.DUPLICATE),
    ]  # fmt: skip
    assert {drop.twin for drop in drops[1:]} == {"bank_transactions/c.csv"}


def test_bytes_that_may_be_known_by_their_size_are_hashed_before_rows_are_read():
    (drop,) = plan_drops(CONTRACT, [seen()], known(alike=[KEY])).drops
    assert (drop.kind, drop.size_known) == (Kind.NEW, True)
    (replay,) = plan_drops(CONTRACT, [seen()], known(alike=[KEY], fingerprint="earlier")).drops
    assert not replay.size_known


def test_a_version_in_force_that_is_back_after_a_failed_one_is_looked_at_again():
    view = held()
    view = LedgerView({KEY: replace(view.objects[KEY], open_failure=True)})
    (drop,) = plan_drops(CONTRACT, [seen()], view).drops
    assert (drop.kind, drop.size_known) == (Kind.CORRECTED, True)


def test_an_object_that_another_dataset_holds_is_told_with_the_way_out():
    view = held()
    view = LedgerView({KEY: replace(view.objects[KEY], dataset="other")})
    (drop,) = plan_drops(CONTRACT, [seen()], view).drops
    assert "its rows are in raw.other" in drop.reason
    assert f"`goldworks withdraw {KEY}`" in drop.reason
    taken_out = LedgerView({KEY: replace(view.objects[KEY], state=ObjectState.WITHDRAWN)})
    assert [drop.kind for drop in plan_drops(CONTRACT, [seen()], taken_out).drops] == [Kind.NEW]


def test_what_has_no_period_lies_in_no_range():
    for choice in (Choice("2026-01"), Choice(last_period="2026-01")):
        plan = plan_drops(CONTRACT, [seen()], choice=choice)
        assert (plan.drops, plan.outside) == ((), 1)


@pytest.mark.parametrize(
    ("first", "last", "taken"),
    [("2026-02-10", "", True), ("", "2026-02-10", True), ("2026-03", "", False), ("", "2026-01-31", False)],
)
def test_a_period_is_in_a_range_of_finer_ones_that_it_overlaps(first, last, taken):
    assert Choice(first, last).takes("2026-02") is taken


@pytest.mark.parametrize(
    ("marker", "of_key"),
    [("{name}.done", "a/x.csv.gz.done"), ("{stem}.ok", "a/x.ok"), ("_SUCCESS", "a/_SUCCESS")],
)
def test_a_done_marker_lies_beside_its_file(marker, of_key):
    assert DoneMarker(marker).of("a/x.csv.gz") == of_key
    assert DoneMarker(marker).is_one(of_key)
    assert not DoneMarker(marker).is_one("a/x.csv.gz")


def test_a_drop_is_read_once_its_done_marker_lies_there_and_is_not_older():
    marked = replace(CONTRACT, done_marker=DoneMarker("{name}.done"))

    def why(*markers):
        lying = sort_objects([marked], [seen(day=2), *markers])
        assert lying.unresolved == []
        plan = plan_drops(
            marked, lying.drops["bank_transactions"], markers=lying.markers["bank_transactions"]
        )
        return [item.why for item in plan.left]

    assert why() == [Why.UNMARKED]
    assert why(seen(f"{KEY}.done", day=1)) == [Why.UNMARKED]
    assert why(seen(f"{KEY}.done", day=2)) == []


def test_a_marker_that_the_pattern_matches_is_no_drop():
    marked = replace(CONTRACT, pattern=Pattern("in/*"), also=(), done_marker=DoneMarker("_SUCCESS"))
    lying = sort_objects([marked], [seen("in/a.csv"), seen("in/_SUCCESS")])
    assert [item.key for item in lying.drops["bank_transactions"]] == ["in/a.csv"]


def test_what_is_in_force_needs_no_marker():
    marked = replace(CONTRACT, done_marker=DoneMarker("_SUCCESS"))
    assert plan_drops(marked, [seen()], held()).known == 1


def test_an_unfinished_file_is_neither_a_drop_nor_unresolved_but_told():
    lying = sort_objects([CONTRACT], [seen(f"{KEY}.part"), seen("tmp/.hidden"), seen("a/.git/x.csv")])
    assert len(lying.ignored) == 3
    assert lying.unresolved == []
