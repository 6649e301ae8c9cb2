"""The containers as their users and an attacker meet them, and what becomes of a run whose parts are killed."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

ROOT = Path(__file__).resolve().parents[2]
DOMAINS = ("bank", "fleet", "orders", "sales", "web")
DROPS, ROWS_A_DROP = 2600, 3  # more than five batches
LAND = """
import sys
from data_ingestion.landing import open_landing
landing, header = open_landing(sys.argv[1]), sys.argv[2]
for drop in range(int(sys.argv[3])):
    rows = "".join(f"{808000000000 + drop}',2026-02-0{day},PAID IN,,2026-02-0{day},,{drop + 1}.00,{drop + 1}.00,.\\n"
                   for day in range(1, int(sys.argv[4]) + 1))
    landing.write(f"bank_transactions/exports/many/{drop:05}.csv", (header + rows).encode())
"""
HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
)


def land(stack, drops: int, rows: int) -> None:
    """So many drops of so many movements each; fewer or more rows than before are a correction."""
    python, landing = "/opt/venvs/airflow/bin/python", stack.settings.landing
    stack.inside(
        "airflow-scheduler", "with_secrets", python, "-c", LAND, landing, HEADER, str(drops), str(rows)
    )


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def inspected(stack) -> list[dict]:
    running = [one.id for one in stack.compose.containers() if one.state == "running"]
    return json.loads(docker("inspect", *running))


def test_all_are_healthy_and_every_one_shot_did_its_work(stack) -> None:
    found = {one.service: one.state_text for one in stack.compose.containers()}
    assert found == {
        **dict.fromkeys(
            ("postgres", "s3", "airflow-api", "airflow-scheduler", "airflow-dags", "superset"), "healthy"
        ),
        **dict.fromkeys(
            ("postgres-init", "s3-init", "samples", "traffic", "airflow-init", "superset-init", "dashboards"),
            "done",
        ),
    }


def test_a_shell_is_told_where_the_containers_are_though_no_environment_is_on_this_machine(stack) -> None:
    told = stack.runtime("env")
    assert f"export SUPERSET_URL=http://127.0.0.1:{stack.settings.port('GOLDWORKS_SUPERSET_PORT')}" in told
    assert "AWS_ENDPOINT_URL" not in told, "the local S3 server has no port here"


def test_the_first_up_ran_every_dag_and_gold_has_their_rows(stack) -> None:
    for domain in DOMAINS:
        runs = stack.api.ask("GET", f"/api/v2/dags/{domain}/dagRuns")["dag_runs"]
        # The schedule may start one while `make up` unpauses the DAG; that is then the one it follows.
        states = {run["state"] for run in runs}
        assert "success" in states and "failed" not in states, (domain, states)
    [(read, kept, raw)] = stack.query("""
        select sum(rows_read), sum(inserted),
            (select count(*) from raw.bank_transactions) + (select count(*) from raw.events)
            + (select count(*) from raw.customer_transactions) + (select count(*) from raw.transaction_restatements)
            + (select count(*) from raw.vehicle_events) + (select count(*) from raw.order_changes)
        from ops.loads where state = 'loaded'
    """)
    assert read > kept == raw > 200_000
    for table in ("gold.fct_bank_movement", "gold.fct_sales_transaction", "gold.fct_web_event"):
        assert stack.query(f"select count(*) from {table}")[0][0] > 5_000


def test_the_dashboards_show_the_rows_of_gold_in_a_browser(stack) -> None:
    """The same tests as those of the embedded platform, but for the filters."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_dashboards.py", "-k", "not filter"],
        cwd=ROOT, env={**os.environ, "GOLDWORKS_TEST_PLATFORM": str(stack.home)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert "skipped" not in done.stdout or "no Chromium" in done.stdout


def test_no_main_process_is_root_and_none_can_become_it(stack) -> None:
    for one in inspected(stack):
        users = docker("top", one["Id"], "-eo", "uid,pid").split("\n")[1:]
        assert "0" not in {line.split()[0] for line in users if line}, one["Name"]
        assert one["HostConfig"]["CapDrop"] == ["ALL"], one["Name"]
        assert one["HostConfig"]["ReadonlyRootfs"], one["Name"]


def test_nothing_is_published_beyond_this_machine_and_the_s3_server_nowhere(stack) -> None:
    published = {
        one["Config"]["Labels"]["com.docker.compose.service"]: binding["HostIp"]
        for one in inspected(stack)
        for bindings in one["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    }
    assert published == dict.fromkeys(("postgres", "airflow-api", "superset"), "127.0.0.1")


def test_only_who_reads_the_landing_reaches_the_s3_server(stack) -> None:
    """It checks no login."""
    ask = "import urllib.request as r; print(r.urlopen('http://s3:9000/', timeout=5).status)"
    assert stack.inside("airflow-scheduler", "python3", "-c", ask).strip() == "200"
    told = stack.compose.ask("exec", "--no-TTY", "superset", "bash", "-c", f'python3 -c "{ask}" 2>&1 || true')
    assert "not known" in told or "resolution" in told


@pytest.mark.parametrize("password", ["postgres", "loader", "password", "admin", "goldworks", "airflow", ""])
def test_no_default_password_opens_a_door(stack, password: str) -> None:
    settings = stack.settings
    port = settings.port("GOLDWORKS_PG_PORT")
    for role in ("postgres", "loader", "transformer", "reporter", "dev_loader", "airflow", "superset"):
        with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|no password"):
            psycopg.connect(host="127.0.0.1", port=port, user=role, password=password, dbname="warehouse")
    airflow = f"http://127.0.0.1:{settings.port('GOLDWORKS_AIRFLOW_PORT')}/auth/token"
    superset = f"http://127.0.0.1:{settings.port('GOLDWORKS_SUPERSET_PORT')}/api/v1/security/login"
    for user in ("admin", "airflow"):
        login = {"username": user, "password": password or "x"}
        assert refused(airflow, login)
        assert refused(superset, {**login, "provider": "db"})


def refused(url: str, login: dict[str, str]) -> bool:
    request = urllib.request.Request(url, json.dumps(login).encode(), {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except urllib.error.HTTPError as error:
        return error.code in (401, 403, 429)
    return False


def test_no_secret_stands_in_what_docker_shows(stack) -> None:
    secrets = [
        value
        for name, value in stack.settings.values.items()
        if name.endswith(("PASSWORD", "_KEY", "SECRET"))
    ]
    shown = docker("inspect", *(one.id for one in stack.compose.containers()))
    arguments = "".join(docker("top", one["Id"], "-eo", "pid,args") for one in inspected(stack))
    logs = stack.compose.ask("logs", "--no-color")
    for where, text in (("docker inspect", shown), ("arguments", arguments), ("logs", logs)):
        assert not [value[:3] for value in secrets if len(value) > 8 and value in text], where


def test_a_killed_worker_and_a_restarted_database_lose_and_double_nothing(stack) -> None:
    told = stack.runtime("up", "--profile", "distributed")
    workers = stack.containers("airflow-worker")
    assert [one.state_text for one in workers] == ["healthy"] * 3, told
    land(stack, DROPS, ROWS_A_DROP)
    before = stack.query("select count(*) from raw.bank_transactions where account_no not like '808%%'")

    # Nobody can merge while this is open, so that every batch is under way when the worker dies.
    settings = stack.settings
    blocker = psycopg.connect(
        host="127.0.0.1", port=settings.port("GOLDWORKS_PG_PORT"), user="postgres",
        password=settings.values["POSTGRES_PASSWORD"], dbname=settings.warehouse.database,
    )  # fmt: skip
    blocker.execute("lock table raw.bank_transactions in access exclusive mode")
    run = stack.api.trigger("bank")

    def at_work() -> set[str]:
        return {one["hostname"] for one in stack.tasks("bank", run, "load") if one["state"] == "running"}

    stack.wait_until(
        lambda: len(at_work()) >= 2 and len(stack.tasks("bank", run, "load")) >= 6, "loads on two workers"
    )
    batches = len(stack.tasks("bank", run, "load"))
    victim = sorted(at_work())[0]
    docker("kill", victim)
    stack.compose.ask("restart", "postgres")  # which ends the blocker's session, too

    assert stack.ended("bank", run) == "success"
    loads = stack.tasks("bank", run, "load")
    assert len(loads) == batches >= 6
    assert {one["state"] for one in loads} == {"success"}
    assert max(one["try_number"] for one in loads) >= 2  # the killed worker's were tried again
    assert victim not in {one["hostname"] for one in loads}
    assert len({one["hostname"] for one in loads}) >= 2

    found = stack.query("""
        select account_no, count(*), sum(deposit_inr)::int from raw.bank_transactions
        where account_no like '808%%' group by 1 order by 1
    """)
    assert found == [
        (f"{808_000_000_000 + drop}", ROWS_A_DROP, ROWS_A_DROP * (drop + 1)) for drop in range(DROPS)
    ]
    assert before == stack.query(
        "select count(*) from raw.bank_transactions where account_no not like '808%%'"
    )
    gold = "select count(*) from gold.fct_bank_movement where account_no like '808%%'"
    assert stack.query(gold) == [(DROPS * ROWS_A_DROP,)]


def test_down_keeps_the_data_and_up_finds_it(stack) -> None:
    count = "select (select count(*) from raw.bank_transactions), (select count(*) from gold.fct_web_event)"
    before = stack.query(count)
    stack.runtime("down")
    assert stack.compose.containers() == []
    stack.runtime("up")
    assert stack.query(count) == before
    assert stack.containers("airflow-worker") == []  # of a profile that was not asked for


def test_a_changed_contract_model_and_dashboard_are_picked_up_without_a_rebuild(
    stack, tmp_path: Path
) -> None:
    copy = tmp_path / "working_copy"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns("var", ".git", ".env", ".*_cache", "__pycache__")
    )
    stack.runtime("up", "--dev", root=copy)
    images = {one["Id"]: one["Image"] for one in inspected(stack)}

    contract = copy / "contracts" / "parcels" / "parcels.odcs.yaml"
    contract.parent.mkdir()
    contract.write_text(PARCELS)
    models = copy / "dbt" / "models" / "gold" / "bank"
    (models / "mart_bank_probe.sql").write_text(PROBE)
    (models / "_bank__probe.yml").write_text(PROBE_DESCRIPTION)
    [dashboard] = (copy / "superset" / "assets" / "dashboards").glob("bank*.yaml")
    title = next(line for line in dashboard.read_text().splitlines() if line.startswith("dashboard_title:"))
    dashboard.write_text(dashboard.read_text().replace(title, "dashboard_title: Changed here"))

    stack.wait_until(lambda: "parcels" in stack.api.dags(), "the DAG of the new contract")
    stack.wait_until(lambda: "Changed here" in dashboard_titles(stack), "the changed dashboard")
    tasks = "/api/v2/dags/bank/tasks"
    stack.wait_until(
        lambda: any("mart_bank_probe" in task["task_id"] for task in stack.api.ask("GET", tasks)["tasks"]),
        "the task of the new model",
    )
    land(stack, 1, ROWS_A_DROP + 1)  # something for dbt to build
    run = stack.api.trigger("bank")
    assert stack.ended("bank", run) == "success"
    [(told,)] = stack.query("select movements from gold.mart_bank_probe")
    assert [(told,)] == stack.query("select count(*) from gold.fct_bank_movement")
    assert {one["Id"]: one["Image"] for one in inspected(stack)} == images  # nobody was built or started anew


PARCELS = """\
apiVersion: v3.2.0
kind: DataContract
id: parcels
name: parcels
version: 1.0.0
status: active
domain: parcels
servers:
  - server: landing
    type: custom
    path: parcels/*.csv
    format: csv
schema:
  - name: parcels
    logicalType: object
    physicalType: table
    properties:
      - name: parcel
        logicalType: string
        required: true
        primaryKey: true
"""
PROBE = "select count(*) as movements from {{ ref('fct_bank_movement') }}\n"
PROBE_DESCRIPTION = """\
version: 2
models:
  - name: mart_bank_probe
    columns:
      - name: movements
        data_type: bigint
"""


def dashboard_titles(stack) -> set[str]:
    address = f"http://127.0.0.1:{stack.settings.port('GOLDWORKS_SUPERSET_PORT')}"
    values = stack.settings.values
    login = {"username": values["SUPERSET_USER"], "password": values["SUPERSET_PASSWORD"], "provider": "db"}
    token = asked(f"{address}/api/v1/security/login", login)["access_token"]
    return {one["dashboard_title"] for one in asked(f"{address}/api/v1/dashboard/", token=token)["result"]}


def asked(url: str, body: object = None, token: str = "") -> dict:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)
