"""Capture: places in the source's log, and how far a run may go and acknowledge."""

import re
import uuid

import boto3
import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError

from data_ingestion.capture.changelog import newest_place
from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding, S3Landing
from tests.integration.capture.source_log import FOLDER, TABLES, held, records, replayed, running


def test_no_commit_can_have_the_place_of_a_snapshot(url: str, source: Source, landing: FolderLanding) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1), (2)")
        capture(source, landing, FOLDER)
        # The first commit after a snapshot may begin at the very place that the slot goes on from.
        assert newest_place(landing, FOLDER) == source.state().acknowledged - 1
        session.execute("delete from items; insert into notes values (1, 'a')")
        session.execute("insert into notes values (2, 'b')")
    capture(source, landing, FOLDER)
    multiples = {(record["op"] == "r", record["lsn"] % 8 == 0) for record in records(landing)}
    assert multiples == {(True, False), (False, True)}


def test_a_commit_that_the_source_has_written_but_not_made_safe_is_not_passed_over(
    landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    lazy = {"wal_level": "logical", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
    with running(lazy) as cluster:
        url = cluster.url("postgres", cluster.password, "postgres")
        with psycopg.connect(url, autocommit=True) as lazy_one, psycopg.connect(url) as other:
            lazy_one.execute(
                "create table items (id int primary key); create table notes (id int primary key)"
            )
            lazy_one.execute("create table others (text text)")
            source = Source(url, "shop", TABLES)
            capture(source, landing, FOLDER)
            lazy_one.execute("set synchronous_commit = off")
            lazy_one.execute("insert into items values (1)")
            # much log by a transaction that still runs: the server writes what came before, and does not flush it
            other.execute("insert into others select repeat('z', 400) from generate_series(1, 20000)")
            written, safe = lazy_one.execute(
                "select pg_current_wal_lsn(), pg_current_wal_flush_lsn()"
            ).fetchone()
            assert written != safe
            look = source.look

            def flushed_meanwhile(*arguments):
                yield from look(*arguments)
                other.commit()

            monkeypatch.setattr(source, "look", flushed_meanwhile)
            capture(source, landing, FOLDER)
            other.commit()
            monkeypatch.undo()
            capture(source, landing, FOLDER)
            source.close()
        assert replayed(landing) == held(url)


def test_a_run_ends_with_what_was_there_as_it_began_however_busy_the_source_is(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        for number in range(5):
            session.execute("insert into items values (%s)", [number])
        look, looks = source.look, []

        def busy(*arguments):
            looks.append(arguments)
            assert len(looks) < 20, "it runs after the source for ever"
            session.execute("insert into items values (%s)", [100 + len(looks)])
            return look(*arguments)

        monkeypatch.setattr(source, "look", busy)
        assert capture(source, landing, FOLDER, 1).changes == 5
        monkeypatch.undo()
        capture(source, landing, FOLDER)
    assert replayed(landing) == held(url)


def test_a_large_transaction_becomes_several_drops_that_may_be_read_again(
    url: str, source: Source, landing: FolderLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        capture(source, landing, FOLDER)
        before = newest_place(landing, FOLDER)
        session.execute("insert into notes values (1, 'small')")
        session.execute("insert into items select number from generate_series(1, 25) number")
    write, kept = landing.write, []

    def killed(key, data, **how):
        write(key, data, **how)
        kept.append(key)
        if len(kept) == 2:
            raise ZeroDivisionError

    monkeypatch.setattr(landing, "write", killed)
    with pytest.raises(ZeroDivisionError):
        capture(source, landing, FOLDER, 10)
    commit = max(record["lsn"] for record in records(landing))
    assert before < newest_place(landing, FOLDER) == commit - 1, "of this transaction a part is there"
    monkeypatch.undo()
    assert capture(source, landing, FOLDER, 10).drops == 3
    assert newest_place(landing, FOLDER) == commit
    assert replayed(landing) == held(url)
    assert [re.sub(r".*/|[0-9A-F]{16}|_[0-9a-f]{12}-1-[0-9a-f]{8}", "", key) for key in kept] == [
        "-.000000008.jsonl",
        ".000000009-.000000018.jsonl",
    ]


@pytest.fixture
def bucket(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3Landing:
    for name, value in (("ENDPOINT_URL", aws_endpoint), ("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"),
                        ("DEFAULT_REGION", "eu-central-1")):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"landing-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return S3Landing(name, "in")


def test_a_bucket_that_takes_no_drop_leaves_the_changes_at_the_source(
    url: str, source: Source, bucket: S3Landing
) -> None:
    asked = []

    def refuse(**_: object) -> None:
        asked.append(source.state().acknowledged)
        raise EndpointConnectionError(endpoint_url="s3")

    events, put = bucket._client.meta.events, "before-parameter-build.s3.PutObject"
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("insert into items values (1)")
        capture(source, bucket, FOLDER)
        before = source.state().acknowledged
        session.execute("insert into items values (2)")
        events.register(put, refuse)
        with pytest.raises(OperatorFault, match="check AWS_ENDPOINT_URL, the network"):
            capture(source, bucket, FOLDER)
        events.unregister(put, refuse)
        assert asked and {*asked, source.state().acknowledged} == {before}
        session.execute("delete from items where id = 1")
        assert capture(source, bucket, FOLDER).alarms == ()
    assert source.state().acknowledged > before
    assert replayed(bucket) == held(url)
