"""Fixtures for tests on a real warehouse: a session, a landing, datasets made for a test, a dbt."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from psycopg import Connection, connect, sql

from data_ingestion.contract import Contract, read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger import LoadReport
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.warehouses.postgres import PostgresWarehouse
from runtime.postgres import Cluster
from tests.integration.dbt_feeds import World
from tests.integration.dbt_session import Dbt, dbt_environment, warehouse_copy

Load = Callable[..., list[LoadReport]]


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[PostgresWarehouse]:
    opened = PostgresWarehouse.connect(warehouse_url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def landing(tmp_path: Path) -> FolderLanding:
    (tmp_path / "landing").mkdir()
    return FolderLanding(tmp_path / "landing")


@pytest.fixture
def bank() -> Contract:
    return read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))


@pytest.fixture
def things(tmp_path: Path) -> Contract:
    """A dataset with a natural key and dated folders: `id, amount, note`, the key being `id`."""
    return read_contract(write_things(tmp_path))


def empty_ledger(connection: Connection) -> None:
    """Forgets everything but the tables."""
    for table in (
        "held",
        "findings",
        "lake_marks",
        "lake_drops",
        "lake_files",
        "quarantine",
        "conflicts",
        "objects",
        "loads",
        "drops",
        "builds",
        "datasets",
        "faults",
    ):
        connection.execute(sql.SQL("delete from {}").format(sql.Identifier("ops", table)))


def write_things(folder: Path, note: str = "note", **changes: object) -> Path:
    """The contract of `things` as a file; `changes` replace settings of its amount column, `note` names the last."""
    amount = {
        "name": "amount",
        "physicalName": "amount",
        "logicalType": "number",
        "physicalType": "numeric(12,2)",
    }
    contract = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "things", "version": "1.0.0", "status": "active",
        "domain": "store",
        "servers": [{"server": "landing", "type": "custom", "format": "csv", "path": "things/{YYYY}-{MM}/*.csv"}],
        "schema": [{
            "name": "things", "logicalType": "object",
            "customProperties": [
                {"property": "quarantineLimit", "value": {"share": 0.5, "least": 5}},
                # Drops of two or three rows: that most of them are bad or leave is what such tests are about.
                {"property": "acceptance", "value": {"badShare": 1, "withdrawnShare": 1, "conflicts": {"share": 1}}},
            ],
            "properties": [
                {"name": "id", "physicalName": "id", "logicalType": "integer", "required": True, "primaryKey": True,
                 "primaryKeyPosition": 1},
                {**amount, **changes},
                {"name": note, "physicalName": "note", "logicalType": "string", "required": True},
            ],
        }],
    }  # fmt: skip
    path = folder / "store" / "things.odcs.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(contract))
    return path


@pytest.fixture
def changed(tmp_path):
    """The contract of `things` with other settings of `amount`, and edited as a document."""

    def read(edit=lambda document: None, **settings):
        path = write_things(tmp_path, **settings)
        document = yaml.safe_load(path.read_text())
        edit(document)
        path.write_text(yaml.safe_dump(document))
        return read_contract(path)

    return read


@pytest.fixture
def load(warehouse: PostgresWarehouse, landing: FolderLanding) -> Load:
    """Discovers and loads, and hands back the reports."""

    def run(contract: Contract, choice: Choice = Choice()) -> list[LoadReport]:
        found = discover([contract], landing, warehouse, choice)
        return [
            report for plan in found.plans for report in load_drops(contract, landing, warehouse, plan.drops)
        ]

    return run


# For tests of models. Their file names its feeds (`FEEDS`) and shares one warehouse: a build takes long.


@pytest.fixture(scope="module")
def database(postgres: Cluster) -> Iterator[str]:
    with warehouse_copy(postgres) as name:
        yield name


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, postgres: Cluster, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    url = postgres.url("loader", "loader-test", database)
    opened = World(tmp_path_factory.mktemp("landing"), url, *request.module.FEEDS)
    yield opened
    opened.warehouse.close()


@pytest.fixture(scope="module")
def environment(postgres: Cluster, database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return dbt_environment(postgres, database, tmp_path_factory.mktemp("dbt"), "prod")


@pytest.fixture(scope="module")
def dbt(environment: dict[str, str], world: World) -> Iterator[Dbt]:
    running = Dbt(environment)
    yield running
    running.close()


@pytest.fixture(scope="module")
def transformer(postgres: Cluster, database: str) -> Iterator[Connection]:
    url = postgres.url("transformer", "transformer-test", database)
    with connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def reporter(postgres: Cluster, database: str) -> Iterator[Connection]:
    with connect(postgres.url("reporter", "reporter-test", database), autocommit=True) as connection:
        yield connection
