"""Capture: what the source publishes is all changes of whole tables, or it is told what is amiss."""

import psycopg
import pytest

from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding
from tests.integration.capture.source_log import FOLDER, TABLES, held, records, replayed

LESS = [
    "create publication shop for table items, notes with (publish = 'insert, update')",
    "create publication shop for table items where (id < 5), notes",
    "create publication shop for table items, notes (id)",
]


@pytest.mark.parametrize("publication", LESS, ids=["kinds of change", "rows", "columns"])
def test_a_publication_that_tells_less_than_everything_is_put_right_before_anything_is_missed(
    url: str, source: Source, landing: FolderLanding, publication: str
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(publication)
        session.execute("insert into items values (1); insert into notes values (1, 'a')")
        assert capture(source, landing, FOLDER).alarms == ()
        session.execute("insert into items values (7); insert into notes values (2, 'b')")
        session.execute("delete from items where id = 1; delete from notes where id = 1")
    assert capture(source, landing, FOLDER).alarms == ()
    assert replayed(landing) == held(url)


@pytest.mark.parametrize("publication", LESS, ids=["kinds of change", "rows", "columns"])
def test_who_may_not_put_it_right_says_what_its_owner_must_do_and_captures_nothing(
    url: str, landing: FolderLanding, publication: str
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("drop role if exists guest; create role guest login replication password 'guest'")
        session.execute("grant select on items, notes to guest")
        session.execute(publication)
        guest = Source(url.replace("postgres:source-test", "guest:guest"), "shop", TABLES)
        try:
            with pytest.raises(OperatorFault, match="have the tables' owner run: ") as fault:
                capture(guest, landing, FOLDER)
            assert list(landing.list_objects()) == []
            session.execute(str(fault.value).partition("owner run: ")[2])
            assert capture(guest, landing, FOLDER).drops == 1
        finally:
            guest.close()
            session.execute("drop owned by guest; drop role guest")


def test_a_table_whose_rows_the_source_could_not_change_any_more_is_not_published(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("drop table notes; create table notes (id int, text text)")
        session.execute("insert into notes values (1, 'a')")
        with pytest.raises(OperatorFault, match="alter table notes replica identity full"):
            capture(source, landing, FOLDER)
        session.execute("update notes set text = 'b'")  # whoever works with the source goes on
        session.execute("alter table notes replica identity full")
        capture(source, landing, FOLDER)
    assert replayed(landing) == held(url)


@pytest.mark.parametrize(
    "statement",
    [
        "create table notes (id int primary key, text text) partition by range (id);"
        "create table few partition of notes for values from (0) to (100)",
        "create table notes (id int primary key, text text); create table few () inherits (notes)",
    ],
    ids=["partitions", "heirs"],
)
def test_a_table_whose_rows_lie_in_others_is_refused(
    url: str, source: Source, landing: FolderLanding, statement: str
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"drop table notes; {statement}")
        try:
            with pytest.raises(OperatorFault, match="rows of notes lie in partitions"):
                capture(source, landing, FOLDER)
        finally:
            session.execute("drop table notes cascade")


def test_a_snapshot_holds_the_columns_that_changes_hold(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("alter table notes add column doubled int generated always as (id * 2) stored")
        session.execute("insert into notes values (1, 'a')")
        capture(source, landing, FOLDER)
        session.execute("insert into notes values (2, 'a')")
    capture(source, landing, FOLDER)
    by_snapshot, by_change = (record["after"] for record in records(landing))
    assert by_snapshot.keys() == by_change.keys() == {"id", "text"}


@pytest.mark.parametrize(
    "change",
    [
        "alter table notes add column colour text default 'red'",
        "alter table notes rename column text to words",
        "alter table notes drop column text",
        "alter table items alter column price type text",
    ],
)
def test_a_table_that_got_another_form_is_an_alarm_until_a_drop_tells_of_it(
    url: str, source: Source, landing: FolderLanding, change: str
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1, 5); insert into notes values (1, 'a')")
        assert capture(source, landing, FOLDER).alarms == ()
        session.execute(change)
        for _ in range(2):
            (alarm,) = capture(source, landing, FOLDER).alarms
            assert "the columns of the source's tables have changed" in alarm
        session.execute("delete from items")
        assert len(capture(source, landing, FOLDER).alarms) == 1
    assert capture(source, landing, FOLDER).alarms == ()
    assert {record["op"] for record in records(landing)} == {"r", "d"}


def test_a_large_value_that_nobody_told_is_an_alarm(url: str, source: Source, landing: FolderLanding) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "alter table notes replica identity default; alter table notes add column colour text"
        )
        large = "select 1, string_agg(md5(n::text), '') from generate_series(1, 2000) n"
        session.execute(f"insert into notes {large}")
        assert capture(source, landing, FOLDER).alarms == ()
        session.execute("update notes set colour = 'blue'")
        (alarm,) = capture(source, landing, FOLDER).alarms
    assert "updates of notes did not include large values" in alarm and "replica identity full" in alarm


def test_a_table_that_was_called_otherwise_for_a_while_keeps_its_name_in_the_log(
    url: str, source: Source, landing: FolderLanding
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        session.execute("alter table items rename to archive")
        session.execute("insert into archive values (1)")
        session.execute("alter table archive rename to items")
    assert capture(source, landing, FOLDER).alarms == ()
    assert replayed(landing) == held(url)
