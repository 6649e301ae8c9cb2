"""The DAGs as Airflow sees them, and one run of `bank` by Airflow alone, on a folder and a real warehouse."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data_ingestion.contract import read_contracts
from runtime.postgres import Cluster
from tests.integration.airflow_session import (
    ROOT,
    Settings,
    make_manifest,
    parse_dags,
    places,
    prepare,
    run_dag,
    settings_of,
)

HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
)
# How many loads the models of a domain lag behind a dataset.
BUILT = """
    select domain, dataset, (
        select count(*) from ops.loads l where l.dataset = b.dataset and state = 'loaded' and l.load_id > b.load_id
    ) from ops.builds b order by 1
"""
# CPU seconds to read all DAGs, their packages included: 0.7 for three domains on the machine where it was measured.
PARSE_BUDGET = 3.0
REPORT = """
title: Accounts
tables:
  - {name: accounts, title: Accounts, relation: dim_bank_account, columns: {account_no: Account}, order: [account_no]}
"""
FAULTS = "select domain, dataset, step from ops.faults order by 1, 2"
BALANCES = "select account_no, closing_balance_inr::text from gold.dim_bank_account order by 1"

Run = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of an Airflow that reads contracts and models as they are in this tree."""
    manifest = make_manifest(ROOT / "dbt", tmp_path_factory.mktemp("dbt"))
    return settings_of(tmp_path_factory.mktemp("airflow"), ROOT / "contracts", ROOT / "dbt", manifest)


@pytest.fixture(scope="module")
def parsed(airflow: Settings) -> dict[str, Any]:
    return parse_dags(airflow)


@pytest.fixture(scope="module")
def bank(parsed: dict[str, Any]) -> dict[str, Any]:
    assert "bank" in parsed["dags"], parsed["errors"]
    dag: dict[str, Any] = parsed["dags"]["bank"]
    return dag


def test_every_domain_with_a_contract_is_a_dag_and_so_is_the_platform(parsed: dict[str, Any]) -> None:
    domains = {contract.domain for contract in read_contracts(ROOT / "contracts")}
    assert parsed["errors"] == {}
    assert domains
    assert set(parsed["dags"]) == domains | {"platform"}


def test_a_domain_without_contracts_has_its_models_built_and_loads_nothing(parsed: dict[str, Any]) -> None:
    platform = parsed["dags"]["platform"]
    assert set(platform["params"]) == {"full_refresh"}
    alone = {name for name in platform["tasks"] if not name.startswith("transform.")}
    assert alone == {"make_ledger", "publish"}
    assert platform["tasks"]["transform.dbt_producer_watcher"]["upstream"] == ["make_ledger"]
    assert "gold.mart_platform_datasets" in platform["tasks"]["publish"]["outlets"]


def test_reading_the_dags_needs_no_network_and_no_heavy_package(parsed: dict[str, Any]) -> None:
    assert parsed["reached_for"] == []
    assert parsed["heavy"] == []


def test_reading_the_dags_is_cheap(parsed: dict[str, Any]) -> None:
    """The DAG processor does it twice a minute, and each task before it begins."""
    assert parsed["cpu_seconds"] < PARSE_BUDGET


def test_the_journey_is_one_graph(bank: dict[str, Any]) -> None:
    tasks = bank["tasks"]
    assert tasks["load"]["upstream"] == ["discover"]
    assert tasks["gate"]["upstream"] == ["load"]
    assert tasks["transform.dbt_producer_watcher"]["upstream"] == ["gate"]
    assert {"gate", "transform.dbt_producer_watcher_done"} < set(tasks["publish"]["upstream"])
    assert tasks["profile"]["upstream"] == ["gate", "publish"]
    assert tasks["profile"]["trigger_rule"] == "none_failed"
    assert tasks["verdict"]["upstream"] == ["load", "profile", "publish"]
    assert tasks["verdict"]["trigger_rule"] == "none_failed"
    assert tasks["gate"]["trigger_rule"] == "all_done"


def test_what_is_captured_comes_first_and_its_failure_makes_the_run_fail_without_holding_up_the_rest(
    parsed: dict[str, Any], bank: dict[str, Any]
) -> None:
    tasks = parsed["dags"]["orders"]["tasks"]
    assert tasks["discover"]["upstream"] == ["capture"]
    assert tasks["discover"]["trigger_rule"] == "all_done"
    assert "capture" in tasks["verdict"]["upstream"]
    assert "capture" not in bank["tasks"]


def test_the_lake_is_kept_beside_the_models_where_a_contract_says_so(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["fleet"]["tasks"]
    assert (tasks["archive"]["upstream"], tasks["archive"]["trigger_rule"]) == (["load"], "all_done")
    assert tasks["compact"]["upstream"] == ["archive"]
    assert "compact" in tasks["verdict"]["upstream"]
    for name, task in tasks.items():
        if name not in ("compact", "verdict"):
            assert "archive" not in task["upstream"]
    assert "archive" not in parsed["dags"]["bank"]["tasks"]


def test_every_task_has_an_owner_and_ends_in_time(parsed: dict[str, Any]) -> None:
    for domain, dag in parsed["dags"].items():
        assert {task["owner"] for task in dag["tasks"].values()} == {domain}
        assert [name for name, task in dag["tasks"].items() if not task["timeout"]] == []


def test_what_the_network_can_break_is_tried_again_but_a_build_is_not(bank: dict[str, Any]) -> None:
    retries = {name: task["retries"] for name, task in bank["tasks"].items()}
    assert {retries[name] for name in ("discover", "load", "gate", "publish")} == {2}
    # Cosmos answers a second try of the build by skipping it, which would turn a red run green.
    assert retries["transform.dbt_producer_watcher"] == 0


def test_watchers_leave_a_worker_to_the_build(bank: dict[str, Any]) -> None:
    pools = {
        task["pool"]
        for name, task in bank["tasks"].items()
        if name.startswith("transform.") and "watcher" not in name
    }
    assert pools == {"dbt"}
    assert bank["tasks"]["transform.dbt_producer_watcher"]["pool"] == "default_pool"
    # Deferred watchers lose a race in Airflow 3.3 and fail on a busy machine.
    assert not any(task["deferrable"] for task in bank["tasks"].values())


def test_a_dag_runs_as_often_as_its_contracts_promise_and_never_twice_at_once(bank: dict[str, Any]) -> None:
    assert (bank["schedule"], bank["catchup"], bank["max_active_runs"]) == ("@daily", False, 1)


def test_assets_have_the_same_names_everywhere(bank: dict[str, Any]) -> None:
    assert bank["tasks"]["gate"]["outlets"] == ["raw.bank"]
    assert "gold.mart_bank_daily_balance" in bank["tasks"]["publish"]["outlets"]
    assert bank["tasks"]["publish"]["inlets"] == ["raw.bank_transactions"]


def test_the_form_offers_what_can_match_and_requires_nothing(parsed: dict[str, Any]) -> None:
    chosen_always = {"datasets", "full_listing", "full_refresh", "accept"}
    periods = {"first_period", "last_period"}
    bank, fleet = (parsed["dags"][domain]["params"] for domain in ("bank", "fleet"))
    assert set(bank) == chosen_always  # its files have no periods
    assert set(fleet) == chosen_always | periods
    assert bank["datasets"]["items"]["enum"] == ["bank_transactions"]
    assert "2026-03-31T23" in fleet["first_period"]["description"]
    for end in periods:  # its files have hours
        assert re.search(fleet[end]["pattern"], "2026-03-31T23")
    for schema in (param for dag in parsed["dags"].values() for param in dag["params"].values()):
        assert schema["title"] and schema["description"]
        # Airflow's form holds any other for required, and starts no run while one of these is empty.
        assert "null" in schema["type"]
        assert schema["default"] in (None, False)


@pytest.fixture
def with_a_faulty_contract(tmp_path: Path) -> Path:
    """The contracts of this tree, with a type of the bank's and one of the two of sales misspelt."""
    folder = tmp_path / "contracts"
    shutil.copytree(ROOT / "contracts", folder)
    for name in ("bank/bank_transactions", "sales/transaction_restatements"):
        path = folder / f"{name}.odcs.yaml"
        text = path.read_text()
        assert "logicalType: string" in text
        path.write_text(text.replace("logicalType: string", "logicalType: strnig", 1))
    return folder


def test_a_faulty_contract_is_an_import_error_and_takes_no_dag_away(
    airflow: Settings, parsed: dict[str, Any], with_a_faulty_contract: Path
) -> None:
    found = parse_dags({**airflow, "GOLDWORKS_CONTRACTS": str(with_a_faulty_contract)})
    ((file, error),) = found["errors"].items()
    assert file.endswith("contract_faults.py")
    assert "bank/bank_transactions.odcs.yaml:" in error
    assert "sales/transaction_restatements.odcs.yaml:" in error
    assert error.count("'strnig' is not a logical type") == 2
    assert set(found["dags"]) == set(parsed["dags"])
    # Its domain goes on with the other datasets; one that has none left still builds what raw holds.
    sales, bank = found["dags"]["sales"], found["dags"]["bank"]
    assert sales["params"]["datasets"]["items"]["enum"] == ["customer_transactions"]
    assert set(sales["tasks"]) == set(parsed["dags"]["sales"]["tasks"])
    assert set(bank["tasks"]) == set(parsed["dags"]["bank"]["tasks"])
    assert "`bank_transactions` is left out: its contract is faulty" in bank["doc"]


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    """A folder with one drop of two movements."""
    folder = tmp_path / "landing/bank_transactions"
    folder.mkdir(parents=True)
    (folder / "march.csv").write_text(
        HEADER
        + "712000400355',2026-03-01,opening,,2026-03-01,,1000.00,1000.00,.\n"
        + "712000400355',2026-03-02,rent,,2026-03-02,400.00,,600.00,.\n"
    )
    return tmp_path / "landing"


@pytest.fixture
def run(airflow: Settings, landed: Path, postgres: Cluster, warehouse_database: str) -> Run:
    """Runs the DAG of the bank, and gives the state of every task."""
    settings = {**airflow, **places(postgres, warehouse_database, landed)}
    prepare(settings)

    def run(succeeds: bool = True, conf: dict[str, Any] | None = None, **changed: str) -> dict[str, str]:
        return run_dag("bank", {**settings, **changed}, conf, succeeds=succeeds)

    return run


def test_what_a_failed_build_left_over_is_built_by_the_next_run_and_what_is_built_by_none(
    run: Run, landed: Path, warehouse_url: str, transformer_url: str
) -> None:
    broken = landed / "bank_transactions/broken.csv"
    broken.write_text(HEADER + "712000400356',no day,x,,2026-03-01,,1.00,1.00,.\n" * 30)

    wrong = transformer_url.replace("transformer-test", "wrong")
    refused = run(succeeds=False, AIRFLOW_CONN_TRANSFORMER=wrong)
    assert (refused["load"], refused["gate"], refused["verdict"]) == ("failed", "success", "upstream_failed")
    assert (refused["transform.dbt_producer_watcher"], refused["publish"]) == ("failed", "upstream_failed")
    assert _all(warehouse_url, "select count(*) from raw.bank_transactions") == [(2,)]
    assert _all(warehouse_url, BUILT) == []

    # The drop is refused again, so the run is red, but what is in goes on to gold.
    built = run(succeeds=False)
    assert (built["load"], built["publish"], built["verdict"]) == ("failed", "success", "upstream_failed")
    built_and_counted = [("bank", "bank_transactions", 0), ("profile.bank", "bank_transactions", 0)]
    assert _all(warehouse_url, BUILT) == built_and_counted
    assert _all(transformer_url, BALANCES) == [("712000400355", "600.00")]

    broken.unlink()
    nothing_new = run()
    assert nothing_new["load"] == nothing_new["publish"] == "skipped"
    assert nothing_new["transform.dbt_producer_watcher"] == nothing_new["profile"] == "skipped"
    assert nothing_new["verdict"] == "success"


def test_a_profile_and_a_report_that_failed_are_written_by_the_next_run_though_nothing_is_new(
    run: Run, landed: Path, warehouse_url: str, tmp_path: Path
) -> None:
    reports = tmp_path / "reports/bank"
    reports.mkdir(parents=True)
    (reports / "accounts.yaml").write_text(REPORT)
    in_the_way = tmp_path / "written"
    in_the_way.write_text("a file where a folder should be")
    settings = {"GOLDWORKS_REPORTS": str(reports.parent), "GOLDWORKS_REPORTS_URL": str(in_the_way),
        "AIRFLOW__CORE__MAX_TASK_RETRY_DELAY": "1",  # tried again at once
    }  # fmt: skip

    failed = run(succeeds=False, **settings)
    assert (failed["publish"], failed["verdict"]) == ("success", "upstream_failed")
    assert failed["profile"] == failed["report"] == "failed"

    in_the_way.unlink()
    written = run(**settings)
    assert written["publish"] == written["transform.dbt_producer_watcher"] == "skipped"
    assert written["profile"] == written["report"] == written["verdict"] == "success"
    assert list(in_the_way.glob("*/profiles/bank.html"))
    assert list(in_the_way.glob("*/bank/accounts/latest/accounts.csv"))

    nothing_new = run(**settings)
    assert nothing_new["profile"] == nothing_new["report"] == "skipped"


def _all(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_a_held_correction_makes_runs_red_until_the_form_accepts_it(
    run: Run, landed: Path, warehouse_url: str, airflow: Settings
) -> None:
    march = landed / "bank_transactions/march.csv"
    rows = march.read_text().splitlines(keepends=True)
    march.write_text("".join([*rows, "712000400355',2026-03-03,rent,,2026-03-03,100.00,,500.00,.\n"]))
    run()
    march.write_text("".join(rows[:2]))
    held = run(succeeds=False)
    assert (held["load"], held["publish"], held["verdict"]) == ("success", "skipped", "failed")
    assert "would withdraw 2 of 3 rows" in note_of_last_run(airflow)
    assert _all(warehouse_url, "select count(*) from raw.bank_transactions") == [(3,)]
    accepted = run(conf={"accept": ["bank_transactions/march.csv"]})
    assert (accepted["publish"], accepted["verdict"]) == ("success", "success")
    assert _all(warehouse_url, "select count(*) from raw.bank_transactions") == [(1,)]


def test_a_domain_with_a_faulty_contract_builds_what_raw_holds_and_its_run_is_red_at_its_end(
    run: Run, warehouse_url: str, with_a_faulty_contract: Path, landed: Path, airflow: Settings
) -> None:
    faulty = {"GOLDWORKS_CONTRACTS": str(with_a_faulty_contract)}
    first = run(succeeds=False, **faulty)
    assert (first["discover"], first["load"], first["verdict"]) == ("success", "skipped", "failed")
    assert "'strnig' is not a logical type" in note_of_last_run(airflow)
    assert _all(warehouse_url, FAULTS) == [
        ("bank", "bank_transactions", "contract"),
        ("sales", "transaction_restatements", "contract"),
    ]
    assert _all(warehouse_url, "select count(*) from ops.objects") == [(0,)]

    assert run()["verdict"] == "success"
    assert _all(warehouse_url, FAULTS) == []
    broken = landed / "bank_transactions/april.csv"
    broken.write_text(HEADER + "712000400355',2026-04-01,rent,,2026-04-01,100.00,,500.00,.\n")
    second = run(succeeds=False, **faulty)
    assert (second["load"], second["verdict"]) == ("skipped", "failed")
    assert _all(warehouse_url, "select count(*) from raw.bank_transactions") == [(2,)]


def test_a_choice_that_can_match_nothing_is_refused_before_anything_is_done(
    run: Run, warehouse_url: str, airflow: Settings
) -> None:
    refused = run(succeeds=False, conf={"first_period": "2026-01"})
    assert (refused["discover"], refused["gate"]) == ("failed", "failed")
    assert refused["transform.dbt_producer_watcher"] == "upstream_failed"
    assert _all(warehouse_url, "select to_regclass('ops.loads')::text") == [(None,)]
    assert "periods were chosen, but the paths of these files have none" in note_of_last_run(airflow)
    # As callers of the API said so far that nothing is chosen.
    accepted = run(conf={"datasets": [], "first_period": "", "last_period": "", "full_refresh": False})
    assert accepted["verdict"] == "success"


def note_of_last_run(airflow: Settings) -> str:
    """What its tasks left for the note of the newest run; a scheduler makes it one, and there is none here."""
    with closing(sqlite3.connect(Path(airflow["AIRFLOW_HOME"]) / "airflow.db")) as metadata:
        query = """
            select value from xcom where key = 'note' and run_id = (select run_id from dag_run order by id desc limit 1)
        """
        return "\n".join(str(json.loads(value)) for (value,) in metadata.execute(query))
