"""Checks: text becomes values of the contract's types, or a reason why not."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_ingestion.checks.cells import check_cells
from data_ingestion.checks.dates import parse_date, parse_timestamp
from data_ingestion.contract import Column, LogicalType, read_contract

CONTRACT = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))
MONEY = Column(
    "amount",
    ("amount",),
    LogicalType.NUMBER,
    "numeric(18,2)",
    precision=18,
    scale=2,
    cleaning=("strip_grouping_commas",),
)


def checked(column, *cells):
    result = check_cells(pa.array(cells, pa.string()), column)
    return result.values.to_pylist(), {row: reason for row, (reason, _) in result.refused.items()}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,000,000.00", "1000000.00"),
        ("10,00,000.00", "1000000.00"),
        ("1,00,00,000", "10000000.00"),
        (" 21000 ", "21000.00"),
        ("-318204477.3", "-318204477.30"),
        ("+5", "5.00"),
        (".50", "0.50"),
        ("007.100", "7.10"),
        ("9999999999999999.99", "9999999999999999.99"),
    ],
)
def test_money_is_read_exactly(text, amount):
    assert checked(MONEY, text) == ([Decimal(amount)], {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,00", "not_a_number"),
        ("1,0000", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("12e3", "not_a_number"),
        ("NaN", "not_a_number"),
        ("-", "not_a_number"),
        ("1.005", "too_precise"),
        ("10000000000000000", "out_of_range"),
        ("٣", "not_a_number"),
    ],
)
def test_money_that_would_have_to_be_guessed_or_rounded_is_refused(text, reason):
    assert checked(MONEY, "1.00", text)[1] == {1: reason}


@given(st.decimals(-(10**15), 10**15, places=2))
def test_every_amount_of_the_type_comes_through_unchanged(amount):
    assert checked(MONEY, str(amount), f"{amount:,}") == ([amount, amount], {})


@given(
    st.from_regex(r"[+-]?([0-9]{1,22}(\.[0-9]{0,6})?|\.[0-9]{1,6})", fullmatch=True),
    st.integers(1, 38),
    st.integers(0, 38),
)
@example(".00", 18, 2)
@example("-.0", 18, 2)
@example("007.100", 4, 1)
@example("-1761831693060492009043065798586", 38, 35)  # Arrow's cast overflows here without a word
def test_a_decimal_is_taken_exactly_when_its_type_holds_it(text, precision, scale):
    scale = min(scale, precision)
    column = Column("n", ("n",), LogicalType.NUMBER, "numeric", precision=precision, scale=scale)
    number = Decimal(text)
    if abs(number) >= 10 ** (precision - scale):
        assert checked(column, text) == ([None], {0: "out_of_range"})
    elif -number.normalize().as_tuple().exponent > scale:
        assert checked(column, text) == ([None], {0: "too_precise"})
    else:
        assert checked(column, text) == ([number], {})


@given(st.text(max_size=12))
def test_no_text_makes_a_check_fail(text):
    for column in (*CONTRACT.columns, Column("n", ("n",), LogicalType.INTEGER, "integer"),
                   Column("b", ("b",), LogicalType.BOOLEAN, "boolean"),
                   Column("t", ("t",), LogicalType.TIMESTAMP, "timestamptz"), UUID):  # fmt: skip
        values, _ = checked(column, text, None)
        assert len(values) == 2


@given(st.integers(-(2**70), 2**70))
def test_an_integer_is_taken_exactly_when_its_type_holds_it(number):
    values, refused = checked(Column("n", ("n",), LogicalType.INTEGER, "integer"), str(number))
    assert (values == [number]) if -(2**31) <= number < 2**31 else (refused == {0: "out_of_range"})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_comes_through_to_the_last_bit(number):
    column = Column("d", ("d",), LogicalType.NUMBER, "double precision")
    assert checked(column, repr(number)) == ([number], {})


def test_a_blank_cell_is_null_and_a_required_one_is_refused():
    column = next(column for column in CONTRACT.columns if column.name == "balance_inr")
    assert checked(column, "  ", None) == ([None, None], {0: "missing", 1: "missing"})


NAME = Column("name", ("name",), LogicalType.STRING, "text", required=True, min_length=1)


def test_an_empty_text_is_no_value_where_one_is_required():
    assert checked(NAME, "", "0", None, " ") == (
        [None, "0", None, " "],
        {0: "missing", 2: "missing"},
    )


def test_an_empty_text_is_a_value_where_the_contract_says_so():
    column = replace(NAME, may_be_empty=True, min_length=None)
    assert checked(column, "", None) == (["", None], {1: "missing"})


def test_an_empty_text_stays_one_where_nothing_is_required():
    column = replace(NAME, required=False, min_length=None)
    assert checked(column, "", None) == (["", None], {})


def test_an_account_loses_its_apostrophe_and_must_be_digits():
    column = next(column for column in CONTRACT.columns if column.name == "account_no")
    assert checked(column, "7300215'", "712000400355'") == (["7300215", "712000400355"], {})
    assert checked(column, "12'34567")[1] == {0: "pattern"}


def test_text_with_a_nul_byte_is_refused_before_the_server_sees_it():
    column = Column("t", ("t",), LogicalType.STRING, "text")
    assert checked(column, "a\x00b")[1] == {0: "nul_byte"}


UUID = Column("id", ("id",), LogicalType.STRING, "uuid")


@given(st.lists(st.one_of(st.none(), st.uuids(), st.text("0aF-g\n ", max_size=38))))
def test_a_uuid_is_the_bytes_it_writes_whatever_stands_beside_it(cells):
    values, refused = checked(UUID, *(None if cell is None else str(cell) for cell in cells))
    assert values == [cell.bytes if isinstance(cell, uuid.UUID) else None for cell in cells]
    assert set(refused) == {row for row, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()}


@given(st.lists(st.uuids(), min_size=1), st.integers(0, 3), st.sampled_from([str.upper, str.lower]))
def test_a_uuid_is_the_same_in_either_case_and_in_a_slice(uuids, start, case):
    text = pa.array([None, " x ", *(case(str(one)) for one in uuids)], pa.string()).slice(min(start, 2))
    assert check_cells(text, UUID).values.to_pylist()[-len(uuids) :] == [one.bytes for one in uuids]


@pytest.mark.parametrize(
    "text",
    [
        "5e0c7a1b-4d31-4b6e-9c02-1f8e6a27d3a",
        "5e0c7a1b-4d31-4b6e-9c02-1f8e6a27d3a44",
        "5e0c7a1b4d314b6e9c021f8e6a27d3a4",
        "{5e0c7a1b-4d31-4b6e-9c02-1f8e6a27d3a4}",
        "ge0c7a1b-4d31-4b6e-9c02-1f8e6a27d3a4",
        "5e0c7a1b4-d31-4b6e-9c02-1f8e6a27d3a4",
        "5e0c7a1b-4d31-4b6e-9c02-1f8e6a27d3é",
        "--------4d31-4b6e-9c02-1f8e6a27d3a4-",
    ],
)
def test_what_is_no_uuid_is_refused_with_its_text(text):
    result = check_cells(pa.array([text]), UUID)
    ((reason, detail),) = result.refused.values()
    assert reason == "not_a_uuid"
    assert text in detail


FORMS = ("%Y-%m-%d", "%d-%b-%y", "%b %d, %y")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-03-14", date(2025, 3, 14)),
        ("4-Mar-25", date(2025, 3, 4)),
        ("Mar 14, 25", date(2025, 3, 14)),
        ("29-FEB-16", date(2016, 2, 29)),
        ("1-Jan-69", date(1969, 1, 1)),
        ("30-Feb-17", None),
        ("29-Jui-17", None),
        ("2025-03-14 ", None),
        ("29/06/2017", None),
    ],
)
def test_a_date_is_of_a_declared_form_or_none(text, day):
    assert parse_date(text, FORMS) == day


BOOKED = Column("booked", ("booked",), LogicalType.DATE, "date", formats=FORMS)
DAYS = st.from_regex(
    r"[0-9]{4}-(0[1-9]|1[0-3])-[0-3][0-9]|[0-9]{1,2}-Jan-[0-9]{2}|[+-]?[0-9]{1,4}-1-1", fullmatch=True
)


@given(st.lists(st.none() | DAYS, max_size=5))
@example(["0000-01-01"])
@example(["0001-01-01", None, "9999-12-31"])
def test_a_column_of_dates_is_what_each_of_them_is_alone(cells):
    values, refused = checked(BOOKED, *cells)
    alone = [parse_date(cell, FORMS) if cell else None for cell in cells]
    assert values == alone
    assert set(refused) == {row for row, cell in enumerate(cells) if cell and alone[row] is None}


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("20161101", "%Y%m%d", date(2016, 11, 1)),
        ("2016111", "%Y%m%d", None),
        ("1112016", "%d%m%Y", None),
        ("01.2.2016", "%d.%m.%Y", date(2016, 2, 1)),
    ],
)
def test_parts_that_touch_need_all_their_digits(text, form, day):
    assert parse_date(text, (form,)) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31T00:00:00Z", date(2026, 1, 31)),
        ("2026-01-31T00:00:00+02:00", date(2026, 1, 31)),
        ("2026-01-31T00:00:00.000Z", date(2026, 1, 31)),
        ("2026-01-31T10:00:00Z", None),
    ],
)
def test_a_date_may_be_written_with_the_midnight_it_begins_with(text, day):
    forms = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
    column = Column("day", ("day",), LogicalType.DATE, "date", formats=forms)
    checked = check_cells(pa.array([text]), column)
    assert (checked.values.to_pylist(), len(checked.refused)) == ([day], int(day is None))


def test_a_moment_is_kept_in_utc():
    parsed = parse_timestamp("2019-06-01T20:47:04.123+05:30", ("%Y-%m-%dT%H:%M:%S.%f%z",))
    assert parsed is not None
    assert parsed.isoformat() == "2019-06-01T15:17:04.123000+00:00"


@pytest.mark.parametrize(
    ("offset", "hour"),
    [
        ("+00", 10),
        ("-00", 10),
        ("+0000", 10),
        ("+00:00", 10),
        ("Z", 10),
        ("+02", 8),
        ("-02:00", 12),
        ("+0200", 8),
    ],
)
def test_an_offset_is_read_however_it_is_written(offset, hour):
    parsed = parse_timestamp(f"2026-01-31 10:00:00{offset}", ("%Y-%m-%d %H:%M:%S%z",))
    assert parsed == datetime(2026, 1, 31, hour, tzinfo=UTC)


@pytest.mark.parametrize("offset", ["+2", "+0260", "+02:", "+24", "02", "CET", ""])
def test_what_is_not_an_offset_is_not_read_as_one(offset):
    assert parse_timestamp(f"2026-01-31 10:00:00{offset}", ("%Y-%m-%d %H:%M:%S%z",)) is None


def test_a_number_too_near_to_zero_for_its_type_is_refused_not_made_zero():
    column = Column("x", ("x",), LogicalType.NUMBER, "double precision")
    assert checked(column, "4.9e-324", "0e-999", "-0.0") == ([5e-324, 0.0, 0.0], {})
    assert checked(column, "1e-400", "-0.1e-999")[1] == {0: "out_of_range", 1: "out_of_range"}


@pytest.mark.parametrize(("precision", "scale"), [(38, 30), (38, 38), (38, 0), (18, 2)])
def test_a_limit_holds_for_every_size_of_number(precision, scale):
    size = {"precision": precision, "scale": scale}
    column = Column("x", ("x",), LogicalType.NUMBER, f"numeric({precision},{scale})", minimum=0, **size)
    assert checked(column, "-0", f"-{Decimal(10) ** -scale:f}")[1] == {1: "out_of_bounds"}
