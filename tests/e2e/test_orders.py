"""From the shop's own tables to gold and to the report: what changes at the source is there after the next run."""

import csv
import io

import psycopg
import pytest

from data_ingestion.landing import open_store
from data_ingestion.settings import Settings

pytestmark = pytest.mark.e2e

OPEN = """
    select delivery_date::text, status, count(*)::text from {}
    where status <> 'COMPLETED' group by delivery_date, status order by delivery_date, status
"""
REPORT = "orders/open_orders/latest/open_orders_by_delivery_date_and_status.csv"


def rows(url: str, query: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as session:
        return session.execute(query).fetchall()


def run_the_dag(platform) -> None:
    done = platform.runtime("trigger", "orders")
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-1000:]}"


def test_what_changes_at_the_source_is_in_gold_and_in_the_report_after_the_next_run(
    platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_the_dag(platform)
    before = rows(platform.goldworks_shop_url, OPEN.format("orders"))
    assert before == rows(platform.transformer_url, OPEN.format("silver.int_orders_orders"))

    lived = platform.runtime("traffic", "90")
    assert "90 minutes simulated" in lived.stdout, lived.stderr
    with psycopg.connect(platform.goldworks_shop_url) as shop:  # an old order, whose items do not change
        moved = shop.execute(
            "update orders set status = 'COMPLETED' where order_id = (select min(order_id) from orders"
            " where status <> 'COMPLETED') returning order_id"
        ).fetchone()[0]
    run_the_dag(platform)

    now = rows(platform.goldworks_shop_url, OPEN.format("orders"))
    assert now != before
    marts = "select delivery_date::text, status, orders::text from gold.mart_orders_open_orders order by 1, 2"
    assert rows(platform.transformer_url, marts) == now
    facts = f"select distinct is_open from gold.fct_orders_order_item where order_id = {moved}"
    assert rows(platform.transformer_url, facts) in ([(False,)], [])

    for name in platform.environment:
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, platform.environment[name])
    settings = Settings.from_environment(platform.environment)
    store = open_store(settings.reports)
    (told,) = [item for item in store.list_objects("orders/") if item.key == REPORT]
    lines = csv.reader(io.StringIO(store.open(told).read().decode("utf-8-sig")))
    assert [tuple(line[:3]) for line in lines][1:] == now
