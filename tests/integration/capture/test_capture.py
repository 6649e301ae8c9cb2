"""Capture: whatever is killed whenever, the drops replayed in their order give the source's tables, row by row."""

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from data_ingestion.capture import reader
from data_ingestion.capture import slot as capture_slot
from data_ingestion.capture.changelog import newest_place
from data_ingestion.capture.faults import SourceBusy
from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source, format_lsn
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding
from runtime.postgres import Cluster
from tests.integration.capture.source_log import (
    FOLDER,
    TABLES,
    TWO_TABLES,
    disturb,
    held,
    records,
    replayed,
    running,
)


def test_a_first_run_takes_every_row_and_the_next_one_what_changed(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "insert into items values (1, 1.10, true, '2026-01-05 10:00:00.5'), (2, null, null, null)"
        )
        first = capture(source, landing, FOLDER)
        session.execute("update items set price = 2.20 where id = 1")
        second = capture(source, landing, FOLDER)
    assert (first.changes, first.notes) == (2, ("snapshot of items, notes: the source has no slot 'shop'",))
    assert (second.changes, second.notes, first.alarms, second.alarms) == (1, (), (), ())
    assert capture(source, landing, FOLDER).changes == 0
    *_, change = records(landing)
    before = {"id": 1, "price": "1.10", "is_active": True, "at": "2026-01-05T10:00:00.5"}
    assert (change["op"], change["before"], change["after"]) == ("u", before, {**before, "price": "2.20"})


def test_a_large_value_that_an_update_leaves_alone_stays_in_the_log(
    url: str, source: Source, landing: FolderLanding
) -> None:
    large = "".join(
        random.Random(3).choices("abcdefghij", k=20_000)
    )  # stored out of line, hence not sent again
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("alter table notes add column colour text")
        session.execute("insert into notes values (1, %s, 'red')", [large])
        capture(source, landing, FOLDER)
        session.execute("update notes set colour = 'blue'")
    capture(source, landing, FOLDER)
    *_, change = records(landing)
    assert change["after"] == {"id": 1, "text": large, "colour": "blue"}


def test_a_truncated_table_is_told_and_its_rows_end_there(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1), (2)")
        capture(source, landing, FOLDER)
        session.execute("truncate items; insert into items values (3)")
    (alarm,) = capture(source, landing, FOLDER).alarms
    assert replayed(landing) == held(url)
    assert alarm.startswith("items was truncated at the source; its rows end with orders/changes/")


def test_after_a_lost_slot_a_snapshot_tells_the_gap_and_what_is_there_now(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1), (2)")
        capture(source, landing, FOLDER)
        known = newest_place(landing, FOLDER)
        session.execute("delete from items where id = 1; insert into items values (3)")
        for _ in range(8):  # more log than the server keeps for a slot
            session.execute("select pg_switch_wal()")
            session.execute(
                "create table filling as select from generate_series(1, 200000); drop table filling"
            )
        session.execute("checkpoint")
    assert source.state().lost_because
    (alarm,) = capture(source, landing, FOLDER).alarms
    assert f"history from {format_lsn(known)} to" in alarm and "invalidated the slot 'shop'" in alarm
    gaps = [record for record in records(landing) if record["op"] == "g"]
    assert [(gap["source_table"], gap["before"]) for gap in gaps] == [
        (table, {"lsn": known}) for table in TABLES
    ]
    assert replayed(landing) == held(url)
    assert source.state().lost_because is None


def test_captures_so_far_apart_that_the_slot_is_nearly_lost_are_an_alarm(
    url: str, source: Source, landing: FolderLanding
) -> None:
    capture(source, landing, FOLDER)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "create table filling as select repeat('x', 500) from generate_series(1, 36000); drop table filling"
        )
    (alarm,) = capture(source, landing, FOLDER).alarms
    assert re.fullmatch(
        r"the source logged \d+ MiB since the last capture; after \d+ MiB more it would have invalidated the slot",
        alarm,
    )
    assert capture(source, landing, FOLDER).alarms == ()


def test_a_slot_without_a_limit_that_keeps_much_of_the_log_is_an_alarm(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_KEPT_BYTES", 2 << 20)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("alter system set max_slot_wal_keep_size = -1")
        session.execute("select pg_reload_conf()")
        try:
            assert capture(source, landing, FOLDER).alarms == ()
            session.execute(
                "create table others as select repeat('x', 500) from generate_series(1, 20000); drop table others"
            )
            while source.state().left_bytes is not None:
                time.sleep(0.05)
            (alarm,) = capture(source, landing, FOLDER).alarms
        finally:
            session.execute("alter system reset max_slot_wal_keep_size")
            session.execute("select pg_reload_conf()")
    assert re.match(r"the source keeps \d+ MiB of its log for the slot, with no upper limit", alarm)


def test_a_run_killed_before_its_snapshot_is_safe_takes_another(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        source.ensure_publication()
        with pytest.raises(ZeroDivisionError), source.new_slot():
            raise ZeroDivisionError
        assert source.state() is None
        session.execute("insert into items values (2)")
    assert "snapshot" in str(capture(source, landing, FOLDER).notes)
    assert replayed(landing) == held(url)


def test_a_landing_without_a_drop_of_the_log_gets_a_snapshot_even_if_the_slot_lives(
    url: str, source: Source, landing: FolderLanding, tmp_path: Path
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        capture(source, landing, FOLDER)
        session.execute("insert into items values (2)")
    (tmp_path / "elsewhere").mkdir()
    elsewhere = FolderLanding(tmp_path / "elsewhere")
    assert "holds no drop" in str(capture(source, elsewhere, FOLDER).alarms)
    assert replayed(elsewhere) == held(url)


def test_a_capture_waits_for_another_one_but_not_for_ever(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_slot, "PATIENCE_SECONDS", 1)
    other = Source(url, "shop", TABLES)
    try:
        with source.alone(), pytest.raises(SourceBusy, match="another capture of 'shop' is running"):
            capture(other, landing, FOLDER)
        with ThreadPoolExecutor(1) as pool, source.alone():
            waiting = pool.submit(capture, other, landing, FOLDER)
            time.sleep(0.5)
        assert waiting.result().drops == 1
    finally:
        other.close()


def test_who_captures_need_not_own_the_tables_once_their_owner_publishes_them(
    url: str, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("drop role if exists reader; create role reader login replication password 'reading'")
        session.execute("grant select on items, notes to reader; insert into items values (1)")
        reader = Source(url.replace("postgres:source-test", "reader:reading"), "shop", TABLES)
        try:
            with pytest.raises(
                OperatorFault, match='have the tables\' owner run: create publication "shop" for table'
            ):
                capture(reader, landing, FOLDER)
            session.execute("create publication shop for table items, notes")
            capture(reader, landing, FOLDER)
        finally:
            reader.close()
            session.execute("revoke all on items, notes from reader; drop role reader")
    assert replayed(landing) == held(url)


def test_what_others_write_to_the_source_is_not_kept_for_the_slot(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        session.execute(
            "create table others as select repeat('x', 500) from generate_series(1, 20000); drop table others"
        )
        before = source.state()
        capture(source, landing, FOLDER)
        session.execute("checkpoint")
        capture(source, landing, FOLDER)
    assert before.lag_bytes > 10_000_000
    assert source.state().lag_bytes < 1_000_000


def test_a_restarted_source_goes_on_where_it_was(
    cluster: Cluster, url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
    capture(source, landing, FOLDER)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (2)")
    cluster.stop()
    cluster.start()
    again = Source(url, "shop", TABLES)
    assert capture(again, landing, FOLDER).changes == 1
    again.close()
    assert replayed(landing) == held(url)


def test_a_source_that_is_killed_at_work_goes_on_without_a_gap(
    landing: FolderLanding,
) -> None:
    """After a crash its slot may stand where it was at the last checkpoint: changes are told again."""
    chance = random.Random(5)
    with running({"wal_level": "logical", "checkpoint_timeout": "1h"}) as killed:
        url = killed.url("postgres", killed.password, "postgres")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(TWO_TABLES)
        for _ in range(3):
            with psycopg.connect(url, autocommit=True) as session:
                source = Source(url, "shop", TABLES)
                for _ in range(4):
                    for _ in range(5):
                        disturb(session, chance)
                    assert capture(source, landing, FOLDER, 5).alarms == ()
                disturb(session, chance)
                port = killed.port
                killed._run(
                    [
                        killed._programs() / "pg_ctl",
                        "stop",
                        f"--pgdata={killed._real_data_dir}",
                        "--mode=immediate",
                    ]
                )
                source.close()
            killed._any_port, killed.port = False, port
            killed.start()
        last = Source(url, "shop", TABLES)
        assert capture(last, landing, FOLDER).alarms == ()
        last.close()
        assert replayed(landing) == held(url)
    assert len({record["lsn"] for record in records(landing) if record["op"] == "r"}) <= 1


def test_a_source_that_tells_nobody_is_named_with_the_remedy() -> None:
    with (
        running({"wal_level": "replica"}) as silent,
        pytest.raises(OperatorFault, match="wal_level = replica") as fault,
    ):
        Source(silent.url("postgres", silent.password, "postgres"), "shop", TABLES)
    assert "set wal_level = logical" in str(fault.value)


def test_a_source_that_is_too_old_is_told_so_before_anything_is_asked(cluster, monkeypatch) -> None:
    monkeypatch.setattr("data_ingestion.capture.slot.OLDEST_VERSION", 990000)
    with pytest.raises(OperatorFault, match="17 or newer is needed"):
        Source(cluster.url("postgres", cluster.password, "postgres"), "shop", TABLES)
