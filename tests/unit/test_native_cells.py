"""Native cells: what comes with a type is checked by the rules of text, exactly."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.checks.native import as_text, check_column
from data_ingestion.contract import Column, LogicalType


def column(type_: LogicalType, physical_type: str = "", **rules: object) -> Column:
    return Column("c", ("c",), type_, physical_type, **rules)  # type: ignore[arg-type]


MONEY = column(LogicalType.NUMBER, "numeric(18,2)", precision=18, scale=2)
DOUBLE = column(LogicalType.NUMBER, "double precision")
INTEGER, SMALL = column(LogicalType.INTEGER, "bigint"), column(LogicalType.INTEGER, "smallint")
TEXT, BOOLEAN = column(LogicalType.STRING, "text"), column(LogicalType.BOOLEAN, "boolean")
DATE, TIMESTAMP = column(LogicalType.DATE, formats=("%d-%b-%y",)), column(LogicalType.TIMESTAMP)
DAY = date(2026, 1, 5)


def verdict(array: pa.Array, rules: Column) -> object:
    """The one value, or the reason why it is refused."""
    checked = check_column(array, rules)
    return checked.refused[0][0] if checked.refused else checked.values[0].as_py()


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        (12.1, "12.10"),
        (12.10, "12.10"),
        (0.1 + 0.2, "0.30"),
        (1234.5600000000001, "1234.56"),
        (-5.0, "-5.00"),
        (9999999999999.99, "9999999999999.99"),
        (1e15, "1000000000000000.00"),
        (0.125, "too_precise"),
        (12.345, "too_precise"),
        (1e-7, "too_precise"),
        (1e16, "out_of_range"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
    ],
)
def test_a_float_is_money_by_its_shortest_digits_or_by_fifteen(cell, amount):
    found = verdict(pa.array([cell]), MONEY)
    assert found == (Decimal(amount) if amount[-1].isdigit() else amount)


@pytest.mark.parametrize(
    ("array", "rules", "value"),
    [
        (pa.array([12.35], pa.float32()), MONEY, Decimal("12.35")),
        (pa.array([7]), MONEY, Decimal("7.00")),
        (pa.array([10**17]), MONEY, "out_of_range"),
        (pa.array([Decimal("12.1")]), MONEY, Decimal("12.10")),
        (pa.array([Decimal("12.1000")]), MONEY, Decimal("12.10")),
        (pa.array([Decimal("12.101")]), MONEY, "too_precise"),
        (pa.array([Decimal("1")], pa.decimal256(60, 5)), MONEY, Decimal("1.00")),
        (pa.array([True]), MONEY, "not_a_number"),
        (pa.array([2**63 - 1]), INTEGER, 2**63 - 1),
        (pa.array([2**64 - 1], pa.uint64()), INTEGER, "out_of_range"),
        (pa.array([40_000]), SMALL, "out_of_range"),
        (pa.array([5.0]), INTEGER, 5),
        (pa.array([5.5]), INTEGER, "not_an_integer"),
        (pa.array([float("nan")]), INTEGER, "not_an_integer"),
        (pa.array([2.0**60]), INTEGER, "too_precise"),
        (pa.array([40_000.0]), SMALL, "out_of_range"),
        (pa.array([Decimal(5)], pa.decimal128(38, 0)), INTEGER, 5),
        (pa.array([0.1]), DOUBLE, 0.1),
        (pa.array([7]), DOUBLE, 7.0),
        (pa.array([Decimal("0.1")]), DOUBLE, 0.1),
        (pa.array([float("inf")]), DOUBLE, "not_a_number"),
        (pa.array([True]), BOOLEAN, True),
        (pa.array([1]), BOOLEAN, True),
        (pa.array([2]), BOOLEAN, "not_a_boolean"),
        (pa.array([DAY]), DATE, DAY),
        (pa.array([datetime(2026, 1, 5)]), DATE, DAY),
        (pa.array([datetime(2026, 1, 5, 1)]), DATE, "not_a_date"),
        (pa.array([datetime(2026, 1, 4, 23, tzinfo=UTC)], pa.timestamp("s", "Europe/Berlin")), DATE, DAY),
        (pa.array([10**7], pa.int32()).cast(pa.date32()), DATE, "out_of_range"),
        (pa.array([20260105]), DATE, "not_a_date"),
        (pa.array([DAY]), TIMESTAMP, datetime(2026, 1, 5, tzinfo=UTC)),
        (pa.array([datetime(2026, 1, 5, 9)]), TIMESTAMP, datetime(2026, 1, 5, 9, tzinfo=UTC)),
        (
            pa.array([datetime(2026, 1, 5, 9, tzinfo=UTC)], pa.timestamp("ms", "Europe/Berlin")),
            TIMESTAMP,
            datetime(2026, 1, 5, 9, tzinfo=UTC),
        ),
        (pa.array([1_000], pa.timestamp("ns")), TIMESTAMP, datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        (pa.array([1_001], pa.timestamp("ns")), TIMESTAMP, "too_precise"),
        (pa.array([2**62], pa.timestamp("s")), TIMESTAMP, "out_of_range"),
        (pa.array([-(2**62)], pa.timestamp("ms")), DATE, "out_of_range"),
        (pa.array([7]), TIMESTAMP, "not_a_timestamp"),
    ],
)
def test_a_typed_cell_becomes_its_value_or_is_refused_with_a_reason(array, rules, value):
    assert verdict(array, rules) == value


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array([5.0]), "5"),
        (pa.array([0.1]), "0.1"),
        (pa.array([1e20]), "100000000000000000000"),
        (pa.array([1e-7]), "0.0000001"),
        (pa.array([Decimal("0.00000001")]), "0.00000001"),
        (pa.array([712000400355]), "712000400355"),
        (pa.array([True]), "true"),
        (pa.array([DAY]), "2026-01-05"),
        (pa.array([datetime(2026, 1, 5, 9, 30)]), "2026-01-05T09:30:00"),
        (pa.array([datetime(2026, 1, 5, 9, 30, 0, 120_000)]), "2026-01-05T09:30:00.12"),
        (
            pa.array([datetime(2026, 1, 5, 9, tzinfo=UTC)], pa.timestamp("s", "Asia/Tokyo")),
            "2026-01-05T09:00:00Z",
        ),
    ],
)
def test_a_typed_cell_in_a_column_of_text_is_what_a_person_would_write(array, text):
    assert verdict(array, TEXT) == text


LAST, FIRST = 2**63 - 1, -(2**63) + 1  # of nanoseconds, in 2262 and 1677


@pytest.mark.parametrize(
    ("ticks", "unit", "zone", "value"),
    [
        (FIRST, "ns", None, "not_a_date"),
        (LAST, "ns", None, "not_a_date"),
        (FIRST, "ns", "America/New_York", "not_a_date"),
        (LAST, "ns", "Asia/Tokyo", "not_a_date"),
        (-1, "ns", None, "not_a_date"),
        (-86_400 * 10**9, "ns", None, date(1969, 12, 31)),
        (-86_400 * 10**9 - 1, "ns", None, "not_a_date"),
        (-106_751 * 86_400 * 10**9, "ns", None, date(1677, 9, 22)),
        (5 * 3600 * 10**9, "ns", "America/New_York", date(1970, 1, 1)),
        (253_402_300_799, "s", "Asia/Tokyo", "out_of_range"),
        (-62_135_596_800, "s", "America/New_York", "out_of_range"),
        (-19_800, "s", "+05:30", date(1970, 1, 1)),
        (0, "s", "Mars/Olympus", "not_a_date"),
    ],
)
def test_a_moment_is_the_date_that_it_begins_in_its_zone_or_refused(ticks, unit, zone, value):
    assert verdict(pa.array([ticks], pa.timestamp(unit, zone)), DATE) == value


@pytest.mark.parametrize("rules", [TEXT, INTEGER, BOOLEAN, column(LogicalType.STRING, "uuid")])
@pytest.mark.parametrize(
    "array",
    [
        pa.array([2**62], pa.timestamp("s")),
        pa.array([-(2**62)], pa.timestamp("ms", "UTC")),
        pa.array([253_402_300_800], pa.timestamp("s")),
        pa.array([2**30], pa.int32()).cast(pa.date32()),
    ],
)
def test_a_moment_of_no_year_has_no_text(array, rules):
    assert verdict(array, rules) == "out_of_range"


def test_a_moment_of_no_year_has_no_text_among_others():
    checked = check_column(
        pa.array([0, 2**62, None], pa.timestamp("s")), column(LogicalType.STRING, required=True)
    )
    assert {row: reason for row, (reason, _) in checked.refused.items()} == {1: "out_of_range", 2: "missing"}
    assert checked.values.to_pylist() == ["1970-01-01T00:00:00", None, None]


def test_limits_and_required_hold_for_typed_cells():
    bounded = column(LogicalType.DATE, minimum=DAY, maximum=DAY, required=True)
    checked = check_column(pa.array([DAY, date(2026, 1, 4), date(2026, 1, 6), None]), bounded)
    assert {row: reason for row, (reason, _) in checked.refused.items()} == {
        1: "out_of_bounds", 2: "out_of_bounds", 3: "missing",
    }  # fmt: skip


def test_accepted_values_and_cleaning_hold_for_the_text_of_typed_cells():
    rules = column(
        LogicalType.STRING, "text", accepted_values=("404", "500"), cleaning=("strip_decimal_zero",)
    )
    checked = check_column(pa.array([404, 500, 403]), rules)
    assert (list(checked.refused), checked.values.to_pylist()[:2]) == ([2], ["404", "500"])


def mixed(cells: list[object]) -> pa.Array:
    """A union, as a spreadsheet's column is one."""
    kinds = [pa.string(), pa.int64(), pa.float64(), pa.date32()]
    code_of = {str: 0, type(None): 0, int: 1, float: 2, date: 3}
    children: list[list[object]] = [[] for _ in kinds]
    codes, places = [], []
    for cell in cells:
        code = code_of[type(cell)]
        codes.append(code)
        places.append(len(children[code]))
        children[code].append(cell)
    arrays = [pa.array(child, kind) for child, kind in zip(children, kinds, strict=True)]
    return pa.UnionArray.from_dense(pa.array(codes, pa.int8()), pa.array(places, pa.int32()), arrays)


def test_cells_of_several_types_are_each_judged_as_what_they_are():
    checked = check_column(mixed(["6-Jan-26", DAY, None, 7, "x"]), DATE)
    assert checked.values.to_pylist() == [date(2026, 1, 6), DAY, None, None, None]
    assert {row: reason for row, (reason, _) in checked.refused.items()} == {3: "not_a_date", 4: "not_a_date"}
    assert as_text(mixed(["a", DAY, None, 7, 7.5])).to_pylist() == ["a", "2026-01-05", None, "7", "7.5"]


cells = (
    st.none() | st.integers(-(2**40), 2**40) | st.dates() | st.floats() | st.text("0123456789.-", max_size=6)
)


@settings(deadline=None)
@given(
    st.lists(cells, max_size=12), st.sampled_from([MONEY, DOUBLE, INTEGER, TEXT, DATE, TIMESTAMP, BOOLEAN])
)
def test_a_cells_fate_does_not_depend_on_its_neighbours(values, rules):
    together = check_column(mixed(values), rules)
    for row, value in enumerate(values):
        alone = check_column(mixed([value]), rules)
        assert alone.refused.get(0) == together.refused.get(row)
        if row not in together.refused:
            assert alone.values[0] == together.values[row]
