"""Small drops: many of them come in by one transaction, and each is judged as if it were alone."""

from collections import Counter
from threading import Barrier

import boto3
import pytest

from data_ingestion import batch
from data_ingestion.batch import BatchPrefetcher
from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import ObjectChanged
from data_ingestion.landing import FolderLanding, S3Landing
from data_ingestion.ledger import Kind, LoadState
from data_ingestion.load import load_drops
from tests.integration.conftest import write_things

HEAD = "id,amount,note"


def content(*rows, header=HEAD):
    return "\n".join([header, *rows, ""]).encode()


def key_of(number):
    return f"things/2026-{1 + number % 12:02d}/{number:03d}.csv"


def state(warehouse):
    """Everything that a load leaves, but the ids and times of its attempts."""
    queries = (
        "select * from (select id, amount::text, note, _line from raw.things) r order by 1",
        "select id, amount::text, note, _fate from raw.things__history order by 1, 2, 3",
        """select object_key, line, column_name, reason, raw_text from ops.quarantine
           where closed_by_load_id is null order by 1, 2""",
        """select o.object_key, o.state, encode(d.sha256, 'hex'), d.size_bytes
           from ops.objects o left join ops.drops d using (drop_id) order by 1""",
        """select object_key, state, rows_read, quarantined, repeated, superseded, inserted
           from ops.loads order by object_key""",
    )
    return [warehouse.connection.execute(query).fetchall() for query in queries]


FAULTY = {
    5: content("5,x,a", "5000,1,b"),  # a bad row, within the limit
    6: content(*(f"{number},x,a" for number in range(9))),  # over the limit
    7: content("1,1,a", header="id,amount,colour"),
    8: content("8,1,a", "8,2,b", "9,1,c"),  # a key twice
    9: content(),
    10: b"",
    11: b"id,amount,note\n11,1,\xff\n12000,1,b\n",
    12: b"\x1f\x8bnot gzip after all",
    13: content("3,77,older or newer"),  # a key of another drop
    14: content("4,1,a"),  # the bytes of another drop
}


def test_drops_that_were_only_touched_are_recognised_together(things, landing, warehouse):
    def load():
        (plan,) = discover([things], landing, warehouse).plans
        return list(load_drops(things, landing, warehouse, plan.drops))

    for number in range(20):
        landing.write(key_of(number), content(f"{number},1,a"))
    load()
    for number in range(20):
        landing.write(key_of(number), content(f"{number},{2 if number == 7 else 1},a"))
    reports = load()
    assert Counter(report.kind for report in reports) == {Kind.KNOWN: 19, Kind.CORRECTED: 1}
    assert {report.fates.read for report in reports if report.kind is Kind.KNOWN} == {0}
    transactions = "select count(distinct xmin::text) from ops.loads where kind <> 'new'"
    assert warehouse.connection.execute(transactions).fetchone() == (1,)
    assert load() == []


@pytest.mark.parametrize("part_bytes", [1, 60, 4 << 20])
def test_drops_end_together_as_they_end_one_by_one(part_bytes, things, landing, warehouse, monkeypatch):
    monkeypatch.setattr(batch, "PART_BYTES", part_bytes)
    for number in range(20):
        landing.write(key_of(number), FAULTY.get(number, content(f"{number},1,a", f"{1000 + number},2.5,b")))
    landing.write("things/2026-12/copy.csv", content("4,1,a"))
    (plan,) = discover([things], landing, warehouse).plans
    # the newest first, as a batch has it: what an older one shares with it waits behind it from the start
    for drop in reversed(plan.drops):
        list(load_drops(things, landing, warehouse, [drop]))
    one_by_one = state(warehouse)
    for table in ("quarantine", "conflicts", "objects", "loads", "drops"):
        warehouse.connection.execute(f"delete from ops.{table}")
    warehouse.connection.execute("truncate raw.things, raw.things__history")
    warehouse.connection.execute("update ops.datasets set raw_rows = 0")
    (plan,) = discover([things], landing, warehouse).plans
    reports = list(load_drops(things, landing, warehouse, plan.drops))
    together = state(warehouse)
    assert together[:3] == one_by_one[:3]
    assert {row[0]: row[1:] for row in together[3]} == {row[0]: row[1:] for row in one_by_one[3]}
    assert Counter(row[1] for row in together[4]) == Counter(row[1] for row in one_by_one[4])
    failed = {report.object_key for report in reports if report.state is LoadState.FAILED}
    assert failed == {key_of(number) for number in (6, 7, 10, 12)}
    at_once = [report for report in reports if "drops at once" in (report.plan_reason or "")]
    assert len(at_once) == len(reports) - len(failed) - 1  # a copy is told when the others are in


def test_a_batch_is_read_while_another_is_merged_and_each_row_is_in_once(
    things, landing, warehouse, monkeypatch
):
    monkeypatch.setattr("data_ingestion.grouping.MOST_TOGETHER", 3)
    for number in range(20):
        landing.write(key_of(number), content(f"{number},1,a"))
    (plan,) = discover([things], landing, warehouse).plans
    reports = list(load_drops(things, landing, warehouse, plan.drops))
    assert [report.fates.inserted for report in reports] == [1] * 20
    assert warehouse.connection.execute("select array_agg(id order by id) from raw.things").fetchone() == (
        list(range(20)),
    )


def test_batches_of_new_keys_and_of_keys_that_raw_knows_are_merged(things, landing, warehouse, monkeypatch):
    monkeypatch.setattr("data_ingestion.grouping.MOST_TOGETHER", 3)
    for number in range(12):
        landing.write(key_of(number), content(f"{number},1,a", f"{100 + number},1,a"))
    key = "things/2026-06/004-again.csv"  # among the later ones: a row as it is, a changed one and a new one
    landing.write(key, content("0,1,a", "101,2,b", "900,1,a"))
    (plan,) = discover([things], landing, warehouse).plans
    reports = list(load_drops(things, landing, warehouse, plan.drops))
    place = [report.object_key for report in reports].index(key)
    fates = reports[place].fates
    assert (fates.read, fates.inserted, fates.updated, fates.unchanged) == (3, 1, 1, 1)
    assert warehouse.connection.execute(
        "select count(*), sum(amount), (select raw_rows from ops.datasets) from raw.things"
    ).fetchone() == (25, 26, 25)


class Slow(FolderLanding):
    """A landing that answers nobody before three have asked."""

    at_once = 3

    def __init__(self, root):
        super().__init__(root)
        self.asked = Barrier(3)

    def open(self, seen):
        self.asked.wait(timeout=30)
        if "002" in seen.key:
            raise ObjectChanged(f"{seen.key}: changed since it was listed")
        return super().open(seen)


def test_objects_that_are_slow_to_come_are_fetched_several_at_a_time(things, landing, warehouse):
    for number in range(6):
        landing.write(key_of(number), content(f"{number},1,a"))
    (plan,) = discover([things], landing, warehouse).plans
    batches = BatchPrefetcher(things, Slow(landing.root), None)
    with batches.parts(plan.drops) as parts:
        (part,) = parts
    batches.close()
    assert [plan.drops[drop.position].object.key for drop in part.drops] == [
        key_of(number) for number in (0, 1, 3, 4, 5)
    ]


def test_a_load_from_s3_asks_for_each_new_object_once_and_for_the_others_by_pages(
    aws_endpoint, tmp_path, warehouse
):
    contract = read_contract(write_things(tmp_path))
    client = boto3.client(
        "s3",
        endpoint_url=aws_endpoint,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    )
    client.create_bucket(Bucket="drops")
    for number in range(1100):  # more than a page of a listing
        client.put_object(Bucket="drops", Key=key_of(number), Body=content(f"{number},1,a"))
    asked: Counter[str] = Counter()
    client.meta.events.register("before-call.s3", lambda model, **_: asked.update([model.name]))
    landing = S3Landing("drops", client=client)

    def load():
        asked.clear()
        (plan,) = discover([contract], landing, warehouse, whole_landing=False).plans
        reports = list(load_drops(contract, landing, warehouse, plan.drops))
        assert {report.state for report in reports} <= {LoadState.LOADED}
        return len(reports), dict(asked)

    assert load() == (1100, {"ListObjectsV2": 2, "GetObject": 1100})
    assert load() == (0, {"ListObjectsV2": 2})
    client.put_object(Bucket="drops", Key=key_of(2000), Body=content("2000,1,a"))
    client.put_object(Bucket="drops", Key=key_of(2001), Body=content("2001,1,a"))
    assert load() == (2, {"ListObjectsV2": 2, "GetObject": 2})
