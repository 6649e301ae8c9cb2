"""Fixtures for every test: a Postgres of our own, and a fresh warehouse a test."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling

from runtime.postgres import SUPERUSER, Cluster, find_binaries
from runtime.settings import home_directory
from tests.seed import IS_GIVEN

# The first example of a property imports what it needs, on a busy machine for seconds: no limit a single example.
# Without a seed the same examples each time: whether a change lands does not hang on luck.
settings.register_profile("goldworks", deadline=None, derandomize=not IS_GIVEN)
settings.load_profile("goldworks")

ROOT = Path(__file__).resolve().parent.parent
PASSWORDS = {
    f"{name}_PASSWORD": f"{name.lower()}-test"
    for name in ("LOADER", "TRANSFORMER", "REPORTER", "AIRFLOW_DB", "SUPERSET_DB")
}


class OnePlatform(LoadScopeScheduling):
    """Of two workers (`make test`), one has the platform to itself; the other takes file by file."""

    def _split_scope(self, nodeid: str) -> str:
        return "platform" if nodeid.startswith("tests/e2e/") else nodeid.split("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OnePlatform:
    return OnePlatform(config, log)


@pytest.fixture(scope="session")
def passwords() -> dict[str, str]:
    """What init_db.sql reads from its environment."""
    return PASSWORDS


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running cluster with the roles, databases and schemas of init_db.sql; passwords are `<role>-test`."""
    home = Path(tempfile.mkdtemp(prefix="goldworks-postgres-"))
    home.chmod(0o711)  # started by root, the server belongs to another account
    cluster = Cluster(
        home / "data",
        0,
        "superuser-test",
        {"fsync": "off"},
        binaries=find_binaries(home_directory() / "venvs/runtime"),
    )
    try:
        cluster.start()
        cluster.psql("-f", str(ROOT / "init_db.sql"), variables=PASSWORDS)
        yield cluster
    finally:
        cluster.remove()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def warehouse_database(postgres: Cluster) -> Iterator[str]:
    """The name of a database like `warehouse`, new for this test and dropped after it."""
    name = f"warehouse_{uuid.uuid4().hex[:12]}"
    database = sql.Identifier(name)
    with psycopg.connect(
        postgres.url(SUPERUSER, postgres.password, "postgres"), autocommit=True
    ) as connection:
        connection.execute(sql.SQL("create database {} template warehouse").format(database))
        # what is granted on a database, unlike what is in it, does not come with the template
        connection.execute(sql.SQL("grant create on database {} to transformer").format(database))
        yield name
        connection.execute(sql.SQL("drop database {} with (force)").format(database))


@pytest.fixture
def warehouse_url(postgres: Cluster, warehouse_database: str) -> str:
    """The fresh warehouse as the role `loader`, which owns the schemas raw and ops in it."""
    return postgres.url("loader", "loader-test", warehouse_database)


@pytest.fixture
def transformer_url(postgres: Cluster, warehouse_database: str) -> str:
    """The same warehouse as the role `transformer`, which dbt uses."""
    return postgres.url("transformer", "transformer-test", warehouse_database)


@pytest.fixture
def reporter_url(postgres: Cluster, warehouse_database: str) -> str:
    """The same warehouse as the role `reporter`, which Superset uses."""
    return postgres.url("reporter", "reporter-test", warehouse_database)


@pytest.fixture(scope="module")
def aws_endpoint() -> Iterator[str]:
    """The URL of an AWS of our own; what one test makes in it, others of the same process find."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
