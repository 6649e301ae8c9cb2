"""Infer: what a column of a sample is, and what is left to a person."""

import pyarrow as pa
import pytest

from data_ingestion.contract import LogicalType
from data_ingestion.draft.infer import infer, name_of


def draft(*cells, header="value"):
    return infer(header, pa.array(cells, pa.string()), name_of(header))


@pytest.mark.parametrize(
    ("cells", "type_", "settings"),
    [
        (("1", "-2", "30"), LogicalType.INTEGER, {}),
        (("1.5", "2"), LogicalType.NUMBER, {}),
        (("1,234.00", "2.00"), LogicalType.NUMBER, {"numberFormat": {"grouping": ","}}),
        (("1,234", "2"), LogicalType.INTEGER, {"numberFormat": {"grouping": ","}}),
        (("1,234.50", "2"), LogicalType.NUMBER, {"numberFormat": {"grouping": ","}}),
        (("1.234,50", "2"), LogicalType.NUMBER, {"numberFormat": {"decimal": ",", "grouping": "."}}),
        (("1234,50", "2"), LogicalType.NUMBER, {"numberFormat": {"decimal": ","}}),
        (("1 234,50", "2"), LogicalType.NUMBER, {"numberFormat": {"decimal": ",", "grouping": " "}}),
        (("12.34-", "2"), LogicalType.NUMBER, {"numberFormat": {"negative": ["trailing_minus"]}}),
        (("(12.34)", "2"), LogicalType.NUMBER, {"numberFormat": {"negative": ["parentheses"]}}),
        (("$5.10", "2"), LogicalType.NUMBER, {"numberFormat": {"currency": ["$"]}}),
        (("5.5 %", "2"), LogicalType.NUMBER, {"numberFormat": {"percent": "keep"}}),
        (("1e-5", "2"), LogicalType.NUMBER, {"numberFormat": {"exponent": True}}),
        (("1e-300", "2"), LogicalType.NUMBER, {}),
        (("7001.0", "7002.0"), LogicalType.INTEGER, {"cleaning": ["strip_decimal_zero"]}),
        (("00123", "00124"), LogicalType.STRING, {}),
        (("true", "False"), LogicalType.BOOLEAN, {}),
        (("Ja", "nein"), LogicalType.BOOLEAN, {"trueValues": ["ja"], "falseValues": ["nein"]}),
        (("2026-01-31",), LogicalType.DATE, {}),
        (("31.01.2026",), LogicalType.DATE, {"formats": ["%d.%m.%Y"]}),
        (("2026-01-31", "2026/02/01"), LogicalType.DATE, {"formats": ["%Y-%m-%d", "%Y/%m/%d"]}),
        (("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.5Z"), LogicalType.TIMESTAMP, {}),
        (("31.01.2026 10:15",), LogicalType.TIMESTAMP, {"formats": ["%d.%m.%Y %H:%M"]}),
        (("01/31/2026 2:15 PM",), LogicalType.TIMESTAMP, {"formats": ["%m/%d/%Y %I:%M %p"]}),
        (("a", "1"), LogicalType.STRING, {}),
        (("NA", "5", None, "-"), LogicalType.INTEGER, {"nullValues": ["NA", "-"]}),
    ],
)
def test_the_narrowest_type_is_found_with_what_it_takes_to_read_it(cells, type_, settings):
    found = draft(*cells)
    assert (found.column.type, dict(found.settings)) == (type_, settings)


def test_a_uuid_is_kept_as_one():
    assert draft("5e0c7a1b-4d31-4b6e-9c02-1f8e6a27d3a4").column.physical_type == "uuid"


def test_decimals_have_room_to_grow():
    assert draft("1.12345", "123456789012345678").column.physical_type == "numeric(23,5)"
    assert draft("1.5").column.physical_type == "numeric(18,2)"


def test_a_few_decimals_among_whole_numbers_make_decimals_of_them_not_bad_rows():
    found = draft(*map(str, range(300)), "97.5")
    assert (found.column.physical_type, found.notes) == ("numeric(18,2)", ())


def test_a_few_exponents_among_decimals_are_read():
    found = draft(*(f"{number}.5" for number in range(300)), "1e3")
    assert (dict(found.settings), found.notes) == ({"numberFormat": {"exponent": True}}, ())


@pytest.mark.parametrize(
    ("header", "cells", "question"),
    [
        ("value", ("03/02/2026", "04/05/2026"), "day or month first"),
        ("customer id", ("17", "18"), "a code in digits"),
        ("value", ("2026-01-31 10:00:00",), "in which time zone"),
        ("value", ("NA", "Oslo"), "'NA' occurs in it"),
    ],
)
def test_what_only_a_person_can_know_is_asked(header, cells, question):
    assert any(question in remark for remark in draft(*cells, header=header).open)


def test_a_day_above_twelve_settles_the_order():
    found = draft("03/02/2026", "31/05/2026")
    assert (found.settings["formats"], found.open) == (["%d/%m/%Y"], ())


def test_a_few_faults_do_not_make_a_column_text_but_are_told():
    found = draft(*map(str, range(300)), "abc")
    assert found.column.type is LogicalType.INTEGER
    assert found.notes == ("1 of 301 values are something else, and go to quarantine: 'abc'",)
    assert draft("1", "2", "abc").column.type is LogicalType.STRING


def test_a_column_without_a_value_is_text_and_says_so():
    found = draft(None, " ")
    assert (found.column.type, found.notes) == (LogicalType.STRING, ("every cell of the sample is empty",))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Unit Price (EUR)", "unit_price_eur"),
        ("customerId", "customer_id"),
        ("2nd", "column_2nd"),
        ("€", "column"),
    ],
)
def test_a_header_becomes_a_name(header, name):
    assert name_of(header) == name


def test_names_are_taken_once():
    assert name_of("A-b", ["a_b", "a_b_2"]) == "a_b_3"
