"""Onboarding: from a file of sixty columns to a dashboard with its numbers, by answers alone."""

import json
import os
import random
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "superset"))

from asset_files import Assets, Kind, read_assets  # noqa: E402
from chart_queries import query_charts  # noqa: E402
from import_assets import import_assets  # noqa: E402
from superset_api import SupersetApi  # noqa: E402

pytestmark = pytest.mark.e2e

KNOWN = ("Order ID", "Ordered At", "Country", "Channel", "Customer E-Mail", "Quantity", "Net Amount")
COLUMNS = (*KNOWN, *(f"Attribute {number}" for number in range(len(KNOWN) + 1, 61)))
# Name, domain, path, key, time zone, day, categories, measures.
ANSWERS = "crm_orders\ncrm\n\n\nEurope/Berlin\n\nchannel, country\nquantity, net_amount\n"


def orders() -> list[tuple[str, ...]]:
    chosen = random.Random(60)
    rows = []
    for number in range(2000):
        at = datetime(2026, 11, 1, 12) + timedelta(hours=number % 400)
        amount = f"{chosen.randrange(100, 200000) / 100:.2f}".replace(".", ",")
        known = (
            f"A{number:05}",
            f"{at:%d.%m.%Y %H:%M}",
            chosen.choice(("DE", "FR", "IT")),
            chosen.choice(("web", "shop")),
            f"c{number % 90}@example.com",
            str(chosen.randrange(1, 9)),
            amount,
        )
        rows.append((*known, *(f"v{chosen.randrange(500)}" for _ in COLUMNS[len(KNOWN) :])))
    return rows


@pytest.fixture(scope="module")
def onboarded(platform, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, ...]]]:
    """A copy of what a new dataset touches, after all that `make onboard` does to it; and the rows of the file."""
    folder, rows = tmp_path_factory.mktemp("clone"), orders()
    for part in ("contracts", "dbt", "superset"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("target", "logs"))
    file = folder / "crm_2026-11.csv"
    file.write_text("\n".join(";".join(row) for row in (COLUMNS, *rows)) + "\n")
    environment = {
        **os.environ,
        **platform.environment,
        "PYTHONPATH": str(ROOT),
        "GOLDWORKS_CONTRACTS": str(folder / "contracts"),
        "DBT_PROJECT_DIR": str(folder / "dbt"),
        "DBT_PROFILES_DIR": str(folder / "dbt"),
        "DBT_TARGET": "prod",  # Superset reads there
    }

    def run(*command: object, typed: str = "") -> None:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"

    result = folder / "result.json"
    run(sys.executable, "-m", "onboarding", file, "--root", folder, "--result", result, typed=ANSWERS)
    models = folder / "dbt/models"
    run(sys.executable, "dbt/generate.py")
    for script in ("describe.py", "check_assets.py"):
        run(sys.executable, f"superset/{script}", "--assets", folder / "superset/assets", "--models", models)
    [key] = json.loads(result.read_text())["keys"]
    run("goldworks", "deliver", file, key)
    run("goldworks", "load", "--dataset", "crm_orders")
    run("dbt", "build", "--select", "+mart_crm_orders")
    return folder, rows


@pytest.fixture(scope="module")
def answers(platform, onboarded):
    """What each chart of the dashboard shows; afterwards Superset has ours alone."""
    api = SupersetApi(platform.superset_url, platform.superset_user, platform.superset_password)
    assets = onboarded[0] / "superset/assets"
    import_assets(api, assets)
    ours = [
        one for one in read_assets(assets).all if one.kind is Kind.CHART and one.name.startswith("Crm orders")
    ]
    yield {answer.chart: answer for answer in query_charts(api, Assets(tuple(ours)))}
    import_assets(api)


def test_the_headlines_are_the_file_s_own_sums(answers, onboarded) -> None:
    _, rows = onboarded
    amounts = sum(Decimal(row[6].replace(",", ".")) for row in rows)
    found = {name: answer.rows[0] for name, answer in answers.items() if len(answer.rows) == 1}
    assert {answer.error for answer in answers.values()} == {""}
    assert found["Crm orders: rows"] == {"rows_total": len(rows)}
    assert found["Crm orders: quantity"] == {"quantity_total": sum(int(row[5]) for row in rows)}
    assert (
        Decimal(str(found["Crm orders: net amount"]["net_amount_total"])).quantize(Decimal("0.01")) == amounts
    )


def test_each_category_has_its_bar(answers, onboarded) -> None:
    _, rows = onboarded
    bars = {
        row["country"]: int(row["quantity_total"]) for row in answers["Crm orders: quantity by country"].rows
    }
    wanted = {land: sum(int(row[5]) for row in rows if row[2] == land) for land in ("DE", "FR", "IT")}
    assert bars == wanted


def test_no_address_of_a_customer_comes_to_gold(onboarded) -> None:
    gold = "".join(path.read_text() for path in (onboarded[0] / "dbt/models/gold/crm").iterdir())
    assert "customer_e_mail" not in gold
