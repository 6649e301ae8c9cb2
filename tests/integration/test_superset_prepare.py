"""superset/prepare.py on real metadata: made once, quick afterwards, and never telling a password."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from runtime.postgres import SUPERUSER, Cluster

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("GOLDWORKS_HOME", ROOT / "var")) / "venvs" / "superset" / "bin" / "python"
PASSWORD = 'it\'s a "secret" %s $HOME'
KEY = "a key that is long enough for Superset"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason=f"Superset is not installed in {PYTHON.parent}")


class Metadata:
    """A database for Superset alone, and the script that prepares it."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.uri = uri
        self._home = folder
        (folder / "password").write_text(f"{PASSWORD}\n")
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "SUPERSET_CONFIG_PATH": str(ROOT / "superset" / "superset_config.py"),
            "SUPERSET_HOME": str(folder),
            "SUPERSET_SECRET_KEY": KEY,
            "SUPERSET_METADATA_URI": uri.replace("postgresql:", "postgresql+psycopg2:"),
            "SUPERSET_USER": "ann",
            "SUPERSET_PASSWORD_FILE": str(folder / "password"),
            "REPORTER_PASSWORD": "unused",
            "SCARF_ANALYTICS": "false",
        }

    def prepare(self, **changed: str) -> subprocess.CompletedProcess[str]:
        return self._run(ROOT / "superset" / "prepare.py", changed)

    def login_works(self, password: str) -> bool:
        """Whether Superset itself, asked in a process of its own, takes the password."""
        script = self._home / "login.py"
        script.write_text(
            "import os\n"
            "from superset.app import create_app\n"
            "app = create_app()\n"
            "with app.app_context():\n"
            "    from superset.extensions import security_manager\n"
            "    with app.test_request_context():\n"
            "        user = security_manager.auth_user_db('ann', os.environ['TRIED'])\n"
            "    print('roles', [role.name for role in user.roles] if user else None)\n"
        )
        done = self._run(script, {"TRIED": password})
        assert done.returncode == 0, done.stderr
        return "roles ['Admin']" in done.stdout

    def _run(self, script: Path, changed: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        environment = {**self._environment, **changed}
        return subprocess.run(
            [PYTHON, script], env=environment, cwd=self._home, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def metadata(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metadata]:
    url = postgres.url(SUPERUSER, postgres.password, "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create database superset_prepared owner superset")
        try:
            uri = postgres.url("superset", "superset_db-test", "superset_prepared")
            yield Metadata(uri, tmp_path_factory.mktemp("superset"))
        finally:
            connection.execute("drop database superset_prepared with (force)")


@pytest.fixture(scope="module")
def first(metadata: Metadata) -> subprocess.CompletedProcess[str]:
    """What the script says on an empty database."""
    done = metadata.prepare()
    assert done.returncode == 0, done.stderr
    return done


def test_an_empty_database_gets_tables_roles_and_an_administrator(
    metadata: Metadata, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.stdout.splitlines()[-1].endswith("roles synchronised, administrator ann made")
    assert metadata.login_works(PASSWORD)
    with psycopg.connect(metadata.uri) as connection:
        roles = connection.execute(
            "select name from ab_role join ab_permission_view_role on role_id = ab_role.id"
            " group by name having count(*) > 50"
        ).fetchall()
    assert {"Admin", "Alpha", "Gamma"} <= {name for (name,) in roles}


def test_nothing_to_do_is_known_without_superset(
    metadata: Metadata, first: subprocess.CompletedProcess[str]
) -> None:
    began = time.monotonic()
    done = metadata.prepare(SUPERSET_CONFIG_PATH="/nowhere")
    assert done.stdout == "nothing to do: metadata, roles and administrator are there\n"
    assert time.monotonic() - began < 1.5


def test_a_password_that_changed_is_taken_over_and_the_old_one_refused(
    metadata: Metadata, first: subprocess.CompletedProcess[str]
) -> None:
    done = metadata.prepare(SUPERSET_PASSWORD="another")
    assert done.returncode == 0, done.stderr
    assert "password of ann set again" in done.stdout
    assert metadata.login_works("another")
    assert not metadata.login_works(PASSWORD)


def test_what_is_noted_tells_nothing_about_the_password_without_the_key(
    metadata: Metadata, first: subprocess.CompletedProcess[str]
) -> None:
    with psycopg.connect(metadata.uri) as connection:
        (note,) = connection.execute("select obj_description('ab_user'::regclass)").fetchone()
    assert note.startswith("prepared ")
    for secret in (PASSWORD, "another", KEY):
        assert secret not in note + first.stdout + first.stderr


def test_metadata_that_cannot_be_reached_are_told_in_a_line(metadata: Metadata) -> None:
    done = metadata.prepare(SUPERSET_METADATA_URI="postgresql+psycopg2://superset:no@127.0.0.1:1/superset")
    assert done.returncode == 1
    assert done.stderr.startswith("superset/prepare.py: Superset's metadata can't be reached: ")
    assert "Traceback" not in done.stderr


def test_a_missing_password_is_named(metadata: Metadata) -> None:
    done = metadata.prepare(SUPERSET_PASSWORD_FILE="")
    assert done.returncode == 1
    assert done.stderr.startswith("superset/prepare.py: SUPERSET_PASSWORD is not set\n")
