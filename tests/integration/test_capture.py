"""Capture: whatever is killed whenever, the drops replayed in their order give the source's tables, row by row."""

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data_ingestion.capture import source as capture_source
from data_ingestion.capture.changelog import newest_place
from data_ingestion.capture.reader import capture
from data_ingestion.capture.source import Source, SourceBusy, told_lsn
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding
from runtime.postgres import Cluster, find_binaries
from runtime.settings import home_directory

FOLDER = "orders/changes"
TABLES = ("items", "notes")
KILLS = 50
READ = """
import sys, time
from data_ingestion.capture.reader import capture
from data_ingestion.capture.source import Source
from data_ingestion.landing import open_landing
print("ready", flush=True)
while True:
    source = Source(sys.argv[1], "shop", ("items", "notes"))
    capture(source, open_landing(sys.argv[2]), "orders/changes", 7)
    source.close()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running({"wal_level": "logical", "max_slot_wal_keep_size": "16MB"}) as cluster:
        yield cluster


@contextmanager
def running(settings: dict[str, str]) -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="goldworks-source-"))
    home.chmod(0o711)  # started by root, the server belongs to another account
    binaries = find_binaries(home_directory() / "venvs/runtime")
    cluster = Cluster(home / "data", 0, "source-test", {"fsync": "off", **settings}, binaries=binaries)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    url = cluster.url("postgres", cluster.password, "postgres")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("drop table if exists items, notes")
        session.execute("""
            create table items (id int primary key, price numeric, is_active bool, at timestamp);
            create table notes (id int primary key, text text);
            alter table items replica identity full;
            alter table notes replica identity full;
        """)
    yield url
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("""
            select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null;
            drop publication if exists shop;
        """)
        for slot in ("shop", "shop_candidate"):
            session.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s",
                [slot],
            )


@pytest.fixture
def landing(tmp_path: Path) -> FolderLanding:
    return FolderLanding(tmp_path)


@pytest.fixture
def source(url: str) -> Iterator[Source]:
    source = Source(url, "shop", TABLES)
    yield source
    source.close()


def records(landing: FolderLanding) -> list[dict[str, Any]]:
    """The change log: each place once, in its order."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for item in landing.list_objects():
        for line in landing.open(item).read().decode().splitlines():
            record = json.loads(line, parse_float=str, parse_int=int)
            place = (record["lsn"], record["ordinal"])
            assert found.setdefault(place, record) == record, "two drops disagree"
    return [found[place] for place in sorted(found)]


def replayed(landing: FolderLanding) -> dict[str, dict[int, dict[str, Any]]]:
    """The tables that the change log makes; each change must follow from what was before it."""
    tables: dict[str, dict[int, dict[str, Any]]] = {table: {} for table in TABLES}
    for record in records(landing):
        table, op, before, after = (
            tables[record["source_table"]],
            record["op"],
            record["before"],
            record["after"],
        )
        if op in ("g", "t"):
            table.clear()
        if op in ("u", "d"):
            assert table.pop(before["id"]) == before, record
        if op in ("r", "c"):
            assert after["id"] not in table, record
        if after:
            table[after["id"]] = after
    return tables


def held(url: str) -> dict[str, dict[int, dict[str, Any]]]:
    """The source's tables as they are."""
    with psycopg.connect(url) as session:
        return {
            table: {
                row[0]: json.loads(row[1], parse_float=str)
                for row in session.execute(f"select id, to_json(t)::text from {table} t")
            }
            for table in TABLES
        }


def disturb(session: psycopg.Connection, chance: random.Random) -> None:
    """A transaction that inserts, changes and deletes rows of both tables; every tenth is rolled back."""
    with session.transaction(force_rollback=chance.random() < 0.1):
        for _ in range(chance.randint(1, 6)):
            table, number = chance.choice(TABLES), chance.randint(1, 40)
            values = (
                (number, f"{chance.randint(0, 9999)}.{chance.randint(0, 99):02}", chance.random() < 0.5)
                if table == "items"
                else (number, chance.choice(["a", 'quoted "b"', "ü\n", "x" * 9000]))
            )
            columns = "id, price, is_active" if table == "items" else "id, text"
            updates = "price = excluded.price, at = now()" if table == "items" else "text = notes.text || '!'"
            if chance.random() < 0.25:
                session.execute(f"delete from {table} where id = %s", [number])
            else:
                marks = ", ".join(["%s"] * len(values))
                session.execute(
                    f"insert into {table} ({columns}) values ({marks}) on conflict (id) do update set {updates}",
                    values,
                )


def test_a_reader_killed_again_and_again_loses_and_doubles_nothing(
    url: str, source: Source, landing: FolderLanding
) -> None:
    chance = random.Random(11)
    with psycopg.connect(url, autocommit=True) as session:
        for _ in range(30):
            disturb(session, chance)
        for _ in range(KILLS):
            reader = subprocess.Popen(
                [sys.executable, "-c", READ, url, str(landing.root)], stdout=subprocess.PIPE, text=True
            )
            assert reader.stdout and reader.stdout.readline() == "ready\n"
            until = time.monotonic() + chance.random() * 0.6
            while time.monotonic() < until:
                disturb(session, chance)
            reader.send_signal(signal.SIGKILL)
            reader.communicate()
            wait_until_free(url)
    capture(source, landing, FOLDER)
    assert replayed(landing) == held(url)
    assert {"r", "c", "u", "d"} <= {record["op"] for record in records(landing)}


def wait_until_free(url: str) -> None:
    """The server notices the death of a session when it next speaks to it."""
    with psycopg.connect(url, autocommit=True) as session:
        while session.execute("select from pg_replication_slots where active").fetchone():
            time.sleep(0.05)


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
    assert f"history from {told_lsn(known)} to" in alarm and "given up the slot 'shop'" in alarm
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
        r"the source logged \d+ MiB since the last capture; after \d+ MiB more it had given the slot up",
        alarm,
    )
    assert capture(source, landing, FOLDER).alarms == ()


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
    assert "holds no drop" in str(capture(source, elsewhere, FOLDER).notes)
    assert replayed(elsewhere) == held(url)


def test_a_capture_waits_for_another_one_but_not_for_ever(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_source, "PATIENCE_SECONDS", 1)
    other = Source(url, "shop", TABLES)
    try:
        with source.alone(), pytest.raises(SourceBusy, match="another capture of 'shop' is at work"):
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
    port = cluster.port
    cluster.stop()
    cluster._any_port, cluster.port = False, port
    cluster.start()
    again = Source(url, "shop", TABLES)
    assert capture(again, landing, FOLDER).changes == 1
    again.close()
    assert replayed(landing) == held(url)


def test_a_source_that_tells_nobody_is_named_with_the_remedy() -> None:
    with (
        running({"wal_level": "replica"}) as silent,
        pytest.raises(OperatorFault, match="wal_level = replica") as fault,
    ):
        Source(silent.url("postgres", silent.password, "postgres"), "shop", TABLES)
    assert "set wal_level = logical" in str(fault.value)
