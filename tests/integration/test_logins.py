"""Logins of tasks: what comes out of a connection, and what a missing one says. Run by Airflow's own interpreter."""

import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.airflow_session import ROOT, VENVS, ran

LIBPQ_URL = "postgresql://trans%40former:p%40ss%2Fw%25@warehouse.example:6432/gold%20mine?sslmode=verify-full"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "airflow"


def python(home: Path, script: str, **connections: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(ROOT / "airflow/airflow.cfg"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'airflow/dags'}",
        **{f"AIRFLOW_CONN_{name.upper()}": url for name, url in connections.items()},
    }
    return ran([VENVS / "airflow/bin/python", "-c", script], settings)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


DBT = "import json; from goldworks_dags.logins import dbt_login; print(json.dumps(dbt_login()))"
LOADER = "import json; from goldworks_dags.logins import warehouse_url; print(json.dumps(warehouse_url()))"


def test_dbt_gets_its_login_as_it_was_meant_and_how_to_trust_the_server(home: Path) -> None:
    assert answer(python(home, DBT, transformer=LIBPQ_URL)) == {
        "WAREHOUSE_HOST": "warehouse.example",
        "WAREHOUSE_PORT": "6432",
        "WAREHOUSE_DB": "gold mine",
        "TRANSFORMER_USER": "trans@former",
        "TRANSFORMER_PASSWORD": "p@ss/w%",
        "PGSSLMODE": "verify-full",
    }


def test_a_connection_to_redshift_is_the_loaders_url_and_dbts_login(home: Path) -> None:
    """As a URL, or as the amazon provider writes it."""
    url = "redshift://goldworks_loader:p%40ss@cluster.example:5439/shop"
    assert answer(python(home, LOADER, warehouse=url)) == url
    login = {"login": "transformer", "password": "p@ss", "host": "cluster.example", "schema": "shop"}
    written = json.dumps({"conn_type": "redshift", **login, "extra": {"sslmode": "verify-ca"}})
    assert answer(python(home, DBT, transformer=written)) == {
        "WAREHOUSE_HOST": "cluster.example",
        "WAREHOUSE_PORT": "5439",
        "WAREHOUSE_DB": "shop",
        "TRANSFORMER_USER": "transformer",
        "TRANSFORMER_PASSWORD": "p@ss",
        "WAREHOUSE_SSLMODE": "verify-ca",
    }


def test_the_loader_gets_the_url_that_was_given(home: Path) -> None:
    url = answer(python(home, LOADER, warehouse=LIBPQ_URL))
    assert psycopg.conninfo.conninfo_to_dict(url) == psycopg.conninfo.conninfo_to_dict(LIBPQ_URL)


@pytest.mark.parametrize(("name", "script"), [("warehouse", LOADER), ("transformer", DBT)])
def test_a_missing_connection_is_named_with_the_remedy(home: Path, name: str, script: str) -> None:
    said = python(home, script).stderr
    assert f"connection '{name}' is not defined" in said
    assert f"set AIRFLOW_CONN_{name.upper()}=postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in said


def test_a_connection_that_says_too_little_is_an_error_that_tells_what_it_lacks(home: Path) -> None:
    said = python(home, DBT, transformer="postgresql://transformer@warehouse.example/gold").stderr
    assert "connection 'transformer' lacks TRANSFORMER_PASSWORD" in said


def test_a_watcher_looks_no_login_up_unless_it_starts_dbt(home: Path) -> None:
    script = """
import json
from goldworks_dags.transform import before_dbt

class Watcher:
    def get_env(self, context):
        return {"PATH": "/bin"}

watcher = Watcher()
before_dbt({"task": watcher, "ti": None})  # no connection is needed for this
try:
    print(json.dumps(watcher.get_env({})))
except Exception as error:
    print(json.dumps(type(error).__name__))
"""
    assert answer(python(home, script)) == "ConnectionMissing"
    environment = answer(python(home, script, transformer=LIBPQ_URL))
    assert (environment["PATH"], environment["TRANSFORMER_USER"]) == ("/bin", "trans@former")
