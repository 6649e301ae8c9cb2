"""Web samples: the months of an invented site, and every fault of them counted by a reading that knows no generator."""

from __future__ import annotations

import csv
import ipaddress
import re
import tracemalloc
from collections import Counter
from datetime import date, datetime

import pytest

from data_ingestion.errors import UsageFault
from goldworks_samples.domains import write_corrected, write_samples
from goldworks_samples.events import ACTIONS

HEADER = b"id,timestamp,email,country,ip,uri,action,tags"
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
MONTHS = ("2025/12/events.csv", "2026/01/events.csv", "2026/02/events.csv")
JANUARY = date(2026, 1, 1)
TODAY = date(2026, 3, 1)


class Reading:
    """One file, read line by line: sound rows by their columns, and the lines of which none can be made."""

    def __init__(self, data: bytes):
        header, *lines = data.splitlines()
        assert header == HEADER
        assert data.endswith(b"\n")
        self.lines = lines
        self.rows = [row for line in lines if (row := read(line))]
        self.bad = [line for line in lines if read(line) is None]

    @property
    def by_id(self):
        return {row["id"]: row for row in self.rows}


def read(line):
    """A line's cells, or None where no row can be made of it."""
    try:
        (cells,) = csv.reader([line.decode()], strict=True)
        row = dict(zip(HEADER.decode().split(","), cells, strict=True))
        row["day"] = datetime.strptime(row["timestamp"].replace("/", "-"), "%Y-%m-%d").date()
    except (ValueError, csv.Error):
        return None
    return row if UUID.fullmatch(row["id"]) and row["email"] else None


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def written(**settings):
    objects = {}
    drops = write_samples(
        lambda key, file: objects.update({key: file.read()}), "web", **{"today": TODAY, **settings}
    )
    return drops, objects


@pytest.fixture(scope="module", params=[0.01, 0.1])
def web(request):
    drops, objects = written(scale=request.param)
    return request.param, drops, [Reading(objects[key]) for key in MONTHS]


@pytest.fixture(scope="module")
def corrected(web):
    objects = {}
    drop = write_corrected(
        lambda key, file: objects.update({key: file.read()}), "web", JANUARY, scale=web[0], today=TODAY
    )
    return drop, Reading(objects["2026/01/events.csv"])


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others():
    first = written(scale=0.01)[1]
    assert written(scale=0.01)[1] == first
    assert written(scale=0.01, seed=8)[1] != first


def test_more_months_leave_the_earlier_ones_as_they_are():
    three, five = written(scale=0.01)[1], written(scale=0.01, months=5)[1]
    assert list(three) == list(MONTHS)
    assert list(five)[3:] == ["2026/03/events.csv", "2026/04/events.csv"]
    assert all(five[key] == three[key] for key in three)


def test_three_months_are_about_two_hundred_thousand_events_times_the_scale(web):
    scale, _, months = web
    assert sum(len(month.lines) for month in months) == pytest.approx(200_000 * scale, rel=0.05)


def test_each_file_holds_the_rows_and_the_bad_rows_that_are_said_of_it(web):
    for drop, month in zip(web[1], web[2], strict=True):
        assert (len(month.lines), len(month.bad)) == (drop.rows, drop.bad_rows)
        assert 6 <= drop.bad_rows < 0.05 * drop.rows


def test_malformed_rows_are_of_six_kinds(web):
    for month in web[2]:
        kinds = Counter(kind_of(line) for line in month.bad)
        assert set(kinds) == {
            "short id",
            "no such day",
            "columns missing",
            "nobody",
            "no UTF-8",
            "open quote",
        }
        assert max(kinds.values()) - min(kinds.values()) <= 1


def kind_of(line):
    """The one thing that is wrong with a line."""
    if b"\xe9" in line:
        return "no UTF-8"
    if line.count(b'"') % 2:
        return "open quote"
    (cells,) = csv.reader([line.decode()])
    if len(cells) < 8:
        return "columns missing"
    if len(cells[0]) < 36:
        return "short id"
    return "nobody" if not cells[2] else "no such day" if cells[1] == "2026-02-30" else line


def test_rows_that_come_twice_are_as_many_as_said_and_equal_to_the_byte(web):
    for drop, month in zip(web[1], web[2], strict=True):
        times = Counter(month.lines)
        assert len(month.lines) - len(times) == said(drop, "repeated")
        assert len({row["id"] for row in month.rows}) == len(times) - len(month.bad)


def said(drop, what):
    """The count in a note such as `330 repeated, 188 late from the month before`."""
    return next((int(part.split()[0].replace(",", "")) for part in drop.note.split(", ") if what in part), 0)


def test_the_last_day_s_late_events_come_with_the_next_month_only_and_some_others_with_both(web):
    _, drops, months = web
    for drop, before, month in zip(drops[1:], months, months[1:], strict=False):
        foreign = {id_: row for id_, row in month.by_id.items() if row["day"].month != int(drop.key[5:7])}
        assert {row["day"] for row in foreign.values()} == {max(row["day"] for row in before.rows)}
        again = foreign.keys() & before.by_id.keys()
        assert (len(foreign) - len(again), len(again)) == (
            said(drop, "late from the month before"),
            said(drop, "of the month before again"),
        )
        changed = [id_ for id_ in again if foreign[id_] != before.by_id[id_]]
        assert len(changed) == len(again) // 5
        assert all({**foreign[id_], "country": ""} == {**before.by_id[id_], "country": ""} for id_ in changed)
    assert all(row["day"].month == 12 for row in months[0].rows)


def test_bad_addresses_and_unknown_actions_are_few_and_there(web):
    scale, _, months = web
    for month in months:
        bad = [row["ip"] for row in month.by_id.values() if not is_address(row["ip"])]
        unknown = [row["action"] for row in month.by_id.values() if row["action"] not in ACTIONS]
        for found, share in ((bad, 0.003), (unknown, 0.002)):
            assert len(found) == pytest.approx(max(4, share * len(month.by_id)), abs=3 + 40 * scale)


def test_every_person_company_and_address_is_invented(web):
    documentation = [
        ipaddress.ip_network(net)
        for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    ]
    for row in (row for month in web[2] for row in month.rows):
        assert re.fullmatch(
            r"[a-z]+\.[a-z]+\d*@[a-z]+-[a-z]+\.example(\.(com|org|net))?", row["email"].lower()
        )
        if is_address(row["ip"]):
            assert any(ipaddress.ip_address(row["ip"]) in net for net in documentation)


def test_the_oddities_of_real_files_are_there(web):
    rows = [row for month in web[2] for row in month.rows]
    assert {row["timestamp"][4] for row in rows} == {"-", "/"}
    assert any("," in row["country"] for row in rows)
    assert any(":" in row["ip"] for row in rows)
    assert any(row["tags"] == "[]" for row in rows)
    assert any(row["tags"].startswith("['") for row in rows)
    assert any('"' in row["tags"] for row in rows), "a list that Python prints with both kinds of quotes"
    assert any(row["email"] != row["email"].lower() for row in rows), "a domain in capitals"


def test_a_few_are_far_more_active_than_the_others(web):
    rows = [row for month in web[2] for row in month.by_id.values()]
    for counts in (
        Counter(row["email"].lower().partition("@")[2] for row in rows),
        Counter(row["email"].lower() for row in rows),
    ):
        (_, first), (_, second), *_, (_, last) = counts.most_common()
        assert first > 1.2 * second
        assert first > 10 * last


def test_without_faults_every_event_comes_once_well_formed_and_in_its_month():
    drops, objects = written(scale=0.02, faults=False)
    for drop in drops:
        month = Reading(objects[drop.key])
        assert len(month.by_id) == len(month.lines) == drop.rows
        assert all(is_address(row["ip"]) and row["action"] in ACTIONS for row in month.rows)
        assert {row["day"].month for row in month.rows} == {int(drop.key[5:7])}


def test_a_corrected_month_is_the_month_put_right(web, corrected):
    january, (drop, right) = web[2][1], corrected
    assert (drop.key, drop.bad_rows, right.bad) == ("2026/01/events.csv", 0, [])
    assert len(right.by_id) == len(right.lines) == drop.rows
    assert all(is_address(row["ip"]) and row["action"] in ACTIONS for row in right.rows)
    before, after = january.by_id, right.by_id
    assert len(after.keys() - before.keys()) == len(january.bad), "what was malformed comes in sound"
    assert len(before.keys() - after.keys()) == said(drop, "withdrawn")
    changed = {id_ for id_ in before.keys() & after.keys() if before[id_] != after[id_]}
    assert len(changed) == said(drop, "changed")
    assert {name for id_ in changed for name in before[id_] if before[id_][name] != after[id_][name]} == {
        *("country", "ip", "action")
    }


def test_a_corrected_month_withdraws_what_the_month_before_brings_itself(web, corrected):
    december, january, right = web[2][0].by_id, web[2][1].by_id, corrected[1].by_id
    assert january.keys() & december.keys()
    assert not right.keys() & december.keys()
    late = {id_ for id_, row in january.items() if row["day"].month == 12} - december.keys()
    assert late <= right.keys()


@pytest.mark.parametrize("month", [date(2025, 11, 1), date(2026, 1, 2)])
def test_a_month_that_the_site_does_not_have_can_not_be_corrected(month):
    with pytest.raises(UsageFault, match="its first one is 2025-12"):
        write_corrected(lambda *_: None, "web", month, today=TODAY)


def test_only_domains_by_the_month_have_corrections():
    with pytest.raises(UsageFault, match="known domains: web"):
        write_corrected(lambda *_: None, "bank", JANUARY, today=TODAY)


def test_memory_does_not_grow_with_the_size():
    def peak_and_size(scale):
        sizes = []
        tracemalloc.start()
        write_samples(
            lambda key, file: sizes.append(file.seek(0, 2)), "web", scale=scale, months=1, today=TODAY
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, sizes[0]

    small, large = peak_and_size(0.05), peak_and_size(0.5)
    assert large[1] > 9 * small[1]
    assert large[0] < small[0] + 0.2 * (large[1] - small[1])


def test_the_newest_file_is_of_the_month_before_today():
    def keys(today):
        return [drop.key for drop in written(scale=0.01, today=today)[0]]

    assert keys(date(2026, 3, 1)) == keys(date(2026, 3, 31)) == list(MONTHS)
    assert keys(date(2026, 1, 9)) == ["2025/10/events.csv", "2025/11/events.csv", "2025/12/events.csv"]


def test_the_site_sees_other_and_more_people_from_month_to_month():
    _, objects = written(scale=1.0, faults=False)
    people = [{line.split(b",")[2].lower() for line in objects[key].splitlines()[1:]} for key in MONTHS]
    companies = [{who.partition(b"@")[2] for who in month} for month in people]
    assert len(people[0]) < len(people[1]) < len(people[2])
    assert len({frozenset(month) for month in companies}) == len(MONTHS)
    assert people[0] - people[1] and people[1] - people[0]
