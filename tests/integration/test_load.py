"""Load: what drops do to raw, its history, the quarantine and the ledger."""

import gzip
import os

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.errors import ContractFault, ObjectChanged
from data_ingestion.ledger import Fates, Kind, LoadState
from data_ingestion.plan import Choice
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from tests.integration.conftest import write_things

JANUARY, FEBRUARY = "things/2026-01/a.csv", "things/2026-02/b.csv"


def put(landing, key, *rows, at=None):
    """Writes a drop of `things`; `at` is its delivery time in seconds."""
    landing.write(key, "\n".join(["id,amount,note", *rows, ""]).encode())
    if at is not None:
        os.utime(landing.root / key, (at, at))


def raw(warehouse, table="things", columns="id, amount::text, note"):
    return warehouse.connection.execute(f"select {columns} from raw.{table} order by 1").fetchall()


def history(warehouse):
    return warehouse.connection.execute(
        "select id, amount::text, _fate from raw.things__history order by 1, 3, 2"
    ).fetchall()


def test_a_first_drop_is_inserted_and_a_second_run_finds_nothing_to_do(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1.50,a", "2,2,b")
    (report,) = load(things)
    assert (report.kind, report.fates) == (Kind.NEW, Fates(read=2, inserted=2))
    assert load(things) == []
    assert raw(warehouse) == [(1, "1.50", "a"), (2, "2.00", "b")]


def test_a_correction_updates_withdraws_and_inserts_and_leaves_the_rest_untouched(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,a", "2,2,b", "3,3,c")
    load(things)
    before = raw(warehouse, columns="id, xmin::text")
    put(landing, JANUARY, "1,1,a", "2,20,b", "4,4,d")
    (report,) = load(things)
    assert report.kind is Kind.CORRECTED
    assert report.fates == Fates(read=3, unchanged=1, updated=1, inserted=1, withdrawn=1)
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "20.00", "b"), (4, "4.00", "d")]
    assert history(warehouse) == [(2, "2.00", "replaced"), (3, "3.00", "withdrawn")]
    assert raw(warehouse, columns="id, xmin::text")[0] == before[0]


def test_a_row_withdrawn_by_a_correction_comes_back_from_the_older_month(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,january", "2,2,january")
    put(landing, FEBRUARY, "1,9,february")
    load(things)
    assert history(warehouse) == [(1, "1.00", "waiting")]
    put(landing, FEBRUARY, "7,7,february")
    (report,) = load(things)
    assert report.fates == Fates(read=1, inserted=1, withdrawn=1, restored=1)
    assert raw(warehouse) == [(1, "1.00", "january"), (2, "2.00", "january"), (7, "7.00", "february")]


def test_a_late_month_fills_gaps_and_never_overwrites_the_newer_one(things, landing, warehouse, load):
    put(landing, FEBRUARY, "1,9,february")
    load(things)
    put(landing, JANUARY, "1,1,january", "2,2,january")
    (report,) = load(things)
    assert (report.kind, report.fates) == (Kind.LATE, Fates(read=2, superseded=1, inserted=1))
    assert raw(warehouse) == [(1, "9.00", "february"), (2, "2.00", "january")]


def test_the_same_bytes_under_another_name_are_recorded_and_change_no_row(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a")
    load(things)
    put(landing, "things/2026-01/copy.csv", "1,1,a")
    (report,) = load(things)
    assert (report.kind, report.fates, report.plan) == (Kind.DUPLICATE, Fates(), "nothing")
    assert len(raw(warehouse)) == 1


def test_rows_of_a_duplicate_stay_when_the_first_object_is_corrected(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a")
    put(landing, "things/2026-01/copy.csv", "1,1,a")
    load(things)
    put(landing, JANUARY, "2,2,b")
    load(things)
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "2.00", "b")]


def test_a_touched_object_changes_nothing(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a", at=1_700_000_000)
    load(things)
    before = raw(warehouse, columns="id, xmin::text")
    os.utime(landing.root / JANUARY, (1_800_000_000, 1_800_000_000))
    (report,) = load(things)
    assert (report.kind, report.plan) == (Kind.KNOWN, "nothing")
    assert raw(warehouse, columns="id, xmin::text") == before
    assert load(things) == []


def test_a_first_drop_that_is_copied_straight_leaves_raw_with_its_key_and_without_defaults(
    things, landing, warehouse, load
):
    warehouse.plan_limits = PlanLimits(copy_bytes=0)
    put(landing, JANUARY, "1,1,a", "2,2,b")
    (report,) = load(things)
    assert report.plan == "copy"
    assert raw(warehouse, columns="id, _drop_id, _load_id") == [(1, 1, 1), (2, 1, 1)]
    made = (
        "select contype::text, (select count(*) from pg_attrdef where adrelid = conrelid) from pg_constraint"
    )
    assert ("p", 0) in warehouse.connection.execute(
        f"{made} where conrelid = 'raw.things'::regclass"
    ).fetchall()


def test_a_small_file_that_unpacks_to_a_large_one_is_loaded_alone(
    things, landing, warehouse, load, monkeypatch
):
    monkeypatch.setattr("data_ingestion.batch.MOST_KEPT_BYTES", 1000)
    landing.write(JANUARY, ("id,amount,note\n" + "".join(f"{n},1,a\n" for n in range(99))).encode())
    put(landing, FEBRUARY, "100,2,b")
    put(landing, "things/2026-03/c.csv", "101,2,b")
    reports = load(things)
    told = {report.object_key: "2 drops at once" in report.plan_reason for report in reports}
    assert told == {JANUARY: False, FEBRUARY: True, "things/2026-03/c.csv": True}
    assert len(raw(warehouse)) == 101


def test_an_object_that_never_holds_still_is_a_failed_load_in_the_ledger(
    things, landing, warehouse, load, monkeypatch
):
    put(landing, JANUARY, "1,1,a")

    def changes(seen):
        raise ObjectChanged(f"{seen.key}: changed since it was listed")

    monkeypatch.setattr(landing, "open", changes)
    (report,) = load(things)
    assert report.state is LoadState.FAILED
    (row,) = warehouse.loads("things")
    assert (row["state"], row["error"]) == ("failed", f"{JANUARY}: changed since it was listed")


def test_the_last_row_of_a_key_stays_and_the_earlier_one_is_kept_as_a_conflict(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,first", "2,2,x", "2,2,x", "1,5,last")
    (report,) = load(things)
    assert report.fates == Fates(read=4, repeated=2, inserted=2)
    assert raw(warehouse) == [(1, "5.00", "last"), (2, "2.00", "x")]
    conflicts = warehouse.connection.execute(
        "select line, kept_line, content->>'note' from ops.conflicts"
    ).fetchall()
    assert conflicts == [(2, 5, "first")]


def test_a_bad_row_is_quarantined_with_its_place_reason_and_text_and_all_others_are_in(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,a", "2,two,b", "3,3", '4,4,"open', "5,5,e")
    landing.write(FEBRUARY, b"id,amount,note\n6,6,\xff\n7,7,g\n")
    reports = load(things)
    assert [report.fates for report in reports] == [
        Fates(read=5, quarantined=3, inserted=2),
        Fates(read=2, quarantined=1, inserted=1),
    ]
    rows = warehouse.quarantined("things")
    assert [
        (row["object_key"], row["line"], row["column_name"], row["reason"], row["raw_text"]) for row in rows
    ] == [
        (JANUARY, 3, "amount", "not_a_number", "2,two,b"),
        (JANUARY, 4, None, "too_few_columns", "3,3"),
        (JANUARY, 5, "note", "unclosed_quote", '4,4,"open'),
        (FEBRUARY, 2, "note", "bad_utf8", "6,6,\\xff"),
    ]
    assert [row[0] for row in raw(warehouse)] == [1, 5, 7]


def test_a_row_that_a_correction_breaks_is_withdrawn_and_quarantined(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a", "2,2,b")
    load(things)
    put(landing, JANUARY, "1,1,a", "2,two,b")
    (report,) = load(things)
    assert report.fates == Fates(read=2, unchanged=1, quarantined=1, withdrawn=1)


def test_over_the_limit_the_load_fails_says_why_and_leaves_raw_untouched(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a")
    load(things)
    put(landing, JANUARY, "1,2,a", *(f"{i},bad,x" for i in range(2, 9)))
    (report,) = load(things)
    assert report.state is LoadState.FAILED
    assert "7 of 8 rows violate the contract; the limit is 5 (7 amount: not_a_number)" in report.error
    assert raw(warehouse) == [(1, "1.00", "a")]
    assert len(warehouse.quarantined("things")) == 7
    (failed, _) = warehouse.loads("things")
    assert (failed["state"], failed["rows_read"], failed["quarantined"]) == ("failed", 8, 7)


def test_one_drop_that_fails_does_not_stop_the_others(things, landing, warehouse, load):
    landing.write(JANUARY, b"id,amount,colour\n1,1,red\n")
    put(landing, FEBRUARY, "2,2,b")
    reports = {report.object_key: report for report in load(things)}
    assert reports[FEBRUARY].state is LoadState.LOADED
    assert reports[JANUARY].state is LoadState.FAILED
    assert "unknown 'colour'" in reports[JANUARY].error
    assert [row[0] for row in raw(warehouse)] == [2]


def test_a_replay_under_the_corrected_contract_brings_rows_in_and_closes_the_quarantine(
    things, landing, warehouse, load, tmp_path
):
    put(landing, JANUARY, '1,"1,000.00",a', "2,2,b")
    load(things)
    assert load(things, Choice(only_quarantined=True)) == []
    cleaned = read_contract(
        write_things(
            tmp_path, customProperties=[{"property": "cleaning", "value": ["strip_grouping_commas"]}]
        )
    )
    (report,) = load(cleaned, Choice(only_quarantined=True))
    assert (report.kind, report.fates) == (Kind.REPLAY, Fates(read=2, unchanged=1, inserted=1))
    assert raw(warehouse) == [(1, "1000.00", "a"), (2, "2.00", "b")]
    assert warehouse.quarantined("things") == []
    (closed,) = warehouse.quarantined("things", everything=True)
    assert closed["closed_by_load_id"] == report.load_id


def test_a_compressed_drop_gives_the_same_rows(things, landing, warehouse, load):
    landing.write(f"{JANUARY}.gz", gzip.compress(b"id,amount,note\n1,1,a\n"))
    assert load(things)[0].fates == Fates(read=1, inserted=1)


def test_a_truncated_archive_fails_and_loads_nothing(things, landing, warehouse, load):
    landing.write(f"{JANUARY}.gz", gzip.compress(b"id,amount,note\n" + os.urandom(999).hex().encode())[:-20])
    assert load(things)[0].state is LoadState.FAILED


def test_an_unfinished_upload_is_not_read(things, landing, warehouse, load):
    landing.write("things/2026-01/a.csv.part", b"id,amount,note\n1,1,a\n")
    assert load(things) == []


def test_an_object_that_changes_while_it_is_read_is_planned_again(
    things, landing, warehouse, load, monkeypatch
):
    put(landing, JANUARY, "1,1,a")
    original = type(landing).open
    opened = []

    def open_then_change(self, seen):
        if not opened:
            opened.append(seen)
            put(landing, JANUARY, "1,2,a")
        return original(self, seen)

    monkeypatch.setattr(type(landing), "open", open_then_change)
    (report,) = load(things)
    assert report.state is LoadState.LOADED
    assert raw(warehouse) == [(1, "2.00", "a")]


def test_names_from_a_contract_or_a_landing_are_data_never_sql(landing, warehouse, load, things):
    put(landing, "things/2026-01/a'; drop schema raw cascade; --.csv", "1,1,'; drop table raw.things; --")
    load(things)
    assert raw(warehouse) == [(1, "1.00", "'; drop table raw.things; --")]


def test_a_new_column_is_added_and_filled_and_the_one_it_replaces_emptied_by_loading_again(
    things, landing, warehouse, load, tmp_path
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    (report,) = load(read_contract(write_things(tmp_path, note="remark")))
    assert report.fates == Fates(read=1, updated=1)
    put(landing, JANUARY, "1,1,a", "2,2,b")
    load(read_contract(write_things(tmp_path, note="remark")))
    assert raw(warehouse, columns="id, note, remark") == [(1, None, "a"), (2, None, "b")]
    kept = warehouse.connection.execute("select id, note, remark, _fate from raw.things__history")
    assert kept.fetchall() == [(1, "a", None, "replaced")]


def test_a_contract_whose_key_or_type_the_table_does_not_have_is_refused(
    things, landing, warehouse, load, tmp_path
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    with pytest.raises(ContractFault, match=r"raw.things.amount is numeric\(12,2\), .* says numeric\(12,1\)"):
        load(read_contract(write_things(tmp_path, physicalType="numeric(12,1)")))
    keyed_otherwise = write_things(tmp_path, required=True, primaryKey=True, primaryKeyPosition=2)
    with pytest.raises(ContractFault, match=r"key of raw\.things is id, .* says id, amount"):
        load(read_contract(keyed_otherwise))


@pytest.mark.parametrize("times", [1, 2])
def test_equal_movements_in_one_drop_stay_two_however_often_it_comes(bank, landing, warehouse, load, times):
    header = (
        "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,."
    )
    row = '1234567\',14-Mar-25,FEE,,14-Mar-25,"1,000.00",,5.00,.'
    for copy in range(times):
        landing.write(
            f"bank_transactions/{copy}.csv", "\r\n".join([header, row, row, ""]).encode() + b"\r\n" * copy
        )
    load(bank)
    rows = raw(warehouse, "bank_transactions", "account_no, withdrawal_inr::text, _occurrence")
    assert sorted(rows) == [("1234567", "1000.00", 1), ("1234567", "1000.00", 2)]


def test_a_key_too_long_for_an_index_is_quarantined_and_its_neighbours_are_in(
    landing, warehouse, load, tmp_path
):
    path = write_things(tmp_path)
    path.write_text(path.read_text().replace("logicalType: integer", "logicalType: string"))
    put(landing, JANUARY, f"{'é' * 1251},1,a", f"{'é' * 1250},2,b")
    (report,) = load(read_contract(path))
    assert report.fates == Fates(read=2, quarantined=1, inserted=1)
    ((column, reason, detail),) = warehouse.connection.execute(
        "select column_name, reason, detail from ops.quarantine"
    ).fetchall()
    assert (column, reason) == ("id", "key_too_long")
    assert detail.startswith("its texts have 2,502 bytes")
