"""Forms of dates and times: what the contract check refuses, for the loader would not honour it."""

import pytest

from data_ingestion.checks.dates import parse_timestamp
from data_ingestion.contract import LogicalType
from data_ingestion.contract.formats import faults_of_format

TIME = "%Y-%m-%d %H:%M:%S"


def faults(form: str, type_: LogicalType = LogicalType.TIMESTAMP) -> str:
    return " ".join(f"{fault}; {remedy}" for fault, remedy in faults_of_format(form, type_))


@pytest.mark.parametrize(
    ("form", "named"),
    [
        (f"{TIME}+02", "the offset '+02'"),
        (f"{TIME}-0530", "the offset '-0530'"),
        (f"{TIME}.000+02:00", "the offset '+02:00'"),
        (f"{TIME} UTC+2", "the offset '+2'"),
        (f"{TIME} +0100 (Paris)", "the offset '+0100'"),
        (f"{TIME} CET", "the zone 'CET'"),
        (f"{TIME} (MESZ)", "the zone 'MESZ'"),
        (f"EST {TIME}", "the zone 'EST'"),
        (f"{TIME} Europe/Berlin", "the zone 'Europe/Berlin'"),
        (f"{TIME}[America/New_York]", "the zone 'America/New_York'"),
        ("%d/%m/%Y %H:%M PM", "'PM', which would not change the hour"),
        ("%d/%m/%Y %H:%M am", "'am', which would not change the hour"),
    ],
)
def test_a_word_that_would_change_the_time_is_refused_with_a_way_out(form: str, named: str):
    said = faults(form)
    assert named in said
    assert any(way in said for way in ("'timeZone'", "write '%p' in its place", "write '%z' in its place"))


@pytest.mark.parametrize(
    "form",
    [
        f"{TIME}Z",
        f"{TIME} UTC",
        f"{TIME} GMT",
        f"{TIME}+00",
        f"{TIME}+00:00",
        f"{TIME} Etc/UTC",
        f"{TIME} GMT%z (CET)",
        "%Y-%m-%dT%H:%M:%S",
        "am %d.%m.%Y um %H:%M Uhr",
        "%d/%b/%Y:%H:%M:%S",
        "%Y-%m-%d-%H-00",
        "%d de %B de %Y, %Hh%M",
        "%H:%M%% %d-%m-%Y",
    ],
)
def test_a_word_that_is_honoured_or_says_nothing_of_the_zone_is_fine(form: str):
    assert faults(form) == ""


def test_a_date_has_no_zone_so_a_literal_one_changes_nothing():
    assert faults("%Y-%m-%d+02:00", LogicalType.DATE) == ""


def test_a_literal_utc_means_what_it_says():
    parsed = parse_timestamp("2026-01-31 10:00:00+00:00", (f"{TIME}+00:00",))
    assert parsed is not None
    assert parsed.isoformat() == "2026-01-31T10:00:00+00:00"


def test_a_fraction_of_nine_digits_is_cut_to_microseconds_where_the_form_says_so():
    written = "2026-01-31T10:00:00.123456999Z"
    moment = parse_timestamp(written, ("%Y-%m-%dT%H:%M:%S.%N%z",))
    assert moment is not None
    assert moment.microsecond == 123_456
    assert parse_timestamp(written, ("%Y-%m-%dT%H:%M:%S.%f%z",)) is None
    assert "twice" in faults(f"{TIME}.%f%N")
