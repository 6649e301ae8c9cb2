"""Changes: rows as JSON that keeps every digit, and what belongs to which transaction."""

import json
from datetime import UTC, datetime

import pytest

from data_ingestion.capture.changes import Change, Committed, as_object, read_changes
from data_ingestion.capture.pgoutput import Absent, Begin, Column, Commit, Relation, RowChange, Truncation

ORDERS = Relation(7, "public", "orders", (Column("id", 23, True), Column("status", 25, False)))
NOW = datetime(2026, 1, 5, 10, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    ("type_id", "cell", "told"),
    [
        (16, "t", "true"),
        (16, "false", "false"),
        (1700, "1.10", "1.10"),
        (1700, "123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        (1700, "NaN", '"NaN"'),
        (701, "-Infinity", '"-Infinity"'),
        (701, "1e-07", "1e-07"),
        (23, "-5", "-5"),
        (25, 'a "b" \\ ü\n', '"a \\"b\\" \\\\ ü\\n"'),
        (25, "007", '"007"'),
        (1114, "2026-01-05 10:00:00.007", '"2026-01-05T10:00:00.007"'),
        (1082, "2026-01-05", '"2026-01-05"'),
        (23, None, "null"),
    ],
)
def test_a_value_is_told_as_what_it_is(type_id: int, cell: str | None, told: str) -> None:
    said = as_object({"column": type_id}, [cell])
    assert said == f'{{"column": {told}}}'
    json.loads(said)


def test_changes_of_a_transaction_are_numbered_and_bear_its_place() -> None:
    messages = [
        Begin(100, NOW, 1), ORDERS, RowChange("c", 7, None, ("1", "PENDING")), Truncation((7,)), Commit(100, 140),
        Begin(200, NOW, 2), RowChange("d", 7, ("1", None), None, is_key_only=True), Commit(200, 240),
    ]  # fmt: skip
    ts_ms = 1767607200500
    assert list(read_changes(messages)) == [
        Change(100, 0, "c", "orders", ts_ms, None, '{"id": 1, "status": "PENDING"}'),
        Change(100, 1, "t", "orders", ts_ms, None, None),
        Committed(140),
        Change(200, 0, "d", "orders", ts_ms, '{"id": 1}', None),
        Committed(240),
    ]


def test_a_table_that_was_called_otherwise_for_a_while_keeps_the_name_it_is_captured_by() -> None:
    messages = [Begin(100, NOW, 1), ORDERS, RowChange("c", 7, None, ("1", None)), Commit(100, 140)]
    renamed, _ = read_changes(messages, {7: "sales_orders"})
    assert isinstance(renamed, Change) and renamed.source_table == "sales_orders"


def test_a_row_that_lacks_a_value_which_was_not_sent_again_says_so() -> None:
    key_alone, whole = ("1", None), ("1", "PENDING")
    messages = [
        Begin(100, NOW, 1), ORDERS,
        RowChange("u", 7, None, ("1", Absent.UNCHANGED)),
        RowChange("u", 7, key_alone, ("2", Absent.UNCHANGED), is_key_only=True),
        RowChange("u", 7, whole, ("1", Absent.UNCHANGED)),
        Commit(100, 140),
    ]  # fmt: skip
    told = [(one.after, one.is_partial) for one in read_changes(messages) if isinstance(one, Change)]
    assert told == [('{"id": 1}', True), ('{"id": 2}', True), ('{"id": 1, "status": "PENDING"}', False)]


def test_a_record_is_one_line_of_json() -> None:
    change = Change(100, 1, "u", 'odd "name"', 5, '{"id": 1}', None)
    assert change.as_line().endswith("\n")
    assert json.loads(change.as_line()) == {
        "lsn": 100, "ordinal": 1, "op": "u", "source_table": 'odd "name"', "ts_ms": 5,
        "before": {"id": 1}, "after": None,
    }  # fmt: skip
