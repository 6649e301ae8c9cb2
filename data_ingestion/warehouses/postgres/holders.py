"""Holders on Postgres: the objects that hold a drop, the rank they give it, and what follows when one lets go."""

from __future__ import annotations

from psycopg import Connection

from data_ingestion.ledger import Fates
from data_ingestion.warehouses.postgres.claims import Claims
from data_ingestion.warehouses.postgres.ledger import hand_over_quarantine


def rank(connection: Connection, drop_id: int) -> None:
    """A drop ranks as the newest of the objects that hold it."""
    connection.execute(
        """update ops.drops set (rank_period, rank_delivered_at, rank_object_key) = (
               select period, delivered_at, object_key from ops.objects where drop_id = %(drop)s
               order by period desc, delivered_at desc, object_key desc limit 1)
           where drop_id = %(drop)s""",
        {"drop": drop_id},
    )


def let_go(claims: Claims, object_key: str) -> tuple[Fates, int]:
    """The object holds the drop no longer: with no holder left its claims end, else it may rank lower now.

    The fates of its rows, and how many places in raw changed hands because of its new rank.
    """
    connection, drop_id = claims.connection, claims.drop_id
    if connection.execute("select from ops.objects where drop_id = %s", [drop_id]).fetchone() is None:
        fates = claims.release()
        connection.execute("update ops.drops set ended_at = clock_timestamp() where drop_id = %s", [drop_id])
        return fates, 0
    rank(connection, drop_id)
    settled = claims.settle()
    hand_over_quarantine(connection, drop_id, object_key)
    return Fates(), settled
