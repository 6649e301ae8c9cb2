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
def account() -> str:
    """An account that no drop has brought yet, also on a platform that is tested again and again."""
    return f"4090{time.time_ns() // 1000 % 10**8:08}"


@pytest.fixture
def broken(landing: Landing) -> Iterator[str]:
    """The key of a drop that its contract refuses; good in the end, lest the platform stay red for other tests."""
    key = "bank_transactions/exports/e2e_broken.csv"
    landing.write(key, (HEADER + movement("712000000900", "no day", 1) * 30).encode())
    yield key
    landing.write(key, (HEADER + movement("712000000900", "2026-01-05", 1)).encode())


def movement(account: str, day: str, amount: int) -> str:
    return f"{account}',{day},end to end,,{day},,{amount}.00,{amount}.00,.\n"


def cleared(platform: Any, task: dict[str, Any]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Clears a task with all that follows, and waits for the end of its run."""
    chosen = {"dag_run_id": task["dag_run_id"], "task_ids": [task["task_id"]], "include_downstream": True}
    platform.airflow(
        "POST", "dags/bank/clearTaskInstances", {"dry_run": False, "only_failed": False, **chosen}
    )
    return ended(platform, task["dag_run_id"])


def ended(platform: Any, run: str) -> tuple[str, dict[str, dict[str, Any]]]:
    deadline = time.monotonic() + PATIENCE_IN_SECONDS
    while (state := platform.airflow("GET", f"dags/bank/dagRuns/{run}")["state"]) in ("queued", "running"):
        assert time.monotonic() < deadline, f"{run} is still {state}"
        time.sleep(1)
    return state, tasks_of(platform, run)


def tasks_of(platform: Any, run: str) -> dict[str, dict[str, Any]]:
    """Task instances by name; of a mapped task, one."""
    tasks = platform.airflow("GET", f"dags/bank/dagRuns/{run}/taskInstances?limit=1000")["task_instances"]
    return {task["task_id"]: task for task in tasks}


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
    platform: Any, landing: Landing, trigger: Any, broken: str, account: str
) -> None:
    good = "bank_transactions/exports/e2e_good.csv"
    landing.write(good, (HEADER + movement(account, "2026-01-05", 5)).encode())
    state, tasks = trigger()
    assert state == "failed"
    assert tasks["load"]["state"] == "failed"
    assert tasks["load"]["try_number"] == 1  # the same bytes would come to the same end
    assert (tasks["publish"]["state"], tasks["verdict"]["state"]) == ("success", "upstream_failed")
    assert balance(platform, account) == "5.00"

    landing.write(broken, (HEADER + movement(account, "2026-01-06", 7)).encode())
    state, tasks = trigger()
    assert (state, tasks["verdict"]["state"]) == ("success", "success")
    assert balance(platform, account) == "7.00"
    # Each model was watched to its end by a task of its own, in one build.
    watchers = [task for name, task in tasks.items() if name.startswith("transform.")]
    assert len(watchers) > 10
    assert {(task["state"], max(task["try_number"], 1)) for task in watchers} == {("success", 1)}


def test_a_cleared_load_brings_nothing_twice_and_what_it_brings_is_built_as_a_whole(
    platform: Any, landing: Landing, trigger: Any, account: str
) -> None:
    key = "bank_transactions/exports/e2e_cleared.csv"
    landing.write(key, (HEADER + movement(account, "2026-01-07", 3)).encode())
    state, tasks = trigger()
    assert state == "success"
    before = contents(platform)

    assert cleared(platform, tasks["load"])[0] == "success"
    assert contents(platform) == before

    # The object is another than the one that was planned: it is read as it lies there now.
    landing.write(key, (HEADER + movement(account, "2026-01-07", 40)).encode())
    state, tasks = cleared(platform, tasks["load"])
    assert (state, balance(platform, account)) == ("success", "40.00")
    # Cosmos would skip this second build, and run each model alone.
    build = tasks["transform.dbt_producer_watcher"]
    assert (build["state"], build["try_number"]) == ("success", 2)


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
