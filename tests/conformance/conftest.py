"""Fixtures of the conformance suite."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from data_ingestion.contract import read_contract
from data_ingestion.landing import FolderLanding
from runtime.postgres import SUPERUSER, Cluster
from tests.conformance.snowflake_differences import EXPECTED_FAILURES
from tests.integration.conftest import write_things
from tests.integration.limits import without_limits


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that is expected to fail on Snowflake is, and no other may."""
    parameters = getattr(item, "callspec", None)
    reason = EXPECTED_FAILURES.get(getattr(item, "originalname", ""))
    if reason and parameters and parameters.params.get("name") == "snowflake":
        item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


REDSHIFT = Path(__file__).parent.parent / "stand_ins" / "redshift.sql"


@pytest.fixture
def engine_url(postgres: Cluster, warehouse_database: str, warehouse_url: str) -> str:
    """A Postgres for an engine, as the loader, which may also make the catalogue of a lake in it."""
    grant = sql.SQL("grant create on database {} to loader").format(sql.Identifier(warehouse_database))
    with psycopg.connect(
        postgres.url(SUPERUSER, postgres.password, warehouse_database), autocommit=True
    ) as session:
        session.execute(grant)
        session.execute(REDSHIFT.read_text())
    return warehouse_url


@pytest.fixture
def contract(tmp_path):
    return without_limits(read_contract(write_things(tmp_path)))


@pytest.fixture
def landing(tmp_path):
    (tmp_path / "landing").mkdir()
    return FolderLanding(tmp_path / "landing")
