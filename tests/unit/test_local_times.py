"""Local times: moments of a declared zone, of a twelve-hour clock, and as counts of seconds or days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.checks.dates import parse_date, parse_timestamp
from data_ingestion.checks.native import check_column
from data_ingestion.contract import Column, LogicalType, time_zone
from data_ingestion.contract.document import Document
from data_ingestion.contract.formats import faults_of_format
from data_ingestion.contract.settings import Given

ISO = ("%Y-%m-%d %H:%M:%S",)
BERLIN = "Europe/Berlin"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_time_without_an_offset_is_of_the_zone_summer_and_winter():
    assert parse_timestamp("2026-01-15 10:00:00", ISO, BERLIN) == at(2026, 1, 15, 9)
    assert parse_timestamp("2026-07-15 10:00:00", ISO, BERLIN) == at(2026, 7, 15, 8)


def test_an_offset_in_the_text_counts_more_than_the_zone():
    forms = ("%Y-%m-%d %H:%M:%S%z", *ISO)
    assert parse_timestamp("2026-07-15 10:00:00-05:00", forms, BERLIN) == at(2026, 7, 15, 15)
    assert parse_timestamp("2026-07-15 10:00:00Z", forms, BERLIN) == at(2026, 7, 15, 10)


@pytest.mark.parametrize(
    ("repeated_hour", "moment"),
    [("first", at(2026, 10, 25, 0, 30)), ("second", at(2026, 10, 25, 1, 30)), ("refuse", None), ("", None)],
)
def test_the_hour_that_comes_twice_is_the_declared_one_or_none(repeated_hour, moment):
    assert parse_timestamp("2026-10-25 02:30:00", ISO, BERLIN, repeated_hour) == moment


@pytest.mark.parametrize("repeated_hour", ["first", "second", ""])
def test_the_hour_that_is_left_out_is_none(repeated_hour):
    assert parse_timestamp("2026-03-29 02:30:00", ISO, BERLIN, repeated_hour) is None
    assert parse_timestamp("2026-03-29 03:00:00", ISO, BERLIN, repeated_hour) == at(2026, 3, 29, 1)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(lambda one: one.replace(microsecond=0)),
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"]),
)
def test_every_moment_is_found_again_from_its_local_time(moment, zone):
    moment = moment.replace(tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(zone))
    hour = "second" if local.fold else "first"
    assert parse_timestamp(f"{local:%Y-%m-%d %H:%M:%S}", ISO, zone, hour) == moment


def test_a_refused_time_is_told_with_what_may_be_wrong_with_it():
    column = Column("t", ("t",), LogicalType.TIMESTAMP, "timestamptz", formats=ISO, time_zone=BERLIN)
    result = check_column(pa.array(["2026-10-25 02:30:00", "2026-10-25 01:30:00"]), column)
    ((reason, detail),) = result.refused.values()
    assert reason == "not_a_timestamp"
    assert detail.endswith("or Europe/Berlin leaves it out or has it twice")


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("12:05 AM", 0),
        ("1:05 am", 1),
        ("11:05 a.m.", 11),
        ("12:05 PM", 12),
        ("01:05 p.m.", 13),
        ("11:05 pm", 23),
    ],
)
def test_a_twelve_hour_clock_is_read_by_its_half(text, hour):
    assert parse_timestamp(f"03/02/2026 {text}", ("%m/%d/%Y %I:%M %p",)) == at(2026, 3, 2, hour, 5)


@pytest.mark.parametrize("text", ["13:05 PM", "0:05 AM", "11:05", "11:05 XM"])
def test_an_hour_that_no_such_clock_shows_is_none(text):
    assert parse_timestamp(f"03/02/2026 {text}", ("%m/%d/%Y %I:%M %p",)) is None


def test_the_half_and_the_hour_belong_together():
    for form in ("%d.%m.%Y %I:%M", "%d.%m.%Y %H:%M %p"):
        assert any("%I" in fault for fault, _ in faults_of_format(form, LogicalType.TIMESTAMP))


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("1767225600", "epoch seconds", at(2026, 1, 1)),
        ("1767225600.25", "epoch seconds", at(2026, 1, 1) + timedelta(milliseconds=250)),
        ("-1", "epoch seconds", at(1969, 12, 31, 23, 59, 59)),
        ("1767225600123", "epoch milliseconds", at(2026, 1, 1) + timedelta(milliseconds=123)),
        ("1767225600123456", "epoch microseconds", at(2026, 1, 1) + timedelta(microseconds=123456)),
        ("46023.75", "excel days", at(2026, 1, 1, 18)),
        ("1767225600.1234567", "epoch seconds", None),  # finer than a microsecond
        ("1e9", "epoch seconds", None),
        ("999999999999999999", "epoch seconds", None),
        ("60", "excel days", None),  # 29 February 1900, which there was not
        ("x", "excel days", None),
    ],
)
def test_a_count_is_a_moment_where_it_is_declared(text, form, moment):
    assert parse_timestamp(text, (form,)) == moment


def test_an_epoch_is_in_no_zone_and_days_of_a_spreadsheet_are_local():
    assert parse_timestamp("1767225600", ("epoch seconds",), BERLIN) == at(2026, 1, 1)
    assert parse_timestamp("46023.75", ("excel days",), BERLIN) == at(2026, 1, 1, 17)


def test_a_day_of_a_spreadsheet_is_a_date_and_with_a_time_it_is_none():
    assert parse_date("46023", ("%Y-%m-%d", "excel days")) == date(2026, 1, 1)
    assert parse_date("46023.75", ("excel days",)) is None


def test_on_a_machine_that_knows_no_zones_the_remedy_is_to_install_them(monkeypatch, tmp_path):
    def not_found(name: str) -> None:
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("zoneinfo.ZoneInfo", not_found)
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    document = Document(tmp_path / "a.odcs.yaml", {}, {})
    assert time_zone.read_local_time(document, {"timeZone": Given(BERLIN, "schema[0]")}) is None
    (fault,) = document.faults
    assert "install the package tzdata" in fault.remedy
