"""A dataset that nobody wrote code for: from its contract and `make generate` alone it gets a DAG, and loads."""

import runpy
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from runtime.postgres import Cluster
from tests.integration.airflow_session import (
    ROOT,
    Settings,
    make_manifest,
    parse_dags,
    places,
    prepare,
    run_dag,
    settings_of,
)

ENDS_IN_RAW = {"discover", "load", "gate", "publish", "profile", "verdict"}


def contract(domain: str, dataset: str, path: str, **types: str) -> dict[str, Any]:
    """A contract of columns by type; the first two are the key."""
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": dataset,
        "version": "1.0.0",
        "domain": domain,
        "servers": [{"server": "landing", "type": "custom", "path": path, "format": "csv"}],
        "schema": [
            {
                "name": dataset,
                "description": f"One row a line of {dataset}.",
                "properties": [
                    {
                        "name": name,
                        "physicalName": name,
                        "logicalType": logical_type,
                        **({"physicalType": "numeric(5,2)"} if logical_type == "number" else {}),
                        "description": f"The {name} as measured.",
                        **(
                            {"primaryKey": True, "primaryKeyPosition": n + 1, "required": True}
                            if n < 2
                            else {}
                        ),
                    }
                    for n, (name, logical_type) in enumerate(types.items())
                ],
            }
        ],
    }


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Airflow on this tree's contracts and models with two contracts more: a new domain's, and one in `bank`."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "contracts", folder / "contracts")
    shutil.copytree(ROOT / "dbt", folder / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    weather = contract(
        "weather", "readings", "weather/{YYYY}/*.csv", station="string", day="date", celsius="number"
    )
    branches = contract(
        "bank", "bank_branches", "branches/*.csv", bank="string", branch="string", city="string"
    )
    weather["servers"][0]["customProperties"] = [{"property": "schedule", "value": "never"}]
    branches["servers"][0]["customProperties"] = [{"property": "schedule", "value": "0 6 * * 1-5"}]
    for new in (weather, branches):
        path = folder / "contracts" / new["domain"] / f"{new['id']}.odcs.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(new))
    generate = runpy.run_path(str(ROOT / "dbt/generate.py"))["main"]
    assert generate(["--contracts", str(folder / "contracts"), "--project", str(folder / "dbt")]) == 0
    manifest = make_manifest(folder / "dbt", tmp_path_factory.mktemp("target"))
    return settings_of(tmp_path_factory.mktemp("airflow"), folder / "contracts", folder / "dbt", manifest)


@pytest.fixture(scope="module")
def dags(airflow: Settings) -> dict[str, Any]:
    parsed = parse_dags(airflow)
    assert parsed["errors"] == {}
    found: dict[str, Any] = parsed["dags"]
    return found


def test_a_domain_without_models_gets_a_dag_that_ends_after_raw(dags: dict[str, Any]) -> None:
    assert set(dags["weather"]["tasks"]) == ENDS_IN_RAW
    assert dags["weather"]["tasks"]["publish"]["upstream"] == ["gate"]
    assert "Raw tables only" in dags["weather"]["doc"]
    assert "`transform`" not in dags["weather"]["doc"]


def test_a_dataset_joins_the_dag_of_its_domain_with_its_bronze(dags: dict[str, Any]) -> None:
    assert dags["bank"]["params"]["datasets"]["items"]["enum"] == ["bank_branches", "bank_transactions"]
    assert "transform.stg_bank_branches_run" in dags["bank"]["tasks"]


def test_a_dag_runs_whenever_one_of_its_datasets_asks_for_it(dags: dict[str, Any]) -> None:
    assert dags["weather"]["schedule"] is None
    for asked in ("0 6 * * 1-5", "0 0 * * *"):  # of the new dataset, and of the domain's freshness
        assert asked in dags["bank"]["schedule"]


def test_both_load_and_are_published_and_a_second_run_has_nothing_to_do(
    airflow: Settings, postgres: Cluster, warehouse_database: str, tmp_path: Path, transformer_url: str
) -> None:
    landing = tmp_path / "landing"
    settings = {**airflow, **places(postgres, warehouse_database, landing)}
    for name, text in {
        "weather/2026/may.csv": "station,day,celsius\nBG1,2026-05-01,18.5\nBG1,2026-05-02,19\nBG2,2026-05-01,warm\n",
        "branches/all.csv": "bank,branch,city\nGW,1,Plovdiv\n",
    }.items():
        (landing / name).parent.mkdir(parents=True, exist_ok=True)
        (landing / name).write_text(text)
    prepare(settings)

    first = run_dag("weather", settings)
    assert first == dict.fromkeys(ENDS_IN_RAW, "success")
    with psycopg.connect(transformer_url) as connection:
        assert connection.execute("select station, celsius from raw.readings order by day").fetchall() == [
            ("BG1", Decimal("18.50")),
            ("BG1", Decimal("19.00")),
        ]

    second = run_dag("weather", settings)
    assert (second["load"], second["publish"], second["verdict"]) == ("skipped", "skipped", "success")

    built = run_dag("bank", settings)
    assert set(built.values()) == {"success"}
    with psycopg.connect(transformer_url) as connection:
        assert connection.execute("select city from bronze.stg_bank_branches").fetchall() == [("Plovdiv",)]
