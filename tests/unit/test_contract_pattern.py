"""A pattern tells which objects are a dataset's, and of which period."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import Pattern
from data_ingestion.contract.pattern import faults_of


def period(pattern: str, key: str) -> str | None:
    assert not list(faults_of(pattern))
    match = Pattern(pattern).match(key)
    return match.period if match else None


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("{YYYY}/{MM}/events.csv", "2026/03/events.csv", "2026-03"),
        ("{YYYY}/{MM}/events.csv", "2026/3/events.csv", "2026-03"),
        ("x/{YYYY}.csv", "x/2026.csv", "2026"),
        ("{YYYY}-{MM}-{DD}.csv", "2026-3-5.csv", "2026-03-05"),
        ("{YYYY}{MM}{DD}.csv", "20260305.csv", "2026-03-05"),
        ("d/{YYYY}-{MM}-{DD}T{hh}.csv", "d/2026-03-05T15.csv", "2026-03-05T15"),
        (
            "data/{YYYY}/{MM}/{DD}/{hh}/*/{YYYY}-{MM}-{DD}-{hh}-{mm}-{ss}-events.txt",
            "data/2019/06/01/15/17/2019-06-01-15-17-4-events.txt",
            "2019-06-01T15:17:04",
        ),
        ("{DD}.{MM}.{YYYY}.csv", "5.3.2026.csv", "2026-03-05"),
        ("*_{YYYY}_{MM}.csv", "export_7_2026_12.csv", "2026-12"),
        ("a/*.csv", "a/b.csv", ""),
    ],
)
def test_a_period_is_read_from_the_name(pattern: str, key: str, expected: str):
    assert period(pattern, key) == expected


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ("{YYYY}/{MM}/events.csv", "2026/13/events.csv"),
        ("{YYYY}/{MM}/events.csv", "2026/0/events.csv"),
        ("{YYYY}/{MM}/events.csv", "0000/01/events.csv"),
        ("{YYYY}-{MM}-{DD}.csv", "2026-02-30.csv"),
        ("{YYYY}-{MM}-{DD}T{hh}.csv", "2026-02-28T24.csv"),
        ("{YYYY}/x-{YYYY}.csv", "2025/x-2026.csv"),
        ("{YYYY}/{MM}/events.csv", "26/03/events.csv"),
        ("{YYYY}{MM}.csv", "20263.csv"),
        ("*{YYYY}.csv", "x12026.csv"),
        ("{YYYY}/{MM}.csv", "2026/٣.csv"),
        ("a/*.csv", "a/b/c.csv"),
        ("a/*.csv", "A/b.csv"),
        ("a/*.csv", "a/b.CSV"),
        ("a/*.csv", "a/b.csv.tmp"),
        ("a/*.csv", "x/a/b.csv"),
        ("a/*.csv", "a/b.csv\n"),
        ("a/b.csv", "a/bxcsv"),
        ("a/**/b.csv", "a/xb.csv"),
        ("a/x.csv.gz", "a/x.csv"),
    ],
)
def test_what_is_not_meant_does_not_match(pattern: str, key: str):
    assert period(pattern, key) is None


@pytest.mark.parametrize("key", ["a/b.csv", "a/x/b.csv", "a/x/y/b.csv", "a/x/y/b.csv.gz"])
def test_two_stars_are_any_folders_and_none(key: str):
    assert period("a/**/b.csv", key) == ""


def test_a_packed_file_matches_like_the_file_itself():
    assert period("{YYYY}.csv", "2026.csv.gz") == "2026"
    assert period("x.csv.gz", "x.csv.gz") == ""


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("bank/**/*.csv", "bank/"),
        ("a/b/x-*.csv", "a/b/"),
        ("a/{YYYY}/b/x.csv", "a/"),
        ("a/b.csv", "a/"),
        ("*.csv", ""),
        ("2026-{MM}.csv", ""),
    ],
)
def test_the_prefix_is_the_longest_folder_that_is_certain(pattern: str, prefix: str):
    assert Pattern(pattern).prefix == prefix


@pytest.mark.parametrize(
    "pattern",
    ["", "/a.csv", "s3://b/a.csv", "../a.csv", "a/../b.csv", "./a.csv", "a//b.csv", "a/", "a/**", "a**/b.csv",
     "a/?.csv", "a/[x].csv", "a\\b.csv", "a\nb.csv", "{Yyyy}.csv", "{YYYY.csv", "{MM}.csv", "{YYYY}/{DD}.csv"],
)  # fmt: skip
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str):
    assert list(faults_of(pattern))


names = st.text(
    st.characters(exclude_characters="/*?[]{}\\", exclude_categories=("C", "Z")), min_size=1
).filter(lambda name: name not in (".", "..") and "://" not in name)
paths = st.lists(names, min_size=1, max_size=4).map("/".join).filter(lambda path: "://" not in path)


@given(paths)
def test_a_name_without_pieces_matches_itself_and_lies_under_its_prefix(path: str):
    assert period(path, path) == ""
    assert path.startswith(Pattern(path).prefix)


@given(st.lists(names, min_size=2, max_size=5), st.data())
def test_a_key_matches_the_pattern_made_of_it_by_stars(folders: list[str], data: st.DataObject):
    pieces = [data.draw(st.sampled_from([name, "*", "**"])) for name in folders[:-1]]
    last = data.draw(st.sampled_from([folders[-1], "*", f"{folders[-1][:1]}*"]))
    pattern = "/".join([*pieces, last])
    if not list(faults_of(pattern)):
        assert period(pattern, "/".join(folders)) == ""
        assert "/".join(folders).startswith(Pattern(pattern).prefix)


@given(st.datetimes(), st.datetimes())
def test_periods_sort_as_time_does(one, other):
    def period_at(moment):
        key = (
            f"{moment.year:04d}/{moment.month}/{moment.day}/{moment.hour}-{moment.minute}-{moment.second}.csv"
        )
        return period("{YYYY}/{MM}/{DD}/{hh}-{mm}-{ss}.csv", key)

    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert (period_at(one) < period_at(other)) == (one < other)
