"""The DAG `bank` on the whole platform: good, broken and corrected drops, a cleared load, a full refresh."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from data_ingestion.landing import Landing, open_landing

pytestmark = pytest.mark.e2e

HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
)
PATIENCE_IN_SECONDS = 420

TABLES = (
    "raw.bank_transactions",
    "raw.bank_transactions__history",
    "silver.int_bank_movements",
    "gold.dim_bank_account",
    "gold.fct_bank_movement",
    "gold.mart_bank_daily_balance",
    "gold.mart_bank_monthly_flow",
    "gold.mart_bank_withdrawals_over_limit",
)


@pytest.fixture
def landing(platform: Any, monkeypatch: pytest.MonkeyPatch) -> Landing:
    for name, value in platform.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return open_landing(platform.environment["GOLDWORKS_LANDING_URL"])


@pytest.fixture
def trigger(platform: Any) -> Callable[..., tuple[str, dict[str, dict[str, Any]]]]:
    """Runs the DAG to its end: the run's state, and its tasks by name."""

    def trigger(**conf: Any) -> tuple[str, dict[str, dict[str, Any]]]:
        run = platform.airflow("POST", "dags/bank/dagRuns", {"logical_date": None, "conf": conf})[
            "dag_run_id"
        ]
        return ended(platform, run)

    return trigger


@pytest.fixture
def broken(landing: Landing) -> Iterator[str]:
    """The key of a drop that its contract refuses; corrected in the end, lest the platform stay red for other tests."""
    key = "bank_transactions/exports/e2e_broken.csv"
    landing.write(key, (HEADER + movement("409000000901", "no day", 1) * 30).encode())
    yield key
    landing.write(key, (HEADER + movement("409000000901", "2026-01-05", 7)).encode())


def movement(account: str, day: str, amount: int) -> str:
    return f"{account}',{day},end to end,,2026-01-05,,{amount}.00,{amount}.00,.\n"


def ended(platform: Any, run: str) -> tuple[str, dict[str, dict[str, Any]]]:
    deadline = time.monotonic() + PATIENCE_IN_SECONDS
    while (state := platform.airflow("GET", f"dags/bank/dagRuns/{run}")["state"]) in ("queued", "running"):
        assert time.monotonic() < deadline, f"{run} is still {state}"
        time.sleep(1)
    tasks = platform.airflow("GET", f"dags/bank/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
    return state, {task["task_id"]: task for task in tasks}


def contents(platform: Any) -> dict[str, Any]:
    """Rows of each table, and a hash of what they say, their order aside.

    Load numbers are left out: a drop that is read again notes its waiting claims anew, under its new load's number.
    """
    query = """
        select count(*), md5(string_agg(said, '|' order by said))
        from (select (to_jsonb(t) - array['_load_id', '_by_load_id'])::text as said from {} as t) as x
    """
    with psycopg.connect(platform.transformer_url) as connection:
        return {name: connection.execute(query.format(name)).fetchone() for name in TABLES}


def balance(platform: Any, account: str) -> str | None:
    with psycopg.connect(platform.transformer_url) as connection:
        query = "select closing_balance_inr::text from gold.dim_bank_account where account_no = %s"
        row = connection.execute(query, [account]).fetchone()
        return row[0] if row else None


def test_each_gold_asset_was_announced_with_its_rows(platform: Any) -> None:
    events = platform.airflow("GET", "assets/events?limit=1000&order_by=timestamp")["asset_events"]
    announced = {
        event["name"]: event["extra"]["rows_written"] for event in events if event["name"].startswith("gold.")
    }
    assert announced
    assert announced == {
        name: rows for name, (rows, _) in contents(platform).items() if name.startswith("gold.")
    }


def test_a_refused_drop_makes_the_run_red_and_keeps_nothing_else_from_gold(
    platform: Any, landing: Landing, trigger: Any, broken: str
) -> None:
    good = "bank_transactions/exports/e2e_good.csv"
    landing.write(good, (HEADER + movement("409000000902", "2026-01-05", 5)).encode())
    state, tasks = trigger()
    assert state == "failed"
    assert (tasks["load"]["state"], tasks["load"]["try_number"]) == (
        "failed",
        1,
    )  # the same bytes, the same end
    assert (tasks["publish"]["state"], tasks["verdict"]["state"]) == ("success", "upstream_failed")
    assert balance(platform, "409000000902") == "5.00"
    assert balance(platform, "409000000901") is None

    landing.write(broken, (HEADER + movement("409000000901", "2026-01-05", 7)).encode())
    state, tasks = trigger()
    assert (state, tasks["verdict"]["state"]) == ("success", "success")
    assert balance(platform, "409000000901") == "7.00"
    # Each model was watched to its end by a task of its own, in one build.
    watchers = [task for name, task in tasks.items() if name.startswith("transform.")]
    assert len(watchers) > 10
    assert {(task["state"], max(task["try_number"], 1)) for task in watchers} == {("success", 1)}


def test_clearing_a_load_with_all_that_follows_changes_no_row(platform: Any) -> None:
    runs = platform.airflow("GET", "dags/bank/dagRuns?limit=100&order_by=-run_after")["dag_runs"]
    for run in (one["dag_run_id"] for one in runs):
        tasks = platform.airflow("GET", f"dags/bank/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
        if any(task["task_id"] == "load" and task["state"] == "success" for task in tasks):
            break
    else:
        pytest.fail("no run has loaded anything")
    before = contents(platform)
    cleared = {
        "dry_run": False,
        "dag_run_id": run,
        "task_ids": ["load"],
        "include_downstream": True,
        "only_failed": False,
    }
    platform.airflow("POST", "dags/bank/clearTaskInstances", cleared)
    state, tasks = ended(platform, run)
    assert (state, tasks["load"]["state"], tasks["load"]["try_number"]) == ("success", "success", 2)
    assert contents(platform) == before


def test_a_full_refresh_reads_and_builds_everything_to_the_same_end(platform: Any, trigger: Any) -> None:
    before = contents(platform)
    state, tasks = trigger(full_refresh=True)
    assert (state, tasks["publish"]["state"]) == ("success", "success")
    build = tasks["transform.dbt_producer_watcher"]
    place = (
        f"dags/bank/dagRuns/{build['dag_run_id']}/taskInstances/{build['task_id']}/logs/{build['try_number']}"
    )
    assert "--full-refresh" in str(platform.airflow("GET", f"{place}?full_content=true")["content"])
    assert contents(platform) == before
