"""Onboarding: from a file to contract, models and dashboard, which fit each other and are not written over."""

import io
import json
import sys
from pathlib import Path

import pytest
import yaml

from data_ingestion.contract import read_contract
from onboarding.__main__ import main

sys.path[:0] = [str(Path(__file__).parents[3] / part) for part in ("dbt", "superset")]

import check_assets  # noqa: E402
import describe  # noqa: E402
import generate  # noqa: E402
from asset_files import Kind, read_assets  # noqa: E402
from chart_queries import query_context  # noqa: E402

ROOT = Path(__file__).parents[3]
FILE = "Order No;Ordered At;Order;Channel;Amount\n" + "".join(
    f"A{n};{1 + n % 28:02}.01.2026 10:15;{'abc'[n % 3]};{'ws'[n % 2]};{n},50\n" for n in range(60)
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "superset/assets/databases").mkdir(parents=True)
    for part in ("metadata.yaml", "databases/warehouse.yaml"):
        (tmp_path / "superset/assets" / part).write_bytes((ROOT / "superset/assets" / part).read_bytes())
    (tmp_path / "orders_2026-01.csv").write_text(FILE)
    return tmp_path


def onboard(root: Path, *options: str, answers: str | None = None, monkeypatch=None) -> int:
    if answers is not None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
    files = [str(root / "orders_2026-01.csv")]
    return main([*files, "--root", str(root), *([] if answers is not None else ["--yes"]), *options])


def written(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()
    }


def test_what_is_written_fits_together(root):
    assert onboard(root) == 0
    contracts, project, assets = root / "contracts", root / "dbt", root / "superset/assets"
    assert generate.main(["--contracts", str(contracts), "--project", str(project)]) == 0
    options = ["--assets", str(assets), "--models", str(project / "models")]
    assert describe.main(options) == 0
    assert check_assets.main(options) == 0
    for chart in read_assets(assets).of(Kind.CHART):
        assert query_context(chart, 1)["queries"]
    silver = (project / "models/silver/orders/int_orders.sql").read_text()
    assert '"order"' in silver, "a word of SQL stands between quotes"


def test_the_answers_are_what_is_written(root, monkeypatch, tmp_path):
    answers = "sales_orders\nshop\n\n\nEurope/Nowhere\nEurope/Berlin\nordered_at\nno_such\nchannel\namount\n"
    result = tmp_path / "result.json"
    assert onboard(root, f"--result={result}", answers=answers, monkeypatch=monkeypatch) == 0
    contract = read_contract(root / "contracts/shop/sales_orders.odcs.yaml")
    assert contract.key.columns == ("order_no",)
    assert 'timeZone, value: "Europe/Berlin"' in contract.path.read_text()
    model = yaml.safe_load((root / "dbt/models/gold/shop/_shop_sales_orders__gold.yml").read_text())[
        "models"
    ][0]
    assert [column["name"] for column in model["columns"]] == ["day", "channel", "row_count", "amount_total"]
    assert json.loads(result.read_text()) == {
        "domain": "shop",
        "dataset": "sales_orders",
        "slug": "shop",
        "keys": ["sales_orders/orders_2026-01.csv"],
    }


def test_a_second_run_changes_nothing(root):
    onboard(root)
    before = written(root)
    assert onboard(root) == 0
    assert written(root) == before


def test_what_a_person_changed_stays(root):
    onboard(root)
    mart = root / "dbt/models/gold/orders/mart_orders.sql"
    mart.write_text("select 1 as mine\n")
    onboard(root)
    assert mart.read_text() == "select 1 as mine\n"


def test_a_second_dataset_of_a_domain_has_a_dashboard_of_its_own(root):
    onboard(root, "--domain=shop", "--dataset=orders")
    first = written(root)
    onboard(root, "--domain=shop", "--dataset=returns")
    assert first.items() <= written(root).items()
    assert (root / "superset/assets/dashboards/shop_returns.yaml").exists()


def test_a_person_may_stop_to_settle_the_contract(root, monkeypatch):
    (root / "orders_2026-01.csv").write_text("customer_id;name\n1;a\n2;b\n3;c\n")
    answers = "\n\n\n\nno\n"
    assert onboard(root, answers=answers, monkeypatch=monkeypatch) == 0
    assert (root / "contracts/orders/orders.odcs.yaml").exists() and not (root / "dbt").exists()


def test_a_file_of_nothing_that_a_contract_reads_is_refused(root, capsys):
    (root / "orders_2026-01.csv").write_bytes(b"")
    assert onboard(root) == 2
    assert "the file is empty" in capsys.readouterr().err
