"""iac/redshift.sql: run twice on the stand-in, it is enough for each part to do its work, and for nothing else."""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redshift_connector
from psycopg import sql

from data_ingestion.warehouses.redshift import RedshiftWarehouse
from data_ingestion.warehouses.redshift.place import Place
from data_ingestion.warehouses.redshift.session import RedshiftSession
from runtime.postgres import SUPERUSER, Cluster
from tests.integration.dbt_feeds import Bank, World
from tests.integration.dbt_session import ROOT, Dbt, dbt_environment
from tests.stand_ins.redshift import RedshiftStandIn

FUNCTIONS = ROOT / "tests/stand_ins/redshift.sql"
SETUP = ROOT / "iac/redshift.sql"
LOADER, TRANSFORMER, REPORTER = USERS = ("goldworks_loader", "goldworks_transformer", "goldworks_reporter")

Say = Callable[[str, str], Any]


def statements(text: str) -> list[str]:
    """One after the other; a procedure's body has semicolons of its own."""
    text = re.sub(r"--.*", "", text)
    return [one.strip() for one in re.findall(r"(?:\$\$.*?\$\$|[^;])+", text, re.DOTALL) if one.strip()]


@pytest.fixture(scope="module")
def stand_in(postgres: Cluster) -> Iterator[RedshiftStandIn]:
    """An empty database behind it, gone at the end with the users."""
    name = f"redshift_{uuid4().hex[:12]}"
    with psycopg.connect(postgres.url(SUPERUSER, postgres.password, "postgres"), autocommit=True) as server:
        server.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        url = postgres.url(SUPERUSER, postgres.password, name)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FUNCTIONS.read_text())
        opened = RedshiftStandIn(url)
        yield opened
        opened.close()
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        for role in (*USERS, "goldworks_readers"):
            server.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


@pytest.fixture(scope="module")
def say(stand_in: RedshiftStandIn) -> Iterator[Say]:
    """A statement of somebody, by Redshift's driver; what it answers."""
    opened: dict[str, Any] = {}

    def connect(user: str) -> Any:
        password = stand_in.postgres.password if user == SUPERUSER else f"{user}-test"
        connection = redshift_connector.connect(
            host="127.0.0.1", port=stand_in.port, database=stand_in.postgres.path[1:], user=user,
            password=password, ssl=False,
        )  # fmt: skip
        connection.autocommit = True
        return connection

    def said(user: str, statement: str) -> Any:
        if user not in opened:
            opened[user] = connect(user)
        cursor = opened[user].cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None

    yield said
    for connection in opened.values():
        with suppress(Exception):
            connection.close()


def set_up(say: Say) -> None:
    for statement in statements(SETUP.read_text()):
        say(SUPERUSER, statement)


@pytest.fixture(scope="module")
def built(
    stand_in: RedshiftStandIn, say: Say, postgres: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dbt]:
    """Set up, loaded, set up again, and built, each by its own user: the dbt that did it."""
    set_up(say)
    for user in USERS:
        say(SUPERUSER, f"alter user {user} password '{user}-test'")
    database = stand_in.postgres.path[1:]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GOLDWORKS_STAGING_URL", "s3://a-bucket/a-folder")
        url = f"redshift://{LOADER}:{LOADER}-test@127.0.0.1:{stand_in.port}/{database}?sslmode=disable"
        place = replace(Place.of(url), staging=str(tmp_path_factory.mktemp("staging")))
    bank = Bank()
    world = World(tmp_path_factory.mktemp("landing"), RedshiftWarehouse(RedshiftSession(place)), bank)
    world.deliver(bank.keys[0], bank.random_drop(random.Random(1)))
    world.load()
    world.warehouse.close()
    set_up(say)
    folder = tmp_path_factory.mktemp("dbt_on_redshift")
    dbt = Dbt(
        {
            **dbt_environment(postgres, database, folder, "redshift"),
            "WAREHOUSE_PORT": str(stand_in.port),
            "WAREHOUSE_SSLMODE": "disable",
            "TRANSFORMER_USER": TRANSFORMER,
            "TRANSFORMER_PASSWORD": f"{TRANSFORMER}-test",
        }
    )
    yield dbt
    dbt.close()


def test_each_part_does_its_work_with_these_grants_alone_and_dashboards_read_what_was_built(
    built: Dbt, say: Say
) -> None:
    nodes = built("build", "--select", "tag:bank", "--exclude", "test_type:unit")
    assert len(nodes) > 20
    ((rows,),) = say(REPORTER, "select count(*) from gold.fct_bank_movement")
    ((loaded,),) = say(LOADER, "select count(*) from gold.fct_bank_movement")
    assert rows == loaded > 0


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        (REPORTER, "delete from gold.fct_bank_movement"),
        (REPORTER, "create table gold.mine (one integer)"),
        (REPORTER, 'select * from "raw".bank_transactions'),
        (REPORTER, "select * from ops.loads"),
        (TRANSFORMER, 'delete from "raw".bank_transactions'),
        (TRANSFORMER, "select * from ops.quarantine"),
        (TRANSFORMER, "create schema mine"),
        (LOADER, "create table gold.mine (one integer)"),
        (LOADER, "delete from gold.fct_bank_movement"),
        (LOADER, "create schema mine"),
    ],
)
def test_nobody_can_do_more(built: Dbt, say: Say, user: str, statement: str) -> None:
    with pytest.raises(redshift_connector.ProgrammingError, match="permission denied"):
        say(user, statement)


def test_nothing_is_left_of_what_set_it_up(built: Dbt, say: Say) -> None:
    assert not say(SUPERUSER, "select 1 from pg_proc where proname like 'goldworks%'")
