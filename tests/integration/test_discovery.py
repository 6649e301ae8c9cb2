"""Discovery: what a run lists, what it costs, and what the ledger learns of objects that come and go."""

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_ingestion.contract import Pattern, read_contract
from data_ingestion.contract.arrival import Window
from data_ingestion.discovery import discover
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding, LandingObject, S3Landing
from data_ingestion.ledger import Kind, ObjectState
from data_ingestion.listing import Listing, window_start
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, put

NOW = datetime.now(UTC)
HERE = f"things/{NOW:%Y-%m}/now.csv"
OLD = "things/2020-01/old.csv"


@pytest.fixture
def recent(things):
    """The dataset, looked for in this month and the one before."""
    return replace(things, recheck=Window(1, "month"))


class PagesOfKeys:
    """A client of S3 that holds keys and counts what it is asked; pages hold 1,000 of them."""

    def __init__(self, keys):
        self.keys, self.calls = sorted(keys), 0

    def get_paginator(self, _):
        return self

    def paginate(self, *, Bucket, Prefix, Delimiter=""):  # noqa: N803 - as boto3 names them
        found = [key for key in self.keys if key.startswith(Prefix)]
        if Delimiter:
            rests = {key[len(Prefix) :].partition("/") for key in found}
            folders = sorted({Prefix + name + "/" for name, slash, _ in rests if slash})
            found = [key for key in found if "/" not in key[len(Prefix) :]]
        else:
            folders = []
        entries = [*found, *folders]
        for start in range(0, max(len(entries), 1), 1000):
            self.calls += 1
            page = entries[start : start + 1000]
            yield {
                "Contents": [
                    {"Key": key, "Size": 1, "ETag": '"e"', "LastModified": NOW}
                    for key in page
                    if not key.endswith("/")
                ],
                "CommonPrefixes": [{"Prefix": key} for key in page if key.endswith("/")],
            }


def test_a_hundred_thousand_objects_of_old_folders_cost_a_run_a_handful_of_calls(things):
    readings = replace(things, pattern=Pattern("r/{YYYY}/{MM}/{DD}/*.csv"), recheck=Window(2, "day"))
    days = [
        (year, month, day) for year in (2023, 2024, 2025) for month in range(1, 13) for day in range(1, 29)
    ]
    keys = [
        f"r/{year}/{month:02}/{day:02}/{number:03}.csv" for year, month, day in days for number in range(100)
    ]
    client = PagesOfKeys([*keys, f"r/{NOW:%Y/%m/%d}/new.csv"])
    landing = S3Landing("bucket", client=client)
    since = {"things": readings.recheck.since(NOW)}
    assert [item.key[-7:] for item in landing.walk(Listing([readings], (), since).choose)] == ["new.csv"]
    assert client.calls <= 5
    assert sum(1 for _ in landing.walk(Listing([readings]).choose)) == 100_801
    assert client.calls <= 5 + 101


def test_what_a_capture_notes_for_itself_is_neither_unfinished_nor_unresolved(landing, warehouse):
    contract = read_contract(Path("contracts/orders/order_changes.odcs.yaml"))
    (note,) = contract.notes
    landing.write(note, b"")
    landing.write(f"{contract.capture_folder}/.other.jsonl", b"")
    found = discover([contract], landing, warehouse)
    assert ([item.key for item in found.ignored], found.unresolved) == (
        ["orders/changes/.other.jsonl"],
        (),
    )


@pytest.mark.parametrize(("days", "of_all"), [(1, 87), (2, 173)])
def test_of_a_file_a_second_a_run_asks_s3_for_the_last_hours_however_many_days_lie_there(days, of_all):
    """The hours in the window by a call a thousand files, the one in which it begins by a call a minute."""
    fleet = read_contract(Path("contracts/fleet/vehicle_events.odcs.yaml"))
    begin = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    moments = [begin + timedelta(seconds=second) for second in range(86_400 * days)]
    keys = [f"data/{at:%Y/%m/%d/%H/%M/%Y-%m-%d-%H-%M}-{at.second}-events.txt" for at in moments]
    client = PagesOfKeys(keys)
    landing = S3Landing("bucket", client=client)

    def listed(since):
        client.calls = 0
        listing = Listing([fleet], since=since, whole_landing=False)
        return sum(1 for start in listing.starts for _ in landing.walk(listing.choose, start)), client.calls

    assert listed({}) == (len(keys), of_all)
    now = moments[-1] + timedelta(minutes=7)
    since = window_start(fleet, now, f"{moments[-1]:%Y-%m-%dT%H:%M:%S}")
    assert listed({fleet.dataset: since}) == (2 * 3600 + 60, 42)


def test_old_folders_of_a_landing_folder_are_not_even_opened(recent, landing, warehouse, load, monkeypatch):
    for month in range(1, 13):
        put(landing, f"things/2020-{month:02}/old.csv", "1,1,a")
    put(landing, HERE, "2,2,b")
    load(recent)
    opened = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(path) or scandir(path))
    (plan,) = discover([recent], landing, warehouse).plans
    assert (plan.known, len(opened)) == (1, 3)  # the landing, things, this month


def test_the_first_load_brings_in_all_there_is_and_later_ones_look_back_only_so_far(
    recent, landing, warehouse, load
):
    put(landing, OLD, "1,1,a")
    put(landing, HERE, "2,2,b")
    assert len(load(recent)) == 2
    put(landing, HERE, "2,3,b")
    put(landing, "things/2020-02/late.csv", "3,3,c")
    assert [report.object_key for report in load(recent)] == [HERE]
    (plan,) = discover([recent], landing, warehouse, full=True).plans
    assert [drop.object.key for drop in plan.drops] == ["things/2020-02/late.csv"]


def test_what_came_since_the_newest_period_is_found_however_long_nothing_ran(
    recent, landing, warehouse, load
):
    put(landing, "things/2020-02/first.csv", "1,1,a")
    load(recent)
    since_then = ["things/2020-01/a.csv", "things/2020-02/b.csv", "things/2021-07/c.csv", HERE]
    for number, key in enumerate(since_then, 2):
        put(landing, key, f"{number},1,a")
    put(landing, "things/2019-12/older.csv", "9,1,a")
    assert sorted(report.object_key for report in load(recent)) == since_then


def test_a_source_whose_folders_are_hours_behind_our_clock_is_followed(things, landing, warehouse, load):
    readings = replace(things, pattern=Pattern("r/{YYYY}/{MM}/{DD}/{hh}/*.csv"), recheck=Window(2, "hour"))
    told = NOW - timedelta(hours=9)
    for number, hours in enumerate((0, -1, 1)):
        put(landing, f"r/{told + timedelta(hours=hours):%Y/%m/%d/%H}/{number}.csv", f"{number},1,a")
        assert [report.fates.inserted for report in load(readings)] == [1]


def test_a_file_that_says_it_is_of_the_future_hides_nothing_that_comes_after_it(
    things, landing, warehouse, load
):
    """Two days ago a run loaded one of the day after, and one of a year after: a sender's clock was wrong."""
    readings = replace(things, pattern=Pattern("r/{YYYY}/{MM}/{DD}/{hh}/*.csv"), recheck=Window(2, "hour"))

    def of(hours):
        return f"r/{NOW + timedelta(hours=hours):%Y/%m/%d/%H}/a.csv"

    for number, hours in enumerate((-48, -24, 24 * 365)):
        put(landing, of(hours), f"{number},1,a")
    load(readings)
    warehouse.connection.execute("update ops.loads set ended_at = ended_at - interval '48 hours'")
    put(landing, of(-40), "7,1,a")
    assert [report.object_key for report in load(readings)] == [of(-40)]


def test_who_asks_for_old_periods_gets_them(recent, landing, warehouse, load):
    put(landing, HERE, "2,2,b")
    load(recent)
    put(landing, OLD, "1,1,a")
    put(landing, "things/2019-01/older.csv", "4,4,d")

    def asked(choice):
        found = discover([recent], landing, warehouse, choice, record=False)
        return [drop.object.key for drop in found.drops]

    assert asked(Choice()) == []
    assert asked(Choice("2020-01", "2020-12")) == [OLD]
    assert asked(Choice(full_refresh=True)) == ["things/2019-01/older.csv", OLD, HERE]


def test_what_was_seen_and_is_not_loaded_is_found_however_old(recent, landing, warehouse, load):
    put(landing, HERE, "2,2,b")
    load(recent)
    put(landing, OLD, "1,1,a")
    assert discover([recent], landing, warehouse).drops == ()
    discover([recent], landing, warehouse, full=True)  # seen, and not loaded by it
    assert [drop.object.key for drop in discover([recent], landing, warehouse).drops] == [OLD]


def test_what_an_earlier_contract_loaded_is_found_however_old(landing, warehouse, load, recent, tmp_path):
    put(landing, OLD, "1,1,a")
    put(landing, HERE, "2,2,b")
    load(recent)
    changed = read_contract(write_things(tmp_path, logicalTypeOptions={"minimum": 0}))
    found = discover([replace(changed, recheck=recent.recheck)], landing, warehouse)
    assert [drop.kind for drop in found.drops] == [Kind.REPLAY] * 2


def test_rows_that_a_changed_contract_can_not_read_again_are_told_once_their_file_is_gone(
    landing, warehouse, load, things, tmp_path
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    (landing.root / JANUARY).unlink()
    assert discover([things], landing, warehouse).plans[0].outdated == ()
    changed = read_contract(write_things(tmp_path, logicalTypeOptions={"minimum": 0}))
    assert discover([changed], landing, warehouse, record=False).plans[0].outdated == (JANUARY,)


def test_an_object_without_a_contract_that_is_gone_is_unresolved_no_more(things, landing, warehouse):
    landing.write("notes.txt", b"x")
    discover([things], landing, warehouse)
    assert warehouse.unresolved() == ["notes.txt"]
    (landing.root / "notes.txt").unlink()
    discover([things], landing, warehouse)
    assert warehouse.unresolved() == []
    landing.write("notes.txt", b"x")
    discover([things], landing, warehouse)
    assert warehouse.unresolved() == ["notes.txt"]


def test_a_file_that_went_before_it_was_loaded_is_not_counted_as_waiting(things, landing, warehouse):
    put(landing, JANUARY, "1,1,a")
    discover([things], landing, warehouse)
    (landing.root / JANUARY).unlink()
    discover([things], landing, warehouse)
    assert [row["not_loaded"] for row in warehouse.summary()] == [0]


def test_the_ledger_knows_duplicates_by_etag_and_size_and_what_only_a_hash_can_tell(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    held = warehouse.find_object(JANUARY)
    assert held.state is ObjectState.IN_FORCE
    warehouse.connection.execute("update ops.objects set etag = 'abc'")

    def view(etag, size=held.size):
        return warehouse.known_objects("things", [LandingObject("things/x.csv", size, etag, NOW)])

    assert view("abc").twins == {"things/x.csv": JANUARY}
    assert view("abc", size=1).twins == {}
    assert (view("def").alike, view("ab-2").alike) == (frozenset(), {"things/x.csv"})
    assert (
        warehouse.known_objects("other", [LandingObject("things/x.csv", held.size, "abc", NOW)]).twins == {}
    )


def test_a_dry_run_writes_nothing_even_where_no_ledger_is(things, landing, warehouse):
    put(landing, JANUARY, "1,1,a")
    warehouse.connection.execute("drop schema ops cascade")
    warehouse.read_only()
    found = discover([things], landing, warehouse, record=False)
    assert [drop.kind for drop in found.drops] == [Kind.NEW]
    with pytest.raises(Exception, match="read-only"):
        warehouse.migrate()


def test_bad_rows_of_a_failed_correction_are_closed_when_the_version_in_force_lies_there_again(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    put(landing, JANUARY, *(f"{number},bad,x" for number in range(9)))
    load(things)
    assert len(warehouse.quarantined("things")) == 9
    put(landing, JANUARY, "1,1,a")
    # On S3 the ETag of the same bytes is the same: nothing but those rows tells that something is to be done.
    warehouse.connection.execute("update ops.objects set etag = %s", [landing.look(JANUARY).etag])
    (report,) = load(things)
    assert (report.kind, report.plan) == (Kind.KNOWN, "nothing")
    assert warehouse.quarantined("things") == []
    assert load(things) == []


def test_a_contract_whose_files_lie_where_the_platform_writes_is_refused(things, landing, warehouse):
    inside = replace(things, pattern=Pattern("reports/{YYYY}/*.csv"))
    found = discover([inside], landing, warehouse, reserved=("lake/", "reports/"))
    (fault,) = found.faults
    assert isinstance(fault.error, OperatorFault)
    assert (found.plans, "GOLDWORKS_REPORTS_URL" in fault.message) == ((), True)


def test_after_a_file_of_the_future_later_periods_are_not_late(things, landing, load):
    """The clock of one sender is wrong: what all others deliver is still in its order."""
    next_year = NOW.year + 1
    put(landing, f"things/{next_year}-01/a.csv", "1,1,future")
    put(landing, "things/2020-02/a.csv", "2,2,x")
    load(things)
    put(landing, "things/2020-03/a.csv", "3,3,x")
    put(landing, "things/2020-01/a.csv", "4,4,x")
    assert {report.object_key[7:14]: report.kind for report in load(things)} == {
        "2020-03": Kind.NEW,
        "2020-01": Kind.LATE,
    }


def test_files_that_are_copied_to_another_landing_are_known_there_by_their_bytes(
    things, landing, warehouse, load, tmp_path
):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "2,2,b")
    load(things)
    before = warehouse.connection.execute("select * from raw.things order by id").fetchall()
    shutil.copytree(landing.root, tmp_path / "moved")
    moved = FolderLanding(tmp_path / "moved")
    (plan,) = discover([things], moved, warehouse).plans
    reports = list(load_drops(things, moved, warehouse, plan.drops))
    assert [(report.kind, report.plan) for report in reports] == [("known", "nothing")] * 2
    assert discover([things], moved, warehouse).plans[0].drops == ()
    assert warehouse.connection.execute("select * from raw.things order by id").fetchall() == before
