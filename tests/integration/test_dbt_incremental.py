"""Law: silver and gold built step by step equal those of a full refresh, whatever loads came between.

All domains go through the same histories at once, and what comes out is held against plain Python, too.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
import yaml

from tests.integration.dbt_feeds import EVENTS, SPANS, TOTALS, Bank, Web, World, web_answers
from tests.integration.dbt_fleet import (
    FLEET_COLUMNS,
    MIDNIGHT,
    VEHICLES,
    Fleet,
    period,
    record,
    update,
    wrong_fleet_answers,
)
from tests.integration.dbt_sales import QUERIES, RESTATED, SALES_COLUMNS, Restatements, Sales, sales_answers
from tests.integration.dbt_session import ROOT, Dbt, dbt_environment, warehouse_copy

HISTORIES = int(os.environ.get("GOLDWORKS_DBT_HISTORIES", "10"))
KNOWN_ACTIONS = yaml.safe_load((ROOT / "dbt/dbt_project.yml").read_text())["vars"]["web_known_actions"]
BANK, WEB, FLEET, SALES, RESTATEMENTS = Bank(), Web(), Fleet(), Sales(), Restatements()
WAITS_FOR_RAW = (
    "select exists (select from pg_locks where relation = 'raw.bank_transactions'::regclass and not granted)"
)
# What a failure or a person may leave built while the rest is not: whole silver anew, or marts that stay behind.
PARTIAL_BUILDS = (
    ("run", "--select", "int_web_events", "int_bank_movements"),
    ("run", "--select", "int_web_events", "--full-refresh"),
    ("run", "--select", "tag:web", "--exclude", "mart_web_active_users_monthly"),
    ("run", "--select", "int_web_events", "mart_web_events_daily", "mart_web_active_countries_monthly"),
    ("run", "--select", "mart_web_events_monthly", "mart_web_events_yearly"),
    ("run", "--select", "mart_web_events_daily", "mart_web_active_users_monthly", "--full-refresh"),
    ("run", "--select", "int_fleet_positions"),
    ("run", "--select", "int_fleet_positions", "--full-refresh"),
    (
        "run",
        "--select",
        "int_fleet_period_events",
        "int_fleet_operating_periods",
        "mart_fleet_vehicle_distances",
    ),
    ("run", "--select", "tag:fleet", "--exclude", "int_fleet_operating_periods"),
    ("run", "--select", "mart_fleet_vehicle_distances", "--full-refresh"),
    ("run", "--select", "int_sales_transactions"),
    ("run", "--select", "int_sales_transactions", "--full-refresh"),
    ("run", "--select", "tag:sales", "--exclude", "dim_sales_product", "mart_sales_by_country"),
    ("run", "--select", "fct_sales_transaction", "dim_sales_customer", "--full-refresh"),
)


@pytest.fixture(scope="module")
def database(postgres):
    with warehouse_copy(postgres) as name:
        yield name


@pytest.fixture(scope="module")
def world(postgres, database, tmp_path_factory):
    url = postgres.url("loader", "loader-test", database)
    opened = World(tmp_path_factory.mktemp("landing"), url, BANK, WEB, FLEET, SALES, RESTATEMENTS)
    yield opened
    opened.warehouse.close()


@pytest.fixture(scope="module")
def builds(postgres, database, world, tmp_path_factory):
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


@pytest.fixture(scope="module")
def relations(builds):
    """Every model of silver and gold, as the project that was parsed has them."""
    return [f"{schema}.{name}" for schema, name in builds[0].models() if schema != "bronze"]


def differences(connection, relations):
    """Relations whose rows differ between step by step and whole, with how many rows."""
    found = {}
    for relation in relations:
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


def mark(connection, relation="int_bank_movements", dataset=None):
    return connection.execute(
        "select load_id from silver.load_marks where relation = %s and dataset = coalesce(%s, dataset)",
        [relation, dataset],
    ).fetchone()[0]


def newest_build(connection, relation):
    return connection.execute(
        "select coalesce(max(build), 0) from silver.touched_days where relation = %s", [relation]
    ).fetchone()[0]


def days_of(connection):
    return {day for (day,) in connection.execute("select event_date from gold.mart_web_events_daily")}


def is_built(connection):
    (found,) = connection.execute("select to_regclass('gold.mart_web_events_yearly')").fetchone()
    return found is not None


def wrong_answers(connection, world):
    """Marts of the web and the sales that say something else than Python, of the rows that raw holds."""
    events = world.raw(WEB, "event_date, email, country, ip, action")
    answers = web_answers(events, KNOWN_ACTIONS)
    said = {
        mart: set(connection.execute(f"select {columns} from gold.{mart}").fetchall())
        for mart, columns in {**SPANS, **TOTALS}.items()
    }
    sales = (
        [dict(zip(columns, row, strict=True)) for row in world.raw(feed, ", ".join(columns))]
        for feed, columns in ((SALES, SALES_COLUMNS), (RESTATEMENTS, RESTATED))
    )
    answers |= sales_answers(*sales)
    said |= {name: set(connection.execute(query).fetchall()) for name, query in QUERIES.items()}
    return {mart: said[mart] ^ answers[mart] for mart in answers if said[mart] != answers[mart]}


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_step_by_step_equals_a_full_refresh(seed, world, builds, transformer, relations):
    """Each history goes on from where the one before it ended, so that a difference would stay and grow."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        world.random_step(chance)
        if chance.random() < 0.15 and is_built(transformer):
            builds[0](*chance.choice(PARTIAL_BUILDS))
    build_both(builds)
    assert differences(transformer, relations) == {}
    assert wrong_answers(transformer, world) == {}
    assert wrong_fleet_answers(transformer, world.raw(FLEET, FLEET_COLUMNS)) == {}
    assert mark(transformer) == world.newest_load(BANK)
    assert mark(transformer, "int_web_events") == world.newest_load(WEB)
    for feed in (SALES, RESTATEMENTS):
        dataset = feed.contract.dataset
        assert mark(transformer, "int_sales_transactions", dataset) == world.newest_load(feed)
    for mart, model in (
        ("mart_web_events_yearly", "int_web_events"),
        ("mart_fleet_vehicle_distances", "int_fleet_positions"),
        ("mart_sales_by_month", "int_sales_transactions"),
    ):
        assert mark(transformer, mart) == newest_build(transformer, model)


def test_a_withdrawn_movement_leaves_silver_and_gold(world, builds, transformer, relations):
    for key in BANK.keys:
        world.deliver(key, BANK.drop([(0, ""), (1, "")]))
    world.load()
    for key in BANK.keys:
        world.deliver(key, BANK.drop([(0, "")]))
    world.load()
    build_both(builds)
    assert transformer.execute("select count(*) from gold.fct_bank_movement").fetchone() == (1,)
    assert differences(transformer, relations) == {}


def test_an_event_that_moved_leaves_its_old_day_though_nothing_remembers_it(
    world, builds, transformer, relations
):
    """January's claim waits behind February's and is corrected there: its first content is in no table any more."""
    january, february, march = WEB.keys
    elsewhere = (EVENTS[1], "2024-03-01", "bo@harbour.example", "Peru", "192.0.2.7", "visit")

    def event(day):
        return (EVENTS[0], day, "ann@harbour.example", "Peru", "192.0.2.7", "visit")

    world.deliver(february, WEB.drop([elsewhere]))
    world.deliver(march, WEB.drop([elsewhere]))
    world.deliver(january, WEB.drop([event("2021-05-05")]))
    world.load()
    build_both(builds)
    assert days_of(transformer) >= {date(2021, 5, 5)}
    world.deliver(february, WEB.drop([event("2022-06-06")]))
    world.load()
    world.deliver(january, WEB.drop([event("2020-04-04")]))
    world.load()
    build_both(builds)
    assert days_of(transformer) == {date(2022, 6, 6), date(2024, 3, 1)}
    assert differences(transformer, relations) == {}


def test_late_positions_and_a_period_planned_anew_change_the_distances_of_that_period_alone(
    world, builds, transformer, relations
):
    def at(minutes):
        return MIDNIGHT + timedelta(minutes=minutes)

    def distances():
        columns = "operating_period_id, organization_id, positions"
        return set(transformer.execute(f"select {columns} from gold.mart_fleet_vehicle_distances").fetchall())

    def told(*events):
        world.deliver(key, FLEET.drop(events))
        world.load()
        build_both(builds)
        assert differences(transformer, relations) == {}
        assert wrong_fleet_answers(transformer, world.raw(FLEET, FLEET_COLUMNS)) == {}

    key, *others = FLEET.keys
    for other in others:
        world.deliver(other, FLEET.drop([record("c", "vehicle", "register", VEHICLES[2], at(0))]))
    driven = [update("a", VEHICLES[0], at(minutes), 0, minutes / 100) for minutes in (-30, -15, 5, 20)]
    night, other_day = period("a", "night", at(-60), at(-20), 30), period("a", "late", at(-60), at(1500), 30)
    told(*driven, night, other_day)
    assert distances() == {("night", "a", 2)}
    late = update("a", VEHICLES[0], at(-16), 0.5, 0.5)
    told(*driven, late, night, other_day)
    assert distances() == {("night", "a", 3)}
    told(*driven, late, period("a", "night", at(-60), at(-31), 60), other_day)
    assert distances() == {("night", "a", 5)}
    told(*driven, late, night, other_day, record("a", "operating_period", "delete", "night", at(-15.5)))
    assert distances() == {("night", "a", 1)}
    told(*driven, other_day)
    assert distances() == set()


def test_a_restatement_wins_where_it_has_a_value_and_its_withdrawal_gives_the_sale_back(
    world, builds, transformer, relations
):
    def sale():
        return transformer.execute(
            """select transaction_date::text, quantity, revenue, is_restated from gold.fct_sales_transaction
               where transaction_id = 7001"""
        ).fetchall()

    sold = {
        "transaction_id": "T7001",
        "transaction_date": "05-03-2024",
        "quantity": "2.0",
        "price": "Fifteen",
    }
    world.deliver(SALES.keys[0], SALES.drop(sold))
    world.deliver(
        RESTATEMENTS.keys[0], RESTATEMENTS.drop({"transaction_id": "7001", "transaction_date": "2024-04-06"})
    )
    world.load()
    build_both(builds)
    assert sale() == [("2024-04-06", 2, Decimal(30), True)]
    world.deliver(RESTATEMENTS.keys[0], RESTATEMENTS.drop({"transaction_id": "7002"}))
    world.load()
    build_both(builds)
    assert sale() == [("2024-03-05", 2, Decimal(30), False)]
    world.deliver(SALES.keys[0], SALES.drop({**sold, "quantity": ""}))
    world.load()
    build_both(builds)
    assert sale() == [("2024-03-05", None, None, False)]
    assert differences(transformer, relations) == {}
    assert wrong_answers(transformer, world) == {}


def test_each_sale_carries_the_time_of_the_load_that_touched_it_last(world, builds, transformer, relations):
    world.deliver(SALES.keys[0], SALES.drop({"transaction_id": "7001"}, {"transaction_id": "7002"}))
    world.load()
    world.deliver(RESTATEMENTS.keys[0], RESTATEMENTS.drop({"transaction_id": "7001", "quantity": "1"}))
    world.load()
    build_both(builds)
    ended = world.warehouse.connection.execute(
        "select ended_at from ops.loads where load_id in (%s, %s) order by load_id",
        [world.newest_load(SALES), world.newest_load(RESTATEMENTS)],
    ).fetchall()
    first, second = (moment for (moment,) in ended)
    loaded = dict(
        transformer.execute("select transaction_id, loaded_at from gold.fct_sales_transaction").fetchall()
    )
    assert (loaded[7001], loaded[7002]) == (second, first)
    assert differences(transformer, relations) == {}


def test_a_member_of_a_dimension_that_did_not_change_is_not_written_again(
    world, builds, transformer, relations
):
    def written():
        return dict(
            transformer.execute("select product_name, xmin::text from gold.dim_sales_product").fetchall()
        )

    def sale(number, product, day):
        return {
            "transaction_id": number, "product_id": product, "product_name": f"P {product}", "transaction_date": day,
        }  # fmt: skip

    for key in (*SALES.keys, *RESTATEMENTS.keys):
        world.deliver(key, SALES.drop() if key in SALES.keys else RESTATEMENTS.drop())
    world.deliver(SALES.keys[0], SALES.drop(sale(1, 70, "2024-01-01"), sale(2, 71, "2024-01-01")))
    world.load()
    build_both(builds)
    before = written()
    world.deliver(SALES.keys[0], SALES.drop(sale(1, 70, "2024-01-01"), sale(2, 72, "2024-01-01")))
    world.load()
    build_both(builds)
    after = written()
    assert (before.keys() ^ after.keys(), before["P 70"]) == ({"P 71", "P 72"}, after["P 70"])
    assert differences(transformer, relations) == {}


def test_a_load_that_commits_while_the_model_runs_is_not_missed(world, builds, transformer, relations):
    """The loader's transaction holds raw when the model wants to read it, and commits after the mark was noted."""
    build_both(builds)
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
    build_both(builds)
    assert mark(transformer) == world.newest_load(BANK)
    assert differences(transformer, relations) == {}


def test_two_runs_of_one_model_at_once_do_not_double_rows(
    world, builds, postgres, database, transformer, relations, tmp_path
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
    build_both(builds)
    assert differences(transformer, relations) == {}


def test_a_failed_model_keeps_its_old_mark(world, builds, transformer, relations):
    build_both(builds)
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
    build_both(builds)
    assert differences(transformer, relations) == {}


def test_a_ledger_made_anew_is_noticed(world, builds, transformer):
    build_both(builds)
    loader = world.warehouse.connection
    loader.execute("update ops.loads set load_id = -load_id")
    try:
        with pytest.raises(
            AssertionError, match=r"raw has been made anew(.|\n)*--full-refresh --select int_bank_movements"
        ):
            builds[0]("run", "--select", "int_bank_movements")
    finally:
        loader.execute("update ops.loads set load_id = -load_id")
