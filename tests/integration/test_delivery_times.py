"""Delivery times: one source for each, so that raw is the same whatever road a load went.

Some servers of S3 tell milliseconds in a listing and whole seconds to who asks for one object.
"""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from data_ingestion.discovery import discover, plan_again
from data_ingestion.landing import FolderLanding, S3Landing
from data_ingestion.load import load_drops
from tests.integration.test_load import raw

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIRST, SECOND = "things/2026-01/z.csv", "things/2026-01/a.csv"  # by their keys the other way round


@pytest.fixture
def clock(monkeypatch):
    """The server's, which the test sets; its listings tell milliseconds."""
    from moto.core.serialize import TimestampSerializer
    from moto.s3 import models

    now = [NOON]
    monkeypatch.setattr(models, "utcnow", lambda: now[0].replace(tzinfo=None))
    monkeypatch.setattr(models.FakeKey, "last_modified_ISO8601", property(lambda key: key.last_modified))

    def in_milliseconds(_, time):
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    monkeypatch.setattr(TimestampSerializer, "_timestamp_iso8601_zeroed", in_milliseconds)
    return now


@pytest.fixture
def bucket(aws_endpoint, monkeypatch, request):
    for name, value in (("ENDPOINT_URL", aws_endpoint), ("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"),
                        ("DEFAULT_REGION", "us-east-1")):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    name = f"times-{abs(hash(request.node.name))}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def at(clock, milliseconds):
    clock[0] = NOON + timedelta(milliseconds=milliseconds)


def test_one_object_is_told_as_a_listing_tells_it(bucket, clock):
    at(clock, 345)
    landing = S3Landing(bucket, "in")
    landing.write("a.csv", b"x")
    landing.write("a.csv.gz", b"y")
    landing.write("a", b"z")
    listed = {item.key: item for item in landing.list_objects()}
    assert listed["a.csv"].last_modified == NOON + timedelta(milliseconds=345)
    assert {key: landing.look(key) for key in listed} == listed
    assert landing.look("a.c") is None
    head = landing._client.head_object(Bucket=bucket, Key="in/a.csv")
    assert head["LastModified"] == NOON  # such a server is what this is about


def test_a_folder_tells_one_file_as_a_listing_does(tmp_path):
    landing = FolderLanding(tmp_path)
    landing.write("a.csv", b"x")
    (listed,) = landing.list_objects()
    assert landing.look("a.csv") == listed


@pytest.mark.parametrize("planned_again", [(), (FIRST,), (SECOND,), (FIRST, SECOND)])
def test_of_two_deliveries_within_a_second_the_later_one_wins_whichever_was_planned_again(
    things, warehouse, bucket, clock, planned_again
):
    landing = S3Landing(bucket)
    at(clock, 100)
    landing.write(FIRST, b"id,amount,note\n1,1,first\n")
    at(clock, 900)
    landing.write(SECOND, b"id,amount,note\n1,2,second\n")
    (plan,) = discover([things], landing, warehouse).plans
    drops = [
        plan_again(things, landing, warehouse, drop.object.key) if drop.object.key in planned_again else drop
        for drop in plan.drops
    ]
    assert [drop.object.key for drop in drops] == [FIRST, SECOND]
    for drop in drops if planned_again else [drops]:  # one by one, or together
        list(load_drops(things, landing, warehouse, [drop] if planned_again else drop))
    assert raw(warehouse) == [(1, "2.00", "second")]


@pytest.mark.parametrize("order", [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_delivery_that_changes_between_plan_and_load_ranks_by_the_listings_time(
    things, warehouse, bucket, clock, order
):
    """The load finds another version than was planned, and looks at the object alone."""
    landing = S3Landing(bucket)
    at(clock, 0)
    landing.write(FIRST, b"id,amount,note\n1,0,planned\n")
    at(clock, 500)
    landing.write(SECOND, b"id,amount,note\n1,2,second\n")
    (plan,) = discover([things], landing, warehouse).plans
    at(clock, 800)
    landing.write(FIRST, b"id,amount,note\n1,3,corrected\n")
    drops = {drop.object.key: drop for drop in plan.drops}
    for key in order:
        (report,) = load_drops(things, landing, warehouse, [drops[key]])
        assert report.state == "loaded"
    assert raw(warehouse) == [(1, "3.00", "corrected")]


# Archived objects


def archived(bucket, key, storage_class, body=b"id,amount,note\n1,1,x\n"):
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body, StorageClass=storage_class)


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_fails_alone_and_says_how_it_is_restored(things, warehouse, bucket, storage_class):
    landing = S3Landing(bucket)
    landing.write("things/2026-02/b.csv", b"id,amount,note\n2,2,y\n")
    landing.write("things/2026-02/c.csv", b"id,amount,note\n3,2,y\n")
    archived(bucket, "things/2026-01/it's.csv", storage_class)
    (plan,) = discover([things], landing, warehouse).plans
    reports = {report.object_key: report for report in load_drops(things, landing, warehouse, plan.drops)}
    assert [row[0] for row in raw(warehouse)] == [2, 3]
    failed = reports["things/2026-01/it's.csv"]
    assert failed.state == "failed"
    assert f"it's.csv: archived ({storage_class})" in failed.failure_message()
    assert "'things/2026-01/it'\"'\"'s.csv' --restore-request Days=7" in failed.failure_message()
    assert "network" not in failed.failure_message()
