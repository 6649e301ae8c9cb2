"""The fleet's files on a real warehouse: a file a second, records of several kinds, some of them twice.

What raw must hold of the real files is computed here line by line, without the loader.
"""

import json
import tarfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_ingestion.contract import Contract, read_contract
from data_ingestion.ledger import Fates, Kind, LoadState
from tests.integration.limits import without_limits

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "vehicle_events"
FIRST, SECOND = (f"data/2026/03/02/7/5/2026-03-02-7-5-{second}-events.txt" for second in (4, 15))
VEHICLE = "6f1c0c58-0d0b-4b6e-9d0f-0000000000{:02x}"
KEY = ("organization_id", "on", "event", "at")


def update(vehicle=1, at="2026-03-02T10:05:03.087Z", lat=52.5, **more):
    location = {"lat": lat, "lng": 13.4, "at": at}
    return record("vehicle", "update", VEHICLE.format(vehicle), at, location=location, **more)


def record(on, event, id_, at="2026-03-02T10:05:03.087Z", **data):
    return {"event": event, "on": on, "at": at, "data": {"id": id_, **data}, "organization_id": "acme"}


def put(landing, key, *records):
    lines = [line if isinstance(line, str) else json.dumps(line) for line in records]
    landing.write(key, ("\n".join(lines) + "\n").encode())


@pytest.fixture
def events() -> Contract:
    return without_limits(read_contract(ROOT / "contracts/fleet/vehicle_events.odcs.yaml"))


def held(warehouse, columns="subject, event"):
    return warehouse.connection.execute(f"select {columns} from raw.vehicle_events order by 1, 2").fetchall()


def reasons(warehouse):
    bad = warehouse.quarantined("vehicle_events", limit=1000)
    return Counter((row["reason"], row["column_name"]) for row in bad)


def test_every_kind_comes_in_with_the_fields_of_its_kind_alone(landing, events, load, warehouse):
    period = {"start": "2026-03-02T10:00:00.000Z", "finish": "2026-03-02T11:00:00.000Z"}
    put(
        landing, FIRST,
        record("vehicle", "register", VEHICLE.format(1)), update(), record("vehicle", "deregister", VEHICLE.format(1)),
        record("operating_period", "create", "op_1", **period), record("operating_period", "delete", "op_1"),
    )  # fmt: skip
    (report,) = load(events)
    assert report.fates == Fates(read=5, inserted=5)
    given = held(warehouse, "subject, event, latitude is not null, starts_at is not null")
    assert given == [
        ("operating_period", "create", False, True),
        ("operating_period", "delete", False, False),
        ("vehicle", "deregister", False, False),
        ("vehicle", "register", False, False),
        ("vehicle", "update", True, False),
    ]


def test_unpadded_seconds_say_when_the_file_was_written_which_is_not_when_things_happened(
    landing, events, load, warehouse
):
    put(landing, SECOND, update(vehicle=2))
    put(landing, FIRST, update())
    load(events)
    found = warehouse.connection.execute("select period from ops.objects order by 1").fetchall()
    assert found == [("2026-03-02T07:05:04",), ("2026-03-02T07:05:15",)]
    moment = datetime(2026, 3, 2, 10, 5, 3, 87_000, UTC)
    assert held(warehouse, "occurred_at, located_at") == [(moment, moment)] * 2


def test_an_event_delivered_again_under_another_name_counts_once(landing, events, load, warehouse):
    put(landing, FIRST, update(), update(vehicle=2))
    load(events)
    put(landing, SECOND, update(vehicle=2), update(vehicle=3))
    (report,) = load(events)
    assert report.fates == Fates(read=2, inserted=1, unchanged=1)
    assert len(held(warehouse)) == 3


def test_a_file_delivered_again_under_another_name_is_not_read(landing, events, load, warehouse):
    put(landing, FIRST, update(), update(vehicle=2))
    load(events)
    landing.write(SECOND, (landing.root / FIRST).read_bytes())
    (report,) = load(events)
    assert (report.kind, report.fates) == (Kind.DUPLICATE, Fates())
    assert len(held(warehouse)) == 2


def test_events_that_differ_in_what_happened_or_when_or_where_are_several(landing, events, load, warehouse):
    other = {**update(), "organization_id": "other"}
    put(landing, FIRST, update(), update(at="2026-03-02T10:05:04.087Z"), other)
    (report,) = load(events)
    assert report.fates == Fates(read=3, inserted=3)


def test_each_fault_has_its_reason_and_the_others_of_the_file_come_in(landing, events, load, warehouse):
    nowhere = record("vehicle", "update", VEHICLE.format(4))
    beyond = update(vehicle=5, lat=152.5)
    untold = record("vehicle", "update", VEHICLE.format(6), location={"lat": 1, "lng": 2, "at": None})
    nobody = {**update(vehicle=7), "data": {"location": update()["data"]["location"]}}
    put(
        landing, FIRST, update(), nowhere, beyond, untold, nobody,
        record("operating_period", "create", "op_1", start="2026-03-02T10:00:00.000Z"),
        record("vehicle", "crash", VEHICLE.format(8)), record("driver", "create", "d1", name="x"),
        update(vehicle=9, speed=50), update(vehicle=10, at="yesterday"), '{"event": "upda',
    )  # fmt: skip
    (report,) = load(events)
    assert report.fates == Fates(read=11, inserted=1, quarantined=10)
    assert reasons(warehouse) == {
        ("missing", "latitude"): 1,
        ("out_of_bounds", "latitude"): 1,
        ("missing", "located_at"): 1,
        ("missing", "subject_id"): 1,
        ("missing", "finishes_at"): 1,
        ("unknown_kind", "subject"): 2,
        ("unknown_key", "data.speed"): 1,
        ("not_a_timestamp", "occurred_at"): 1,
        ("invalid_json", None): 1,
    }


def test_a_place_on_an_event_that_has_none_is_kept(landing, events, load, warehouse):
    put(landing, FIRST, {**update(), "event": "deregister"})
    load(events)
    assert held(warehouse, "event, latitude") == [("deregister", 52.5)]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real vehicle events are not on this machine")
def test_the_real_files_come_in_whole_with_every_record_accounted_for(landing, events, load, warehouse):
    keys = unpack_real(landing.root)
    reports = load(events)
    assert {report.object_key for report in reports} == keys
    assert {report.state for report in reports} == {LoadState.LOADED}
    read = [json.loads(line) for key in keys for line in (landing.root / key).open() if line.strip()]
    distinct = {(*(row[name] for name in KEY), row["data"]["id"]) for row in read}
    assert sum(report.fates.read for report in reports) == len(read)
    assert all(report.fates.read == report.fates.accounted for report in reports)
    assert sum(report.fates.quarantined for report in reports) == 0
    expected = Counter((row["on"], row["event"]) for row in read)
    assert len(held(warehouse)) == len(distinct)
    assert Counter(held(warehouse)) == expected
    assert load(events) == []


def unpack_real(root: Path) -> set[str]:
    """The real files, where a source would lay them; their keys."""
    (archive,) = DATA.glob("*.tar.gz")
    keys = set()
    with tarfile.open(archive) as packed:
        for member in packed:
            if member.isfile():
                key = "data/" + member.name[member.name.index("/20") + 1 :]
                (root / key).parent.mkdir(parents=True, exist_ok=True)
                (root / key).write_bytes(packed.extractfile(member).read())
                keys.add(key)
    return keys
