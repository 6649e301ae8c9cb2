"""Airflow session: an Airflow that no server belongs to, which reads DAGs and runs one in a single process."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from runtime.postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]
VENVS = Path(os.environ.get("GOLDWORKS_HOME", ROOT / "var")) / "venvs"

# The tasks go one after the other, so a watcher that comes before the build would wait for it for ever: watchers are
# taken as passed here, and run for what they are in tests/e2e/test_pipeline.py.
WATCHERS = r"transform\.(?!dbt_producer).*"

Settings = dict[str, str]


def make_manifest(project: Path, target: Path) -> Path:
    """dbt's manifest of a project, for the target that Airflow builds."""
    settings = {
        "WAREHOUSE_HOST": "nowhere",
        "WAREHOUSE_PORT": "1",
        "WAREHOUSE_DB": "none",
        "TRANSFORMER_USER": "nobody",
        "TRANSFORMER_PASSWORD": "none",
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
    }
    checked([VENVS / "dbt/bin/dbt", "--quiet", "parse", "--target", "prod"], settings)
    return target / "manifest.json"


def settings_of(home: Path, contracts: Path, project: Path, manifest: Path) -> Settings:
    """What an Airflow in the folder `home` is told of contracts and models."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(ROOT / "airflow/airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "airflow/plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__COSMOS__CACHE_DIR": str(home / "cosmos"),
        "GOLDWORKS_CONTRACTS": str(contracts),
        "GOLDWORKS_DBT_MANIFEST": str(manifest),
        "DBT_EXECUTABLE": str(VENVS / "dbt/bin/dbt"),
        "DBT_PROJECT_DIR": str(project),
        "DBT_PROFILES_DIR": str(project),
        "PYTHONPATH": str(ROOT),
    }


def places(postgres: Cluster, database: str, landing: Path) -> Settings:
    """Which warehouse and landing a run works on, and as whom."""
    return {
        "AIRFLOW_CONN_WAREHOUSE": postgres.url("loader", "loader-test", database),
        "AIRFLOW_CONN_TRANSFORMER": postgres.url("transformer", "transformer-test", database),
        "GOLDWORKS_LANDING_URL": landing.as_uri(),
    }


def parse_dags(settings: Settings) -> dict[str, Any]:
    """What the DAG processor would find, from the root of the repository, where folders are named like packages."""
    probe = Path(__file__).with_name("dag_probe.py")
    said = checked([VENVS / "airflow/bin/python", probe], settings)
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


def prepare(settings: Settings) -> None:
    """Makes Airflow's metadata, once a home."""
    program = VENVS / "airflow/bin/airflow"
    if not (Path(settings["AIRFLOW_HOME"]) / "airflow.db").exists():
        checked([program, "db", "migrate"], settings)
        checked([program, "pools", "set", "dbt", "4", "watchers of dbt models"], settings)


def run_dag(
    dag: str, settings: Settings, conf: dict[str, Any] | None = None, *, succeeds: bool = True
) -> dict[str, str]:
    """Runs a whole DAG in one process, and gives the state of every task."""
    command = [VENVS / "airflow/bin/airflow", "dags", "test", dag, "--mark-success-pattern", WATCHERS]
    command += ["--conf", json.dumps(conf)] if conf else []
    done = ran(command, settings)
    assert (done.returncode == 0) is succeeds, done.stdout[-6000:] + done.stderr[-3000:]
    with closing(sqlite3.connect(Path(settings["AIRFLOW_HOME"]) / "airflow.db")) as metadata:
        newest = "select run_id from dag_run order by id desc limit 1"
        return dict(metadata.execute(f"select task_id, state from task_instance where run_id = ({newest})"))


def ran(command: list[Path | str], settings: Settings) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [str(part) for part in command],
        env={**kept, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def checked(command: list[Path | str], settings: Settings) -> str:
    done = ran(command, settings)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
