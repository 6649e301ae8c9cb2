"""Header: columns are found by name, and all that keeps a header from fitting is said at once."""

from pathlib import Path

import pytest

from data_ingestion.checks.header import find_columns
from data_ingestion.contract import read_contract
from data_ingestion.errors import DropFault
from data_ingestion.reading.likeness import Likeness

CONTRACT = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))
HEADER = [column.headers[0] for column in CONTRACT.columns]


def refused(header: list[str]) -> str:
    with pytest.raises(DropFault) as caught:
        find_columns(CONTRACT, header, "f.csv")
    return str(caught.value)


def test_columns_are_found_by_name_in_any_order_under_any_alias():
    shuffled = [*reversed([text.strip() if "AMT" in text else text for text in HEADER]), "."]
    positions = find_columns(CONTRACT, shuffled, "f.csv")
    assert positions["account_no"] == len(HEADER) - 1


def test_the_column_that_only_one_shape_has_may_be_absent():
    assert "discrepancy" not in find_columns(CONTRACT, HEADER[:-1], "f.csv")


def test_an_ignored_header_may_repeat():
    assert find_columns(CONTRACT, [*HEADER, ".", "."], "f.csv")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ([*HEADER, "BRANCH"], ": unknown 'BRANCH'\n"),
        ([*HEADER, "DATE"], ": repeated 'DATE' stands 2 times\n"),
        ([*HEADER, "WITHDRAWAL AMT"], "are both headers of 'withdrawal_inr'"),
        (HEADER[1:], ": missing 'Account No'\n"),
    ],
)
def test_a_header_that_leaves_a_doubt_is_refused_with_its_place_and_the_way_out(header, message):
    said = refused(header)
    assert message in said
    assert said.startswith("f.csv:1: the header does not fit contracts/bank/bank_transactions.odcs.yaml: ")
    assert said.endswith("(docs/reference/contract.md#headers)")


def test_all_faults_of_a_header_are_said_at_once_and_each_once():
    said = refused([*HEADER[1:], "DATE", "DATE", "Accountno", "BRANCH", "BRANCH"])
    assert ": 1 missing, 2 unknown, 2 repeated\n" in said
    assert "missing: 'Account No'\n" in said
    assert "unknown: 'Accountno' (did you mean 'Account No'?), 'BRANCH'\n" in said
    assert "repeated: 'DATE' stands 3 times, 'BRANCH' stands 2 times\n" in said


def test_few_faults_stand_on_the_first_line():
    said = refused([*HEADER[1:], "account_no ", "BRANCH"])
    assert ": missing 'Account No'; unknown 'account_no ' (did you mean 'Account No'?), 'BRANCH'\n" in said


def test_a_column_that_must_be_there_is_not_to_be_declared_absent():
    assert "mayBeAbsent" not in refused(HEADER[1:])
    balance = next(column.headers[0] for column in CONTRACT.columns if not column.required)
    assert "mayBeAbsent" in refused([text for text in HEADER if text != balance])


def test_an_unknown_header_is_not_said_to_mean_a_column_that_is_there():
    assert "did you mean" not in refused([*HEADER, "Accountno"])


def test_many_faults_of_long_names_make_a_short_message():
    said = refused([f"{number}{'x' * 4000}" for number in range(700)])
    assert "700 unknown" in said
    assert "and 688 more" in said
    assert len(said) < 2500


def test_what_the_file_looks_like_is_said_instead():
    with pytest.raises(DropFault, match=r"f\.csv: the file is a fish\n  throw it back"):
        find_columns(CONTRACT, ["x"], "f.csv", lambda headers: Likeness("is a fish", "throw it back"))


def test_nobody_looks_at_a_file_whose_header_fits():
    find_columns(CONTRACT, HEADER, "f.csv", lambda headers: pytest.fail("looked"))
