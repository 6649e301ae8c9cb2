"""Law: silver and gold built step by step equal those of a full refresh, whatever loads came between.

All domains go through the same histories at once, and what comes out is held against plain Python, too.
"""

import os
import random

import pytest
import yaml

from tests.integration.dbt_feeds import SPANS, TOTALS, Bank, Web, web_answers
from tests.integration.dbt_fleet import FLEET_COLUMNS, Fleet, wrong_fleet_answers
from tests.integration.dbt_orders import Orders
from tests.integration.dbt_sales import QUERIES, RESTATED, SALES_COLUMNS, Restatements, Sales, sales_answers
from tests.integration.dbt_session import ROOT
from tests.integration.incremental.two_ways import differences, mark, newest_build
from tests.integration.orders_replay import RAW_COLUMNS, wrong_orders_answers

HISTORIES = int(os.environ.get("GOLDWORKS_DBT_HISTORIES", "10"))
KNOWN_ACTIONS = yaml.safe_load((ROOT / "dbt/dbt_project.yml").read_text())["vars"]["web_known_actions"]
BANK, WEB, FLEET, ORDERS, SALES, RESTATEMENTS = Bank(), Web(), Fleet(), Orders(), Sales(), Restatements()
FEEDS = (BANK, WEB, FLEET, ORDERS, SALES, RESTATEMENTS)
DOMAINS = ("bank", "fleet", "orders", "sales", "web")
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
    ("run", "--select", "int_orders_changes"),
    ("run", "--select", "int_orders_changes", "--full-refresh"),
    ("run", "--select", "int_orders_orders_history", "int_orders_orders", "--full-refresh"),
    ("run", "--select", "int_orders_changes", "int_orders_order_items_history", "fct_orders_order_item"),
    ("run", "--select", "tag:orders", "--exclude", "int_orders_unknown_history"),
    ("run", "--select", "int_orders_unknown_history", "dim_orders_customer"),
)


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
def test_step_by_step_equals_a_full_refresh(seed, world, builds, build_both, transformer, relations):
    """Each history goes on from where the one before it ended, so that a difference would stay and grow."""
    chance = random.Random(seed)
    for _ in range(chance.randint(4, 12)):
        world.random_step(chance)
        if chance.random() < 0.15 and is_built(transformer):
            builds[0](*chance.choice(PARTIAL_BUILDS))
    build_both()
    assert differences(transformer, relations) == {}
    assert wrong_answers(transformer, world) == {}
    assert wrong_fleet_answers(transformer, world.raw(FLEET, FLEET_COLUMNS)) == {}
    assert wrong_orders_answers(transformer, world.raw(ORDERS, RAW_COLUMNS)) == {}
    assert mark(transformer) == world.newest_load(BANK)
    assert mark(transformer, "int_web_events") == world.newest_load(WEB)
    for feed in (SALES, RESTATEMENTS):
        dataset = feed.contract.dataset
        assert mark(transformer, "int_sales_transactions", dataset) == world.newest_load(feed)
    for relation in ("int_orders_changes", "int_orders_orders_history", "fct_orders_order"):
        assert mark(transformer, relation) == world.newest_load(ORDERS)
    for mart, model in (
        ("mart_web_events_yearly", "int_web_events"),
        ("mart_fleet_vehicle_distances", "int_fleet_positions"),
        ("mart_sales_by_month", "int_sales_transactions"),
    ):
        assert mark(transformer, mart) == newest_build(transformer, model)
