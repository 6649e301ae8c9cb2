"""airflow/prepare.py on a real server: from an empty database to metadata, an administrator and a pool, once."""

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from runtime.postgres import SUPERUSER, Cluster
from tests.integration.airflow_session import ROOT, VENVS, ran

PASSWORD = "first-and-secret"
COMMENT = "select obj_description('ab_user'::regclass, 'pg_class')"
HASH = "select password from ab_user where username = 'admin'"
SLOTS = "select slots from slot_pool where pool = 'dbt'"

Prepare = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def prepare(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Runs the script on a database; `changed` are variables that differ."""
    home = tmp_path_factory.mktemp("airflow")

    def run(database: str, **changed: str) -> subprocess.CompletedProcess[str]:
        given = {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW_CONFIG": str(ROOT / "airflow/airflow.cfg"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address(postgres, database, "postgresql+psycopg2"),
            "AIRFLOW__API__SECRET_KEY": "a key that signs",
            "AIRFLOW_USER": "admin",
            "AIRFLOW_PASSWORD": PASSWORD,
        }
        return ran([VENVS / "airflow/bin/python", ROOT / "airflow/prepare.py"], {**given, **changed})

    return run


@pytest.fixture(scope="module")
def prepared(prepare: Prepare, postgres: Cluster) -> Iterator[str]:
    """A database that was empty when the script began."""
    with fresh_database(postgres) as name:
        done = prepare(name)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert done.stdout.splitlines()[-1] == (
            "metadata migrated, administrator admin created, pool dbt created with 4 slots"
        )
        yield name


class fresh_database:  # noqa: N801 (used like a function)
    """A database of Airflow's role, dropped after it; like another one where that is named."""

    def __init__(self, postgres: Cluster, template: str = "template1") -> None:
        self.name = f"airflow_{uuid.uuid4().hex[:12]}"
        self.template = template
        self.server = postgres.url(SUPERUSER, postgres.password, "postgres")

    def __enter__(self) -> str:
        self._run("create database {} owner airflow template {}", self.name, self.template)
        return self.name

    def __exit__(self, *_: object) -> None:
        self._run("drop database {} with (force)", self.name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def address(postgres: Cluster, database: str, scheme: str = "postgresql") -> str:
    return postgres.url("airflow", "airflow_db-test", database).replace("postgresql", scheme, 1)


def one(postgres: Cluster, database: str, query: str) -> str:
    with psycopg.connect(address(postgres, database)) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
        assert row
        return str(row[0])


def test_a_second_time_has_nothing_to_do(prepare: Prepare, prepared: str) -> None:
    again = prepare(prepared)
    assert (again.returncode, again.stdout) == (
        0,
        "nothing to do: metadata, administrator and pool exist\n",
    )


def test_a_copy_of_the_metadata_is_known_as_prepared(
    prepare: Prepare, prepared: str, postgres: Cluster
) -> None:
    with fresh_database(postgres, prepared) as copy:
        assert prepare(copy).stdout.startswith("nothing to do")


def test_what_is_noted_tells_nothing_of_the_password(
    prepare: Prepare, prepared: str, postgres: Cluster
) -> None:
    noted = one(postgres, prepared, COMMENT)
    assert PASSWORD not in noted
    with fresh_database(postgres, prepared) as copy:
        # Under another key the same login looks different: without the key, nobody can try passwords on the note.
        assert not prepare(copy, AIRFLOW__API__SECRET_KEY="another key").stdout.startswith("nothing")
        assert one(postgres, copy, COMMENT) != noted


def test_another_password_replaces_the_old_one_and_chosen_slots_stay(
    prepare: Prepare, prepared: str, postgres: Cluster
) -> None:
    with fresh_database(postgres, prepared) as copy:
        with psycopg.connect(address(postgres, copy)) as connection:
            connection.execute("update slot_pool set slots = 7 where pool = 'dbt'")
        before = one(postgres, copy, HASH)
        done = prepare(copy, AIRFLOW_PASSWORD="second")
        assert done.stdout.splitlines()[-1] == (
            "metadata migrated, password of admin updated, pool dbt has 7 slots"
        )
        assert one(postgres, copy, HASH) != before
        assert one(postgres, copy, SLOTS) == "7"


def test_a_pool_that_somebody_deleted_comes_back(prepare: Prepare, prepared: str, postgres: Cluster) -> None:
    with fresh_database(postgres, prepared) as copy:
        with psycopg.connect(address(postgres, copy)) as connection:
            connection.execute("delete from slot_pool where pool = 'dbt'")
        assert "pool dbt created with 4 slots" in prepare(copy).stdout


def test_metadata_that_are_not_there_are_an_error_without_the_password(
    prepare: Prepare, postgres: Cluster, tmp_path: Path
) -> None:
    failed = prepare("nowhere")
    assert failed.returncode == 1
    assert "Airflow's metadata can't be reached" in failed.stderr
    assert "airflow_db-test" not in failed.stdout + failed.stderr


def test_a_login_must_be_given(prepare: Prepare) -> None:
    failed = prepare("nowhere", AIRFLOW_PASSWORD="")
    assert failed.returncode == 1
    assert "AIRFLOW_USER and AIRFLOW_PASSWORD are not set" in failed.stderr
