import json
from dataclasses import replace
from pathlib import Path

import pytest
from goldworks_dags.domain import (
    Domain,
    ManifestMissing,
    domains,
    models_by_domain,
    schedule_within,
)

from data_ingestion.contract import Contract, read_contract

CONTRACT = Path(__file__).resolve().parents[3] / "contracts/bank/bank_transactions.odcs.yaml"


def node(path: str, resource_type: str = "model") -> dict[str, object]:
    return {
        "resource_type": resource_type, "name": Path(path).stem, "original_file_path": path, "schema": "s",
        "columns": {},
    }  # fmt: skip


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


DAILY = read_contract(CONTRACT)


def schedules(*contracts: Contract) -> tuple[str, ...]:
    return Domain("bank", contracts, {}).schedules


def test_the_strictest_freshness_of_a_domain_sets_its_schedule() -> None:
    hourly = replace(DAILY, dataset="rates", warn_after_hours=2)
    assert schedules(DAILY) == ("@daily",)
    assert schedules(DAILY, hourly) == ("@hourly",)


def test_the_sales_are_looked_at_by_the_hour() -> None:
    contracts = tuple(read_contract(path) for path in sorted((CONTRACT.parents[1] / "sales").iterdir()))
    assert len(contracts) == 2
    assert schedules(*contracts) == ("@hourly",)


def test_a_domain_that_promises_nothing_is_looked_at_daily() -> None:
    silent = replace(DAILY, warn_after_hours=None)
    assert schedules(silent) == ("@daily",)
    assert schedules() == ("@daily",)


def test_a_dataset_runs_by_its_own_schedule_and_not_by_its_freshness() -> None:
    assert schedules(replace(DAILY, schedule="0 6 * * 1-5")) == ("0 6 * * 1-5",)


def test_a_domain_runs_whenever_one_of_its_datasets_asks() -> None:
    rates = replace(DAILY, dataset="rates", schedule="0 6 * * *")
    branches = replace(DAILY, dataset="branches", schedule="@monthly")
    assert schedules(DAILY, rates, branches) == ("0 6 * * *", "@daily", "@monthly")
    assert schedules(rates, replace(rates, dataset="others")) == ("0 6 * * *",)


def test_a_dataset_that_says_nothing_asks_for_no_run_beside_one_that_does() -> None:
    silent = replace(DAILY, dataset="branches", warn_after_hours=None)
    assert schedules(replace(DAILY, schedule="@weekly"), silent) == ("@weekly",)


def test_a_domain_runs_by_hand_only_when_all_its_datasets_say_never() -> None:
    never = replace(DAILY, schedule="never")
    silent = replace(DAILY, dataset="branches", warn_after_hours=None)
    assert schedules(never) == ()
    assert schedules(never, replace(DAILY, dataset="rates", schedule="@hourly")) == ("@hourly",)
    assert schedules(never, silent) == ("@daily",)


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


def test_a_missing_manifest_tells_how_to_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDWORKS_DBT_MANIFEST", str(tmp_path / "manifest.json"))
    with pytest.raises(ManifestMissing, match=r"manifest\.json: missing.*\n  run `dbt parse"):
        domains()


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
