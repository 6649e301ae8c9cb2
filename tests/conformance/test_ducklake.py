"""DuckLake: as of a load, one writer, and nothing left of loads that were killed."""

import threading

import boto3
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import OperatorFault
from data_ingestion.load import load_drops
from data_ingestion.rebuild import rebuild
from data_ingestion.warehouses import open_warehouse
from tests.integration.conftest import write_things
from tests.integration.limits import without_limits

KEY = "things/2026-01/a.csv"
COUNT = "select count(*) as rows, sum(amount) as total from raw.things"


@pytest.fixture
def url(engine_url, tmp_path):
    return f"ducklake:{engine_url}?data={tmp_path / 'lake'}"


def load(url, contract, landing, *lines):
    landing.write(KEY, "\n".join(["id,amount,note", *lines, ""]).encode())
    warehouse = open_warehouse(url)
    warehouse.migrate()
    warehouse.abandon_lost_attempts()
    (plan,) = discover([contract], landing, warehouse).plans
    (report,) = load_drops(contract, landing, warehouse, plan.drops)
    warehouse.close()
    return report.load_id


def as_of(url, load_id):
    warehouse = open_warehouse(url)
    (row,) = warehouse.query_as_of(load_id, COUNT)
    warehouse.close()
    return row["rows"], int(row["total"])


def test_the_lake_is_read_as_each_load_left_it(url, contract, landing):
    first = load(url, contract, landing, "1,1,a", "2,2,b")
    second = load(url, contract, landing, "1,5,a")
    assert (as_of(url, first), as_of(url, second)) == ((2, 3), (1, 5))
    with pytest.raises(OperatorFault, match="no snapshot of the lake is of load 99"):
        as_of(url, 99)


def test_a_rebuild_is_one_snapshot_and_what_was_before_it_stays_readable(url, contract, landing, tmp_path):
    load_id = load(url, contract, landing, "1,1,a", "2,2.50,b")
    text = without_limits(read_contract(write_things(tmp_path, logicalType="string", physicalType="text")))
    warehouse = open_warehouse(url)
    report = rebuild(text, landing, warehouse)
    warehouse.close()
    warehouse = open_warehouse(url)
    amounts = "select amount from raw.things order by id"
    before = [str(row["amount"]) for row in warehouse.query_as_of(load_id, amounts)]
    after = [row["amount"] for row in warehouse.query_as_of(report.load_id, amounts)]
    warehouse.close()
    assert (before, after) == (["1.00", "2.50"], ["1", "2.50"])


def test_the_files_may_lie_on_s3(engine_url, contract, landing, aws_endpoint, monkeypatch):
    settings = {
        "AWS_ENDPOINT_URL": aws_endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "it's secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lakes", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    url = f"ducklake:{engine_url}?data=s3://lakes/first"
    many = [f"{number},1,a" for number in range(2000)]
    first, second = load(url, contract, landing, *many), load(url, contract, landing, *many[:1500])
    assert (as_of(url, first), as_of(url, second)) == ((2000, 2000), (1500, 1500))
    files = s3.list_objects_v2(Bucket="lakes", Prefix="first/raw/things/")["Contents"]
    assert {file["Key"].rsplit(".", 1)[-1] for file in files} == {"parquet"}


def test_files_of_a_load_that_was_killed_are_deleted_by_the_next_command(url, contract, landing, tmp_path):
    load(url, contract, landing, "1,1,a")
    orphan = tmp_path / "lake" / "raw" / "things" / "ducklake-orphan.parquet"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"what was written and never committed")
    killed = open_warehouse(url)
    killed.migrate()
    killed.session.run(
        """insert into ops.loads (attempt_id, dataset, object_key, kind, state, started_at)
           values (99, 'things', 'x', 'new', 'started', now())"""
    )
    killed.close()
    assert load(url, contract, landing, "1,2,a")
    assert not orphan.exists()
    assert open_and_count(url) == 1


def open_and_count(url):
    warehouse = open_warehouse(url)
    warehouse.read_only()
    count = warehouse.session.one("select count(*) from raw.things")
    warehouse.close()
    return count


def test_a_second_writer_waits_for_the_first(url, contract, landing):
    load(url, contract, landing, "1,1,a")
    first = open_warehouse(url)
    first.migrate()
    done = threading.Event()

    def write():
        load(url, contract, landing, "1,2,a")
        done.set()

    other = threading.Thread(target=write)
    other.start()
    assert not done.wait(2)
    first.close()
    other.join(timeout=120)
    assert done.is_set()
