"""Belongings of raw tables on Postgres: owners and grants, which the tables that take their place are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql

from data_ingestion.errors import OperatorFault
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.postgres import views
from data_ingestion.warehouses.postgres.session import scalar
from data_ingestion.warehouses.postgres.tables import history_name, raw_name


@dataclass(frozen=True)
class Belongings:
    """What the tables of a dataset have beside their rows: an owner each, and what was granted on each."""

    owners: tuple[str, str]
    grants: tuple[frozenset[views.Grant], frozenset[views.Grant]]


def oids_of(connection: Connection, table: RawTable) -> list[int]:
    """The server's numbers of the raw table and its history."""
    return [
        int(scalar(connection, "select %s::regclass::oid", [name.as_string(connection)]))
        for name in (raw_name(table), history_name(table))
    ]


def belongings(connection: Connection, table: RawTable) -> Belongings:
    """What a new table has to get from the old one.

    Raises `OperatorFault` where it has something that could not be given to another.
    """
    oids = oids_of(connection, table)
    more = connection.execute(
        """select c.oid::regclass::text from pg_class c
           where c.oid = any(%s) and (c.relrowsecurity
               or exists (select from pg_policy p where p.polrelid = c.oid)
               or exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal))""",
        [oids],
    ).fetchone()
    if more:
        raise OperatorFault(
            f"{more[0]} has triggers or row-level security of its own, which would be lost when it is rebuilt\n"
            "  drop them, and create them again afterwards"
        )
    owners = [
        str(scalar(connection, "select pg_get_userbyid(relowner) from pg_class where oid = %s", [oid]))
        for oid in oids
    ]
    first, second = (views.grants_of(connection, oid) for oid in oids)
    return Belongings((owners[0], owners[1]), (first, second))


def give(connection: Connection, table: RawTable, held: Belongings) -> None:
    """Gives new tables the owners and grants of the old ones."""
    login = scalar(connection, "select current_user")
    for name, owner, grants in zip(
        (raw_name(table), history_name(table)), held.owners, held.grants, strict=True
    ):
        if owner != login:
            connection.execute(sql.SQL("alter table {} owner to {}").format(name, sql.Identifier(owner)))
        views.set_grants(connection, name, grants)


def describe_unfit_views(unfit: Sequence[views.Unfit]) -> Iterator[str]:
    """A sentence for each view that was dropped for good."""
    for each in unfit:
        yield (
            f"{each.view.qualified_name} no longer fits and was dropped: {each.reason} "
            "(its text is kept in ops.dropped_views; dbt creates its own again)"
        )
