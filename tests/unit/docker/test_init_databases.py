"""init_databases: both warehouses are made, or left as an administrator of a server made them."""

import subprocess
from pathlib import Path

import pytest

# Notes how it was called; a user logs in with the password `USER's`.
PSQL = """#!/usr/bin/env bash
user=$PGUSER database=$PGDATABASE
arguments=("$@")
while [ $# -gt 0 ]; do
  case $1 in -U) user=$2; shift ;; -d) database=$2; shift ;; esac
  shift
done
if [ "$PGPASSWORD" != "$user's" ]; then echo "password authentication failed for user \\"$user\\"" >&2; exit 2; fi
echo "$user@$PGHOST:$PGPORT/$database ${arguments[*]}" >>"$CALLS"
"""
ROLES = {
    "LOADER_PASSWORD": "loader",
    "TRANSFORMER_PASSWORD": "transformer",
    "REPORTER_PASSWORD": "reporter",
    "DEV_LOADER_PASSWORD": "dev_loader",
    "DEV_TRANSFORMER_PASSWORD": "dev_transformer",
    "DEV_REPORTER_PASSWORD": "dev_reporter",
    "AIRFLOW_DB_PASSWORD": "airflow",
    "SUPERSET_DB_PASSWORD": "superset",
}


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    (tmp_path / "psql").write_text(PSQL)
    (tmp_path / "psql").chmod(0o755)
    return tmp_path / "calls"


def run(calls: Path, scripts: Path, password: str, **changed: str) -> subprocess.CompletedProcess[str]:
    known = {
        "PATH": f"{calls.parent}:/usr/bin:/bin",
        "CALLS": str(calls),
        "WAREHOUSE_HOST": "db",
        "WAREHOUSE_PORT": "5433",
        "POSTGRES_ADMIN": "chief",
        "PGPASSWORD": password,
        **{variable: f"{role}'s" for variable, role in ROLES.items()},
        **changed,
    }
    return subprocess.run(
        ["bash", scripts / "init_databases"], env=known, capture_output=True, text=True, check=False
    )


def test_an_administrator_makes_both_warehouses(calls: Path, scripts: Path) -> None:
    done = run(calls, scripts, "chief's")
    assert done.returncode == 0, done.stderr
    script = "-f /opt/goldworks/init_db.sql"
    assert calls.read_text().splitlines()[1:] == [
        f"chief@db:5433/postgres -X {script}",
        f"chief@db:5433/postgres -X -v warehouse=warehouse_dev -v prefix=dev_ {script}",
    ]


def test_the_server_of_the_platform_has_the_shop_too(calls: Path, scripts: Path) -> None:
    done = run(calls, scripts, "chief's", WAREHOUSE_HOST="postgres")
    assert done.returncode == 0, done.stderr
    last = calls.read_text().splitlines()[-1]
    assert last == "chief@postgres:5433/postgres -X -f /opt/goldworks/init_source.sql"


def test_what_an_administrator_made_is_left_as_it_is(calls: Path, scripts: Path) -> None:
    done = run(calls, scripts, "nobody's")
    assert (done.returncode, done.stdout) == (0, "made by an administrator; left as it is\n")
    assert [line.split()[0] for line in calls.read_text().splitlines()] == [
        "loader@db:5433/warehouse",
        "transformer@db:5433/warehouse",
        "reporter@db:5433/warehouse",
        "dev_loader@db:5433/warehouse_dev",
        "dev_transformer@db:5433/warehouse_dev",
        "dev_reporter@db:5433/warehouse_dev",
        "airflow@db:5433/airflow",
        "superset@db:5433/superset",
    ]


@pytest.mark.parametrize("variable", ROLES)
def test_a_role_that_can_not_log_in_either_is_named_with_the_way_out(
    calls: Path, scripts: Path, variable: str
) -> None:
    done = run(calls, scripts, "nobody's", **{variable: "wrong"})
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert first.startswith(
        f"db:5433: neither chief nor {ROLES[variable]} can log in: password authentication failed"
    )
    assert 'for user "chief"' in first
    assert "set POSTGRES_PASSWORD" in rest[0]
    assert "init_db.sql" in rest[0]
