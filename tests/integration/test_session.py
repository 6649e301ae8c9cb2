"""What the adapter writes by itself must be read by the server as it was meant."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from data_ingestion.engine.staged import Staged
from data_ingestion.warehouses.postgres.session import array

MOMENT = datetime(2026, 3, 2, 10, 5, 50, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["", "a", 'quoted "twice"', "\\", '\\"', "{a,b}", "NULL", "null", " ", "é\n\t", "'; drop"]),
        ("text", []),
        ("bigint", [0, -1, 2**63 - 1]),
        ("bytea", [b"", b"\0\\\"'", bytes(range(256))]),
        ("timestamptz", [MOMENT, MOMENT.astimezone(timezone(timedelta(hours=-3, minutes=-30)))]),
    ],
)
def test_an_array_holds_the_values_it_was_written_of(warehouse, kind, values):
    (found,) = warehouse.connection.execute(f"select %s::{kind}[]", [array(values)]).fetchone()
    assert [bytes(one) if kind == "bytea" else one for one in found] == values


@pytest.mark.parametrize("outlives", [True, False])
def test_a_stage_is_dropped_because_it_outlives_its_transaction_whatever_its_name(warehouse, outlives):
    """Once a table was taken for one of these because its name began with `"ops"`."""
    warehouse.connection.execute("create table ops.things (i int); create table raw.things (i int)")
    for schema in ("ops", "raw"):
        staged = Staged(0, distinct=True, table=f'"{schema}"."things"', outlives_transaction=outlives)
        warehouse.session.drop_stage(staged)
    query = "select count(*) from pg_class where relname = 'things'"
    assert warehouse.connection.execute(query).fetchone() == (0 if outlives else 2,)
