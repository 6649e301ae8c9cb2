"""The guide to a new dataset, typed on a running platform: it ends in a dashboard whose chart shows the files' rows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.snippets import Reader, steps_of
from tests.e2e.browser import browser, charts, complaints, log_in_to_superset, missing_parts, open_dashboard

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "superset"))

from asset_files import read_assets  # noqa: E402
from chart_queries import query_charts  # noqa: E402
from import_assets import import_assets  # noqa: E402
from superset_api import SupersetApi  # noqa: E402

pytestmark = pytest.mark.e2e

GUIDE = ROOT / "docs/guides/add_a_dataset.md"
CHART = "Price by article, EUR"


@pytest.fixture(scope="module")
def followed(platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the parts that a new dataset touches, after all that the guide has one type."""
    folder = tmp_path_factory.mktemp("clone")
    for part in ("contracts", "dbt", "superset"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("target", "logs"))
    (folder / "bin").mkdir()
    make = folder / "bin/make"
    make.write_text(f'#!/bin/sh\n[ "$*" = generate ] && exec {sys.executable} dbt/generate.py\n')
    make.chmod(0o755)
    known = platform.environment
    environment = {
        **os.environ,
        **known,
        "PATH": f"{folder / 'bin'}{os.pathsep}{known['PATH']}",
        "GOLDWORKS_CONTRACTS": str(folder / "contracts"),
        "DBT_PROJECT_DIR": str(folder / "dbt"),
        "DBT_PROFILES_DIR": str(folder / "dbt"),
        "DBT_TARGET": "prod",  # Superset reads there
    }
    reader = Reader(folder, environment)
    for step in steps_of(GUIDE.read_text(encoding="utf-8")):
        if step.kind != "console":
            reader.follow(step)
            continue
        done = subprocess.run(
            ["bash", "-c", step.command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"$ {step.command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return folder


@pytest.fixture(scope="module")
def api(platform, followed: Path):
    """Superset with the guide's files; afterwards with ours alone."""
    superset = SupersetApi(platform.superset_url, platform.superset_user, platform.superset_password)
    import_assets(superset, followed / "superset/assets")
    yield superset
    import_assets(superset)


def test_the_chart_has_the_rows_of_the_files(api: SupersetApi, followed: Path) -> None:
    answers = {
        answer.chart: answer for answer in query_charts(api, read_assets(followed / "superset/assets"))
    }
    found = answers[CHART]
    assert found.error == ""
    assert {row["sku"]: float(row["price"]) for row in found.rows} == {"A1": 1.75, "A2": 2.0, "A3": 0.9}


def test_the_dashboard_shows_it(platform, api: SupersetApi) -> None:
    if missing := missing_parts():
        pytest.skip(missing)
    with browser() as driver:
        log_in_to_superset(driver, platform.superset_url, platform.superset_user, platform.superset_password)
        open_dashboard(driver, platform.superset_url, "shop")
        assert list(charts(driver)) == [CHART]
        assert complaints(driver) == []
