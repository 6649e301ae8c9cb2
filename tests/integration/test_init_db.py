"""init_db.sql makes two warehouses on one server: neither's roles reach the other, and dev never touches prod."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from runtime.postgres import SUPERUSER, Cluster
from runtime.settings import WAREHOUSES, Warehouse
from tests.integration.dbt_feeds import Bank, Web, World
from tests.integration.dbt_session import ROOT, Dbt, dbt_environment

PROD, DEV = WAREHOUSES["prod"], WAREHOUSES["dev"]
PASSWORDS = {
    f"{role.upper()}_PASSWORD": f"{role}-test" for role in (DEV.loader, DEV.transformer, DEV.reporter)
}
MOVEMENTS = """\
Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.
1000001',29-Jan-24,SALARY OF A PERSON,,29-Jan-24,,"5,000.00","6,000.00",.
1000001',29-Jan-24,RENT,,29-Jan-24,"2,500.50",,"3,499.50",.
"""


def make(
    postgres: Cluster, warehouse: Warehouse, passwords: dict[str, str], admin: dict[str, str] | None = None
) -> None:
    names = ["-v", f"warehouse={warehouse.database}", "-v", f"prefix={warehouse.prefix}"]
    postgres.psql(*names, "-f", str(ROOT / "init_db.sql"), variables={**passwords, **(admin or {})})


def tables(postgres: Cluster, database: str) -> set[str]:
    answer = postgres.psql(
        "-c",
        "select schemaname || '.' || tablename from pg_tables"
        " where schemaname not in ('pg_catalog', 'information_schema')",
        database=database,
    )
    return set(answer.split())


@pytest.fixture(scope="module")
def dev(postgres: Cluster, passwords: dict[str, str]) -> Iterator[Warehouse]:
    """The second warehouse beside the one of every test."""
    make(postgres, DEV, {**passwords, **PASSWORDS})
    yield DEV
    with psycopg.connect(
        postgres.url(SUPERUSER, postgres.password, "postgres"), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(DEV.database)))
        for role in (DEV.loader, DEV.transformer, DEV.reporter):
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.mark.parametrize("own", [PROD, DEV], ids=lambda warehouse: warehouse.name)
def test_a_role_connects_to_its_own_warehouse_and_to_no_other(
    postgres: Cluster, dev: Warehouse, own: Warehouse
) -> None:
    other = PROD if own is dev else dev
    for role in (own.loader, own.transformer, own.reporter):
        password = f"{role}-test"
        with psycopg.connect(postgres.url(role, password, own.database)) as connection:
            assert connection.execute("show timezone").fetchone() == ("UTC",)
        for closed in (other.database, "airflow", "superset"):
            with pytest.raises(psycopg.OperationalError, match=f'permission denied for database "{closed}"'):
                psycopg.connect(postgres.url(role, password, closed))


def test_a_password_of_one_warehouse_opens_no_role_of_the_other(postgres: Cluster, dev: Warehouse) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(dev.loader, f"{PROD.loader}-test", dev.database))


def test_what_is_made_again_keeps_its_rows_and_takes_new_passwords(
    postgres: Cluster, dev: Warehouse, passwords: dict[str, str]
) -> None:
    with psycopg.connect(postgres.url(dev.loader, f"{dev.loader}-test", dev.database)) as connection:
        connection.execute("create table raw.kept as select 42 as answer")
    changed = "a new 'one'"
    make(postgres, dev, {**passwords, **PASSWORDS, "DEV_LOADER_PASSWORD": changed})
    try:
        with psycopg.connect(postgres.url(dev.loader, changed, dev.database)) as connection:
            assert connection.execute("select answer from raw.kept").fetchone() == (42,)
            connection.execute("drop table raw.kept")
    finally:
        make(postgres, dev, {**passwords, **PASSWORDS})


def test_a_load_and_a_build_in_dev_leave_prod_as_it_was(
    postgres: Cluster, dev: Warehouse, tmp_path: Path
) -> None:
    before = tables(postgres, PROD.database)
    url = postgres.url(dev.loader, f"{dev.loader}-test", dev.database)
    (tmp_path / "landing").mkdir()
    world = World(tmp_path / "landing", url, Bank(), Web())
    world.deliver("bank_transactions/2024.csv", MOVEMENTS.encode())
    world.load()
    world.warehouse.close()
    environment = {
        **dbt_environment(postgres, dev.database, tmp_path, "prod"),
        "TRANSFORMER_USER": dev.transformer,
        "TRANSFORMER_PASSWORD": f"{dev.transformer}-test",
    }
    dbt = Dbt(environment)
    try:
        dbt("run", "--select", "+fct_bank_movement")
    finally:
        dbt.close()
    with psycopg.connect(postgres.url(dev.reporter, f"{dev.reporter}-test", dev.database)) as reporter:
        assert reporter.execute("select count(*) from gold.fct_bank_movement").fetchone() == (2,)
    assert tables(postgres, PROD.database) == before


def test_an_administrator_who_is_no_superuser_makes_everything(tmp_path: Path, postgres: Cluster) -> None:
    server = Cluster(tmp_path / "data", 0, "superuser-test", {"fsync": "off"}, binaries=postgres.binaries)
    roles = [
        warehouse.prefix + part for warehouse in (PROD, DEV) for part in ("loader", "transformer", "reporter")
    ]
    passwords = {f"{role.upper()}_PASSWORD": f"{role}-test" for role in [*roles, "airflow_db", "superset_db"]}
    admin = {"PGUSER": "managed", "PGPASSWORD": "managed-test"}
    try:
        server.start()
        server.psql("-c", "create role managed login createdb createrole password 'managed-test'")
        for warehouse in (PROD, DEV, PROD, DEV):
            make(server, warehouse, passwords, admin)
        for warehouse in (PROD, DEV):
            url = server.url(warehouse.transformer, f"{warehouse.transformer}-test", warehouse.database)
            with psycopg.connect(url) as connection:
                connection.execute("create table gold.probe as select 1 as one")
            url = server.url(warehouse.reporter, f"{warehouse.reporter}-test", warehouse.database)
            with psycopg.connect(url) as connection:
                assert connection.execute("select one from gold.probe").fetchone() == (1,)
    finally:
        server.remove()
