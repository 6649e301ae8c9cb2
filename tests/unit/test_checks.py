"""Checks: text becomes values of the contract's types, or a reason why not."""

import uuid
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_ingestion.checks.cells import judge_cells
from data_ingestion.checks.dates import parse_date, parse_timestamp
from data_ingestion.checks.rows import find_columns
from data_ingestion.contract import Column, LogicalType, read_contract
from data_ingestion.errors import DropFault

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


def judged(column, *cells):
    result = judge_cells(pa.array(cells, pa.string()), column)
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
    assert judged(MONEY, text) == ([Decimal(amount)], {})


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
    assert judged(MONEY, "1.00", text)[1] == {1: reason}


@given(st.decimals(-(10**15), 10**15, places=2))
def test_every_amount_of_the_type_comes_through_unchanged(amount):
    assert judged(MONEY, str(amount), f"{amount:,}") == ([amount, amount], {})


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
        assert judged(column, text) == ([None], {0: "out_of_range"})
    elif -number.normalize().as_tuple().exponent > scale:
        assert judged(column, text) == ([None], {0: "too_precise"})
    else:
        assert judged(column, text) == ([number], {})


@given(st.text(max_size=12))
def test_no_text_makes_a_check_fail(text):
    for column in (*CONTRACT.columns, Column("n", ("n",), LogicalType.INTEGER, "integer"),
                   Column("b", ("b",), LogicalType.BOOLEAN, "boolean"),
                   Column("t", ("t",), LogicalType.TIMESTAMP, "timestamptz"), UUID):  # fmt: skip
        values, _ = judged(column, text, None)
        assert len(values) == 2


@given(st.integers(-(2**70), 2**70))
def test_an_integer_is_taken_exactly_when_its_type_holds_it(number):
    values, refused = judged(Column("n", ("n",), LogicalType.INTEGER, "integer"), str(number))
    assert (values == [number]) if -(2**31) <= number < 2**31 else (refused == {0: "out_of_range"})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_comes_through_to_the_last_bit(number):
    column = Column("d", ("d",), LogicalType.NUMBER, "double precision")
    assert judged(column, repr(number)) == ([number], {})


def test_a_blank_cell_is_null_and_a_required_one_is_refused():
    column = next(column for column in CONTRACT.columns if column.name == "balance_inr")
    assert judged(column, "  ", None) == ([None, None], {0: "missing", 1: "missing"})


def test_an_account_loses_its_apostrophe_and_must_be_digits():
    column = next(column for column in CONTRACT.columns if column.name == "account_no")
    assert judged(column, "7300215'", "712000400355'") == (["7300215", "712000400355"], {})
    assert judged(column, "12'34567")[1] == {0: "pattern"}


def test_text_with_a_nul_byte_is_refused_before_the_server_sees_it():
    column = Column("t", ("t",), LogicalType.STRING, "text")
    assert judged(column, "a\x00b")[1] == {0: "nul_byte"}


UUID = Column("id", ("id",), LogicalType.STRING, "uuid")


@given(st.lists(st.one_of(st.none(), st.uuids(), st.text("0aF-g\n ", max_size=38))))
def test_a_uuid_is_the_bytes_it_writes_whatever_stands_beside_it(cells):
    values, refused = judged(UUID, *(None if cell is None else str(cell) for cell in cells))
    assert values == [cell.bytes if isinstance(cell, uuid.UUID) else None for cell in cells]
    assert set(refused) == {row for row, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()}


@given(st.lists(st.uuids(), min_size=1), st.integers(0, 3), st.sampled_from([str.upper, str.lower]))
def test_a_uuid_is_the_same_in_either_case_and_in_a_slice(uuids, start, case):
    text = pa.array([None, " x ", *(case(str(one)) for one in uuids)], pa.string()).slice(min(start, 2))
    assert judge_cells(text, UUID).values.to_pylist()[-len(uuids) :] == [one.bytes for one in uuids]


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
    result = judge_cells(pa.array([text]), UUID)
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
    values, refused = judged(BOOKED, *cells)
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


def test_a_moment_is_kept_in_utc():
    parsed = parse_timestamp("2019-06-01T20:47:04.123+05:30", ("%Y-%m-%dT%H:%M:%S.%f%z",))
    assert parsed is not None
    assert parsed.isoformat() == "2019-06-01T15:17:04.123000+00:00"


HEADER = [column.headers[0] for column in CONTRACT.columns]


def test_columns_are_found_by_name_in_any_order_under_any_alias():
    shuffled = [*reversed([text.strip() if "AMT" in text else text for text in HEADER]), "."]
    positions = find_columns(CONTRACT, shuffled, "f.csv")
    assert positions["account_no"] == len(HEADER) - 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ([*HEADER, "BRANCH"], "header 'BRANCH' is no column"),
        ([*HEADER, "DATE"], "stands 2 times"),
        ([*HEADER, "WITHDRAWAL AMT"], "are both headers of 'withdrawal_inr'"),
        (HEADER[1:], "no column 'Account No'"),
    ],
)
def test_a_header_that_leaves_a_doubt_is_refused_with_its_place_and_the_way_out(header, message):
    with pytest.raises(DropFault, match=message) as refused:
        find_columns(CONTRACT, header, "f.csv")
    assert str(refused.value).startswith("f.csv:1: ")
    assert "\n  " in str(refused.value)


def test_the_column_that_only_one_shape_has_may_be_absent():
    assert "discrepancy" not in find_columns(CONTRACT, HEADER[:-1], "f.csv")


def test_a_number_too_near_to_zero_for_its_type_is_refused_not_made_zero():
    column = Column("x", ("x",), LogicalType.NUMBER, "double precision")
    assert judged(column, "4.9e-324", "0e-999", "-0.0") == ([5e-324, 0.0, 0.0], {})
    assert judged(column, "1e-400", "-0.1e-999")[1] == {0: "out_of_range", 1: "out_of_range"}


@pytest.mark.parametrize(("precision", "scale"), [(38, 30), (38, 38), (38, 0), (18, 2)])
def test_a_limit_holds_for_every_size_of_number(precision, scale):
    size = {"precision": precision, "scale": scale}
    column = Column("x", ("x",), LogicalType.NUMBER, f"numeric({precision},{scale})", minimum=0, **size)
    assert judged(column, "-0", f"-{Decimal(10) ** -scale:f}")[1] == {1: "out_of_bounds"}
