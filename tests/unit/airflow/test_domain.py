import json
from dataclasses import replace
from pathlib import Path

import pytest
from goldworks_dags.domain import (
    Domain,
    ManifestMissing,
    domains,
    models_by_domain,
    read_manifest,
    schedule_within,
)

from data_ingestion.contract import read_contract

CONTRACT = Path(__file__).resolve().parents[3] / "contracts/bank/bank_transactions.odcs.yaml"


def node(path: str, resource_type: str = "model") -> dict[str, str]:
    return {"resource_type": resource_type, "name": Path(path).stem, "original_file_path": path}


@pytest.mark.parametrize(
    ("hours", "schedule"),
    [
        (1, "@hourly"),
        (5, "@hourly"),
        (6, "0 */6 * * *"),
        (24, "@daily"),
        (36, "@daily"),
        (168, "@weekly"),
        (9999, "@weekly"),
    ],
)
def test_a_domain_is_looked_at_as_seldom_as_its_freshness_allows(hours: int, schedule: str) -> None:
    assert schedule_within(hours) == schedule


def test_the_strictest_contract_of_a_domain_sets_its_schedule() -> None:
    daily = read_contract(CONTRACT)
    hourly = replace(daily, dataset="rates", warn_after_hours=2)
    assert Domain("bank", (daily,), {}).schedule == "@daily"
    assert Domain("bank", (daily, hourly), {}).schedule == "@hourly"


def test_the_sales_are_looked_at_by_the_hour() -> None:
    contracts = tuple(read_contract(path) for path in sorted((CONTRACT.parents[1] / "sales").iterdir()))
    assert len(contracts) == 2
    assert Domain("sales", contracts, {}).schedule == "@hourly"


def test_a_domain_that_promises_nothing_is_looked_at_daily() -> None:
    silent = replace(read_contract(CONTRACT), warn_after_hours=None)
    assert Domain("bank", (silent,), {}).schedule == "@daily"


def test_models_belong_to_the_domain_whose_folder_they_lie_in() -> None:
    manifest = {
        "nodes": {
            "a": node("models/gold/bank/mart_balance.sql"),
            "b": node("models/gold/bank/dim_account.sql"),
            "c": node("models/bronze/bank/stg_movements.sql"),
            "d": node("models/silver/web/int_visits.sql"),
            "e": node("models/gold/bank/unique_account.yml", "test"),
            "f": node("models/elsewhere/bank/x.sql"),
            "g": node("models/gold/calendar.sql"),
        }
    }
    assert models_by_domain(manifest) == {
        "bank": {"bronze": ("stg_movements",), "gold": ("dim_account", "mart_balance")},
        "web": {"silver": ("int_visits",)},
    }


def test_a_missing_manifest_tells_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing, match=r"manifest\.json: not there.*\n  run `dbt parse"):
        read_manifest(tmp_path / "manifest.json")


def test_domains_come_from_the_contracts_even_without_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"nodes": {}}))
    monkeypatch.setenv("GOLDWORKS_DBT_MANIFEST", str(manifest))
    monkeypatch.setenv("GOLDWORKS_CONTRACTS", str(CONTRACT.parents[1]))
    found = {domain.name: domain for domain in domains()}
    assert found["bank"].datasets == ("bank_transactions",)
    assert found["bank"].models == {}
