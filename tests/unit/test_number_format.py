"""Number format: what a contract says of marks, signs, currencies and percent is read exactly, and nothing else is."""

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.checks.native import check_column
from data_ingestion.contract import Column, LogicalType
from data_ingestion.contract.terms import NumberFormat

GERMAN = NumberFormat(decimal=",", grouping=".")
MONEY = Column(
    "amount", ("amount",), LogicalType.NUMBER, "numeric(18,4)", precision=18, scale=4, number_format=GERMAN
)
COUNT = Column("count", ("count",), LogicalType.INTEGER, "bigint", number_format=GERMAN)
BOOKS = NumberFormat(
    grouping=",", negative=("trailing_minus", "parentheses"), currency=("$", "USD", "US$"), percent="divide"
)


def checked(column, *cells):
    result = check_column(pa.array(cells, pa.string()), column)
    return result.values.to_pylist(), {row: reason for row, (reason, _) in result.refused.items()}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,56", "1234.56"), ("1234,56", "1234.56"), ("-1.234.567,8", "-1234567.8"), ("0,5", "0.5"),
        (",5", "0.5"), ("12", "12"), ("1.234", "1234"), ("+3,0", "3"), (" 7,25 ", "7.25"),
    ],
)  # fmt: skip
def test_a_decimal_comma_and_points_between_thousands_are_read(text, amount):
    assert checked(MONEY, text) == ([Decimal(amount)], {})


@pytest.mark.parametrize(
    "text", ["1.23", "1.2345", "12.34.567", "1,234.56", "1,2,3", ".5", "1.234.56", "1..234"]
)
def test_a_number_in_another_form_is_refused_and_not_taken_for_another_number(text):
    values, refused = checked(MONEY, "1,00", text)
    assert (values[1], refused) == (None, {1: "not_a_number"})


def test_the_message_shows_the_cell_and_a_number_as_the_contract_writes_it():
    result = check_column(pa.array(["1.23"]), MONEY)
    assert result.refused[0][1] == "'1.23' is not a number as the contract says they are written (1.234,50)"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("(1,234.50)", "-1234.50"), ("12.34-", "-12.34"), ("$5", "5"), ("$ 1,000", "1000"), ("-$5", "-5"),
        ("$-5", "-5"), ("($12.50)", "-12.50"), ("12.50 USD", "12.50"), ("12.50 USD-", "-12.50"), ("US$7", "7"),
        ("12.5 %", "0.125"), ("-3%", "-0.03"), ("100%", "1"), ("(50%)", "-0.5"),
    ],
)  # fmt: skip
def test_what_a_ledger_writes_around_numbers_is_read_where_it_is_declared(text, amount):
    assert checked(replace(MONEY, number_format=BOOKS), text) == ([Decimal(amount)], {})


@pytest.mark.parametrize("text", ["(12.34-", "(-5)", "-5-", "()", "$", "5 EUR", "$$5", "%", "5%%", "(5"])
def test_signs_that_are_not_declared_or_come_twice_are_refused(text):
    assert checked(replace(MONEY, number_format=BOOKS), text)[1] == {0: "not_a_number"}


def test_percent_may_stay_a_number_of_percent():
    form = NumberFormat(percent="keep")
    assert checked(replace(MONEY, number_format=form), "12.5 %", "3") == ([Decimal("12.5"), Decimal(3)], {})


@pytest.mark.parametrize("text", ["1 234,50", "1\u00a0234,50", "1\u202f234,50", "1234,50"])
def test_a_blank_between_thousands_may_be_one_that_does_not_break_the_line(text):
    form = NumberFormat(decimal=",", grouping=" ")
    assert checked(replace(MONEY, number_format=form), text) == ([Decimal("1234.50")], {})


def test_whole_numbers_have_the_format_too():
    assert checked(COUNT, "1.234.567", "12", None) == ([1234567, 12, None], {})
    assert checked(COUNT, "1.23", "1,5")[1] == {0: "not_an_integer", 1: "not_an_integer"}


def test_floats_may_have_exponents_and_exact_numbers_may_not():
    column = replace(MONEY, physical_type="double precision", precision=None, scale=None)
    assert checked(column, "1,5e3", "-2e-2") == ([1500.0, -0.02], {})
    assert checked(MONEY, "1,5e3")[1] == {0: "not_a_number"}


def test_numbers_that_come_with_a_type_are_not_written_in_any_form():
    assert check_column(pa.array([1234.5, None]), MONEY).values.to_pylist() == [Decimal("1234.5"), None]
    assert check_column(pa.array([1234, None]), COUNT).values.to_pylist() == [1234, None]


@given(
    st.decimals(-(10**13), 10**13, places=4),
    st.sampled_from([",", "."]),
    st.sampled_from(["", ",", ".", " ", "'", "’", "_"]),
)
def test_every_number_is_read_back_from_the_form_in_which_it_is_written(number, decimal, grouping):
    if decimal == grouping:
        return
    text = f"{number:,}".replace(",", "G").replace(".", decimal).replace("G", grouping)
    form = NumberFormat(decimal=decimal, grouping=grouping)
    assert checked(replace(MONEY, number_format=form), text) == ([number], {})


SCIENCE = replace(
    MONEY, physical_type="numeric(38,9)", precision=38, scale=9, number_format=NumberFormat(exponent=True)
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1e-07", "0.0000001"), ("1E+2", "100"), ("-1.5e3", "-1500"), ("0.1", "0.1"), ("0e0", "0"),
        ("1.234567890123456789e20", "123456789012345678900"),
    ],
)  # fmt: skip
def test_an_exponent_is_read_exactly(text, amount):
    assert checked(SCIENCE, text) == ([Decimal(amount)], {})


def test_a_number_with_an_exponent_meets_the_limits_of_any_other():
    values, refused = checked(SCIENCE, "1e-10", "1e29", "1e9999", "1e", "e5", "1e2.5", None)
    assert values == [None] * 7
    assert [refused[row] for row in range(6)] == [
        "too_precise",
        "out_of_range",
        "out_of_range",
        *["not_a_number"] * 3,
    ]


def test_a_whole_number_may_be_written_with_an_exponent():
    column = replace(COUNT, number_format=NumberFormat(exponent=True))
    assert checked(column, "1e3", "1.5e1", "1.5e0") == ([1000, 15, None], {2: "not_an_integer"})


@pytest.mark.parametrize("column", [replace(SCIENCE, number_format=None), replace(COUNT, number_format=None)])
def test_where_the_contract_knows_of_no_exponent_the_message_says_how_it_would(column):
    detail = check_column(pa.array(["1e-07"]), column).refused[0][1]
    assert detail.endswith(" without an exponent: `numberFormat: {exponent: true}` reads it")
    assert "exponent" not in check_column(pa.array(["hello"]), column).refused[0][1]


def test_of_a_percentage_with_more_digits_than_a_decimal_usually_has_none_is_lost():
    column = replace(SCIENCE, scale=8, number_format=NumberFormat(percent="divide"))
    assert checked(column, "12345678901234567890123456789.123456%")[0] == [
        Decimal("123456789012345678901234567.89123456")
    ]
