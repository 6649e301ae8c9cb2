"""The shop's traffic: the same minutes give the same rows, in one go or in several."""

from datetime import date, datetime

import psycopg
import pytest

from goldworks_samples.traffic import FIRST_ORDER, STATUSES, TABLES, age, make_traffic, statements

TODAY = date(2026, 1, 6)


@pytest.fixture
def shop(postgres, warehouse_database: str):
    url = postgres.url("postgres", postgres.password, warehouse_database)
    with psycopg.connect(url, autocommit=True) as session:
        yield session


def rows(session: psycopg.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {table: session.execute(f"select * from {table} order by 1").fetchall() for table in TABLES}


def test_minutes_in_one_go_and_in_several_give_the_same_rows(shop: psycopg.Connection) -> None:
    shop.execute("create schema one; create schema several")
    shop.execute("set search_path = one")
    assert make_traffic(shop, 90, today=TODAY) == 90
    whole = rows(shop)
    shop.execute("set search_path = several")
    for minutes in (7, 23, 60):
        passed = make_traffic(
            shop, minutes, today=date(2026, 1, 6 + minutes % 7)
        )  # only the first day counts
    assert (rows(shop), passed, age(shop)) == (whole, 90, 90)


def test_every_kind_of_change_happens_and_old_orders_move_too(shop: psycopg.Connection) -> None:
    shop.execute("create schema shop; set search_path = shop")
    make_traffic(shop, 300, today=TODAY)
    held = rows(shop)
    assert {row[4] for row in held["orders"]} == set(STATUSES)
    numbers = [row[0] for row in held["orders"]]
    taken = [number for number in numbers if number >= FIRST_ORDER]
    assert len(taken) < 300 and max(taken) == FIRST_ORDER + 299  # some were cancelled
    with_items = {row[1] for row in held["order_items"]}
    assert any(number not in with_items for number in numbers)
    late = [row for row in held["orders"] if (row[5] - row[7]).total_seconds() > 3 * 3600]
    assert late


def test_another_seed_is_another_shop() -> None:
    opened = datetime(2026, 1, 5, 8)
    assert list(statements(5, opened, seed=1)) != list(statements(5, opened, seed=2))


def test_a_shop_opens_on_the_day_before_with_some_orders_that_are_overdue(shop: psycopg.Connection) -> None:
    shop.execute("create schema shop; set search_path = shop")
    make_traffic(shop, 600, today=TODAY)
    orders = rows(shop)["orders"]
    assert {row[7].date() for row in orders} == {date(2026, 1, 5)}
    assert min(row[1] for row in orders) == date(2025, 12, 15)
    due = [row[2] < TODAY for row in orders if row[4] != "COMPLETED"]
    assert 5 < sum(due) < 0.2 * len(due)
    assert all(row[1] < row[2] for row in orders)
