"""`goldworks traffic` and `goldworks capture` as the roles of init_source.sql: the owner lives, the other one reads."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from data_ingestion.landing import FolderLanding
from goldworks_samples.traffic import make_traffic
from runtime.postgres import SUPERUSER, Cluster
from tests.integration.airflow_session import VENVS, ran
from tests.integration.capture.source_log import running

ROOT = Path(__file__).resolve().parents[2]
PASSWORDS = {"SHOP_PASSWORD": "shop-test", "CAPTURE_PASSWORD": "capture-test"}

SECRET = "zanzibar"
TASK = """
import os
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from goldworks_dags.domain import Domain
from goldworks_dags.steps import capture
from data_ingestion.contract import read_contracts
contracts = read_contracts(Path(os.environ["GOLDWORKS_CONTRACTS"]))
task = SimpleNamespace(xcom_push=lambda key, value: None)
domain = Domain("orders", tuple(one for one in contracts if one.domain == "orders"), {})
capture(domain, {"params": {}, "ti": task})
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shop(postgres: Cluster) -> Iterator[psycopg.Connection]:
    """The shop's database as its owner, nothing in it yet."""
    for _ in range(2):  # safe to run again
        postgres.psql("-f", str(ROOT / "init_source.sql"), variables=PASSWORDS)
    with psycopg.connect(postgres.url("shop", "shop-test", "shop"), autocommit=True) as session:
        yield session
    with psycopg.connect(postgres.url(SUPERUSER, postgres.password, "shop"), autocommit=True) as chief:
        chief.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = 'shop'"
        )
    with psycopg.connect(postgres.url(SUPERUSER, postgres.password, "postgres"), autocommit=True) as chief:
        chief.execute("drop database shop with (force)")


@pytest.fixture
def settings(postgres: Cluster, landing: FolderLanding) -> dict[str, str]:
    return {
        **os.environ,
        "GOLDWORKS_LANDING_URL": landing.url,
        "GOLDWORKS_CONTRACTS": str(ROOT / "contracts"),
        "GOLDWORKS_SHOP_URL": postgres.url("shop", "shop-test", "shop"),
        "GOLDWORKS_SOURCE_SHOP_URL": postgres.url("capture", "capture-test", "shop"),
        "COLUMNS": "200",
    }


@pytest.fixture
def goldworks(settings: dict[str, str]) -> Run:
    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "data_ingestion", *arguments],
            env={**settings, **changed}, cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run


def captured(landing: FolderLanding) -> list[dict[str, object]]:
    drops = sorted(landing.list_objects("orders/"), key=lambda item: item.key)
    return [json.loads(line) for drop in drops for line in landing.open(drop).read().splitlines()]


def test_a_snapshot_comes_first_then_the_changes_since(goldworks: Run, shop, landing: FolderLanding) -> None:
    assert (
        goldworks("traffic", "--minutes", "5").stdout
        == "traffic     5 minutes simulated; the shop is 5 minutes old\n"
    )
    first = goldworks("capture")
    assert first.returncode == 0, first.stderr
    assert "snapshot of customers, products, orders, order_items: the source has no slot" in first.stdout
    assert {record["op"] for record in captured(landing)} == {"r"}
    held = len(captured(landing))
    goldworks("traffic", "--minutes", "5")
    second = json.loads(goldworks("capture", "--json").stdout)["order_changes"]
    assert second == {"drops": 1, "changes": len(captured(landing)) - held, "notes": [], "alarms": []}
    assert "0 changes in 0 drops" in goldworks("capture").stdout
    (orders,) = shop.execute("select array_agg(order_id order by 1) from orders").fetchone()
    assert {
        r["after"]["order_id"] for r in captured(landing) if r["source_table"] == "orders" and r["after"]
    } >= {*orders}


def test_the_shop_gets_no_older_than_it_was_asked_to(goldworks: Run, shop) -> None:
    assert "3 minutes simulated; the shop is 3 minutes old" in goldworks("traffic", "--until", "3").stdout
    assert "0 minutes simulated; the shop is 3 minutes old" in goldworks("traffic", "--until", "3").stdout


def test_the_status_tells_how_far_the_source_is_captured(goldworks: Run, shop) -> None:
    goldworks("traffic", "--minutes", "2")
    (before,) = json.loads(goldworks("capture", "--status", "--json").stdout)
    assert (before["slot"], before["captured_to"]) == ("none", None)
    goldworks("capture")
    goldworks("traffic", "--minutes", "30")
    (behind,) = json.loads(goldworks("capture", "--status", "--json").stdout)
    goldworks("capture")
    (after,) = json.loads(goldworks("capture", "--status", "--json").stdout)
    assert (after["slot"], after["source"]) == ("reserved", "shop")
    assert after["behind_bytes"] < behind["behind_bytes"]
    assert after["left_bytes"] > after["kept_bytes"]
    assert "bytes until the slot is lost" in goldworks("capture", "--status").stdout


def test_whoever_captures_may_read_the_shop_and_change_nothing(
    postgres: Cluster, goldworks: Run, shop
) -> None:
    goldworks("traffic", "--minutes", "1")
    with psycopg.connect(postgres.url("capture", "capture-test", "shop"), autocommit=True) as session:
        for statement in (
            "delete from orders",
            "create table x ()",
            "alter publication order_changes set table orders",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(postgres.url("capture", "capture-test", "warehouse"))


def test_a_capture_goes_on_until_it_is_interrupted(
    settings: dict[str, str], goldworks: Run, shop, landing
) -> None:
    goldworks("traffic", "--minutes", "1")
    words = [sys.executable, "-m", "data_ingestion", "capture", "--every", "0.2"]
    going = subprocess.Popen(
        words, env=settings, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        assert going.stdout.readline().startswith("snapshot")
        goldworks("traffic", "--minutes", "4")
        deadline = time.monotonic() + 30
        while not any(record["op"] == "c" for record in captured(landing)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        going.send_signal(signal.SIGINT)
        _, complaint = going.communicate(timeout=20)
    finally:
        going.kill()
    assert (going.returncode, complaint) == (0, "")


def test_a_capture_that_goes_on_outlives_a_restart_of_its_source(
    settings: dict[str, str], landing: FolderLanding
) -> None:
    with running({"wal_level": "logical"}) as source:
        url = source.url("postgres", source.password, "postgres")
        make_shop(url)
        going = subprocess.Popen(
            [sys.executable, "-m", "data_ingestion", "capture", "--every", "0.2"],
            env={**settings, "GOLDWORKS_SOURCE_SHOP_URL": url}, cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        try:
            assert going.stdout.readline().startswith("snapshot")
            source.stop()
            assert "order_changes: the source " in going.stderr.readline()  # told while it is away
            source.start()
            while (told := going.stderr.readline()) and "captured again" not in told:
                assert "Traceback" not in told
            assert told
            make_shop(url)
            deadline = time.monotonic() + 30
            while not any(record["op"] == "c" for record in captured(landing)):
                assert time.monotonic() < deadline and going.poll() is None
                time.sleep(0.1)
            going.send_signal(signal.SIGINT)
            _, complaint = going.communicate(timeout=20)
        finally:
            going.kill()
    assert (going.returncode, complaint) == (0, "")


def make_shop(url: str) -> None:
    """Lets a minute of the shop's life go by."""
    with psycopg.connect(url, autocommit=True) as session:
        make_traffic(session, 1, today=date(2026, 1, 6))


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"GOLDWORKS_SOURCE_SHOP_URL": ""}, 5, "GOLDWORKS_SOURCE_SHOP_URL is not set"),
        (
            {"GOLDWORKS_SOURCE_SHOP_URL": "postgresql://capture:word@127.0.0.1:1/shop"},
            5,
            "the source does not answer",
        ),
        ({"GOLDWORKS_CONTRACTS": str(ROOT / "tests/unit")}, 3, "no contract"),
    ],
)
def test_what_keeps_a_capture_from_work_is_told_with_a_way_out(
    goldworks: Run, shop, changed, code, told
) -> None:
    done = goldworks("capture", **changed)
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert "word" not in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def three_sources(settings: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings with contracts of the shop and of two sources that do not answer."""
    contract = (ROOT / "contracts/orders/order_changes.odcs.yaml").read_text()
    assert all(word in contract for word in ("source: shop", "path: orders/", "domain: orders"))
    for name in ("dead", "gone", "shop"):
        text = contract.replace("order_changes", f"{name}_changes").replace("source: shop", f"source: {name}")
        text = text.replace("path: orders/", f"path: {name}/").replace("id: order-", f"id: {name}-")
        folder = tmp_path / "contracts/orders"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}_changes.odcs.yaml").write_text(text)
    dead = "postgresql://capture@127.0.0.1:1/shop"
    contracts = {"GOLDWORKS_CONTRACTS": str(tmp_path / "contracts")}
    return {**settings, **contracts, "GOLDWORKS_SOURCE_DEAD_URL": dead, "GOLDWORKS_SOURCE_GONE_URL": dead}


def test_sources_that_do_not_answer_keep_no_other_from_being_captured(
    goldworks: Run, shop, three_sources: dict[str, str]
) -> None:
    goldworks("traffic", "--minutes", "1")
    make_publication(shop)
    done = goldworks("capture", **three_sources)
    assert done.returncode == 5
    assert "dead_changes: the source does not answer" in done.stderr
    assert "gone_changes: the source does not answer" in done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()][-1] == ["capture", "shop_changes"]


def test_the_task_of_a_dag_fails_when_it_has_captured_every_source_that_answers(
    goldworks: Run, shop, three_sources: dict[str, str], landing: FolderLanding, tmp_path: Path
) -> None:
    goldworks("traffic", "--minutes", "1")
    make_publication(shop)
    connections = {
        f"AIRFLOW_CONN_SOURCE_{name}": three_sources[f"GOLDWORKS_SOURCE_{name}_URL"]
        for name in ("DEAD", "GONE", "SHOP")
    }
    done = task(tmp_path, three_sources, **connections)
    assert "gone_changes: the source does not answer" in done.stderr and done.returncode
    assert [item.key.split("/")[0] for item in landing.list_objects()] == ["shop"]


def make_publication(shop: psycopg.Connection) -> None:
    """Whoever captures may not make one."""
    shop.execute("create publication shop_changes for table customers, products, orders, order_items")


def test_a_source_without_the_tables_says_which_are_missing(goldworks: Run, shop) -> None:
    done = goldworks("capture")
    assert done.returncode == 5
    assert (
        "the source has no table public.customers, public.products, public.orders, public.order_items"
        in done.stderr
    )


def told(log: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_each_capture_tells_its_counts_and_no_value(goldworks: Run, shop) -> None:
    goldworks("traffic", "--minutes", "1")
    shop.execute("update customers set customer_name = %s", [SECRET])
    snapshot = goldworks("capture", "--json", GOLDWORKS_LOG="-")
    shop.execute("update customers set customer_address = %s", [SECRET])
    shop.execute("truncate order_items")
    changes = goldworks("capture", "--json", GOLDWORKS_LOG="-")
    for done, alarms in ((snapshot, 0), (changes, 1)):
        (line,) = told(done.stderr)
        report = json.loads(done.stdout)["order_changes"]
        assert (line["step"], line["outcome"], line["dataset"]) == ("capture", "done", "order_changes")
        assert (line["drops"], line["changes"], line["alarms"]) == (1, report["changes"], alarms)
        assert SECRET not in done.stderr
    assert line["left_bytes"] > line["kept_bytes"] >= line["behind_bytes"] > 0
    shop.execute("drop publication order_changes; drop table order_items")
    failed, command = told(goldworks("capture", GOLDWORKS_LOG="-").stderr)
    assert (failed["step"], failed["outcome"], failed["error"]) == ("capture", "failed", "OperatorFault")
    assert command["step"] == "command"


def test_the_task_of_a_dag_tells_it_to_its_log_and_where_the_variable_says(
    settings: dict[str, str], goldworks: Run, shop, tmp_path: Path
) -> None:
    goldworks("traffic", "--minutes", "1")
    log = tmp_path / "steps.jsonl"
    source = settings["GOLDWORKS_SOURCE_SHOP_URL"]
    done = task(tmp_path, settings, AIRFLOW_CONN_SOURCE_SHOP=source, GOLDWORKS_LOG=str(log))
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = told(log.read_text())
    assert (line["step"], line["dataset"], line["drops"]) == ("capture", "order_changes", 1)
    assert json.dumps(line) in done.stdout


def task(folder: Path, settings: dict[str, str], **connections: str) -> subprocess.CompletedProcess[str]:
    """The DAG's task `capture`, run by Airflow's Python."""
    return ran([VENVS / "airflow/bin/python", "-c", TASK], {
        "AIRFLOW_HOME": str(folder / "airflow"), "AIRFLOW_CONFIG": str(ROOT / "airflow/airflow.cfg"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow/airflow.db",
        "GOLDWORKS_LANDING_URL": settings["GOLDWORKS_LANDING_URL"],
        "GOLDWORKS_CONTRACTS": settings["GOLDWORKS_CONTRACTS"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'airflow/dags'}", **connections,
    })  # fmt: skip
