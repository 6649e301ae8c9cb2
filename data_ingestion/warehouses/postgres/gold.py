"""Gold: what the models have made, read for reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, sql

from data_ingestion.errors import OperatorFault


@contextmanager
def one_moment(connection: Connection) -> Iterator[None]:
    """All that is read within is of one moment, whatever commits meanwhile."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        yield


def read_rows(
    connection: Connection, relation: str, columns: Sequence[str], order: Sequence[str], most: int | None
) -> list[tuple[Any, ...]]:
    """The first rows of a relation of gold in an order, nulls last."""
    statement = sql.SQL("select {} from {} order by {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier("gold", relation),
        sql.SQL(", ").join(sql.SQL("{} nulls last").format(sql.Identifier(name)) for name in order),
    )
    if most is not None:
        statement += sql.SQL(" limit {}").format(most)
    try:
        return connection.execute(statement).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise OperatorFault(
            f"gold.{relation} is not there\n  build the models of its domain first: a run of its DAG does"
        ) from error
    except psycopg.errors.UndefinedColumn as error:
        raise OperatorFault(
            f"gold.{relation}: {error.diag.message_primary}\n  correct the report, or build the model anew"
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise OperatorFault(
            f"gold.{relation} is not for this login to read\n  run init_db.sql again, as its administrator"
        ) from error
