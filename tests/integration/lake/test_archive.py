"""The archive: what was delivered is in the lake once, whatever is cut off."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_ingestion.contract import Pattern
from data_ingestion.discovery import discover
from data_ingestion.errors import LawBroken
from data_ingestion.lake import files as lake_files
from data_ingestion.lake.archive import archive
from data_ingestion.lake.compaction import compact
from data_ingestion.lake.ledger import LakeLedger
from data_ingestion.landing import FolderLanding, open_store
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.withdraw import withdraw
from tests.integration.lake.records import (
    DAYS,
    deliver,
    deliver_some,
    delivered,
    event,
    files,
    in_lake,
    key,
    killed,
    rows,
)
from tests.integration.test_fleet_data import DATA, unpack_real


def test_every_record_is_archived_as_it_came_one_file_a_day(landing, lake, events, load, keep, warehouse):
    deliver_some(landing)
    load(events)
    report = keep(events)
    assert (report.drops, report.records, report.files, report.missed, report.waiting) == (6, 12, 2, 0, 0)
    assert rows(lake) == delivered(landing)
    assert files(lake) == sorted(in_lake(warehouse))
    assert [Path(file).parent.as_posix() for file in files(lake)] == [
        f"dataset=vehicle_events/date=2026-03-0{day}" for day in DAYS
    ]


def test_a_second_run_archives_only_what_was_loaded_since(landing, lake, events, load, keep):
    deliver_some(landing)
    load(events)
    keep(events)
    before = files(lake)
    assert keep(events).drops == 0
    assert files(lake) == before
    deliver_some(landing, first=6, files=1)
    load(events)
    report = keep(events)
    assert (report.drops, report.records, report.files) == (1, 2, 1)
    assert rows(lake) == delivered(landing)


def test_a_run_of_several_rounds_tells_all_that_it_archived(landing, lake, events, load, keep, monkeypatch):
    monkeypatch.setattr(lake_files, "ROUND_DROPS", 3)
    deliver_some(landing)
    deliver(landing, 2, 7, event(99))
    load(events)
    deliver(landing, 2, 7, event(98))
    report = keep(events)
    assert (report.drops, report.records, report.files, report.missed, report.waiting) == (6, 12, 3, 1, 0)
    assert report.size == sum(path.stat().st_size for path in lake.root.rglob("*.parquet"))
    assert report.seconds > 0


def test_records_that_break_the_contract_are_archived_too(landing, lake, events, load, keep):
    deliver(landing, 2, 1, event(1), '{"cut', *map(event, range(2, 10)))
    (report,) = load(events)
    assert report.fates.quarantined == 1
    keep(events)
    assert rows(lake) == delivered(landing)


def test_bytes_that_are_no_text_are_kept_beside_what_can_be_shown(landing, lake, events, load, keep):
    broken = event(1).encode("latin-1")
    landing.write(key(2, 1), broken + b"\n" + event(2).encode() + b"\n")
    load(events)
    keep(events)
    first, second = rows(lake, "line, record, record_bytes")
    assert first == (1, broken.decode("utf-8", "backslashreplace"), broken)
    assert second == (2, event(2), None)


def test_each_record_tells_its_drop_its_load_and_its_period(landing, lake, events, load, keep, warehouse):
    deliver(landing, 2, 7, event(1))
    (report,) = load(events)
    keep(events)
    (told,) = rows(lake, "drop_id, load_id, kind, sha256, period, period_start, dataset, date, header")
    moment = datetime(2026, 3, 2, 7, 5, 7, tzinfo=UTC)
    assert (*told[:5], told[5].astimezone(UTC), *told[6:]) == (
        report.drop_id, report.load_id, "new", report.sha256, "2026-03-02T07:05:07", moment,
        "vehicle_events", date(2026, 3, 2), None,
    )  # fmt: skip


def test_a_correction_is_archived_beside_what_it_corrects(landing, lake, events, load, keep):
    deliver(landing, 2, 1, event(1), event(2))
    load(events)
    keep(events)
    deliver(landing, 2, 1, event(1), event(3), event(4))
    load(events)
    assert keep(events).records == 3
    assert [line for line, _ in rows(lake, "line, load_id")] == [1, 1, 2, 2, 3]
    newest = f"(select max_by(sha256, load_id) from read_parquet('{lake.root}/**/*.parquet'))"
    kept = duckdb.sql(
        f"select record from read_parquet('{lake.root}/**/*.parquet') where sha256 = {newest} order by line"
    )
    assert [record for (record,) in kept.fetchall()] == [event(1), event(3), event(4)]


def test_what_comes_back_to_an_earlier_content_is_its_newest_version_again(landing, lake, events, load, keep):
    for number in (1, 2, 1):
        deliver(landing, 2, 1, event(number))
        load(events)
        keep(events)
    assert [record for _, record in rows(lake, "load_id, record")] == [event(1), event(2), event(1)]


def test_a_withdrawn_drop_stays_in_the_lake(landing, lake, events, load, keep, warehouse):
    deliver_some(landing)
    load(events)
    keep(events)
    before = rows(lake)
    withdraw([events], landing, warehouse, key(2, 0))
    keep(events)
    assert rows(lake) == before


def test_a_copy_of_a_drop_is_archived_once(landing, lake, events, load, keep):
    deliver(landing, 2, 1, event(1))
    deliver(landing, 3, 1, event(1))
    load(events)
    assert keep(events).drops == 1
    assert len(rows(lake)) == 1


def test_a_touched_object_is_archived_by_its_bytes(landing, lake, events, load, keep):
    deliver(landing, 2, 1, event(1))
    load(events)
    (landing.root / key(2, 1)).touch()
    assert (keep(events).missed, rows(lake)) == (0, delivered(landing))


def test_what_is_overwritten_before_it_was_archived_is_missed_and_told(
    landing, lake, events, load, keep, warehouse
):
    deliver_some(landing, files=2)
    load(events)
    deliver(landing, 2, 0, event(77))
    report = keep(events)
    assert (report.drops, report.missed) == (1, 1)
    left = warehouse.connection.execute(
        "select object_key, file_id from ops.lake_drops where file_id is null"
    ).fetchall()
    assert left == [(key(2, 0), None)]
    assert files(lake) == sorted(in_lake(warehouse))
    load(events)
    assert keep(events).drops == 1
    assert rows(lake) == delivered(landing)


def test_a_drop_that_waits_for_its_replay_is_archived_after_it(landing, lake, events, load, keep):
    deliver(landing, 2, 1, event(1))
    load(events)
    changed = replace(
        events, columns=(*events.columns[:-1], replace(events.columns[-1], required=False, formats=("%Y",)))
    )
    assert (keep(changed).waiting, rows(lake)) == (1, [])
    load(changed)
    assert keep(changed).drops == 1
    load(events)
    assert keep(events).drops == 0  # the same bytes, read by another contract
    assert rows(lake) == delivered(landing)


def test_csv_records_carry_the_header_that_gives_them_meaning(things, landing, lake, load, keep):
    things = replace(things, archive=True)
    landing.write("things/2026-01/a.csv", b'id,amount,note\n1,2.5,"two\nlines"\n2,x,bad\n')
    load(things)
    keep(things)
    assert rows(lake, "line, record, header, date") == [
        (2, '1,2.5,"two\nlines"', '["id", "amount", "note"]', date(2026, 1, 1)),
        (4, "2,x,bad", '["id", "amount", "note"]', date(2026, 1, 1)),
    ]


def test_an_archive_that_reads_other_records_than_the_load_is_refused(
    landing, lake, events, load, keep, warehouse
):
    deliver_some(landing)
    load(events)
    warehouse.connection.execute(
        "update ops.loads set rows_read = 3, quarantined = 1 where object_key = %s", [key(3, 1)]
    )
    with pytest.raises(LawBroken, match="has read 3 records, the archive 2"):
        keep(events)
    assert files(lake) == []
    assert LakeLedger(warehouse.session).leftovers("vehicle_events") == []


@pytest.mark.parametrize(
    ("instant", "nth", "when"),
    [
        ("ledger.announce", 1, "before"),
        ("ledger.announce", 1, "after"),
        ("file.replace", 1, "before"),
        ("lake.write", 1, "after"),
        ("lake.write", 2, "before"),
        ("ledger.record_archived", 1, "before"),
        ("ledger.record_archived", 1, "after"),
    ],
)
def test_an_archive_killed_at_any_instant_is_made_good_by_the_next(
    instant, nth, when, landing, lake, events, load, keep, warehouse, warehouse_url
):
    deliver_some(landing)
    load(events)
    killed("archive", instant, nth, when, landing, lake, warehouse_url)
    assert len(rows(lake)) == len(set(rows(lake)))
    deliver_some(landing, first=6, files=2)  # the next run has more to do than the one that was killed
    load(events)
    keep(events)
    assert rows(lake) == delivered(landing)
    assert files(lake) == sorted(in_lake(warehouse))
    assert sum(in_lake(warehouse).values()) == 16


def test_a_lake_in_the_landing_is_not_delivered(landing, events, load, warehouse):
    everything = replace(events, pattern=Pattern("**/*.parquet"), recheck=None)
    deliver_some(landing)
    load(events)
    (landing.root / "lake").mkdir()
    archive(events, landing, FolderLanding(landing.root / "lake"), LakeLedger(warehouse.session))
    seen = discover([everything], landing, warehouse, reserved=("lake/",), record=False)
    assert not seen.drops
    assert not [item for item in seen.unresolved if item.key.startswith("lake/")]
    assert discover([everything], landing, warehouse, record=False).drops


def test_what_is_put_together_twice_at_once_is_there_once(landing, lake, events, load, keep, warehouse_url):
    """Two runs of one dataset take turns: the second finds nothing to do."""

    deliver_some(landing)
    load(events)
    reports = []

    def run():
        opened = PostgresWarehouse.connect(warehouse_url)
        reports.append(archive(events, landing, lake, LakeLedger(opened.session)))
        opened.close()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.drops for report in reports) == [0, 0, 6]
    assert rows(lake) == delivered(landing)


def test_a_bucket_is_archived_into_a_bucket(things, landing, warehouse, monkeypatch):
    from moto import mock_aws

    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    things = replace(things, archive=True)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="landing")
        landing, lake = open_store("s3://landing"), open_store("s3://landing/lake/warehouse")
        for part in range(40):
            landing.write(f"things/2026-01/{part}.csv", f"id,amount,note\n{part},1,x\n".encode())
            if part == 20:
                bring_in(things, landing, warehouse)
                assert archive(things, landing, lake, LakeLedger(warehouse.session)).drops == 21
        bring_in(things, landing, warehouse)
        assert archive(things, landing, lake, LakeLedger(warehouse.session)).drops == 19
        assert compact("things", lake, LakeLedger(warehouse.session)).files_after == 1
        (file,) = lake.list_objects()
        with lake.open(file) as stream:
            table = pq.read_table(pa.BufferReader(stream.read()))
    assert sorted(table["record"].to_pylist()) == sorted(f"{part},1,x" for part in range(40))


def bring_in(contract, landing, warehouse):
    """What a run with the folders of the platform passed over brings in."""
    (plan,) = discover([contract], landing, warehouse, reserved=("lake/",)).plans
    assert [report.state for report in load_drops(contract, landing, warehouse, plan.drops)] == [
        "loaded"
    ] * len(plan.drops)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real vehicle events are not on this machine")
def test_of_the_real_files_every_record_is_archived_as_it_came(landing, lake, events, load, keep, warehouse):
    keys = unpack_real(landing.root)
    in_force = {report.object_key for report in load(events) if report.kind != "duplicate"}
    report = keep(events)
    compact(events.dataset, lake, LakeLedger(warehouse.session))
    came = []
    for key_ in keys & in_force:
        text = (landing.root / key_).read_bytes().decode()
        came += [
            (key_, number, line.removesuffix("\r"))
            for number, line in enumerate(text.split("\n"), 1)
            if line.strip(" \t\r")
        ]
    same = rows(lake) == sorted(came)  # a difference would be shown with values
    assert same
    assert (report.drops, report.missed) == (len(in_force), 0)
