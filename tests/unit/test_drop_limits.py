"""Rules that decide whether a drop may come in: each at its edge, with limits as they are by default and as moved."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import Acceptance, Allowance, read_contract
from data_ingestion.drop_limits import (
    DropHeld,
    DropRefused,
    KnownShapes,
    RowFacts,
    Rule,
    Shape,
    check_conflicts,
    check_rows,
    check_same_shapes,
    check_withdrawal,
    find_same_shapes,
    shape_of,
)

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = read_contract(ROOT / "contracts/bank/bank_transactions.odcs.yaml")
CONTRACT = replace(CONTRACT, acceptance=Acceptance())
AMOUNT = Shape(CONTRACT.columns[0].name, "9.9-")
KEY = "2026/01/a.csv"


def with_limits(**limits):
    return replace(CONTRACT, acceptance=Acceptance(**limits))


def rule_broken(contract, read, bad):
    try:
        check_rows(contract, KEY, RowFacts(read, bad, {"amount: not_a_number": bad}))
    except DropRefused as refused:
        return refused.finding.rule
    return None


@pytest.mark.parametrize(
    ("read", "bad", "rule"),
    [
        (0, 0, None),
        (1, 0, None),
        (1, 1, Rule.NO_GOOD_ROW),
        (20, 20, Rule.NO_GOOD_ROW),
        (2, 1, None),
        (3, 2, Rule.MOST_ROWS_BAD),
        (40, 20, None),
        (42, 21, Rule.QUARANTINE_LIMIT),
        (41, 20, None),
        (1000, 50, None),
        (1000, 51, Rule.QUARANTINE_LIMIT),
    ],
)
def test_bad_rows_are_accepted_up_to_half_a_drop_and_up_to_the_quarantine_limit(read, bad, rule):
    assert rule_broken(CONTRACT, read, bad) is rule


@pytest.mark.parametrize(
    ("limits", "read", "bad", "rule"),
    [
        ({"quarantined": Allowance(1, 1000)}, 10, 6, Rule.MOST_ROWS_BAD),
        ({"quarantined": Allowance(1, 1000), "bad_share": 0.9}, 10, 9, None),
        ({"quarantined": Allowance(1, 1000), "bad_share": 0.9}, 10, 10, Rule.NO_GOOD_ROW),
        ({"quarantined": Allowance(1, 1000), "bad_share": 1}, 10, 10, None),
        ({"quarantined": Allowance(0, 0)}, 1000, 1, Rule.QUARANTINE_LIMIT),
    ],
)
def test_a_contract_moves_each_limit(limits, read, bad, rule):
    assert rule_broken(with_limits(**limits), read, bad) is rule


def test_a_refused_drop_says_how_many_rows_why_and_what_to_do():
    facts = RowFacts(8, 7, {"amount: not_a_number": 6, "day: not_a_date": 1})
    with pytest.raises(DropRefused) as refused:
        check_rows(CONTRACT, KEY, facts)
    assert str(refused.value).splitlines() == [
        f"{KEY}: 7 of 8 rows violate the contract, more than 50% (6 amount: not_a_number, 1 day: not_a_date)",
        f"  correct the file or {CONTRACT.path}, then load again; see `goldworks quarantine`",
    ]


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("NA", "a"),
        ("12.34-", "9.9-"),
        ("1.234,56", "9.9,9"),
        ("2026-01-31T10:00Z", "9-9-9a9:9a"),
        ("", ""),
        ("Größe 7", "a 9"),
        ("a_b", "a_a"),
        ("-" * 50, "-" * 40 + "…"),
    ],
)
def test_a_shape_has_letters_as_a_and_digits_as_9_runs_as_one(text, shape):
    assert shape_of(text) == shape


@given(st.text())
def test_a_shape_holds_no_letter_and_no_digit_of_its_text(text):
    shape = shape_of(text)
    assert not any(sign.isdecimal() and sign != "9" for sign in shape)
    assert not any(sign.isalpha() and sign != "a" for sign in shape)
    assert len(shape) <= 41


def same_shapes(rows, read, contract=CONTRACT, shape=AMOUNT):
    facts = RowFacts(read, rows, {}, {(shape, "not_a_number"): rows})
    return find_same_shapes(contract, KEY, facts)


@pytest.mark.parametrize(
    ("rows", "read", "found"), [(20, 1000, 0), (21, 1000, 1), (50, 10_000, 0), (51, 10_000, 1)]
)
def test_a_shape_is_found_beyond_twenty_rows_and_beyond_half_a_percent(rows, read, found):
    assert len(same_shapes(rows, read)) == found


def test_shapes_that_the_contract_lists_are_not_found():
    columns = tuple(
        replace(column, known_bad=("99.99-",)) if column.name == AMOUNT.column else column
        for column in CONTRACT.columns
    )
    assert same_shapes(500, 1000, replace(CONTRACT, columns=columns)) == ()
    other = Shape(AMOUNT.column, "a")
    assert len(same_shapes(500, 1000, replace(CONTRACT, columns=columns), other)) == 1


def test_a_found_shape_refuses_a_drop_until_one_has_come_in_under_the_contract():
    found = same_shapes(30, 1000)
    with pytest.raises(DropRefused) as refused:
        check_same_shapes(found, KnownShapes(is_proven=False))
    assert refused.value.finding.rule is Rule.SAME_SHAPE
    assert f"30 of 1,000 rows fail in '{AMOUNT.column}' for texts like '9.9-'" in str(refused.value)
    assert check_same_shapes(found, KnownShapes(is_proven=True)) == found


def test_a_shape_that_a_person_accepted_is_no_finding():
    found = same_shapes(30, 1000)
    assert check_same_shapes(found, KnownShapes(is_proven=False, accepted=frozenset({AMOUNT}))) == ()


@pytest.mark.parametrize(
    ("conflicts", "read", "refused"),
    [(20, 20, False), (21, 21, True), (50, 1000, False), (51, 1000, True), (990, 1000, True)],
)
def test_rows_that_contradict_each_other_refuse_a_drop_beyond_twenty_and_five_percent(
    conflicts, read, refused
):
    if not refused:
        check_conflicts(CONTRACT, KEY, read, conflicts)
        return
    with pytest.raises(DropRefused, match="does not identify a row") as error:
        check_conflicts(CONTRACT, KEY, read, conflicts)
    assert error.value.finding.rule is Rule.CONFLICTS


@pytest.mark.parametrize(
    ("held", "withdrawn", "waits"), [(0, 0, False), (2, 1, False), (3, 2, True), (1000, 1000, True)]
)
def test_a_correction_waits_that_would_take_more_than_half_of_the_rows(held, withdrawn, waits):
    if not waits:
        check_withdrawal(CONTRACT, KEY, held, withdrawn, "is empty", b"\1")
        return
    with pytest.raises(DropHeld, match=f"would withdraw {withdrawn:,} of {held:,} rows") as error:
        check_withdrawal(CONTRACT, KEY, held, withdrawn, "is empty", b"\1")
    assert error.value.sha256 == b"\1"


def test_a_contract_that_lets_all_rows_go_holds_nothing():
    check_withdrawal(with_limits(withdrawn_share=1), KEY, 1000, 1000, "is empty", b"")


def test_commands_in_messages_can_be_typed_whatever_the_key():
    with pytest.raises(DropHeld, match=r"goldworks accept 'a b\.csv'"):
        check_withdrawal(CONTRACT, "a b.csv", 3, 3, "is empty", b"")


def test_a_refused_drop_says_what_its_bad_rows_have_in_common():
    facts = RowFacts(1, 1, {"flag: unknown_key": 1}, remark="unknown keys: 'flag' (1 times)")
    with pytest.raises(DropRefused, match=r"\n  unknown keys: 'flag' \(1 times\)\n"):
        check_rows(CONTRACT, KEY, facts)
