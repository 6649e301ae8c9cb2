"""The web domain's monthly drops on a real warehouse: what a correction, an overlap or a copy does to raw.

What raw must hold after the sample months is computed here from their files, line by line, without the loader.
"""

import csv
import gzip
import shutil
import uuid
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from data_ingestion.contract import Contract, read_contract
from data_ingestion.discovery import discover
from data_ingestion.ledger import Fates, Kind
from data_ingestion.withdraw import undo_withdrawal, withdraw
from goldworks_samples.domains import write_corrected, write_samples
from goldworks_samples.events import INVALID_IPS, UNKNOWN_ACTIONS
from tests.integration.limits import without_limits

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "events"
HEADER = "id,timestamp,email,country,ip,uri,action,tags"
COLUMNS = "event_id, event_date, email, country, ip, uri, action, tags"
DECEMBER, JANUARY, FEBRUARY = "2025/12/events.csv", "2026/01/events.csv", "2026/02/events.csv"
SCALE = 0.05


@pytest.fixture
def events() -> Contract:
    return without_limits(read_contract(ROOT / "contracts/web/events.odcs.yaml"))


def event(number, day, country="Peru"):
    """A line of a file; its id is the number."""
    return (
        f"{uuid.UUID(int=number)},{day},ana@birch-lab.example,{country},192.0.2.7,index,visit,\"['a', 'b']\""
    )


def put(landing, key, *lines):
    landing.write(key, "\n".join([HEADER, *lines, ""]).encode())


def raw(warehouse, columns="event_date::text, country"):
    """Rows of raw by the number in their id."""
    rows = warehouse.connection.execute(f"select event_id, {columns} from raw.events order by 1").fetchall()
    return {event_id.int: tuple(cells) for event_id, *cells in rows}


def days(warehouse):
    rows = warehouse.connection.execute("select event_date::text, count(*) from raw.events group by 1")
    return dict(rows.fetchall())


def test_ids_come_in_as_uuids_in_either_case_and_what_is_none_is_quarantined(
    landing, events, load, warehouse
):
    lower, upper, short = (event(0xAB0 + n, "2026-01-05") for n in range(3))
    put(landing, JANUARY, lower, upper.replace("ab", "AB", 1), short[1:])
    (report,) = load(events)
    assert report.fates == Fates(read=3, inserted=2, quarantined=1)
    assert set(raw(warehouse)) == {0xAB0, 0xAB1}
    (bad,) = warehouse.quarantined("events", limit=10)
    assert (bad["column_name"], bad["reason"], bad["line"]) == ("event_id", "not_a_uuid", 4)


def test_an_id_in_capitals_names_the_event_that_it_names_in_small_letters(landing, events, load, warehouse):
    put(landing, JANUARY, event(0xAB0, "2026-01-31"))
    load(events)
    put(landing, FEBRUARY, event(0xAB0, "2026/01/31").replace("ab", "AB", 1))
    (report,) = load(events)
    assert report.fates == Fates(read=1, unchanged=1)
    assert raw(warehouse) == {0xAB0: ("2026-01-31", "Peru")}


def test_a_corrected_month_under_the_same_key_replaces_exactly_its_own_rows(landing, events, load, warehouse):
    put(landing, JANUARY, *(event(number, "2026-01-05") for number in (1, 2, 3)))
    put(landing, FEBRUARY, event(7, "2026-02-05"), event(8, "2026-02-06"))
    load(events)
    before = raw(warehouse, "xmin::text")
    put(landing, JANUARY, event(1, "2026-01-05"), event(2, "2026-01-05", "Chile"), event(4, "2026-01-09"))
    (report,) = load(events)
    assert report.kind is Kind.CORRECTED
    assert report.fates == Fates(read=3, unchanged=1, updated=1, inserted=1, withdrawn=1)
    assert raw(warehouse) == {
        1: ("2026-01-05", "Peru"),
        2: ("2026-01-05", "Chile"),
        4: ("2026-01-09", "Peru"),
        7: ("2026-02-05", "Peru"),
        8: ("2026-02-06", "Peru"),
    }
    after = raw(warehouse, "xmin::text")
    assert {number for number in after if after[number] != before.get(number)} == {2, 4}


def test_a_row_that_a_correction_withdraws_and_an_older_month_brought_comes_back_as_that_month_had_it(
    landing, events, load, warehouse
):
    put(landing, JANUARY, event(1, "2026-01-31"), event(2, "2026-01-31"))
    put(landing, FEBRUARY, event(1, "2026-01-31", "Chile"), event(3, "2026-02-01"))
    load(events)
    assert raw(warehouse)[1] == ("2026-01-31", "Chile")
    put(landing, FEBRUARY, event(3, "2026-02-01"))
    (report,) = load(events)
    assert report.fates == Fates(read=1, unchanged=1, withdrawn=1, restored=1)
    assert raw(warehouse) == {
        1: ("2026-01-31", "Peru"),
        2: ("2026-01-31", "Peru"),
        3: ("2026-02-01", "Peru"),
    }


@pytest.mark.parametrize("corrected", [JANUARY, FEBRUARY])
def test_a_row_that_two_months_repeat_unchanged_survives_when_either_no_longer_brings_it(
    landing, events, load, warehouse, corrected
):
    put(landing, JANUARY, event(1, "2026-01-31"), event(2, "2026-01-30"))
    put(landing, FEBRUARY, event(1, "2026-01-31"), event(3, "2026-02-01"))
    load(events)
    put(landing, corrected, event(9, "2026-01-15"))
    load(events)
    assert raw(warehouse)[1] == ("2026-01-31", "Peru")
    put(landing, JANUARY if corrected == FEBRUARY else FEBRUARY, event(8, "2026-01-16"))
    load(events)
    assert set(raw(warehouse)) == {8, 9}


@pytest.mark.parametrize("withdrawn", [JANUARY, FEBRUARY])
def test_a_row_that_two_months_repeat_unchanged_survives_the_withdrawal_from_either(
    landing, events, load, warehouse, withdrawn
):
    put(landing, JANUARY, event(1, "2026-01-31"), event(2, "2026-01-30"))
    put(landing, FEBRUARY, event(1, "2026-01-31"), event(3, "2026-02-01"))
    load(events)
    report = withdraw([events], landing, warehouse, withdrawn)
    assert set(raw(warehouse)) == ({1, 3} if withdrawn == JANUARY else {1, 2})
    assert report.fates == (Fates(withdrawn=1) if withdrawn == JANUARY else Fates(withdrawn=2, restored=1))
    undo_withdrawal([events], landing, warehouse, withdrawn)
    load(events)
    assert set(raw(warehouse)) == {1, 2, 3}


def test_rows_that_lie_under_two_keys_stay_until_the_second_is_withdrawn(landing, events, load, warehouse):
    for key in (JANUARY, FEBRUARY):
        put(landing, key, event(1, "2026-01-31"))
    load(events)
    assert withdraw([events], landing, warehouse, JANUARY).fates == Fates()
    assert set(raw(warehouse)) == {1}
    assert withdraw([events], landing, warehouse, FEBRUARY).fates == Fates(withdrawn=1)
    assert raw(warehouse) == {}


def test_an_id_that_comes_twice_with_two_contents_is_kept_as_it_came_last(landing, events, load, warehouse):
    put(landing, JANUARY, event(1, "2026-01-30"), event(2, "2026-01-30"), event(1, "2026-01-31"))
    (report,) = load(events)
    assert report.fates == Fates(read=3, repeated=1, inserted=2)
    assert raw(warehouse)[1] == ("2026-01-31", "Peru")
    (conflict,) = warehouse.connection.execute("select line, kept_line from ops.conflicts").fetchall()
    assert conflict == (2, 4)


def test_the_same_bytes_under_another_key_are_recorded_and_stay_when_the_first_is_corrected(
    landing, events, load, warehouse
):
    put(landing, JANUARY, event(1, "2026-01-31"), event(2, "2026-01-31"))
    load(events)
    before = raw(warehouse, "xmin::text")
    shutil.copytree(landing.root / "2026/01", landing.root / "2026/02")
    (report,) = load(events)
    assert (report.kind, report.fates) == (Kind.DUPLICATE, Fates())
    assert raw(warehouse, "xmin::text") == before
    assert load(events) == []
    put(landing, JANUARY, event(3, "2026-01-15"))
    (report,) = load(events)
    assert report.fates == Fates(read=1, inserted=1)
    assert set(raw(warehouse)) == {1, 2, 3}


def test_a_file_that_no_contract_knows_is_unresolved_and_harms_nothing(landing, events, load, warehouse):
    put(landing, JANUARY, event(1, "2026-01-05"))
    strangers = ("2026/13/events.csv", "2026/01/notes.txt", "2026/01/Events.csv", "events.csv")
    for stranger in strangers:
        landing.write(stranger, b"?")
    assert {item.key for item in discover([events], landing, warehouse).unresolved} == set(strangers)
    assert [report.fates for report in load(events)] == [Fates(read=1, inserted=1)]


def test_the_31st_s_events_in_the_next_month_s_drop_count_once_on_their_day(landing, events, load, warehouse):
    put(landing, JANUARY, event(1, "2026-01-30"), event(2, "2026-01-31"))
    put(landing, FEBRUARY, event(2, "2026/01/31"), event(3, "2026/01/31"), event(4, "2026-02-01"))
    load(events)
    assert days(warehouse) == {"2026-01-30": 1, "2026-01-31": 2, "2026-02-01": 1}


def test_a_month_that_arrives_late_fills_gaps_and_overwrites_nothing(landing, events, load, warehouse):
    put(landing, FEBRUARY, event(1, "2026-01-31", "Chile"))
    load(events)
    put(landing, JANUARY, event(1, "2026-01-31"), event(2, "2026-01-31"))
    (report,) = load(events)
    assert (report.kind, report.fates) == (Kind.LATE, Fates(read=2, superseded=1, inserted=1))
    assert raw(warehouse)[1] == ("2026-01-31", "Chile")


class Month:
    """A sample file read line by line: sound rows by id as raw should hold them, and how often what comes."""

    def __init__(self, path):
        lines = path.read_bytes().splitlines()[1:]
        rows = [row for line in lines if (row := as_raw(line))]
        self.read, self.bad = len(lines), len(lines) - len(rows)
        self.rows = {row[0]: row for row in rows}
        self.repeated = len(rows) - len(self.rows)

    def fates_on(self, rows):
        """What becomes of it when raw holds `rows`, all of older drops."""
        known = self.rows.keys() & rows.keys()
        same = sum(self.rows[event_id] == rows[event_id] for event_id in known)
        return Fates(
            read=self.read, quarantined=self.bad, repeated=self.repeated, unchanged=same,
            updated=len(known) - same, inserted=len(self.rows) - len(known),
        )  # fmt: skip


def as_raw(line):
    try:
        (cells,) = csv.reader([line.decode()], strict=True)
        event_id, day, email, *others, tags = cells
        if len(cells) != 8 or len(event_id) != 36 or not email:
            return None
        day = datetime.strptime(day.replace("/", "-"), "%Y-%m-%d").date()
        return (uuid.UUID(event_id), day, email, *(cell or None for cell in others), tags)
    except (ValueError, csv.Error):
        return None


def newest(months):
    """What raw holds of months in their order: each event as the last that has it."""
    return {event_id: row for month in months for event_id, row in month.rows.items()}


def held(warehouse):
    rows = warehouse.connection.execute(f"select {COLUMNS} from raw.events").fetchall()
    return {row[0]: row for row in rows}


@pytest.fixture
def samples(landing):
    """The sample months on the landing, as files of their own reading."""
    write_samples(landing.write, "web", scale=SCALE, today=date(2026, 3, 1))
    return {key: Month(landing.root / key) for key in (DECEMBER, JANUARY, FEBRUARY)}


def test_the_sample_months_come_in_one_by_one_with_every_row_accounted_for(
    samples, landing, events, load, warehouse, tmp_path
):
    later = {key: (landing.root / key).rename(tmp_path / key.replace("/", "-")) for key in samples}
    expected = {}
    for key, month in samples.items():
        later[key].rename(landing.root / key)
        (report,) = load(events)
        assert report.fates == month.fates_on(expected)
        expected.update(month.rows)
    assert held(warehouse) == expected
    assert load(events) == []


def test_the_sample_months_come_in_together_and_none_is_tried_twice(samples, events, load, warehouse):
    reports = load(events)
    for report in reports:
        month, fates = samples[report.object_key], report.fates
        assert (fates.read, fates.quarantined, fates.repeated) == (month.read, month.bad, month.repeated)
        assert fates.accounted == fates.read
    assert held(warehouse) == newest(samples.values())
    assert sorted(report.load_id for report in reports) == [1, 2, 3]


def test_a_new_month_is_the_only_object_that_is_opened(samples, landing, events, load, monkeypatch):
    load(events)
    put(landing, "2026/03/events.csv", event(1, "2026-03-01"))
    opened, open_as_before = [], type(landing).open
    monkeypatch.setattr(
        type(landing), "open", lambda self, seen: opened.append(seen.key) or open_as_before(self, seen)
    )
    load(events)
    assert opened == ["2026/03/events.csv"]


def test_every_kind_of_bad_row_is_quarantined_with_its_reason(samples, events, load, warehouse):
    load(events)
    reasons = Counter(
        (row["column_name"], row["reason"]) for row in warehouse.quarantined("events", limit=1000)
    )
    assert set(reasons) == {
        ("event_id", "not_a_uuid"),
        ("event_date", "not_a_date"),
        (None, "too_few_columns"),
        ("email", "missing"),
        ("email", "bad_utf8"),
        ("tags", "unclosed_quote"),
    }
    assert sum(reasons.values()) == sum(month.bad for month in samples.values())


def test_bad_addresses_and_unknown_actions_are_not_kept_out_of_raw(samples, events, load, warehouse):
    load(events)
    rows = held(warehouse).values()
    assert {row[4] for row in rows} & set(INVALID_IPS)
    assert {row[6] for row in rows} & set(UNKNOWN_ACTIONS)


def test_events_count_once_and_on_their_day(samples, events, load, warehouse):
    load(events)
    counted = {row[0]: row[1] for month in samples.values() for row in month.rows.values()}
    by_day = Counter(day.isoformat() for day in counted.values())
    assert days(warehouse) == by_day
    last = [row for row in samples[JANUARY].rows.values() if row[1] == date(2025, 12, 31)]
    assert len(last) > 10


def test_a_corrected_sample_month_replaces_its_own_rows_and_gives_back_those_of_the_month_before(
    samples, landing, events, load, warehouse
):
    load(events)
    before = held(warehouse)
    write_corrected(landing.write, "web", date(2026, 1, 1), scale=SCALE, today=date(2026, 3, 1))
    right = Month(landing.root / JANUARY)
    (report,) = load(events)
    assert held(warehouse) == newest([samples[DECEMBER], right, samples[FEBRUARY]])
    gone = samples[JANUARY].rows.keys() - right.rows.keys()
    of_february = samples[FEBRUARY].rows.keys()
    stayed = right.rows.keys() & before.keys() - of_february
    same = {event_id for event_id in stayed if right.rows[event_id] == before[event_id]}
    assert report.kind is Kind.CORRECTED
    assert report.fates == Fates(
        read=right.read,
        superseded=len(right.rows.keys() & of_february),
        inserted=len(right.rows.keys() - before.keys() - of_february),
        updated=len(stayed - same),
        unchanged=len(same),
        withdrawn=len(gone - of_february),
        restored=len(gone & samples[DECEMBER].rows.keys()),
    )
    assert report.fates.restored > 3


@pytest.mark.parametrize("order", [(FEBRUARY, DECEMBER, JANUARY), (JANUARY, FEBRUARY, DECEMBER)])
def test_the_order_in_which_the_months_arrive_makes_no_difference(
    samples, landing, events, load, warehouse, tmp_path, order
):
    for key in samples:
        (landing.root / key).rename(tmp_path / key.replace("/", "-"))
    for key in order:
        (tmp_path / key.replace("/", "-")).rename(landing.root / key)
        load(events)
    assert held(warehouse) == newest(samples.values())


def test_a_compressed_month_gives_the_same_rows(samples, landing, events, load, warehouse):
    for key in samples:
        (landing.root / f"{key}.gz").write_bytes(gzip.compress((landing.root / key).read_bytes()))
        (landing.root / key).unlink()
    load(events)
    assert held(warehouse) == newest(samples.values())


def test_the_first_delivery_again_in_the_corrected_one_s_place_undoes_the_correction(
    samples, landing, events, load, warehouse
):
    load(events)
    before = held(warehouse)
    write_corrected(landing.write, "web", date(2026, 1, 1), scale=SCALE, today=date(2026, 3, 1))
    load(events)
    assert held(warehouse) != before
    write_samples(landing.write, "web", scale=SCALE, today=date(2026, 3, 1))
    kinds = {report.object_key: report.kind for report in load(events)}
    assert [kinds[key] for key in sorted(kinds)] == [Kind.KNOWN, Kind.CORRECTED, Kind.KNOWN]
    assert held(warehouse) == before


@pytest.mark.skipif(not DATA.is_dir(), reason="the real events are not on this machine")
def test_a_real_month_s_header_and_rows_are_of_the_contract(landing, events, load, warehouse):
    (path,) = DATA.glob("*.csv")
    (landing.root / "2021/03").mkdir(parents=True)
    shutil.copy(path, landing.root / "2021/03/events.csv")
    (report,) = load(events)
    month = Month(path)
    assert report.fates == Fates(read=month.read, inserted=month.read)
    assert held(warehouse) == month.rows
