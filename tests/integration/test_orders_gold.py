"""The shop's change log all the way to gold: its histories and every answer are those of plain Python over the log."""

import csv
import json
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
import yaml

from tests.integration.dbt_feeds import World
from tests.integration.dbt_orders import KEYS, Orders, change, customer, item, order, product
from tests.integration.dbt_session import ROOT, Dbt, dbt_environment, warehouse_copy
from tests.integration.orders_replay import QUERIES, RAW_COLUMNS, orders_answers, wrong_orders_answers

DATA = ROOT.parent / "shared" / "data" / "orders"
ORDERS = Orders()
FEEDS = (ORDERS,)
FIRST, SECOND, THIRD, _ = ORDERS.keys
needs_real_log = pytest.mark.skipif(not DATA.is_dir(), reason="the real change log is not on this machine")


# What the reader writes at first: a snapshot, one transaction in which everything shares its place, a truncation.
SHOP = [
    change("r", "customers", None, customer(1, "Mill Trading"), lsn=100, ordinal=0),
    change("r", "customers", None, customer(2, "Abbey Trading"), lsn=100, ordinal=1),
    change("r", "products", None, product(1), lsn=100, ordinal=2),
    change("r", "products", None, product(2, "Chair, white", 99.99), lsn=100, ordinal=3),
    change("c", "orders", None, order(1, buyer=1), lsn=110, ordinal=0, minute=1),
    change("c", "order_items", None, item(11, 1, 1, 4), lsn=110, ordinal=1, minute=1),
    change("c", "order_items", None, item(12, 1, 2, 5), lsn=110, ordinal=2, minute=1),
    change("u", "order_items", item(12, 1, 2, 5), item(12, 1, 2, 6), lsn=110, ordinal=3, minute=1),
    change("c", "orders", None, order(2, buyer=2, delivery="2026-01-10"), lsn=120, ordinal=0, minute=2),
    change("c", "orders", None, order(3, "PROCESSING", 2, "2026-01-10"), lsn=130, ordinal=0, minute=3),
    change("c", "order_items", None, item(31, 3), lsn=130, ordinal=1, minute=3),
]


@pytest.fixture(scope="module")
def built(world, dbt):
    """The shop as a reader captured it, loaded, built and tested."""
    world.deliver(FIRST, ORDERS.drop(SHOP))
    world.load()
    return dbt("build", "--select", "tag:orders")


def rows(connection, query):
    return connection.execute(query).fetchall()


def open_orders(connection):
    return rows(
        connection,
        "select delivery_date::text, status, orders, items, quantity from gold.mart_orders_open_orders order by 1, 2",
    )


def test_a_build_of_the_orders_passes_every_check(built, transformer, world):
    assert {node["status"] for node in built.values()} <= {"success", "pass", "warn", "no-op"}
    for check in (
        "orders_deletion_truncation_and_gap_end_a_version",
        "orders_totals_reconcile",
        "orders_change_names_no_row",
        "orders_every_column_is_told",
        "orders_value_cannot_be_read",
    ):
        assert built[check]["status"] == "pass"
    assert wrong_orders_answers(transformer, world.raw(ORDERS, RAW_COLUMNS)) == {}


def test_orders_without_items_count_and_one_transaction_has_an_order_of_its_own(built, reporter):
    assert open_orders(reporter) == [
        ("2026-01-09", "PENDING", 1, 2, 10),
        ("2026-01-10", "PENDING", 1, 0, 0),
        ("2026-01-10", "PROCESSING", 1, 1, 1),
    ]


def test_gold_has_an_answer_for_every_metric_and_column_of_the_dashboard(built, reporter):
    """Superset asks with these very expressions; nothing of them may be an error or, of a metric, empty."""
    datasets = [
        yaml.safe_load(path.read_text())
        for path in (ROOT / "superset/assets/datasets/warehouse").glob("*_orders_*.yaml")
    ]
    assert datasets
    for dataset in datasets:
        table = f"{dataset['schema']}.{dataset['table_name']}"
        columns = ", ".join(column.get("expression", column["column_name"]) for column in dataset["columns"])
        assert reporter.execute(f"select {columns} from {table}").fetchall(), table
        metrics = ", ".join(metric["expression"] for metric in dataset.get("metrics", []))
        if metrics:
            assert None not in reporter.execute(f"select {metrics} from {table}").fetchone(), table


def test_the_value_of_an_order_is_that_of_its_pieces_at_list_prices(built, reporter):
    prices = dict(rows(reporter, "select product_id, unit_price from gold.dim_orders_product"))
    values = "select order_id, order_value, items_without_value from gold.fct_orders_order order by 1"
    assert rows(reporter, values) == [(1, 4 * prices[1] + 6 * prices[2], 0), (2, 0, 0), (3, prices[1], 0)]


def test_only_facts_and_marts_that_must_name_customers(built, reporter):
    naming = {
        table
        for (table,) in reporter.execute(
            "select distinct table_name from information_schema.columns"
            " where table_schema = 'gold' and table_name like '%orders%' and column_name = 'customer_name'"
        )
    }
    assert naming == {
        "dim_orders_customer", "fct_orders_order", "fct_orders_order_item", "mart_orders_pending_customers",
    }  # fmt: skip


def test_a_status_change_of_an_old_order_moves_it_in_every_mart_after_the_next_run(
    built, world, dbt, reporter
):
    """Its items, its customer and its products have no change of their own; nor is the order new."""
    later = change("u", "orders", order(1), order(1, "COMPLETED"), lsn=900, ordinal=0, minute=60 * 24 * 90)
    world.deliver(SECOND, ORDERS.drop([later]))
    world.load()
    dbt("build", "--select", "tag:orders", "--exclude", "test_type:unit")
    assert open_orders(reporter) == [
        ("2026-01-10", "PENDING", 1, 0, 0),
        ("2026-01-10", "PROCESSING", 1, 1, 1),
    ]
    assert rows(reporter, "select delivery_date::text, open_orders from gold.mart_orders_delivery_dates") == [
        ("2026-01-10", 2)
    ]
    assert rows(reporter, "select product_name from gold.mart_orders_pending_products") == []
    assert rows(reporter, "select customer_name from gold.mart_orders_pending_customers") == [
        ("Abbey Trading",)
    ]
    items = "select distinct status, is_open from gold.fct_orders_order_item where order_id = 1"
    assert rows(reporter, items) == [("COMPLETED", False)]
    facts = "select status, items from gold.fct_orders_order where order_id = 1"
    assert rows(reporter, facts) == [("COMPLETED", 2)]


def test_a_gap_leaves_the_time_before_the_snapshot_unknown_and_lets_go_what_it_lacks(
    built, world, dbt, transformer
):
    """The slot was lost after place 900: the next snapshot has no order 2 any more, and another customer."""
    snapshot = {"lsn": 2000, "minute": 200_000}
    gone = [change("g", table, {"lsn": 900}, ordinal=number, **snapshot) for number, table in enumerate(KEYS)]
    there = [
        change("r", "customers", None, customer(1, "Mill & Sons"), ordinal=10, **snapshot),
        change("r", "orders", None, order(3, "PENDING", 1), ordinal=11, **snapshot),
        change("t", "order_items", lsn=2100, ordinal=0, minute=200_001),
    ]
    world.deliver(THIRD, ORDERS.drop([*gone, *there]))
    world.load()
    dbt("build", "--select", "tag:orders", "--exclude", "test_type:unit")
    assert wrong_orders_answers(transformer, world.raw(ORDERS, RAW_COLUMNS)) == {}
    assert rows(transformer, "select order_id, ended_by from silver.int_orders_orders_history order by place") == [
        (1, "update"), (2, "gap"), (3, "gap"), (1, "gap"), (3, None),
    ]  # fmt: skip
    ((known, told, width),) = rows(
        transformer,
        """select distinct unknown_from_lsn, unknown_to_lsn, unknown_to - unknown_from
           from silver.int_orders_unknown_history""",
    )
    assert (known, told, width) == (900, 2000, timedelta(minutes=200_000 - 60 * 24 * 90))
    assert rows(transformer, "select distinct is_deleted from gold.dim_orders_product") == [(True,)]


def test_a_change_that_names_no_row_warns_and_is_kept_for_a_look(built, world, dbt, transformer):
    world.deliver(ORDERS.keys[3], ORDERS.drop([change("d", "products", None, None, lsn=3000, ordinal=0)]))
    world.load()
    done = dbt("build", "--select", "tag:orders", "--exclude", "test_type:unit")
    assert done["orders_change_names_no_row"]["status"] == "warn"
    assert rows(transformer, "select source_table, op from audit.orders_change_names_no_row") == [
        ("products", "d")
    ]


def test_a_value_that_is_not_of_its_column_s_type_warns_and_stops_no_build(built, world, dbt, transformer):
    strange = {**order(71), "delivery_date": "soon", "customer_id": "1.5"}
    nameless = {**product(9), "product_id": "lamp"}
    changes = [
        change("c", "orders", None, strange, lsn=3200, ordinal=0),
        change("c", "products", None, nameless, lsn=3200, ordinal=1),
    ]
    world.deliver(ORDERS.keys[3], ORDERS.drop(changes))
    world.load()
    done = dbt("build", "--select", "tag:orders", "--exclude", "test_type:unit")
    assert done["orders_value_cannot_be_read"]["status"] == "warn"
    assert rows(
        transformer, "select unreadable_fields from audit.orders_value_cannot_be_read order by ordinal"
    ) == [
        (" after.delivery_date after.customer_id",),
        (" after.product_id",),
    ]
    assert done["orders_change_names_no_row"]["status"] == "warn"
    assert rows(
        transformer, "select status, delivery_date from gold.fct_orders_order where order_id = 71"
    ) == [("PENDING", None)]


def test_a_column_that_the_source_has_renamed_warns_where_an_answer_needs_it(built, world, dbt, transformer):
    """Else every order would be open, none pending, and every check green."""
    renamed = {**order(70), "state": "PENDING"}
    del renamed["status"]
    world.deliver(ORDERS.keys[3], ORDERS.drop([change("c", "orders", None, renamed, lsn=3100, ordinal=0)]))
    world.load()
    done = dbt("build", "--select", "tag:orders", "--exclude", "test_type:unit")
    assert done["orders_every_column_is_told"]["status"] == "warn"
    assert rows(transformer, "select * from audit.orders_every_column_is_told") == [("orders", "status", 1)]


@pytest.fixture(scope="module")
def real_log():
    """The records of the file as rows of raw, read by Python alone."""
    lines = (DATA / "cdc_changes.jsonl").read_text(encoding="utf-8").splitlines()
    return [_raw_row(json.loads(line, parse_float=Decimal)) for line in lines]


def _raw_row(record):
    told = (
        None if row is None else json.dumps(row, default=float) for row in (record["before"], record["after"])
    )
    return (
        record["lsn"], record.get("ordinal"), 1, record["op"], record["source_table"], record["ts_ms"], *told
    )  # fmt: skip


@pytest.fixture(scope="module")
def real(postgres, tmp_path_factory):
    """A connection to a warehouse with the real log alone, loaded, built and tested."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "landing").mkdir()
    with warehouse_copy(postgres) as database:
        world = World(folder / "landing", postgres.url("loader", "loader-test", database), ORDERS)
        world.deliver(
            "orders/changes/2026/11/18/cdc_changes.jsonl", (DATA / "cdc_changes.jsonl").read_bytes()
        )
        world.load()
        dbt = Dbt(dbt_environment(postgres, database, folder, "prod"))
        dbt("build", "--select", "tag:orders", "--exclude", "test_type:unit")
        with psycopg.connect(postgres.url("transformer", "transformer-test", database)) as connection:
            yield connection
        dbt.close()
        world.warehouse.close()


@needs_real_log
@pytest.mark.parametrize("name", QUERIES)
def test_silver_and_gold_say_what_the_real_log_says(real, real_log, name):
    said = real.execute(QUERIES[name]).fetchall()
    answers = orders_answers(real_log)[name]
    assert len(said) == len(answers)
    assert set(said) == answers


@needs_real_log
def test_the_current_state_is_the_snapshot_that_came_with_the_log(real):
    for table, key in KEYS.items():
        with (DATA / f"{table}__snapshot.csv").open(newline="", encoding="utf-8") as file:
            snapshot = {int(row[key]) for row in csv.DictReader(file)}
        assert {
            number for (number,) in real.execute(f"select {key} from silver.int_orders_{table}")
        } == snapshot
