"""Load marks under faults: loads that come meanwhile, runs at once, models that fail, a ledger made anew."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.dbt_feeds import Bank
from tests.integration.dbt_sales import Restatements, Sales
from tests.integration.dbt_session import Dbt, dbt_environment
from tests.integration.incremental.two_ways import differences, mark

BANK, SALES = Bank(), Sales()
FEEDS = (BANK, SALES, Restatements())
DOMAINS = ("bank", "sales")
WAITS_FOR_RAW = (
    "select exists (select from pg_locks where relation = 'raw.bank_transactions'::regclass and not granted)"
)


def test_a_withdrawn_movement_leaves_silver_and_gold(world, build_both, transformer, relations):
    for key in BANK.keys:
        world.deliver(key, BANK.drop([(0, ""), (1, "")]))
    world.load()
    for key in BANK.keys:
        world.deliver(key, BANK.drop([(0, "")]))
    world.load()
    build_both()
    assert transformer.execute("select count(*) from gold.fct_bank_movement").fetchone() == (1,)
    assert differences(transformer, relations) == {}


def test_a_load_that_commits_while_the_model_runs_is_not_missed(
    world, builds, build_both, transformer, relations
):
    """The loader's transaction holds raw when the model wants to read it, and commits after the mark was noted."""
    build_both()
    before, loader = world.newest_load(BANK), world.warehouse.connection
    stepwise, _ = builds
    running = threading.Thread(target=stepwise, args=("run", "--select", "int_bank_movements"))
    with loader.transaction():
        loader.execute("lock table raw.bank_transactions in access exclusive mode")
        world.deliver(BANK.keys[0], BANK.drop([(2, ""), (3, "")]))
        world.load()
        running.start()
        deadline = time.monotonic() + 30
        while not transformer.execute(WAITS_FOR_RAW).fetchone()[0]:
            assert time.monotonic() < deadline, "the model never waited for raw"
            time.sleep(0.05)
    running.join()
    assert world.newest_load(BANK) > before
    assert mark(transformer) == before
    build_both()
    assert mark(transformer) == world.newest_load(BANK)
    assert differences(transformer, relations) == {}


def test_two_runs_of_one_model_at_once_do_not_double_rows(
    world, builds, build_both, postgres, database, transformer, relations, tmp_path
):
    world.deliver(BANK.keys[1], BANK.drop([(number, "") for number in range(8)]))
    world.deliver(
        SALES.keys[1], SALES.drop(*({"transaction_id": n, "product_id": 80 + n} for n in range(1, 9)))
    )
    world.load()
    stepwise, _ = builds
    second = Dbt(dbt_environment(postgres, database, tmp_path, "prod"))
    try:
        with ThreadPoolExecutor() as pool:
            for done in [
                pool.submit(dbt, "run", "--select", "int_bank_movements", "int_sales_transactions+1")
                for dbt in (stepwise, second)
            ]:
                done.result()
    finally:
        second.close()
    build_both()
    assert differences(transformer, relations) == {}


def test_a_failed_model_keeps_its_old_mark(world, builds, build_both, transformer, relations):
    build_both()
    before = mark(transformer)
    world.deliver(BANK.keys[2], BANK.drop([(5, "")]))
    world.load()
    movements = "alter table silver.int_bank_movements"
    transformer.execute(f"{movements} add constraint refused check (amount_inr <> 100) not valid")
    world.deliver(BANK.keys[2], BANK.drop([(1, 9.5), (5, "")]))
    world.load()
    try:
        with pytest.raises(AssertionError, match="refused"):
            builds[0]("run", "--select", "int_bank_movements")
        assert mark(transformer) == before
    finally:
        transformer.execute(f"{movements} drop constraint refused")
    build_both()
    assert differences(transformer, relations) == {}


def test_a_ledger_made_anew_is_noticed(world, builds, build_both, transformer):
    world.deliver(BANK.keys[3], BANK.drop([(7, "")]))
    world.load()
    build_both()
    loader = world.warehouse.connection
    loader.execute("update ops.loads set load_id = -load_id")
    try:
        with pytest.raises(
            AssertionError, match=r"raw has been made anew(.|\n)*--full-refresh --select int_bank_movements"
        ):
            builds[0]("run", "--select", "int_bank_movements")
    finally:
        loader.execute("update ops.loads set load_id = -load_id")
