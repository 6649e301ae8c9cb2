"""Month names: those of the contract are read, in any of their spellings, and no others."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.checks.native import check_column
from data_ingestion.contract import Column, LogicalType

GERMAN = (
    "Januar|Jan", "Februar|Feb", "März|Mär|Mrz", "April|Apr", "Mai", "Juni|Jun", "Juli|Jul", "August|Aug",
    "September|Sep|Sept", "Oktober|Okt", "November|Nov", "Dezember|Dez",
)  # fmt: skip
FRENCH = (
    "janvier|janv", "février|févr", "mars", "avril|avr", "mai", "juin", "juillet|juil", "août", "septembre|sept",
    "octobre|oct", "novembre|nov", "décembre|déc",
)  # fmt: skip
VIETNAMESE = tuple(f"tháng {number}" for number in range(1, 13))
DAY = Column("day", ("day",), LogicalType.DATE, "date", formats=("%d. %B %Y", "%d-%b-%y"), month_names=GERMAN)


def checked(column, *cells):
    result = check_column(pa.array(cells, pa.string()), column)
    return result.values.to_pylist(), {row: reason for row, (reason, _) in result.refused.items()}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31. März 2026", date(2026, 3, 31)), ("31. MRZ. 2026", date(2026, 3, 31)),
        ("1. Dez. 2026", date(2026, 12, 1)), ("1. dezember 2026", date(2026, 12, 1)),
        ("05-Okt-26", date(2026, 10, 5)), ("5-Sept.-26", date(2026, 9, 5)), ("1. Mai 2026", date(2026, 5, 1)),
    ],
)  # fmt: skip
def test_a_name_is_read_in_any_of_its_spellings(text, day):
    assert checked(DAY, text) == ([day], {})


@pytest.mark.parametrize(
    "text", ["31. March 2026", "5-Oct-26", "1. Deze 2026", "1. Dez.. 2026", "30. Feb 2026"]
)
def test_another_name_is_none(text):
    assert checked(DAY, text) == ([None], {0: "not_a_date"})


def test_where_a_contract_has_no_names_they_are_english():
    english = replace(DAY, month_names=())
    assert checked(english, "31. March 2026", "5-Oct-26", "1. Dez 2026", "3. Sept 2026")[0] == [
        date(2026, 3, 31), date(2026, 10, 5), None, date(2026, 9, 3),
    ]  # fmt: skip


def test_a_name_that_another_begins_with_is_not_taken_for_it():
    thirds = replace(DAY, formats=("%d %B %Y",), month_names=VIETNAMESE)
    assert checked(thirds, "1 tháng 1 2026", "1 Tháng 12 2026")[0] == [date(2026, 1, 1), date(2026, 12, 1)]


def test_times_too_have_months_by_name():
    moment = Column(
        "at", ("at",), LogicalType.TIMESTAMP, "timestamptz", formats=("%d %b %Y %H:%M",), month_names=FRENCH
    )
    assert checked(moment, "1 août 2026 07:30", "1 FÉVR. 2026 07:30")[0] == [
        datetime(2026, 8, 1, 7, 30, tzinfo=UTC),
        datetime(2026, 2, 1, 7, 30, tzinfo=UTC),
    ]


@given(
    st.dates(date(1970, 1, 1), date(2068, 12, 31)), st.sampled_from([GERMAN, FRENCH, VIETNAMESE]), st.data()
)
def test_a_date_written_with_a_name_is_read_as_it_was(day, names, data):
    name = data.draw(st.sampled_from(names[day.month - 1].split("|")))
    column = replace(DAY, formats=("%d %B %Y",), month_names=names)
    assert checked(column, f"{day.day} {name} {day.year}")[0] == [day]
