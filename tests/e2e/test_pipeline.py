"""The DAGs on the whole platform: good, broken, corrected and withdrawn drops, a cleared load, a full refresh."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from data_ingestion.landing import Landing, open_landing

pytestmark = pytest.mark.e2e

HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
)
PATIENCE_IN_SECONDS = 420

Tasks = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Dag:
    """A domain's DAG on the platform, and the tables that it fills."""

    platform: Any
    name: str
    tables: str  # what their names match

    def trigger(self, **conf: Any) -> tuple[str, Tasks]:
        """Runs it to its end: the run's state, and its tasks by name; of a mapped task, one."""
        asked = {"logical_date": None, "conf": conf}
        return self.ended(self.platform.airflow("POST", f"dags/{self.name}/dagRuns", asked)["dag_run_id"])

    def clear(self, task: dict[str, Any]) -> tuple[str, Tasks]:
        """Clears a task with all that follows, and waits for the end of its run."""
        chosen = {"dag_run_id": task["dag_run_id"], "task_ids": [task["task_id"]], "include_downstream": True}
        self.platform.airflow(
            "POST",
            f"dags/{self.name}/clearTaskInstances",
            {"dry_run": False, "only_failed": False, **chosen},
        )
        return self.ended(task["dag_run_id"])

    def ended(self, run: str) -> tuple[str, Tasks]:
        deadline = time.monotonic() + PATIENCE_IN_SECONDS
        while (state := self.run(run)["state"]) in ("queued", "running"):
            assert time.monotonic() < deadline, f"{run} is still {state}"
            time.sleep(1)
        place = f"dags/{self.name}/dagRuns/{run}/taskInstances?limit=1000"
        return state, {
            task["task_id"]: task for task in self.platform.airflow("GET", place)["task_instances"]
        }

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.platform.airflow("GET", f"dags/{self.name}/dagRuns/{run}")
        return found

    def contents(self) -> dict[str, Any]:
        """Rows of each table, and a hash of what they say, their order aside.

        What tells one load from another is left out: a drop that is read again has a new load's number and time.
        """
        tables = """
            select schemaname, tablename from pg_tables
            where schemaname in ('raw', 'silver', 'gold') and tablename ~ %s order by 1, 2
        """
        said = sql.SQL("""
            select count(*), md5(string_agg(said, '|' order by said))
            from (select (to_jsonb(t) - array['_load_id', '_by_load_id', 'loaded_at'])::text as said from {} as t) as x
        """)
        with psycopg.connect(self.platform.transformer_url) as connection:
            names = connection.execute(tables, [self.tables]).fetchall()
            return {
                ".".join(name): connection.execute(said.format(sql.Identifier(*name))).fetchone()
                for name in names
            }


@pytest.fixture
def landing(platform: Any, monkeypatch: pytest.MonkeyPatch) -> Landing:
    for name, value in platform.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return open_landing(platform.environment["GOLDWORKS_LANDING_URL"])


@pytest.fixture
def bank(platform: Any) -> Dag:
    return Dag(platform, "bank", "bank")


@pytest.fixture
def web(platform: Any) -> Dag:
    return Dag(platform, "web", "web|^events")


@pytest.fixture
def fleet(platform: Any) -> Dag:
    return Dag(platform, "fleet", "fleet|^vehicle_events")


@pytest.fixture
def sales(platform: Any) -> Dag:
    return Dag(platform, "sales", "sales|^missing_quantity|^customer_transactions|^transaction_restatements")


@pytest.fixture
def account() -> str:
    """An account that no drop has brought yet, also on a platform that is tested again and again."""
    return f"4090{time.time_ns() // 1000 % 10**8:08}"


@pytest.fixture
def broken(landing: Landing, account: str) -> Iterator[str]:
    """The key of a drop that its contract refuses; good in the end, lest the platform stay red for other tests.

    The end keeps the row that a test may have mended it with: a correction that withdraws all of it would be held.
    """
    key = "bank_transactions/exports/e2e_broken.csv"
    landing.write(key, (HEADER + movement("712000000900", "no day", 1) * 30).encode())
    yield key
    landing.write(key, mended(account))


def movement(account: str, day: str, amount: int) -> str:
    return f"{account}',{day},end to end,,{day},,{amount}.00,{amount}.00,.\n"


def mended(account: str) -> bytes:
    return (HEADER + movement(account, "2026-01-06", 7)).encode()


def balance(platform: Any, account: str) -> str | None:
    with psycopg.connect(platform.transformer_url) as connection:
        query = "select closing_balance_inr::text from gold.dim_bank_account where account_no = %s"
        row = connection.execute(query, [account]).fetchone()
        return row[0] if row else None


def test_each_gold_asset_was_announced_with_its_rows(
    platform: Any, bank: Dag, fleet: Dag, sales: Dag, web: Dag
) -> None:
    events = platform.airflow("GET", "assets/events?limit=1000&order_by=timestamp")["asset_events"]
    announced = {
        event["name"]: event["extra"]["rows_written"] for event in events if event["name"].startswith("gold.")
    }
    held = {name: rows for dag in (bank, fleet, sales, web) for name, (rows, _) in dag.contents().items()}
    gold = {name: rows for name, rows in held.items() if name.startswith("gold.")}
    assert {name: announced.get(name) for name in gold} == gold
    # those of orders change as the shop lives, the platform's is a view
    assert {name.split("_")[1] for name in announced.keys() - gold.keys()} == {"orders", "platform"}


def test_a_refused_drop_makes_the_run_red_and_keeps_nothing_else_from_gold(
    platform: Any, landing: Landing, bank: Dag, broken: str, account: str
) -> None:
    good = "bank_transactions/exports/e2e_good.csv"
    landing.write(good, (HEADER + movement(account, "2026-01-05", 5)).encode())
    state, tasks = bank.trigger()
    assert state == "failed"
    assert tasks["load"]["state"] == "failed"
    assert tasks["load"]["try_number"] == 1  # the same bytes would come to the same end
    assert (tasks["publish"]["state"], tasks["verdict"]["state"]) == ("success", "upstream_failed")
    assert balance(platform, account) == "5.00"

    landing.write(broken, mended(account))
    state, tasks = bank.trigger()
    assert (state, tasks["verdict"]["state"]) == ("success", "success")
    assert balance(platform, account) == "7.00"
    # Each model was watched to its end by a task of its own, in one build.
    watchers = [task for name, task in tasks.items() if name.startswith("transform.")]
    assert len(watchers) > 10
    assert {(task["state"], max(task["try_number"], 1)) for task in watchers} == {("success", 1)}


def test_a_cleared_load_brings_nothing_twice_and_what_it_brings_is_built_as_a_whole(
    platform: Any, landing: Landing, bank: Dag, account: str
) -> None:
    key = "bank_transactions/exports/e2e_cleared.csv"
    landing.write(key, (HEADER + movement(account, "2026-01-07", 3)).encode())
    state, tasks = bank.trigger()
    assert state == "success"
    before = bank.contents()

    assert bank.clear(tasks["load"])[0] == "success"
    assert bank.contents() == before

    # The object is another than the one that was planned: it is read as it lies there now.
    more = movement(account, "2026-01-07", 3) + movement(account, "2026-01-07", 40)
    landing.write(key, (HEADER + more).encode())
    state, tasks = bank.clear(tasks["load"])
    assert (state, balance(platform, account)) == ("success", "40.00")
    # Cosmos would skip this second build, and run each model alone.
    build = tasks["transform.dbt_producer_watcher"]
    assert (build["state"], build["try_number"]) == ("success", 2)


def test_a_withdrawn_month_leaves_gold_and_its_return_leaves_no_trace(platform: Any, web: Dag) -> None:
    newest = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    before, key = gold_of(web), f"{newest:%Y/%m}/events.csv"
    platform.run("goldworks", "withdraw", key)
    state, tasks = web.trigger()
    assert (state, tasks["load"]["state"], tasks["publish"]["state"]) == ("success", "skipped", "success")
    without = gold_of(web)
    assert without["gold.fct_web_event"][0] < before["gold.fct_web_event"][0]
    assert without["gold.mart_web_events_monthly"] != before["gold.mart_web_events_monthly"]

    platform.run("goldworks", "withdraw", "--undo", key)
    state, tasks = web.trigger()
    assert (state, tasks["load"]["state"]) == ("success", "success")
    assert gold_of(web) == before


def test_a_run_with_nothing_new_ends_in_half_a_minute_without_dbt(web: Dag) -> None:
    seconds = []
    while not seconds or (min(seconds) > 30 and len(seconds) < 3):  # a machine may be busy once
        state, tasks = web.trigger()
        assert state == "success"
        worked = {name for name, task in tasks.items() if task["state"] != "skipped"}
        assert worked == {"discover", "gate", "verdict"}
        run = web.run(tasks["gate"]["dag_run_id"])
        took = datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["start_date"])
        seconds.append(took.total_seconds())
    assert min(seconds) <= 30


def test_a_full_refresh_reads_and_builds_everything_to_the_same_end(platform: Any, bank: Dag) -> None:
    before = bank.contents()
    state, tasks = bank.trigger(full_refresh=True)
    assert (state, tasks["publish"]["state"]) == ("success", "success")
    build = tasks["transform.dbt_producer_watcher"]
    place = (
        f"dags/bank/dagRuns/{build['dag_run_id']}/taskInstances/{build['task_id']}/logs/{build['try_number']}"
    )
    assert "--full-refresh" in str(platform.airflow("GET", f"{place}?full_content=true")["content"])
    assert bank.contents() == before


def gold_of(dag: Dag) -> dict[str, Any]:
    return {name: said for name, said in dag.contents().items() if name.startswith("gold.")}
