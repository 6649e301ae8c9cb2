"""Rebuild: raw, history and quarantine made again from the landing, with nothing lost that nobody gave up."""

import os
from pathlib import Path

import pytest

from data_ingestion.errors import ContractFault, DecisionNeeded, DropFault, OperatorFault
from data_ingestion.ledger import Fates, Kind, LoadState
from data_ingestion.rebuild import Missing, rebuild
from data_ingestion.warehouses.postgres import rebuilding
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.warehouses.postgres.session import PostgresSession
from data_ingestion.withdraw import withdraw
from tests.integration.test_load import FEBRUARY, JANUARY, history, put, raw

MARCH = "things/2026-03/c.csv"


@pytest.fixture
def make_again(landing, warehouse):
    return lambda contract, **options: rebuild(contract, landing, warehouse, **options)


def as_text(changed):
    return changed(logicalType="string", physicalType="text")


def ledger(warehouse, query):
    return warehouse.connection.execute(query).fetchall()


def left_behind(warehouse):
    return ledger(warehouse, "select relname from pg_class where relname like '%rebuild%' and relkind <> 't'")


def test_a_table_of_another_type_is_made_again_and_the_next_load_goes_on(
    landing, warehouse, load, changed, make_again
):
    put(landing, JANUARY, "1,1,a", "2,2.5,b")
    put(landing, FEBRUARY, "2,3,c")
    load(changed())
    text = as_text(changed)
    with pytest.raises(ContractFault):
        load(text)
    report = make_again(text)
    assert (report.fates, report.raw_before, report.raw_after) == (
        Fates(read=3, superseded=1, inserted=2), 2, 2,
    )  # fmt: skip
    assert raw(warehouse) == [(1, "1", "a"), (2, "3", "c")]
    assert history(warehouse) == [(2, "2.5", "waiting")]
    assert left_behind(warehouse) == []
    assert load(text) == []
    put(landing, FEBRUARY, "9,4,z")
    (correction,) = load(text)
    assert correction.fates == Fates(read=1, inserted=1, restored=1, withdrawn=1)
    assert raw(warehouse) == [(1, "1", "a"), (2, "2.5", "b"), (9, "4", "z")]


@pytest.mark.parametrize("limits", [PlanLimits(), PlanLimits(large_bytes=0)])
def test_a_rebuild_is_what_a_first_load_gives(things, landing, warehouse, load, make_again, limits):
    put(landing, JANUARY, "1,1,a", "1,2,b", "2,x,c", "3,3,d")
    put(landing, FEBRUARY, "1,9,e", "4,4,f", "4,4,f")
    put(landing, MARCH, "3,3,d", "x,x,x")
    warehouse.plan_limits = limits
    load(things)
    state = {
        "raw": "select id, amount, note, _line from raw.things order by 1",
        "history": "select id, amount, note, _line, _fate from raw.things__history order by 1, 4, 2",
        "quarantine": "select object_key, line, column_name, reason, raw_text from ops.quarantine "
        "where closed_by_load_id is null order by 1, 2",
        "conflicts": "select object_key, line, kept_line, content from ops.conflicts c where load_id in "
        "(select load_id from ops.drops) order by 1, 2",
        "drops": "select object_key, o.drop_id, sha256, fingerprint from ops.objects o join ops.drops using (drop_id)"
        " order by 1",
        "rows": "select raw_rows from ops.datasets",
    }
    before = {name: ledger(warehouse, query) for name, query in state.items()}
    assert all(before.values())
    report = make_again(things)
    assert {name: ledger(warehouse, query) for name, query in state.items()} == before
    assert report.fates == Fates(read=9, quarantined=2, repeated=2, superseded=2, inserted=3)
    assert ledger(warehouse, "select count(*) from ops.loads where state = 'started'") == [(0,)]
    assert load(things) == []


def test_loads_of_a_rebuild_add_up_and_come_after_all_others(things, landing, warehouse, load, make_again):
    put(landing, JANUARY, "1,1,a", "2,2,b")
    put(landing, FEBRUARY, "2,3,c", "4,4,d")
    load(things)
    make_again(things)
    loads = ledger(
        warehouse,
        "select kind, plan, inserted, withdrawn, raw_before, raw_after from ops.loads order by load_id desc limit 3",
    )
    assert loads == [
        ("replay", "rebuild", 2, 0, 1, 3),
        ("replay", "rebuild", 1, 0, 0, 1),
        ("rebuild", "rebuild", 0, 3, 3, 0),
    ]


def test_rows_without_a_key_are_counted_again_by_occurrence(landing, warehouse, load, changed, make_again):
    def keyed_by(*names):
        def edit(document):
            schema = document["schema"][0]
            for name in ("primaryKey", "primaryKeyPosition"):
                del schema["properties"][0][name]
            key = {"rule": "occurrence", "columns": list(names)}
            schema["customProperties"].append({"property": "key", "value": key})

        return changed(edit)

    put(landing, JANUARY, "1,1,a", "1,1,a", "2,2,b")
    put(landing, FEBRUARY, "1,1,b", "2,2,b")
    load(keyed_by("id", "amount"))
    before = raw(warehouse, columns="_key")
    make_again(keyed_by("id", "amount"))
    assert raw(warehouse, columns="_key") == before
    wider = keyed_by("id", "amount", "note")
    report = make_again(wider)
    assert report.is_other_key is False
    assert sorted(raw(warehouse)) == [(1, "1.00", "a"), (1, "1.00", "a"), (1, "1.00", "b"), (2, "2.00", "b")]
    taken = ledger(warehouse, "select _key from raw.things__history where _fate = 'withdrawn' order by 1")
    assert taken == before
    assert load(wider) == []


def test_keys_that_leave_raw_stay_known_to_whoever_follows_the_loads(
    landing, warehouse, load, changed, make_again
):
    put(landing, JANUARY, "1,1,a", "2,99,b")
    load(changed())
    mark = ledger(warehouse, "select max(load_id) from ops.loads")[0][0]
    make_again(changed(customProperties=[], logicalTypeOptions={"maximum": 50}))
    assert raw(warehouse) == [(1, "1.00", "a")]
    assert history(warehouse) == [(2, "99.00", "withdrawn")]
    rows = "select id, _by_load_id > {0} from raw.things__history union all select id, _load_id > {0} from raw.things"
    assert sorted(ledger(warehouse, rows.format(mark))) == [(1, True), (2, True)]


def test_a_key_of_other_columns_is_told_for_the_models(landing, warehouse, load, changed, make_again):
    def by_note(document):
        first, _, note = document["schema"][0]["properties"]
        del first["primaryKey"], first["primaryKeyPosition"]
        note.update(primaryKey=True, primaryKeyPosition=1)

    put(landing, JANUARY, "1,1,a", "2,2,a")
    load(changed())
    report = make_again(changed(by_note))
    assert report.is_other_key
    assert raw(warehouse) == [(2, "2.00", "a")]
    assert ledger(warehouse, "select plan from ops.loads where kind = 'rebuild'") == [("rekey",)]


def test_rows_of_a_file_that_is_gone_are_refused_then_given_up(landing, warehouse, load, changed, make_again):
    put(landing, JANUARY, "1,1,a", "2,2,b")
    put(landing, FEBRUARY, "3,3,c")
    load(changed())
    (landing.root / JANUARY).unlink()
    text = as_text(changed)
    with pytest.raises(
        OperatorFault, match=rf"2 of its rows would be lost.*\n    {JANUARY}: gone .*; rows: 2"
    ):
        make_again(text)
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "2.00", "b"), (3, "3.00", "c")]
    report = make_again(text, gives_up_rows=True)
    assert [(drop.object_key, drop.rows) for drop in report.lost] == [(JANUARY, 2)]
    assert raw(warehouse) == [(3, "3", "c")]
    put(landing, JANUARY, "1,1,a", "2,2,b")
    (back,) = load(text)
    assert (back.kind, back.fates) == (Kind.LATE, Fates(read=2, inserted=2))


def test_rows_of_a_file_that_is_gone_or_changed_are_kept_where_the_types_are_the_same(
    landing, warehouse, load, changed, make_again
):
    put(landing, JANUARY, "1,1,january", "2,2,january")
    put(landing, FEBRUARY, "2,3,february")
    put(landing, MARCH, "4,4,march")
    load(changed())
    (landing.root / JANUARY).unlink()
    put(landing, MARCH)
    report = make_again(changed(logicalTypeOptions={"maximum": 2.5}))
    assert {(drop.object_key, drop.rows) for drop in report.kept} == {(JANUARY, 2), (MARCH, 1)}
    assert (report.kept_rows, report.raw_after) == (3, 3)
    assert raw(warehouse) == [(1, "1.00", "january"), (2, "2.00", "january"), (4, "4.00", "march")]
    assert ledger(warehouse, "select count(*) from raw.things where _load_id <= 3") == [(0,)]


@pytest.fixture
def held(landing, load, changed):
    """A correction of January that takes most of its rows away is held; gives contracts with the limit that held it."""

    def contract(**settings):
        def limit(document):
            document["schema"][0]["customProperties"][1]["value"]["withdrawnShare"] = 0.5

        return changed(limit, **settings)

    put(landing, JANUARY, "1,1,a", "2,2,b", "3,3,c")
    put(landing, FEBRUARY, "9,9,z")
    load(contract())
    put(landing, JANUARY, "1,1,a")
    assert [report.state for report in load(contract())] == [LoadState.HELD]
    return contract


def test_rows_behind_a_held_correction_are_kept_and_it_stays_held(landing, warehouse, load, held, make_again):
    report = make_again(held(logicalTypeOptions={"maximum": 50}))
    assert [(drop.object_key, drop.why, drop.rows) for drop in report.kept] == [(JANUARY, Missing.HELD, 3)]
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "2.00", "b"), (3, "3.00", "c"), (9, "9.00", "z")]
    assert [row["decision"] for row in warehouse.held()] == ["held"]


def test_a_rebuild_that_can_not_keep_what_a_held_correction_replaces_waits_for_the_decision(
    warehouse, held, make_again
):
    text = held(logicalType="string", physicalType="text")
    with pytest.raises(
        DecisionNeeded, match=f"while these are held(.|\n)*{JANUARY}(.|\n)*goldworks accept KEY"
    ):
        make_again(text, gives_up_rows=True)
    assert raw(warehouse)[0] == (1, "1.00", "a")


def test_a_rejected_correction_does_not_come_in_by_a_rebuild(landing, warehouse, load, held, make_again):
    withdraw([held()], landing, warehouse, JANUARY)
    text = held(logicalType="string", physicalType="text")
    make_again(text, gives_up_rows=True)
    assert raw(warehouse) == [(9, "9", "z")]
    assert (load(text), warehouse.held(), warehouse.withdrawn()) == ([], [], [JANUARY])


def test_a_touched_file_is_read_and_a_copy_stands_in_for_its_twin(
    things, landing, warehouse, load, make_again
):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "1,1,a")
    put(landing, MARCH, "2,2,b")
    load(things)
    (landing.root / JANUARY).unlink()
    os.utime(landing.root / MARCH, (1_000, 1_000))
    report = make_again(things)
    assert (report.drops, report.kept, report.lost) == (2, (), ())
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "2.00", "b")]


def test_what_was_withdrawn_stays_withdrawn(things, landing, warehouse, load, make_again):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "2,2,b")
    load(things)
    withdraw([things], landing, warehouse, FEBRUARY)
    make_again(things)
    assert raw(warehouse) == [(1, "1.00", "a")]
    assert warehouse.withdrawn() == [FEBRUARY]
    assert load(things) == []


def test_a_drop_that_the_contract_refuses_changes_nothing(landing, warehouse, load, changed, make_again):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, *(f"{number},1.5,b" for number in range(10, 30)))
    load(changed())
    before = raw(warehouse), ledger(warehouse, "select * from ops.drops order by 1")
    with pytest.raises(
        DropFault, match=f"nothing has changed: the contract rejects 1 of 2 drops. .* {FEBRUARY}"
    ):
        make_again(changed(logicalType="integer", physicalType="integer"))
    assert (raw(warehouse), ledger(warehouse, "select * from ops.drops order by 1")) == before
    assert left_behind(warehouse) == []
    assert ledger(warehouse, "select count(*) from ops.loads where kind = 'rebuild'") == [(0,)]


def test_a_load_that_commits_meanwhile_is_caught_up_with(things, landing, warehouse, load, make_again):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "2,2,b")
    load(things)
    other = type(warehouse)(PostgresSession(warehouse.session.open_another(), warehouse.session.open_another))
    rounds = []

    def planned(plan):
        rounds.append(len(plan.drops))
        if len(rounds) == 1:
            put(landing, JANUARY, "1,7,a")
            put(landing, MARCH, "3,3,c")
            from data_ingestion.discovery import discover
            from data_ingestion.load import load_drops

            (found,) = discover([things], landing, other).plans
            list(load_drops(things, landing, other, found.drops))
        return lambda key, size: None

    make_again(things, planned=planned)
    other.close()
    assert rounds == [2, 2]
    assert raw(warehouse) == [(1, "7.00", "a"), (2, "2.00", "b"), (3, "3.00", "c")]
    assert load(things) == []


def test_readers_see_the_old_table_until_the_new_one_takes_its_place(
    landing, warehouse, load, changed, make_again, monkeypatch
):
    """A reader that holds the table is waited for, and a rebuild that can't have it changes nothing."""
    monkeypatch.setattr(rebuilding, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(rebuilding, "TRIES", 2)
    monkeypatch.setattr(rebuilding, "PAUSE_SECONDS", 0)
    put(landing, JANUARY, "1,1,a")
    load(changed())
    text = as_text(changed)
    with warehouse.session.open_another() as reader, reader.transaction():
        assert reader.execute("select amount::text from raw.things").fetchall() == [("1.00",)]
        with pytest.raises(OperatorFault, match=r"is constantly being read, so it was not replaced"):
            make_again(text)
        assert reader.execute("select amount::text from raw.things").fetchall() == [("1.00",)]
    make_again(text)
    assert raw(warehouse) == [(1, "1", "a")]


def test_views_grants_and_indexes_follow_the_new_table(landing, warehouse, load, changed, make_again):
    put(landing, JANUARY, "1,1,a")
    load(changed())
    for statement in (
        "create view ops.looks as select id, amount from raw.things",
        "create view ops.sums as select sum(amount) from raw.things",
        "grant select (id) on raw.things to reporter",
    ):
        warehouse.connection.execute(statement)
    indexes = "select indexname from pg_indexes where schemaname = 'raw' order by 1"
    before = ledger(warehouse, indexes)
    report = make_again(as_text(changed))
    assert report.notes == (
        "ops.sums no longer fits and was dropped: function sum(text) does not exist "
        "(its text is kept in ops.dropped_views; dbt creates its own again)",
    )
    assert ledger(warehouse, "select amount from ops.looks") == [("1",)]
    assert ledger(warehouse, indexes) == before
    assert ledger(
        warehouse,
        "select has_table_privilege('raw_reader', 'raw.things', 'select'),"
        " has_column_privilege('reporter', 'raw.things', 'id', 'select')",
    ) == [(True, True)]


def test_one_session_at_a_time_rebuilds_a_dataset(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a")
    load(things)
    other = type(warehouse)(PostgresSession(warehouse.session.open_another(), warehouse.session.open_another))
    with warehouse.rebuild(things), pytest.raises(OperatorFault, match="being rebuilt by another session"):
        rebuild(things, landing, other)
    other.close()
    rebuild(things, landing, warehouse)


def test_a_dataset_that_was_never_loaded_has_nothing_to_rebuild(things, warehouse, make_again):
    report = make_again(things)
    assert (report.drops, report.raw_after) == (0, 0)


def test_the_contract_of_a_rebuild_may_be_that_of_the_repository(bank, landing, warehouse, load, make_again):
    header = (
        "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,."
    )
    row = '1234567\',14-Mar-25,FEE,,14-Mar-25,"1,000.00",,5.00,.'
    landing.write("bank_transactions/a.csv", "\r\n".join([header, row, row, ""]).encode())
    load(bank)
    before = raw(warehouse, "bank_transactions", "_key, _occurrence")
    make_again(bank)
    assert raw(warehouse, "bank_transactions", "_key, _occurrence") == before
    assert Path(bank.path).exists()
