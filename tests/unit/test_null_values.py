"""Null values: texts that a contract says mean no value, true or false."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from data_ingestion.checks.native import check_column
from data_ingestion.contract import Column, LogicalType, read_contract
from data_ingestion.drop_limits import RowFacts, find_same_shapes

TEXT = Column("name", ("name",), LogicalType.STRING, "text", null_values=("NA", "-", "n/a"))
COLUMNS = {
    "text": TEXT,
    "integer": replace(TEXT, type=LogicalType.INTEGER, physical_type="bigint"),
    "words": replace(TEXT, type=LogicalType.INTEGER, physical_type="bigint", cleaning=("number_words",)),
    "number": replace(TEXT, type=LogicalType.NUMBER, physical_type="numeric(9,2)", precision=9, scale=2),
    "float": replace(TEXT, type=LogicalType.NUMBER, physical_type="double precision"),
    "boolean": replace(TEXT, type=LogicalType.BOOLEAN, physical_type="boolean"),
    "date": replace(TEXT, type=LogicalType.DATE, physical_type="date"),
    "timestamp": replace(TEXT, type=LogicalType.TIMESTAMP, physical_type="timestamptz"),
    "uuid": replace(TEXT, physical_type="uuid"),
}
BANK = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))


def checked(column, *cells):
    result = check_column(pa.array(cells, pa.string()), column)
    return result.values.to_pylist(), {row: reason for row, (reason, _) in result.refused.items()}


@pytest.mark.parametrize("kind", COLUMNS)
def test_in_a_column_of_any_type_a_text_for_no_value_is_null_with_blanks_around_it_or_not(kind):
    assert checked(COLUMNS[kind], "NA", " - ", "n/a\t", None) == ([None] * 4, {})


def test_other_spellings_and_parts_of_a_cell_are_what_they_were():
    assert checked(TEXT, "na", "N A", "NA-", "--") == (["na", "N A", "NA-", "--"], {})
    assert checked(COLUMNS["integer"], "-5", "na") == ([-5, None], {1: "not_an_integer"})


def test_where_a_value_is_required_a_text_for_none_is_missing():
    assert checked(replace(TEXT, required=True), "NA", "x") == ([None, "x"], {0: "missing"})


def test_a_cell_that_comes_with_a_type_of_its_own_is_no_text():
    result = check_column(pa.array([1.5, None]), COLUMNS["number"])
    assert result.values.to_pylist() == [Decimal("1.50"), None]


def test_the_words_of_a_boolean_are_those_of_its_contract_in_any_case():
    column = replace(COLUMNS["boolean"], true_values=("ja", "x"), false_values=("nein",), null_values=())
    assert checked(column, "Ja", "X", "NEIN", "yes", None)[0] == [True, True, False, None, None]
    assert checked(column, "yes", "0")[1] == {0: "not_a_boolean", 1: "not_a_boolean"}


def test_words_for_one_side_leave_the_usual_ones_to_the_other():
    assert checked(replace(COLUMNS["boolean"], true_values=("on",)), "on", "No", "yes") == (
        [True, False, None],
        {2: "not_a_boolean"},
    )


def test_texts_without_digits_that_fail_are_said_to_be_null_values_perhaps():
    def message(text):
        facts = RowFacts(1000, 30, {"not_a_number": 30}, {(shape(text), "not_a_number"): 30})
        (found,) = find_same_shapes(BANK, "bank.csv", facts)
        return found.message

    def shape(text):
        from data_ingestion.drop_limits import Shape, shape_of

        return Shape("withdrawal_inr", shape_of(text))

    assert "list them in `nullValues` if they mean no value" in message("NA")
    assert "nullValues" not in message("12.34-")
