"""Session: small questions to Postgres that several statements of the adapter ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import Connection

# Group role that may read raw and the ledger's bookkeeping (not the quarantine: raw text may be personal).
READERS = "raw_reader"


def scalar(connection: Connection, statement: LiteralString, parameters: Sequence[object] = ()) -> Any:
    """The one value that a statement returns."""
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]


def has_readers(connection: Connection) -> bool:
    """Whether this server has the group role for readers; a loader that serves alone needs none."""
    return bool(scalar(connection, "select to_regrole(%s) is not null", [READERS]))


def lock_dataset(connection: Connection, dataset: str) -> None:
    """Takes the dataset's lock until the transaction ends: one merge of a dataset at a time."""
    connection.execute("select pg_advisory_xact_lock(hashtext('goldworks'), hashtext(%s))", [dataset])
