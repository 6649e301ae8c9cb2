"""Superset's settings, read by Superset's own Python, since they import Superset."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Path(os.environ.get("GOLDWORKS_HOME", ROOT / "var")) / "venvs" / "superset" / "bin" / "python"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason=f"Superset is not installed in {PYTHON.parent}")

REQUIRED = {
    "SUPERSET_SECRET_KEY": "a-key",
    "SUPERSET_METADATA_URI": "postgresql+psycopg2://superset@db/superset",
    "REPORTER_PASSWORD": "it's 100 % @ secret",
}
# One process reads the settings under every environment: Superset takes seconds to import.
SHOW = """
import json, os, runpy, sys
import flask
from sqlalchemy.engine.url import make_url

def shown(environment):
    os.environ.clear()
    os.environ.update(environment)
    try:
        config = runpy.run_path("superset/superset_config.py")
    except Exception as error:
        return {"error": str(error)}
    def connected(uri):
        uri, _ = config["DB_CONNECTION_MUTATOR"](make_url(uri), {}, "", None, None)
        return [uri.host, uri.port, uri.database, uri.username, uri.password]
    app = flask.Flask("start")
    config["FLASK_APP_MUTATOR"](app)
    def leads_to(path):
        return app.test_client().get(path).headers.get("Location")
    return {
        "starts": {path: leads_to(path) for path in ("/", "/superset/welcome/", "/dashboard/list/")},
        "colours": config["EXTRA_CATEGORICAL_COLOR_SCHEMES"][0]["colors"],
        "warehouse": connected("postgresql+psycopg2://reporter@warehouse/warehouse"),
        "other": connected("postgresql://ann@elsewhere:5433/shop"),
        "metadata": config["SQLALCHEMY_DATABASE_URI"],
        "secure": config["SESSION_COOKIE_SECURE"],
        "policy": config["TALISMAN_CONFIG"]["content_security_policy"],
    }

answers = {name: shown(environment) for name, environment in json.load(sys.stdin).items()}
print("\\n" + json.dumps(answers))
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What superset_config.py makes of each environment."""
    folder = tmp_path_factory.mktemp("secrets")
    for name, value in REQUIRED.items():
        (folder / name).write_text(value + "\n")
    place = {"WAREHOUSE_HOST": "db", "WAREHOUSE_PORT": "5432", "WAREHOUSE_DB": "dwh", "REPORTER_USER": "ann"}
    environments = {
        "plain": REQUIRED,
        "placed": {**REQUIRED, **place},
        "files": {f"{name}_FILE": str(folder / name) for name in REQUIRED},
        "https": {**REQUIRED, "SUPERSET_URL": "https://bi.example.com"},
        **{f"no {m}": {n: v for n, v in REQUIRED.items() if n != m} for m in REQUIRED},
    }
    done = subprocess.run(
        [PYTHON, "-c", SHOW],
        input=json.dumps(environments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_the_alias_becomes_the_warehouse_of_the_environment(settings: dict[str, Any]) -> None:
    password = REQUIRED["REPORTER_PASSWORD"]
    assert settings["placed"]["warehouse"] == ["db", 5432, "dwh", "ann", password]
    assert settings["plain"]["warehouse"] == ["127.0.0.1", 54320, "warehouse", "reporter", password]


def test_people_start_at_home(settings: dict[str, Any]) -> None:
    home = "/superset/dashboard/home/"
    assert settings["plain"]["starts"] == {"/": home, "/superset/welcome/": home, "/dashboard/list/": None}


def test_no_series_is_gold_by_chance(settings: dict[str, Any]) -> None:
    assert "#C28A0E" not in settings["plain"]["colours"]


def test_other_databases_are_left_alone(settings: dict[str, Any]) -> None:
    assert settings["plain"]["other"] == ["elsewhere", 5433, "shop", "ann", None]


def test_secrets_may_come_from_files(settings: dict[str, Any]) -> None:
    assert settings["files"] == settings["plain"]


def test_cookies_are_secure_behind_https_and_work_without(settings: dict[str, Any]) -> None:
    assert settings["https"]["secure"]
    assert not settings["plain"]["secure"]


def test_pages_may_not_call_home(settings: dict[str, Any]) -> None:
    places = [place for sources in settings["plain"]["policy"].values() for place in sources]
    assert not [place for place in places if "scarf" in place or "://" in place]


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_what_is_missing_is_named(settings: dict[str, Any], missing: str) -> None:
    assert settings[f"no {missing}"]["error"].startswith(f"{missing} is not set\n")
