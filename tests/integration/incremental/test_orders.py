"""Changes of orders that come late, are told anew or are taken back, built step by step."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.dbt_orders import FIRST_MS, Orders, change, customer, item, order, product
from tests.integration.incremental.two_ways import differences
from tests.integration.orders_replay import RAW_COLUMNS, wrong_orders_answers

ORDERS = Orders()
FEEDS = (ORDERS,)
DOMAINS = ("orders",)
FIRST, SECOND, THIRD, *_ = ORDERS.keys
EARLY = change("c", "orders", None, order(1), lsn=10, ordinal=0, minute=10)
MOVED = change("u", "orders", order(1), order(1, "COMPLETED"), lsn=30, ordinal=0, minute=30)


@pytest.fixture(autouse=True)
def empty(world):
    """Nothing of the tests before: every drop holds the one change that nothing asks for."""
    for key in ORDERS.keys:
        world.deliver(key, ORDERS.drop([change("c", "customers", None, customer(9), lsn=1, ordinal=0)]))
    world.load()


@pytest.fixture
def told(world, build_both, transformer, relations):
    """Delivers records under a key, builds both ways, and holds them against each other and against Python."""

    def tell(key, *records):
        world.deliver(key, ORDERS.drop(records))
        world.load()
        build_both()
        assert differences(transformer, relations) == {}
        assert wrong_orders_answers(transformer, world.raw(ORDERS, RAW_COLUMNS)) == {}

    return tell


def at(minute):
    return datetime.fromtimestamp(FIRST_MS / 1000, UTC) + timedelta(minutes=minute)


def history(connection, columns="status, valid_from, valid_to, ended_by", row=1):
    return connection.execute(
        f"select {columns} from silver.int_orders_orders_history where order_id = %s order by place", [row]
    ).fetchall()


def test_a_late_change_comes_between_those_around_it(told, transformer):
    told(FIRST, EARLY)
    told(SECOND, MOVED)
    told(THIRD, change("u", "orders", order(1), order(1, "PROCESSING"), lsn=20, ordinal=0, minute=20))
    assert history(transformer) == [
        ("PENDING", at(10), at(20), "update"),
        ("PROCESSING", at(20), at(30), "update"),
        ("COMPLETED", at(30), None, None),
    ]


def test_a_change_that_is_taken_back_gives_the_version_before_it_its_time_again(told, transformer):
    told(FIRST, EARLY)
    told(SECOND, MOVED)
    told(SECOND, change("c", "orders", None, order(2), lsn=31, ordinal=0, minute=31))
    assert history(transformer) == [("PENDING", at(10), None, None)]


def test_a_change_that_is_corrected_to_another_row_leaves_the_first_one(told, transformer):
    told(FIRST, EARLY)
    told(SECOND, MOVED)
    told(SECOND, {**MOVED, "before": None, "after": order(2, "COMPLETED")})
    assert history(transformer) == [("PENDING", at(10), None, None)]
    assert history(transformer, row=2) == [("COMPLETED", at(30), None, None)]


def test_a_late_truncation_ends_what_was_before_it_alone_and_withdrawn_ends_nothing(told, transformer):
    told(FIRST, EARLY, change("c", "orders", None, order(2), lsn=25, ordinal=0, minute=25))
    told(SECOND, change("t", "orders", lsn=20, ordinal=0, minute=20))
    assert history(transformer) == [("PENDING", at(10), at(20), "truncate")]
    assert history(transformer, row=2) == [("PENDING", at(25), None, None)]
    told(SECOND, change("t", "products", lsn=20, ordinal=0, minute=20))
    assert history(transformer) == [("PENDING", at(10), None, None)]


def test_a_late_change_before_a_gap_says_for_how_long_rows_were_known(told, transformer):
    """The change is of another table: it tells only that the log was whole until then."""
    told(FIRST, EARLY, change("g", "orders", {"lsn": 20}, lsn=40, ordinal=0, minute=40))
    assert history(transformer) == [("PENDING", at(10), at(10), "gap")]
    told(SECOND, change("c", "products", None, product(1), lsn=20, ordinal=0, minute=20))
    assert history(transformer) == [("PENDING", at(10), at(20), "gap")]


def test_only_rows_with_a_change_are_told_anew(told, transformer):
    """Another order and another table are not written again."""
    told(FIRST, EARLY, change("c", "orders", None, order(2), lsn=11, ordinal=0, minute=11))
    before = (
        dict(history(transformer, "xmin::text, status", 2)),
        dict(history(transformer, "xmin::text, status")),
    )
    told(SECOND, MOVED, change("c", "order_items", None, item(1, 2), lsn=32, ordinal=0, minute=32))
    after = (
        dict(history(transformer, "xmin::text, status", 2)),
        dict(history(transformer, "xmin::text, status")),
    )
    assert before[0] == after[0]
    assert not before[1].keys() & after[1].keys()
