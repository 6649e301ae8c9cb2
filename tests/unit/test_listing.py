"""Listing: which folders a run looks into, and that it never misses what it is meant to see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import Pattern, read_contract
from data_ingestion.contract.arrival import Window, read_window
from data_ingestion.contract.pattern import Reach
from data_ingestion.landing import Walk
from data_ingestion.listing import Listing, window_start

BANK = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))
NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)


def contract(path, dataset="readings"):
    return replace(BANK, dataset=dataset, pattern=Pattern(path), also=())


def walk(listing, keys):
    """The keys that a landing holding `keys` would show."""
    return {key for key in keys if listing.covers(key)}


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("2 hours", "2026-03-15T08:30:00"),
        ("1 day", "2026-03-14T10:30:00"),
        ("2 weeks", "2026-03-01T10:30:00"),
        ("3 months", "2025-12-01T00:00:00"),
        ("1 year", "2025-03-01T00:00:00"),
        ("9999 years", "0001-01-01T00:00:00"),
    ],
)
def test_a_window_is_counted_back_from_now(text, since):
    assert read_window(text).since(NOW) == since


@pytest.mark.parametrize(
    "text", ["2", "hours", "0 days", "-1 day", "2 fortnights", "2  hours", "2 hours ago"]
)
def test_what_is_no_window_is_none(text):
    assert read_window(text) is None


@pytest.mark.parametrize(
    ("pattern", "folder", "reach"),
    [
        ("r/{YYYY}/{MM}/*.csv", "", Reach.SOME),
        ("r/{YYYY}/{MM}/*.csv", "r/", Reach.SOME),
        ("r/{YYYY}/{MM}/*.csv", "other/", Reach.NONE),
        ("r/{YYYY}/{MM}/*.csv", "r/2025/", Reach.OLD),
        ("r/{YYYY}/{MM}/*.csv", "r/2026/", Reach.SOME),
        ("r/{YYYY}/{MM}/*.csv", "r/2027/", Reach.ALL),
        ("r/{YYYY}/{MM}/*.csv", "r/2026/2/", Reach.OLD),
        ("r/{YYYY}/{MM}/*.csv", "r/2026/03/", Reach.ALL),
        ("r/{YYYY}/{MM}/*.csv", "r/2026/03/deeper/", Reach.NONE),
        ("r/{YYYY}-{MM}-{DD}/{hh}/*/x.csv", "r/2026-03-15/", Reach.SOME),
        ("r/{YYYY}-{MM}-{DD}/{hh}/*/x.csv", "r/2026-3-15/7/", Reach.OLD),
        ("r/{YYYY}-{MM}-{DD}/{hh}/*/x.csv", "r/2026-03-15/08/", Reach.ALL),
        ("r/*/{YYYY}/*.csv", "r/a/", Reach.SOME),
        ("r/*/{YYYY}/*.csv", "r/a/2025/", Reach.OLD),
        ("r/**/{YYYY}/*.csv", "r/2020/", Reach.ALL),  # may be a folder of `**`
        ("r/{YYYY}-{MM}.csv", "r/", Reach.ALL),  # a folder of files can't be told apart
        ("{DD}/{MM}/{YYYY}/x.csv", "01/01/", Reach.SOME),
        ("{YYYY}/a/{YYYY}-{MM}/x.csv", "2026/a/2025-01/", Reach.NONE),
    ],
)
def test_what_a_folder_can_hold_of_the_window(pattern, folder, reach):
    assert Pattern(pattern).reach(folder, "2026-03-15T08:30:00") is reach


PATTERNS = st.sampled_from([
    "{YYYY}/{MM}/events.csv", "r/{YYYY}/{MM}/{DD}/{hh}/*.csv", "r/{YYYY}-{MM}/**/{YYYY}-{MM}-{DD}.csv",
    "r/*/{YYYY}/{MM}/{DD}.csv", "r/**/{YYYY}/{MM}/*.csv", "{DD}/{MM}/{YYYY}/*.csv",
    "r/{YYYY}{MM}/{DD}/x_{hh}{mm}{ss}.csv", "**/{YYYY}/*/{MM}/x.csv", "r/{YYYY}/x{MM}y/{DD}/*.csv",
])  # fmt: skip
MOMENTS = st.datetimes(datetime(2019, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))


@st.composite
def keys_of(draw, pattern):
    """A key that the pattern may match, with numbers padded or not."""
    at = draw(MOMENTS)
    numbers = {"YYYY": at.year, "MM": at.month, "DD": at.day, "hh": at.hour, "mm": at.minute, "ss": at.second}
    key = pattern.replace("{YYYY}", f"{at.year:04d}")
    for part, number in numbers.items():
        key = key.replace(f"{{{part}}}", draw(st.sampled_from([f"{number:02d}", str(number)])))
    folders = draw(st.sampled_from(["", "a/", "2020/", "2026/b/"]))
    return key.replace("**/", folders).replace("*", draw(st.sampled_from(["x", "7", "2020", "26"])))


@given(data=st.data(), since=MOMENTS)
def test_a_pruned_walk_misses_nothing_whose_period_is_inside_the_window(data, since):
    pattern = data.draw(PATTERNS)
    readings = contract(pattern)
    key = data.draw(keys_of(pattern))
    moment = f"{since:%Y-%m-%dT%H:%M:%S}"
    match = readings.pattern.match(key)
    for whole in (True, False):
        listing = Listing([readings], [contract("other/*.csv", "other")], {"readings": moment}, (), whole)
        if match and match.period >= moment[: len(match.period)]:
            assert listing.covers(key)


def test_old_folders_are_passed_over_and_those_of_the_window_listed_whole():
    listing = Listing([contract("r/{YYYY}/{MM}/*.csv")], (), {"readings": Window(2, "month").since(NOW)})
    assert [listing.choose(folder) for folder in ("", "r/", "r/2025/", "r/2026/", "r/2026/01/", "r/2026/1/")] == [
        Walk.DEEPER, Walk.DEEPER, Walk.SKIP, Walk.DEEPER, Walk.WHOLE, Walk.WHOLE,
    ]  # fmt: skip
    assert listing.choose("tmp/") is Walk.WHOLE  # what no contract claims is told


def test_without_a_window_and_neighbours_the_landing_is_one_list():
    assert Listing([contract("r/{YYYY}/{MM}/*.csv")]).choose("") is Walk.WHOLE


def test_folders_of_another_domain_are_left_to_its_own_run():
    ours, theirs = contract("{YYYY}/{MM}/events.csv"), contract("bank/**/*.csv", "bank")
    keys = {"2026/03/events.csv", "bank/a.csv", "bank/x/y.txt", "tmp/notes.txt"}
    assert walk(Listing([ours], [theirs]), keys) == {"2026/03/events.csv", "tmp/notes.txt"}
    assert walk(Listing([theirs], [ours]), keys) == keys


def test_a_folder_that_two_domains_share_is_listed_by_both():
    ours, theirs = contract("data/a/*.csv"), contract("data/*.csv", "b")
    assert walk(Listing([ours], [theirs]), {"data/stray.txt", "data/a/x.csv"}) == {
        "data/stray.txt",
        "data/a/x.csv",
    }


def test_a_folder_with_unfinished_business_is_listed_however_old():
    since = {"readings": "2026-03-01T00:00:00"}
    listing = Listing([contract("r/{YYYY}/{MM}/*.csv")], (), since, ["r/2020/05/"])
    keys = {"r/2020/05/a.csv", "r/2020/06/a.csv", "r/2026/03/a.csv"}
    assert walk(listing, keys) == {"r/2020/05/a.csv", "r/2026/03/a.csv"}


def test_chosen_datasets_are_looked_for_in_their_own_folders_only():
    listing = Listing([contract("r/a/*.csv"), contract("r/**/*.txt", "b")], whole_landing=False)
    assert listing.starts == ["r/"]
    assert not listing.covers("tmp/notes.txt")


def test_a_window_of_hours_lists_few_of_many_folders():
    readings = contract("r/{YYYY}/{MM}/{DD}/{hh}/*.csv")
    listing = Listing([readings], (), {"readings": Window(2, "hour").since(NOW)})
    hours = [NOW - timedelta(hours=back) for back in range(24 * 365)]
    assert sum(listing.covers(f"r/{at:%Y/%m/%d/%H}/a.csv") for at in hours) == 3


def test_a_dataset_without_a_window_does_not_have_the_old_folders_of_another_listed():
    listing = Listing(
        [contract("r/{YYYY}/{MM}/{DD}/*.csv"), contract("others/**/*.csv", "others")],
        since={"readings": "2026-03-14T00:00:00"},
    )
    assert listing.choose("") is Walk.DEEPER
    assert listing.choose("r/2026/03/13/") is Walk.SKIP
    assert listing.choose("r/2026/03/15/") is Walk.WHOLE
    assert listing.choose("others/") is Walk.WHOLE


@pytest.mark.parametrize(
    ("newest", "since"),
    [
        ("2026-03-02T15:29:04", "2026-03-02T13:29:04"),  # the source's clock is behind ours, or nothing ran
        ("2026-03-02T20", "2026-03-02T16:30:00"),
        ("2026-03-03", "2026-03-02T16:30:00"),  # and ahead of it
        ("2025", "2024-12-31T22:00:00"),
        ("", ""),
    ],
)
def test_a_window_is_counted_from_now_or_from_the_newest_period_if_that_is_older(newest, since):
    readings = replace(BANK, recheck=Window(2, "hour"))
    assert window_start(readings, datetime(2026, 3, 2, 18, 30, tzinfo=UTC), newest) == since
    assert window_start(replace(readings, recheck=None), datetime(2026, 3, 2, tzinfo=UTC), newest) == ""


def test_what_the_platform_writes_is_listed_for_nobody_not_even_for_what_is_pending_there():
    claiming = contract("**/*.csv")
    listing = Listing([claiming], pending=["lake/warehouse/"], reserved=("lake/", "reports/"))
    assert listing.choose("lake/") is Walk.SKIP
    assert listing.choose("reports/warehouse/") is Walk.SKIP
    assert listing.choose("lakes/") is Walk.WHOLE
    assert listing.is_reserved("lake/warehouse/a.csv")
    assert not Listing([claiming]).is_reserved("lake/warehouse/a.csv")
