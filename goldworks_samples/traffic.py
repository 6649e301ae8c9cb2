"""Traffic: an operational database of invented customers, products and orders that change minute by minute.

It is a source for change capture, not a folder of files. Everything follows from the seed, the day on which the shop
opened and the number of the minute: the same minutes, in one go or in several, give the same rows. The shop opens with
the orders of its last weeks on paper: most are completed, some are overdue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import psycopg
from psycopg import sql

TABLES = ("customers", "products", "orders", "order_items")
PUBLICATION = "order_changes"  # the dataset that they are captured for
OPENS_AT = time(8)  # of the day before
FIRST_ORDER = 1_001  # taken in the first minute; those before it come from paper
ORDERS_ON_PAPER, DAYS_ON_PAPER = 180, 21
STATUSES = ("PENDING", "PROCESSING", "REPROCESSING", "COMPLETED")
CUSTOMERS, PRODUCTS = 20, 24
CITIES = ("Lindau", "Porto Novo", "Ystad", "Kalmar", "Udine", "Tartu")
GOODS = ("Lamp", "Chair", "Shelf", "Kettle", "Blanket", "Clock", "Mirror", "Basket")
COLOURS = ("oak", "white", "green", "copper")

# The misspelt names are those that such systems have, and keep.
SCHEMA = """
create table if not exists customers (
    customer_id int primary key, customer_name text not null, is_active boolean not null, customer_address text,
    updated_at timestamp not null, updated_by int not null, created_at timestamp not null, created_by int not null
);
create table if not exists products (
    product_id int primary key, product_name text not null, barcode text not null, unity_price numeric(12, 2) not null,
    is_active boolean not null,
    updated_at timestamp not null, updated_by int not null, created_at timestamp not null, created_by int not null
);
create table if not exists orders (
    order_id int primary key, order_date date not null, delivery_date date not null, customer_id int not null,
    status text not null,
    updated_at timestamp not null, updated_by int not null, created_at timestamp not null, created_by int not null
);
create table if not exists order_items (
    order_item_id int primary key, order_id int not null, product_id int not null, quanity int not null,
    updated_at timestamp not null, updated_by int not null, created_at timestamp not null, created_by int not null
);
create table if not exists traffic (minute int primary key); -- how far the generator is; not captured
alter table customers replica identity full;
alter table products replica identity full;
alter table orders replica identity full;
alter table order_items replica identity full;
"""


@dataclass(frozen=True)
class Statement:
    """One statement of a minute's transaction, with its values."""

    text: str
    values: tuple[Any, ...]


def make_traffic(session: psycopg.Connection, minutes: int, seed: int = 7, *, today: date) -> int:
    """Lets so many minutes pass, each a transaction; how many have passed in all.

    The tables are made where they are missing. A shop that is not open yet opens on the day before `today`; one that is
    continues from its own last minute. Needs a session in autocommit mode as the owner of its database.
    """
    session.execute(SCHEMA)
    _publish(session)
    first = age(session)
    opened = _opened(session) if first else datetime.combine(today - timedelta(days=1), OPENS_AT)
    for minute in range(first, first + minutes):
        with session.transaction():
            for statement in statements(minute, opened, seed):
                session.execute(statement.text, statement.values)
            session.execute("insert into traffic values (%s)", [minute])
    return first + minutes


def age(session: psycopg.Connection) -> int:
    """How many minutes of the shop's life have passed."""
    if session.execute("select to_regclass('traffic')").fetchone() == (None,):
        return 0
    row = session.execute("select coalesce(max(minute), -1) + 1 from traffic").fetchone()
    assert row is not None
    return int(row[0])


def _opened(session: psycopg.Connection) -> datetime:
    """The first minute of a shop that is open, which all its first customers have."""
    row = session.execute("select min(created_at) from customers").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def _publish(session: psycopg.Connection) -> None:
    """The tables' owner lets their changes be captured, so that the login of the capture need own nothing."""
    if session.execute("select from pg_publication where pubname = %s", [PUBLICATION]).fetchone() is None:
        tables = sql.SQL(", ").join(map(sql.Identifier, TABLES))
        session.execute(
            sql.SQL("create publication {} for table {}").format(sql.Identifier(PUBLICATION), tables)
        )


def statements(minute: int, opened: datetime, seed: int = 7) -> Iterator[Statement]:
    """What happens in a minute after `opened`; the first one opens the shop."""
    chance = Random(f"{seed}/{minute}")  # noqa: S311  (invented rows, no secrets)
    now = opened + timedelta(minutes=minute)
    if minute == 0:
        yield from _opening(chance, now)
        yield from _orders_on_paper(chance, now)
    yield from _order(minute, chance, now)
    yield from _progress(minute, chance, now)
    if chance.random() < 0.2:
        yield Statement(
            "update products set unity_price = %s, updated_at = %s where product_id = %s",
            (_price(chance), now, chance.randint(1, PRODUCTS)),
        )
    if chance.random() < 0.1:
        yield Statement(
            "update customers set customer_address = %s, is_active = %s, updated_at = %s where customer_id = %s",
            (_address(chance), chance.random() < 0.9, now, chance.randint(1, CUSTOMERS)),
        )


def _opening(chance: Random, now: datetime) -> Iterator[Statement]:
    stamps = (now, -1, now, -1)
    for number in range(1, CUSTOMERS + 1):
        name = f"{chance.choice(CITIES)} Trading {number}"
        yield Statement(
            "insert into customers values (%s, %s, true, %s, %s, %s, %s, %s)",
            (number, name, _address(chance), *stamps),
        )
    for number in range(1, PRODUCTS + 1):
        name = f"{chance.choice(GOODS)}, {chance.choice(COLOURS)}"
        barcode = f"{chance.randrange(10**11, 10**12)}"
        yield Statement(
            "insert into products values (%s, %s, %s, %s, true, %s, %s, %s, %s)",
            (number, name, barcode, _price(chance), *stamps),
        )


def _orders_on_paper(chance: Random, now: datetime) -> Iterator[Statement]:
    """Orders of the weeks before: of those that should be delivered by now, one in twelve is still open."""
    for number in range(ORDERS_ON_PAPER):
        ordered = now.date() - timedelta(days=DAYS_ON_PAPER - number * DAYS_ON_PAPER // ORDERS_ON_PAPER)
        delivery = ordered + timedelta(days=chance.randint(1, 10))
        is_open = chance.random() < (1 / 12 if delivery < now.date() else 0.6)
        status = chance.choice(STATUSES[:3]) if is_open else STATUSES[3]
        yield from _new_order(FIRST_ORDER - ORDERS_ON_PAPER + number, chance, now, ordered, delivery, status)


def _order(minute: int, chance: Random, now: datetime) -> Iterator[Statement]:
    """A new order a minute."""
    delivery = now.date() + timedelta(days=chance.randint(1, 10))
    yield from _new_order(FIRST_ORDER + minute, chance, now, now.date(), delivery, STATUSES[0])


def _new_order(
    order: int, chance: Random, now: datetime, ordered: date, delivery: date, status: str
) -> Iterator[Statement]:
    """An order with its items; one in twelve has none yet."""
    stamps = (now, -1, now, -1)
    yield Statement(
        "insert into orders values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (order, ordered, delivery, chance.randint(1, CUSTOMERS), status, *stamps),
    )
    for position in range(0 if order % 12 == 0 else chance.randint(1, 6)):
        yield Statement(
            "insert into order_items values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (order * 10 + position, order, chance.randint(1, PRODUCTS), chance.randint(1, 40), *stamps),
        )


def _progress(minute: int, chance: Random, now: datetime) -> Iterator[Statement]:
    """Orders move on, old ones too; now and then an item is taken back, or an order cancelled with its items."""
    for _ in range(chance.randint(0, 3)):
        order = FIRST_ORDER + minute - int(chance.expovariate(1 / 60))
        yield Statement(
            "update orders set status = %s, updated_at = %s where order_id = %s and status <> 'COMPLETED'",
            (chance.choice(STATUSES[1:]), now, order),
        )
    if chance.random() < 0.08:
        yield Statement(
            "delete from order_items where order_item_id = %s", (_any_order(minute, chance) * 10,)
        )
    if chance.random() < 0.02:
        order = _any_order(minute, chance)
        yield Statement("delete from order_items where order_id = %s", (order,))
        yield Statement("delete from orders where order_id = %s", (order,))


def _any_order(minute: int, chance: Random) -> int:
    return FIRST_ORDER + chance.randint(0, minute)


def _price(chance: Random) -> str:
    return f"{chance.randint(2, 250)}.{chance.randint(0, 99):02}"


def _address(chance: Random) -> str:
    return f"{chance.randint(1, 90)} Harbour Street, {chance.choice(CITIES)}"
