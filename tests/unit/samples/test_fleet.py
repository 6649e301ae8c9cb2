"""Fleet samples: vehicles that really drive, and every fault counted by a reading that knows no generator."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from goldworks_samples.domains import write_samples

TODAY = date(2026, 3, 3)
KEY = re.compile(r"data/(\d{4}/\d\d/\d\d/\d\d/\d\d)/(\d{4}-\d\d-\d\d-\d\d-\d\d-\d{1,2})-events\.txt")
FIELDS = {
    ("vehicle", "register"): set(),
    ("vehicle", "update"): {"location"},
    ("vehicle", "deregister"): set(),
    ("operating_period", "create"): {"start", "finish"},
    ("operating_period", "delete"): {"start", "finish"},
}


def written(**settings):
    objects = {}
    drops = write_samples(objects.__setitem__, "fleet", **{"today": TODAY, **settings})
    return drops, objects


@pytest.fixture(scope="module")
def fleet():
    return written()


def is_sound(line):
    """Whether a line is a record of a known kind with all that the kind must have, and no field that nobody knows."""
    try:
        record = json.loads(line)
        moment(record["at"])
        data = record["data"]
        needed = FIELDS[record["on"], record["event"]]
        if needed == {"location"} and abs(data["location"]["lat"]) > 90:
            return False
    except (ValueError, KeyError):
        return False
    known = {"event", "on", "at", "data", "organization_id"}
    return record.keys() == known and needed <= data.keys()


def moment(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def told_by(key):
    return datetime.strptime(KEY.fullmatch(key)[2], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)


def events(objects):
    """Sound records, by the file that has them."""
    return [
        (key, json.loads(line))
        for key, data in objects.items()
        if KEY.fullmatch(key)
        for line in data.splitlines()
        if is_sound(line)
    ]


def name(record):
    return record["on"], record["event"], record["data"]["id"], record["at"]


def tracks(objects):
    """By vehicle the places where it was, in the order of time, each once."""
    found = defaultdict(dict)
    for _, record in events(objects):
        if (record["on"], record["event"]) == ("vehicle", "update"):
            where = record["data"]["location"]
            found[record["data"]["id"]][moment(where["at"])] = (where["lat"], where["lng"])
    return {vehicle: sorted(places.items()) for vehicle, places in found.items()}


def metres(one, other):
    north, east = (math.radians(b - a) for a, b in zip(one, other, strict=True))
    return 6_371_000 * math.hypot(north, east * math.cos(math.radians(one[0])))


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others():
    assert written(scale=0.1) == written(scale=0.1)
    assert written(scale=0.1, seed=8)[1] != written(scale=0.1)[1]


def test_vehicles_drive_on_the_day_before():
    _, objects = written(scale=0.1, today=date(2028, 3, 1))
    files = [key for key in objects if KEY.fullmatch(key)]
    assert {told_by(key).date() for key in files} == {date(2028, 2, 29)}
    assert "data/2028/02/29/07/upload.log" in objects
    assert {moment(record["at"]).date() for _, record in events(objects)} == {date(2028, 2, 29)}


def test_there_are_about_a_thousand_files_of_about_ten_thousand_records(fleet):
    drops, objects = fleet
    assert 950 < len(objects) < 1_100
    assert 9_000 < sum(drop.rows for drop in drops) < 12_000
    assert len(written(scale=0.3, faults=False)[1]) < 0.35 * len(objects)


@pytest.mark.parametrize("settings", [{}, {"scale": 0.02}, {"faults": False}, {"seed": 99, "scale": 0.5}])
def test_each_file_holds_what_is_said_of_it(settings):
    drops, objects = written(**settings)
    assert [drop.key for drop in drops] == list(objects)
    for drop in drops:
        lines = objects[drop.key].splitlines() if KEY.fullmatch(drop.key) else []
        assert (len(lines), sum(not is_sound(line) for line in lines)) == (drop.rows, drop.bad_rows)
    assert any(drop.bad_rows for drop in drops) == settings.get("faults", True)


def test_no_file_of_a_longer_time_is_written_twice():
    drops, _ = written(scale=3.7)
    assert max(Counter(drop.key for drop in drops).values()) == 1
    assert sum(drop.note == "copies of another" for drop in drops) > 5


def test_malformed_lines_are_of_six_kinds(fleet):
    bad = {line for key, data in fleet[1].items() if KEY.fullmatch(key) for line in data.splitlines()}
    bad = {line for line in bad if not is_sound(line)}
    kinds = Counter()
    for line in bad:
        try:
            record = json.loads(line)
        except ValueError:
            kinds["cut short"] += 1
            continue
        place = record["data"].get("location", {})
        kinds[
            "another kind" if record["on"] == "driver"
            else "another field" if "battery" in record
            else "no time" if record["at"] == "soon"
            else "beyond the pole" if place.get("lat", 0) > 90
            else "nowhere"
        ] += 1  # fmt: skip
    assert len(kinds) == 6
    assert min(kinds.values()) >= 4


def test_without_faults_each_event_comes_once_and_with_its_own_second():
    _, objects = written(scale=0.2, faults=False)
    found = events(objects)
    assert max(Counter(name(record) for _, record in found).values()) == 1
    for key, record in found:
        ahead = moment(record["at"]) - told_by(key) - timedelta(hours=3)
        assert timedelta(0) <= ahead < timedelta(seconds=1)
    times = sorted(told_by(key) for key in objects)
    assert {later - one for one, later in pairwise(times)} == {timedelta(seconds=1)}


def test_paths_are_of_the_source_s_clock_with_seconds_unpadded_and_some_are_missing(fleet):
    keys = [key for key in fleet[1] if KEY.fullmatch(key)]
    seconds = {key.removesuffix("-events.txt").rpartition("-")[2] for key in keys}
    assert {"0", "9", "10", "59"} <= seconds
    assert "09" not in seconds
    times = sorted(told_by(key) for key in keys if told_by(key).hour == 7)
    gaps = sum((later - one).seconds - 1 for one, later in pairwise(times))
    assert 10 < gaps < 80


def test_events_come_again_and_late_under_other_names_and_whole_files_do_so_too(fleet):
    _, objects = fleet
    found = events(objects)
    files = defaultdict(set)
    for key, record in found:
        files[name(record)].add(objects[key])
    assert sum(len(contents) > 1 for contents in files.values()) > 50
    copies = Counter(data for key, data in objects.items() if KEY.fullmatch(key))
    assert max(copies.values()) == 2
    late = [told_by(key) + timedelta(hours=3) - moment(record["at"]) for key, record in found]
    assert sum(timedelta(seconds=20) <= delay < timedelta(minutes=10) for delay in late) > 50


def test_nothing_that_happened_is_lost_by_the_faults():
    _, sound = written(scale=0.3, faults=False)
    _, faulty = written(scale=0.3)
    assert {name(record) for _, record in events(sound)} == {name(record) for _, record in events(faulty)}


def test_vehicles_drive_as_fast_as_cars_in_a_town_and_some_kilometres_in_a_quarter_of_an_hour(fleet):
    driven = []
    for places in tracks(fleet[1]).values():
        legs = [(metres(a, b), (later - one).total_seconds()) for (one, a), (later, b) in pairwise(places)]
        assert max(length / seconds for length, seconds in legs) < 18
        driven.append(sum(length for length, _ in legs))
    assert len(driven) == 30
    assert 1_500 < sum(driven) / 30 < 12_000


def test_vehicles_report_in_their_own_rhythms(fleet):
    counts = sorted(len(places) for places in tracks(fleet[1]).values())
    assert counts[-1] > 2 * counts[0]
    assert len(set(counts)) >= 5


def test_operating_periods_are_announced_and_some_are_deleted_before_or_while_they_run(fleet):
    records = [record for _, record in events(fleet[1]) if record["on"] == "operating_period"]
    created = {record["data"]["id"]: record for record in records if record["event"] == "create"}
    deleted = {record["data"]["id"]: record for record in records if record["event"] == "delete"}
    assert len(created) == 3
    for record in created.values():
        assert moment(record["at"]) < moment(record["data"]["start"]) < moment(record["data"]["finish"])
    before = [moment(record["at"]) < moment(record["data"]["start"]) for record in deleted.values()]
    assert sorted(before) == [False, True]


def test_a_deregistration_may_tell_a_place_that_its_kind_does_not_have(fleet):
    gone = [record for _, record in events(fleet[1]) if record["event"] == "deregister"]
    assert {"location" in record["data"] for record in gone} == {True, False}
