"""The shop's traffic: the same minutes give the same rows, in one go or in several."""

import psycopg
import pytest

from data_ingestion.samples.traffic import STATUSES, TABLES, age, make_traffic, statements


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
    assert make_traffic(shop, 90) == 90
    whole = rows(shop)
    shop.execute("set search_path = several")
    for minutes in (1, 29, 60):
        passed = make_traffic(shop, minutes)
    assert (rows(shop), passed, age(shop)) == (whole, 90, 90)


def test_every_kind_of_change_happens_and_old_orders_move_too(shop: psycopg.Connection) -> None:
    shop.execute("create schema shop; set search_path = shop")
    make_traffic(shop, 300)
    held = rows(shop)
    assert {row[4] for row in held["orders"]} == set(STATUSES)
    numbers = [row[0] for row in held["orders"]]
    assert len(numbers) < 300 and max(numbers) == 300  # some were cancelled
    with_items = {row[1] for row in held["order_items"]}
    assert any(number not in with_items for number in numbers)
    late = [row for row in held["orders"] if (row[5] - row[7]).total_seconds() > 3 * 3600]
    assert late


def test_another_seed_is_another_shop() -> None:
    assert list(statements(5, seed=1)) != list(statements(5, seed=2))
