"""The DAGs as Airflow sees them, and one run of `bank` by Airflow alone, on a folder and a real warehouse."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data_ingestion.contract import read_contracts
from runtime.postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]
VENVS = Path(os.environ.get("GOLDWORKS_HOME", ROOT / "var")) / "venvs"
HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
)
# How many loads the models of a domain lag behind a dataset.
BUILT = """
    select domain, dataset, (
        select count(*) from ops.loads l where l.dataset = b.dataset and state = 'loaded' and l.load_id > b.load_id
    ) from ops.builds b
"""
BALANCES = "select account_no, closing_balance_inr::text from gold.dim_bank_account order by 1"
WATCHERS = r"transform\.(?!dbt_producer).*"

Run = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's manifest of the models as they are in this tree."""
    target = tmp_path_factory.mktemp("dbt")
    settings = {"WAREHOUSE_HOST": "nowhere", "WAREHOUSE_PORT": "1", "WAREHOUSE_DB": "none"}
    login = {"TRANSFORMER_USER": "nobody", "TRANSFORMER_PASSWORD": "none"}
    _checked(
        [VENVS / "dbt/bin/dbt", "--quiet", "parse", "--target", "prod"],
        {
            **settings,
            **login,
            "DBT_PROJECT_DIR": str(ROOT / "dbt"),
            "DBT_PROFILES_DIR": str(ROOT / "dbt"),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target),
        },
    )
    return target / "manifest.json"


@pytest.fixture(scope="module")
def airflow(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of an Airflow that no server belongs to."""
    home = tmp_path_factory.mktemp("airflow")
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__COSMOS__CACHE_DIR": str(home / "cosmos"),
        "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        "GOLDWORKS_CONTRACTS": str(ROOT / "contracts"),
        "GOLDWORKS_DBT_MANIFEST": str(manifest),
        "DBT_EXECUTABLE": str(VENVS / "dbt/bin/dbt"),
        "DBT_PROJECT_DIR": str(ROOT / "dbt"),
        "DBT_PROFILES_DIR": str(ROOT / "dbt"),
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture(scope="module")
def parsed(airflow: dict[str, str]) -> dict[str, Any]:
    """What the DAG processor would find, from the root of the repository, where folders are named like packages."""
    probe = Path(__file__).with_name("dag_probe.py")
    said = _checked([VENVS / "airflow/bin/python", probe], airflow)
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def bank(parsed: dict[str, Any]) -> dict[str, Any]:
    assert "bank" in parsed["dags"], parsed["errors"]
    dag: dict[str, Any] = parsed["dags"]["bank"]
    return dag


def test_every_domain_with_a_contract_is_a_dag(parsed: dict[str, Any]) -> None:
    domains = {contract.domain for contract in read_contracts(ROOT / "contracts")}
    assert parsed["errors"] == {}
    assert domains
    assert set(parsed["dags"]) == domains


def test_reading_the_dags_needs_no_network_and_no_heavy_package(parsed: dict[str, Any]) -> None:
    assert parsed["reached_for"] == []
    assert parsed["heavy"] == []


def test_the_journey_is_one_graph(bank: dict[str, Any]) -> None:
    tasks = bank["tasks"]
    assert tasks["load"]["upstream"] == ["discover"]
    assert tasks["gate"]["upstream"] == ["load"]
    assert tasks["transform.dbt_producer_watcher"]["upstream"] == ["gate"]
    assert {"gate", "transform.dbt_producer_watcher_done"} < set(tasks["publish"]["upstream"])
    assert tasks["verdict"]["upstream"] == ["load", "publish"]
    assert tasks["verdict"]["trigger_rule"] == "none_failed"
    assert tasks["gate"]["trigger_rule"] == "all_done"


def test_every_task_has_an_owner_and_ends_in_time(parsed: dict[str, Any]) -> None:
    for domain, dag in parsed["dags"].items():
        assert {task["owner"] for task in dag["tasks"].values()} == {domain}
        assert [name for name, task in dag["tasks"].items() if not task["timeout"]] == []


def test_what_the_network_can_break_is_tried_again_but_a_build_is_not(bank: dict[str, Any]) -> None:
    retries = {name: task["retries"] for name, task in bank["tasks"].items()}
    assert {retries[name] for name in ("discover", "load", "gate", "publish")} == {2}
    # Cosmos answers a second try of the build by skipping it, which would turn a red run green.
    assert retries["transform.dbt_producer_watcher"] == 0


def test_watchers_leave_a_worker_to_the_build(bank: dict[str, Any]) -> None:
    pools = {
        task["pool"]
        for name, task in bank["tasks"].items()
        if name.startswith("transform.") and "watcher" not in name
    }
    assert pools == {"dbt"}
    assert bank["tasks"]["transform.dbt_producer_watcher"]["pool"] == "default_pool"
    # Deferred watchers lose a race in Airflow 3.3 and fail on a busy machine.
    assert not any(task["deferrable"] for task in bank["tasks"].values())


def test_a_dag_runs_as_often_as_its_contracts_promise_and_never_twice_at_once(bank: dict[str, Any]) -> None:
    assert (bank["schedule"], bank["catchup"], bank["max_active_runs"]) == ("@daily", False, 1)


def test_assets_have_the_same_names_everywhere(bank: dict[str, Any]) -> None:
    assert bank["tasks"]["gate"]["outlets"] == ["raw.bank"]
    assert "gold.mart_bank_daily_balance" in bank["tasks"]["publish"]["outlets"]


def test_the_form_offers_datasets_periods_and_a_full_refresh(bank: dict[str, Any]) -> None:
    assert set(bank["params"]) == {"datasets", "first_period", "last_period", "full_refresh"}
    assert bank["params"]["datasets"]["items"]["enum"] == ["bank_transactions"]
    assert all(schema["title"] and schema["description"] for schema in bank["params"].values())


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    """A folder with one drop of two movements."""
    folder = tmp_path / "landing/bank_transactions"
    folder.mkdir(parents=True)
    (folder / "march.csv").write_text(
        HEADER
        + "712000400355',2026-03-01,opening,,2026-03-01,,1000.00,1000.00,.\n"
        + "712000400355',2026-03-02,rent,,2026-03-02,400.00,,600.00,.\n"
    )
    return tmp_path / "landing"


@pytest.fixture
def run(
    airflow: dict[str, str], landed: Path, postgres: Cluster, warehouse_database: str, warehouse_url: str
) -> Run:
    """Runs the whole DAG in one process, and gives the state of every task.

    The tasks go one after the other, so a watcher that comes before the build would wait for it for ever: watchers
    are taken as passed here, and run for what they are in tests/e2e/test_pipeline.py.
    """
    settings = {
        **airflow,
        "GOLDWORKS_WAREHOUSE_URL": warehouse_url,
        "GOLDWORKS_LANDING_URL": landed.as_uri(),
        "WAREHOUSE_HOST": "127.0.0.1",
        "WAREHOUSE_PORT": str(postgres.port),
        "WAREHOUSE_DB": warehouse_database,
        "TRANSFORMER_USER": "transformer",
        "TRANSFORMER_PASSWORD": "transformer-test",
    }
    program = VENVS / "airflow/bin/airflow"
    if not (Path(airflow["AIRFLOW_HOME"]) / "airflow.db").exists():
        _checked([program, "db", "migrate"], airflow)
        _checked([program, "pools", "set", "dbt", "4", "watchers of dbt models"], airflow)

    def run(succeeds: bool = True, **changed: str) -> dict[str, str]:
        command = [program, "dags", "test", "bank", "--mark-success-pattern", WATCHERS]
        done = _ran(command, {**settings, **changed})
        assert (done.returncode == 0) is succeeds, done.stdout[-6000:] + done.stderr[-3000:]
        return _states(airflow)

    return run


def test_what_a_failed_build_left_over_is_built_by_the_next_run_and_what_is_built_by_none(
    run: Run, landed: Path, warehouse_url: str, transformer_url: str
) -> None:
    broken = landed / "bank_transactions/broken.csv"
    broken.write_text(HEADER + "712000400356',no day,x,,2026-03-01,,1.00,1.00,.\n" * 30)

    refused = run(succeeds=False, TRANSFORMER_PASSWORD="wrong")
    assert (refused["load"], refused["gate"], refused["verdict"]) == ("failed", "success", "upstream_failed")
    assert (refused["transform.dbt_producer_watcher"], refused["publish"]) == ("failed", "upstream_failed")
    assert _all(warehouse_url, "select count(*) from raw.bank_transactions") == [(2,)]
    assert _all(warehouse_url, BUILT) == []

    # The drop is refused again, so the run is red, but what is in goes on to gold.
    built = run(succeeds=False)
    assert (built["load"], built["publish"], built["verdict"]) == ("failed", "success", "upstream_failed")
    assert _all(warehouse_url, BUILT) == [("bank", "bank_transactions", 0)]
    assert _all(transformer_url, BALANCES) == [("712000400355", "600.00")]

    broken.unlink()
    nothing_new = run()
    assert nothing_new["load"] == nothing_new["publish"] == "skipped"
    assert nothing_new["transform.dbt_producer_watcher"] == "skipped"
    assert nothing_new["verdict"] == "success"


def _all(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _states(airflow: dict[str, str]) -> dict[str, str]:
    """Task states of the newest run."""
    with closing(sqlite3.connect(Path(airflow["AIRFLOW_HOME"]) / "airflow.db")) as metadata:
        newest = "select run_id from dag_run order by id desc limit 1"
        return dict(metadata.execute(f"select task_id, state from task_instance where run_id = ({newest})"))


def _ran(command: list[Path | str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [str(part) for part in command],
        env={**kept, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _checked(command: list[Path | str], settings: dict[str, str]) -> str:
    done = _ran(command, settings)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
