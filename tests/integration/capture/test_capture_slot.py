"""Capture: whatever becomes of the source's publication, slot and log, no change is lost without being told."""

import time
from pathlib import Path

import psycopg
import pytest

from data_ingestion.capture import reader
from data_ingestion.capture.changelog import newest_place, note_safe
from data_ingestion.capture.faults import SourceReplaced
from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source, format_lsn
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding
from tests.integration.capture.source_log import FOLDER, TABLES, held, records, replay, replayed, running


def gaps(landing: FolderLanding) -> list[tuple[str, int]]:
    return [
        (record["source_table"], record["before"]["lsn"])
        for record in records(landing)
        if record["op"] == "g"
    ]


@pytest.mark.parametrize(
    "statements",
    [
        "alter publication shop drop table items; insert into items values (2); alter publication shop add table items",
        "alter publication shop drop table items; insert into items values (2)",
        "drop publication shop; insert into items values (2)",
        "drop publication shop; insert into items values (2); create publication shop for table items, notes",
        "alter publication shop set (publish = 'delete'); insert into items values (2);"
        "alter publication shop set (publish = 'insert, update, delete, truncate')",
    ],
    ids=["a table out of it", "a table still out of it", "dropped", "made anew", "publishing less"],
)
def test_a_publication_that_told_less_for_a_while_leaves_a_gap_and_an_alarm(
    url: str, source: Source, landing: FolderLanding, statements: str
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        assert capture(source, landing, FOLDER).alarms == ()
        known = newest_place(landing, FOLDER)
        for statement in statements.split(";"):
            session.execute(statement)
        session.execute("insert into items values (3)")
        (alarm,) = capture(source, landing, FOLDER).alarms
        assert (
            f"history from {format_lsn(known)} to " in alarm and "the publication 'shop' has changed" in alarm
        )
        assert gaps(landing) == [(table, known) for table in TABLES]
        session.execute("insert into items values (4)")
    after = capture(source, landing, FOLDER)
    assert (after.changes, after.alarms) == (1, ())
    assert replayed(landing) == held(url)


def test_a_table_that_joins_the_contract_comes_with_all_its_rows(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1); insert into notes values (1, 'old'), (2, 'old')")
        fewer = Source(url, "shop", ("items",))
        assert capture(fewer, landing, FOLDER).changes == 1
        fewer.close()
        (alarm,) = capture(source, landing, FOLDER).alarms
        assert "a table was added or removed" in alarm
        session.execute("update notes set text = 'new' where id = 1")
    assert capture(source, landing, FOLDER).changes == 1
    assert replayed(landing) == held(url)


@pytest.mark.parametrize(
    "moved",
    [
        "select from pg_logical_slot_get_binary_changes('shop', null, null, 'proto_version', '1',"
        " 'publication_names', 'shop')",
        "select pg_replication_slot_advance('shop', pg_current_wal_flush_lsn())",
    ],
    ids=["read", "advanced"],
)
def test_a_slot_that_somebody_else_has_moved_on_leaves_a_gap_and_an_alarm(
    url: str, source: Source, landing: FolderLanding, moved: str
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1), (2)")
        capture(source, landing, FOLDER)
        known = newest_place(landing, FOLDER)
        session.execute("delete from items where id = 1; insert into items values (3)")
        session.execute(moved)
        (alarm,) = capture(source, landing, FOLDER).alarms
        assert (
            f"history from {format_lsn(known)} to " in alarm and "another reader has moved the slot" in alarm
        )
        assert gaps(landing) == [(table, known) for table in TABLES]
        assert replayed(landing) == held(url)
        session.execute("insert into items values (4)")
    assert capture(source, landing, FOLDER).alarms == ()
    assert replayed(landing) == held(url)


def test_a_slot_that_serves_two_landings_is_an_alarm_at_each_and_neither_is_wrong(
    url: str, source: Source, landing: FolderLanding, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = FolderLanding(tmp_path / "other")
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        for number in range(3):
            for at in (other, landing):
                session.execute(
                    "delete from items; insert into items values (%s)" % (2 * number + (at is landing))
                )
                (alarm,) = capture(source, at, FOLDER).alarms
                assert "is unknown" in alarm
                assert replayed(at) == held(url)


def test_whoever_is_killed_between_its_note_and_its_word_to_the_source_goes_on_without_a_gap(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        session.execute("insert into items values (1)")

        def killed(*_: object) -> None:
            raise SystemExit

        for step in ("note_safe", "acknowledge"):
            of = reader if step == "note_safe" else Source
            monkeypatch.setattr(of, step, killed)
            with pytest.raises(SystemExit):
                capture(source, landing, FOLDER)
            monkeypatch.undo()
        session.execute("insert into items values (2)")
        assert capture(source, landing, FOLDER).alarms == ()
    assert gaps(landing) == [] and replayed(landing) == held(url)


def test_drops_that_were_cleared_away_leave_a_gap_from_where_the_slot_had_been_read_to(
    url: str, source: Source, landing: FolderLanding
) -> None:
    """The warehouse may have loaded them: a row that has gone since must end there, too."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1), (2)")
        capture(source, landing, FOLDER)
        before = records(landing)
        acknowledged = source.state().acknowledged
        for item in list(landing.list_objects()):
            landing.delete(item.key)
        session.execute("delete from items where id = 1")
        (alarm,) = capture(source, landing, FOLDER).alarms
    assert "holds no drop of this log" in alarm
    assert gaps(landing) == [(table, acknowledged - 1) for table in TABLES]
    whole = sorted([*before, *records(landing)], key=lambda record: (record["lsn"], record["ordinal"]))
    assert replay((r["source_table"], r["op"], r["before"], r["after"]) for r in whole) == held(url)


def test_a_source_that_goes_on_from_a_backup_of_itself_leaves_a_gap(landing: FolderLanding) -> None:
    """Its slot came back with it, and its log has grown past what was captured of the life that is no more."""
    with running({"wal_level": "logical", "restore_command": "false"}) as cluster:
        url = cluster.url("postgres", cluster.password, "postgres")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(
                "create table items (id int primary key); create table notes (id int primary key)"
            )
            session.execute("insert into items values (1)")
            source = Source(url, "shop", TABLES)
            assert capture(source, landing, FOLDER).alarms == ()
            source.close()
        port = cluster.port
        cluster.stop()
        (cluster._real_data_dir / "recovery.signal").touch()
        cluster._any_port, cluster.port = False, port
        cluster.start()
        with psycopg.connect(url, autocommit=True) as session:
            while session.execute("select pg_is_in_recovery()").fetchone() == (True,):
                time.sleep(0.05)
        again = Source(url, "shop", TABLES)
        (alarm,) = capture(again, landing, FOLDER).alarms
        assert "restored from a backup or a standby, and is on timeline 2 now" in alarm
        assert capture(again, landing, FOLDER).alarms == ()
        again.close()
    assert {table for table, _ in gaps(landing)} == set(TABLES)


def test_a_source_whose_log_had_been_further_on_leaves_a_gap_though_no_drop_is_from_there(
    url: str, source: Source, landing: FolderLanding
) -> None:
    """A copy of its disks has the timeline and the slot that it had; others wrote what it has lost."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        capture(source, landing, FOLDER)
        note_safe(landing, FOLDER, source.position() + 4096)
        session.execute("insert into items values (2)")
        (alarm,) = capture(source, landing, FOLDER).alarms
        assert "it is an older state" in alarm
        session.execute("insert into items values (3)")
    assert capture(source, landing, FOLDER).alarms == ()
    assert replayed(landing) == held(url)


def killed_before_the_slot_has_its_name(
    source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Source) -> None:
        raise SystemExit

    monkeypatch.setattr(Source, "name_candidate", killed)
    with pytest.raises(SystemExit):
        capture(source, landing, FOLDER)
    monkeypatch.undo()


def test_a_run_killed_before_its_slot_has_its_name_missed_nothing(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        killed_before_the_slot_has_its_name(source, landing, monkeypatch)
        assert source.state() is None and len(records(landing)) == 1
        session.execute("update items set price = 5; insert into items values (2)")
        report = capture(source, landing, FOLDER)
    assert (report.changes, report.alarms) == (2, ())
    assert "a run was killed after it had taken a snapshot" in str(report.notes)
    assert gaps(landing) == [] and replayed(landing) == held(url)
    assert source.state(candidate=True) is None


def test_a_gap_is_told_even_if_the_run_that_found_it_was_killed(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        capture(source, landing, FOLDER)
        known = newest_place(landing, FOLDER)
        session.execute("select pg_drop_replication_slot('shop')")
        session.execute("insert into items values (2)")
        killed_before_the_slot_has_its_name(source, landing, monkeypatch)
    (alarm,) = capture(source, landing, FOLDER).alarms
    assert f"history from {format_lsn(known)} to " in alarm
    assert gaps(landing) == [(table, known) for table in TABLES]
    assert replayed(landing) == held(url)


def test_a_slot_that_follows_no_snapshot_is_taken_away(
    url: str, source: Source, landing: FolderLanding
) -> None:
    capture(source, landing, FOLDER)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("select pg_copy_logical_replication_slot('shop', 'shop_candidate')")
    capture(source, landing, FOLDER)
    assert source.state(candidate=True) is None and source.state() is not None
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        session.execute("select pg_copy_logical_replication_slot('shop', 'shop_candidate')")
        capture(source, landing, FOLDER)
        session.execute("select pg_copy_logical_replication_slot('shop', 'shop_candidate')")
        session.execute("select pg_drop_replication_slot('shop')")
    (alarm,) = capture(source, landing, FOLDER).alarms
    assert "no slot 'shop'" in alarm and source.state(candidate=True) is None


def test_a_source_behind_its_own_past_is_another_one_and_nothing_is_written(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        session.execute(
            "create table others as select repeat('x', 500) from generate_series(1, 20000); drop table others"
        )
        session.execute("select pg_switch_wal()")
        capture(source, landing, FOLDER)
    known = newest_place(landing, FOLDER)
    before = records(landing)
    with running({"wal_level": "logical"}) as rebuilt:
        anew = rebuilt.url("postgres", rebuilt.password, "postgres")
        with psycopg.connect(anew, autocommit=True) as session:
            session.execute(
                "create table items (id int primary key); create table notes (id int primary key)"
            )
            session.execute("insert into items values (1)")
            other = Source(anew, "shop", TABLES)
            with pytest.raises(
                SourceReplaced, match="it is a different server, or an older state of the same"
            ) as fault:
                capture(other, landing, FOLDER)
            found = [
                session.execute(f"select count(*) from {catalog}").fetchone()[0]
                for catalog in ("pg_replication_slots", "pg_publication")
            ]
            other.close()
    assert format_lsn(known) in str(fault.value) and "a separate dataset" in str(fault.value)
    assert (records(landing), found) == (before, [0, 0])


def test_a_session_that_is_ended_on_the_way_is_told_and_the_next_run_goes_on(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        session.execute("insert into items values (1)")
        look = source.look

        def ended(*arguments):
            session.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where pid <> pg_backend_pid() and backend_type = 'client backend'"
            )
            return look(*arguments)

        monkeypatch.setattr(source, "look", ended)
        with pytest.raises(OperatorFault, match="the source ended the capture of 'shop'"):
            capture(source, landing, FOLDER)
    again = Source(url, "shop", TABLES)
    assert capture(again, landing, FOLDER).changes == 1
    again.close()


def test_a_source_without_room_for_a_slot_says_so(landing: FolderLanding) -> None:
    with running({"wal_level": "logical", "max_replication_slots": "1"}) as full:
        url = full.url("postgres", full.password, "postgres")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(
                "create table items (id int primary key); create table notes (id int primary key)"
            )
            session.execute("select pg_create_physical_replication_slot('another')")
        source = Source(url, "shop", TABLES)
        with pytest.raises(OperatorFault, match="raise max_replication_slots"):
            capture(source, landing, FOLDER)
        source.close()
