"""Law: silver and gold built step by step equal those of a full refresh, whatever loads came between.

The loader itself makes the histories: new files, corrections that withdraw and update, copies, overlapping exports.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.dbt_session import ROOT, Dbt, dbt_environment, warehouse_copy

HISTORIES = int(os.environ.get("GOLDWORKS_DBT_HISTORIES", "10"))
HEADER = "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE,WITHDRAWAL AMT,DEPOSIT AMT,BALANCE AMT,DISCREPANCIES"
OBJECTS = [f"bank_transactions/{name}.csv" for name in "abcd"]
# Few movements on few accounts and days, so that drops collide; the last column is no part of the key.
MOVEMENTS = [
    (f"100000{account}'", f"2024-01-{day:02d}", kind, f"2024-01-{day - day % 2 + 1:02d}", balance)
    for account in (1, 2)
    for day in (1, 2, 6)
    for kind, balance in (("out", 500_000_000 * account), ("in", 100 * day))
]
RELATIONS = (
    "silver.int_bank_movements",
    "silver.int_bank_booking_days",
    "gold.dim_bank_account",
    "gold.fct_bank_movement",
    "gold.mart_bank_daily_balance",
    "gold.mart_bank_monthly_flow",
    "gold.mart_bank_withdrawals_over_limit",
)
WAITS_FOR_RAW = (
    "select exists (select from pg_locks where relation = 'raw.bank_transactions'::regclass and not granted)"
)


class Bank:
    """A landing and the loader behind it."""

    def __init__(self, folder, url):
        self.landing = FolderLanding(folder)
        self.contract = read_contract(ROOT / "contracts/bank/bank_transactions.odcs.yaml")
        self.warehouse = PostgresWarehouse.connect(url)
        self.warehouse.migrate()
        self.warehouse.prepare(self.contract)

    def deliver(self, key, rows):
        """`rows` are numbers of MOVEMENTS, each with what the bank says of its discrepancy."""
        lines = [HEADER]
        for number, discrepancy in rows:
            account, booked, kind, valued, balance = MOVEMENTS[number]
            out, into = (balance, "") if kind == "out" else ("", balance)
            lines.append(f"{account},{booked},{kind},,{valued},{out},{into},{balance},{discrepancy}")
        self.landing.write(key, ("\n".join(lines) + "\n").encode())

    def load(self):
        (plan,) = discover([self.contract], self.landing, self.warehouse).plans
        reports = list(load_drops(self.contract, self.landing, self.warehouse, plan.drops))
        assert all(report.state == "loaded" for report in reports), reports

    def newest_load(self):
        (found,) = self.warehouse.connection.execute(
            "select coalesce(max(load_id), 0) from ops.loads"
        ).fetchone()
        return found


@pytest.fixture(scope="module")
def database(postgres):
    with warehouse_copy(postgres) as name:
        yield name


@pytest.fixture(scope="module")
def bank(postgres, database, tmp_path_factory):
    opened = Bank(tmp_path_factory.mktemp("landing"), postgres.url("loader", "loader-test", database))
    yield opened
    opened.warehouse.close()


@pytest.fixture(scope="module")
def builds(postgres, database, bank, tmp_path_factory):
    """Two dbts on one warehouse: `prod` follows step by step, `ci` is built whole each time."""
    folder = tmp_path_factory.mktemp("dbt")
    with ThreadPoolExecutor() as pool:
        running = list(
            pool.map(Dbt, [dbt_environment(postgres, database, folder, name) for name in ("prod", "ci")])
        )
    yield running
    for dbt in running:
        dbt.close()


@pytest.fixture(scope="module")
def transformer(postgres, database):
    url = postgres.url("transformer", "transformer-test", database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def build_both(builds):
    """Both ways at once; the marks say afterwards what each has followed."""
    stepwise, whole = builds
    with ThreadPoolExecutor() as pool:
        for done in (pool.submit(stepwise, "run"), pool.submit(whole, "run", "--full-refresh")):
            done.result()


def differences(connection):
    """Relations whose rows differ between step by step and whole, with how many rows."""
    found = {}
    for relation in RELATIONS:
        whole = f"ci_ann_{relation}"
        (rows,) = connection.execute(
            f"""select count(*) from (
                    (select * from {relation} except all select * from {whole})
                    union all (select * from {whole} except all select * from {relation})
                ) as differing"""
        ).fetchone()
        if rows:
            found[relation] = rows
    return found


def mark(connection):
    return connection.execute(
        "select load_id from silver.load_marks where relation = 'int_bank_movements' and dataset = 'bank_transactions'"
    ).fetchone()[0]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_step_by_step_equals_a_full_refresh(seed, bank, builds, transformer):
    """Each history goes on from where the one before it ended, so that a difference would stay and grow."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        key = chance.choice(OBJECTS)
        lying = [item.key for item in bank.landing.list_objects()]
        if lying and chance.random() < 0.2:
            bank.landing.write(key, (bank.landing.root / chance.choice(lying)).read_bytes())
        else:
            picked = chance.choices(range(len(MOVEMENTS)), k=chance.randint(1, 12))
            bank.deliver(key, [(number, chance.choice(["", 0.5, 1.5])) for number in picked])
        bank.load()
    build_both(builds)
    assert differences(transformer) == {}
    assert mark(transformer) == bank.newest_load()


def test_a_withdrawn_movement_leaves_silver_and_gold(bank, builds, transformer):
    for key in OBJECTS:
        bank.deliver(key, [(0, ""), (1, "")])
    bank.load()
    for key in OBJECTS:
        bank.deliver(key, [(0, "")])
    bank.load()
    build_both(builds)
    assert transformer.execute("select count(*) from gold.fct_bank_movement").fetchone() == (1,)
    assert differences(transformer) == {}


def test_a_load_that_commits_while_the_model_runs_is_not_missed(bank, builds, transformer):
    """The loader's transaction holds raw when the model wants to read it, and commits after the mark was noted."""
    build_both(builds)
    before, loader = bank.newest_load(), bank.warehouse.connection
    stepwise, _ = builds
    running = threading.Thread(target=stepwise, args=("run", "--select", "int_bank_movements"))
    with loader.transaction():
        loader.execute("lock table raw.bank_transactions in access exclusive mode")
        bank.deliver(OBJECTS[0], [(2, ""), (3, "")])
        bank.load()
        running.start()
        deadline = time.monotonic() + 30
        while not transformer.execute(WAITS_FOR_RAW).fetchone()[0]:
            assert time.monotonic() < deadline, "the model never waited for raw"
            time.sleep(0.05)
    running.join()
    assert bank.newest_load() > before
    assert mark(transformer) == before
    build_both(builds)
    assert mark(transformer) == bank.newest_load()
    assert differences(transformer) == {}


def test_two_runs_of_one_model_at_once_do_not_double_rows(
    bank, builds, postgres, database, transformer, tmp_path
):
    bank.deliver(OBJECTS[1], [(number, "") for number in range(8)])
    bank.load()
    stepwise, _ = builds
    second = Dbt(dbt_environment(postgres, database, tmp_path, "prod"))
    try:
        with ThreadPoolExecutor() as pool:
            for done in [
                pool.submit(dbt, "run", "--select", "int_bank_movements") for dbt in (stepwise, second)
            ]:
                done.result()
    finally:
        second.close()
    build_both(builds)
    assert differences(transformer) == {}


def test_a_failed_model_keeps_its_old_mark(bank, builds, transformer):
    build_both(builds)
    before = mark(transformer)
    bank.deliver(OBJECTS[2], [(5, "")])
    bank.load()
    movements = "alter table silver.int_bank_movements"
    transformer.execute(f"{movements} add constraint refused check (amount_inr <> 100) not valid")
    bank.deliver(OBJECTS[2], [(1, ""), (5, "")])
    bank.load()
    try:
        with pytest.raises(AssertionError, match="refused"):
            builds[0]("run", "--select", "int_bank_movements")
        assert mark(transformer) == before
    finally:
        transformer.execute(f"{movements} drop constraint refused")
    build_both(builds)
    assert differences(transformer) == {}


def test_a_ledger_made_anew_is_noticed(bank, builds, transformer):
    build_both(builds)
    loader = bank.warehouse.connection
    loader.execute("update ops.loads set load_id = -load_id")
    try:
        with pytest.raises(
            AssertionError, match=r"raw has been made anew(.|\n)*--full-refresh --select int_bank_movements"
        ):
            builds[0]("run", "--select", "int_bank_movements")
    finally:
        loader.execute("update ops.loads set load_id = -load_id")
