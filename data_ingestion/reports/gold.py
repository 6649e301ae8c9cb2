"""Gold: what the models have made, read for reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data_ingestion.engine.session import Session
from data_ingestion.errors import OperatorFault

SCHEMA = "gold"


def read_rows(
    session: Session, relation: str, columns: Sequence[str], order: Sequence[str], most: int | None
) -> list[tuple[Any, ...]]:
    """The first rows of a relation of gold in an order, nulls last; all of them where `most` is None.

    Raises `OperatorFault` where the relation or a column is missing, or no permission to read it.
    """
    found = session.describe(SCHEMA, relation)
    if found is None:
        raise OperatorFault(
            f"{SCHEMA}.{relation} does not exist\n  build the models of its domain first: a run of its DAG does"
        )
    if not found.is_readable:
        raise OperatorFault(
            f"{SCHEMA}.{relation} can't be read by this login\n  run init_db.sql again, as its administrator"
        )
    there = {name for name, _ in found.columns}
    for name in (*columns, *order):
        if name not in there:
            raise OperatorFault(
                f'{SCHEMA}.{relation}: column "{name}" does not exist\n  correct the report, or build the model again'
            )
    quote = session.dialect.quote
    return session.rows(
        "select {columns} from {relation} order by {order} {limit}",
        phrases={
            "columns": session.dialect.names(columns),
            "relation": quote(SCHEMA, relation),
            "order": ", ".join(f"{quote(name)} nulls last" for name in order),
            "limit": "" if most is None else f"limit {most}",
        },
    )
