"""A replay of the orders' change log in plain Python, and what silver and gold must say of it.

It goes through the log change by change, as the source did; the models never do.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.integration.dbt_orders import KEYS

# As the source calls them; silver spells `quantity` and `unit_price`.
VALUES = {
    "customers": ("customer_name", "is_active", "customer_address"),
    "products": ("product_name", "barcode", "unity_price", "is_active"),
    "orders": ("order_date", "delivery_date", "customer_id", "status"),
    "order_items": ("order_id", "product_id", "quanity"),
}
STAMPS = ("updated_at", "updated_by", "created_at", "created_by")
RENAMED = {"unity_price": "unit_price", "quanity": "quantity"}
RAW_COLUMNS = "lsn, ordinal, _occurrence, op, source_table, ts_ms, before, after"

Row = dict[str, Any]


@dataclass
class Version:
    """What a row was from one change to the next; `number` is the row's key."""

    number: int
    values: Row
    valid_from: datetime
    place: tuple[int, int | None]
    valid_to: datetime | None = None
    end: tuple[int | None, int | None] = (None, None)
    ended_by: str | None = None


@dataclass
class Replay:
    """What the log made of the source's tables: every version of every row, and what nobody knows."""

    versions: dict[str, list[Version]] = field(default_factory=lambda: {table: [] for table in KEYS})
    gaps: list[tuple[Any, ...]] = field(default_factory=list)
    began_at: datetime | None = None
    _open: dict[tuple[str, int], Version] = field(default_factory=dict)
    _clocks: dict[tuple[str, int], datetime] = field(default_factory=dict)

    def now(self, table: str) -> dict[int, Row]:
        return {
            version.number: version.values for version in self.versions[table] if version.ended_by is None
        }

    def last(self, table: str) -> dict[int, Version]:
        """Of every row that ever was, what it was last."""
        return {version.number: version for version in self.versions[table]}

    def begin(self, table: str, values: Row, at: datetime, place: tuple[int, int | None]) -> None:
        number = values[KEYS[table]]
        self.end(table, number, at, place, "update")
        self._clocks[table, number] = max(self._clocks.get((table, number), at), at)
        version = Version(number, values, self._clocks[table, number], place)
        self.versions[table].append(version)
        self._open[table, number] = version

    def end(
        self, table: str, number: int, at: datetime, place: Any, by: str, held_until: datetime | None = None
    ) -> None:
        version = self._open.pop((table, number), None)
        if version is None:
            return
        self._clocks[table, number] = max(version.valid_from, at)
        version.end, version.ended_by = place, by
        version.valid_to = max(version.valid_from, at if by != "gap" else held_until or version.valid_from)

    def end_all(self, table: str, *how: Any) -> None:
        for of, number in sorted(self._open):
            if of == table:
                self.end(table, number, *how)


def replay(raw: Iterable[Sequence[Any]]) -> Replay:
    """The log replayed from rows of raw (`RAW_COLUMNS`), in whichever order they come."""
    made = Replay()
    log = sorted(raw, key=lambda row: (row[0], -1 if row[1] is None else row[1], row[2]))
    for number, (lsn, ordinal, _, op, table, ts_ms, *objects) in enumerate(log):
        before, after = (_typed(text) if op != "g" else text for text in objects)
        at, place, key = _moment(ts_ms), (lsn, ordinal), KEYS[table]
        made.began_at = made.began_at or at
        if op == "t":
            made.end_all(table, at, place, "truncate")
        elif op == "g":
            known_lsn = json.loads(before)["lsn"]
            known = [row for row in log[:number] if row[0] <= known_lsn]
            until = min(at, _moment(known[-1][5])) if known else None
            made.gaps.append((table, until, at, known_lsn, lsn, ordinal))
            made.end_all(table, at, place, "gap", until)
        elif op == "d":
            made.end(table, before[key], at, place, "delete")
        else:
            if before and before[key] != after[key]:
                made.end(table, before[key], at, place, "delete")
            made.begin(table, after, at, place)
    return made


def _moment(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ts_ms)


def _typed(text: str | None) -> Row | None:
    if text is None:
        return None
    row = json.loads(text, parse_float=Decimal)
    for name, value in row.items():
        if value is not None and name in ("order_date", "delivery_date"):
            row[name] = date.fromisoformat(value)
        if value is not None and name in ("updated_at", "created_at"):
            row[name] = datetime.fromisoformat(value)
        if value is not None and name == "unity_price":
            row[name] = Decimal(value)
    return row


def _spelt(name: str) -> str:
    return RENAMED.get(name, name)


# What silver and gold say, as the queries to ask them by: the names of `orders_answers`.
QUERIES = {
    **{
        f"int_orders_{table}_history": f"""
            select {", ".join(_spelt(name) for name in (KEYS[table], *VALUES[table], *STAMPS))},
                   valid_from, valid_to, valid_from_lsn, valid_from_ordinal, valid_to_lsn, valid_to_ordinal, ended_by
            from silver.int_orders_{table}_history"""
        for table in KEYS
    },
    **{
        f"int_orders_{table}": f"""
            select {", ".join(_spelt(name) for name in (KEYS[table], *VALUES[table], *STAMPS))}
            from silver.int_orders_{table}"""
        for table in KEYS
    },
    "int_orders_unknown_history": """
        select source_table, unknown_from, unknown_to, unknown_from_lsn, unknown_to_lsn, unknown_to_ordinal
        from silver.int_orders_unknown_history""",
    "fct_orders_order": """
        select order_id, order_date, delivery_date, customer_id, customer_name, status, is_open, is_pending, items,
               quantity, order_value, items_without_value, changed_at
        from gold.fct_orders_order""",
    "fct_orders_order_item": """
        select order_item_id, order_id, product_id, product_name, quantity, delivery_date, customer_name, status,
               is_open, is_pending
        from gold.fct_orders_order_item""",
    "dim_orders_customer": "select customer_id, customer_name, is_deleted from gold.dim_orders_customer",
    "dim_orders_product": "select product_id, product_name, unit_price, is_deleted from gold.dim_orders_product",
    "open_orders": """
        select delivery_date, status, orders, orders_without_items, items, quantity, order_value
        from gold.mart_orders_open_orders""",
    "top_delivery_dates": """
        select place, delivery_date, open_orders, order_value, order_rank, is_tied
        from gold.mart_orders_delivery_dates where place <= 3""",
    "pending_products": """
        select place, product_id, product_name, items, quantity, orders, item_rank, is_tied
        from gold.mart_orders_pending_products""",
    "top_customers": """
        select place, customer_id, customer_name, pending_orders, items, quantity, order_value, order_rank, is_tied
        from gold.mart_orders_pending_customers where place <= 3""",
    "source_tables": """
        select source_table, rows_now, versions, unknown_intervals from gold.mart_orders_source_tables""",
    "unknown_intervals": """
        select source_table, cause, unknown_from, unknown_to from gold.mart_orders_unknown_intervals""",
}  # fmt: skip


def orders_answers(raw: Iterable[Sequence[Any]]) -> dict[str, set[Any]]:
    """What silver and gold must say of these rows of raw, by the names of QUERIES."""
    raw = list(raw)
    made = replay(raw)
    answers: dict[str, set[Any]] = {"int_orders_unknown_history": set(made.gaps)}
    for table in KEYS:
        names = (KEYS[table], *VALUES[table], *STAMPS)
        answers[f"int_orders_{table}"] = {
            tuple(row[name] for name in names) for row in made.now(table).values()
        }
        answers[f"int_orders_{table}_history"] = {
            (*(v.values[name] for name in names), v.valid_from, v.valid_to, *v.place, *v.end, v.ended_by)
            for v in made.versions[table]
        }
    told = {row[4] for row in raw}
    answers["source_tables"] = {
        (table, len(made.now(table)), len(made.versions[table]), sum(gap[0] == table for gap in made.gaps))
        for table in told
    }
    since_ever = {table for table, known, *_ in made.gaps if known is None}
    answers["unknown_intervals"] = {
        (table, "before the log", None, made.began_at) for table in told - since_ever
    } | {(table, "gap in the log", known, until) for table, known, until, *_ in made.gaps}
    return answers | _gold(made)


def _gold(made: Replay) -> dict[str, set[Any]]:
    buyers, goods = made.last("customers"), made.last("products")
    orders, items = made.now("orders"), made.now("order_items")
    of_order: dict[int, list[Row]] = defaultdict(list)
    for row in items.values():
        of_order[row["order_id"]].append(row)

    def sold(number: int) -> str:
        return goods[number].values["product_name"] if number in goods else "Unknown"

    def buyer(number: int) -> str:
        return buyers[number].values["customer_name"] if number in buyers else "Unknown"

    def pieces(rows: Iterable[Row]) -> int:
        return sum(row["quanity"] for row in rows)

    def worth(rows: Iterable[Row]) -> list[Decimal]:
        prices = ((row["quanity"], goods[row["product_id"]].values.get("unity_price"))
                  for row in rows if row["product_id"] in goods)  # fmt: skip
        return [quantity * price for quantity, price in prices if None not in (quantity, price)]

    changed = {version.number: version.valid_from for version in made.versions["orders"]}
    pending = {number for number, row in orders.items() if row["status"] == "PENDING"}
    by_status: dict[Any, list[int]] = defaultdict(list)
    by_date: dict[Any, list[int]] = defaultdict(list)
    by_buyer: dict[Any, list[int]] = defaultdict(list)
    by_product: dict[Any, list[Row]] = defaultdict(list)
    for number, row in orders.items():
        if row["status"] != "COMPLETED":
            by_status[row["delivery_date"], row["status"]].append(number)
            by_date[row["delivery_date"],].append(number)
        if number in pending:
            by_buyer[buyer(row["customer_id"]), row["customer_id"]].append(number)
    for row in items.values():
        if row["order_id"] in pending:
            by_product[sold(row["product_id"]), row["product_id"]].append(row)

    def items_of(numbers: Iterable[int]) -> list[Row]:
        return [row for number in numbers for row in of_order[number]]

    return {
        "fct_orders_order": {
            (number, row["order_date"], row["delivery_date"], row["customer_id"], buyer(row["customer_id"]),
             row["status"], row["status"] != "COMPLETED", number in pending, len(of_order[number]),
             pieces(of_order[number]), sum(worth(of_order[number])),
             len(of_order[number]) - len(worth(of_order[number])), changed[number])
            for number, row in orders.items()
        },
        "fct_orders_order_item": {
            (number, row["order_id"], row["product_id"], sold(row["product_id"]), row["quanity"],
             *_of_item(orders.get(row["order_id"]), buyer))
            for number, row in items.items()
        },
        "dim_orders_customer": {
            (number, v.values["customer_name"], v.ended_by is not None) for number, v in buyers.items()
        },
        "dim_orders_product": {
            (number, v.values["product_name"], v.values["unity_price"], v.ended_by is not None)
            for number, v in goods.items()
        },
        "open_orders": {
            (*key, len(numbers), sum(not of_order[number] for number in numbers), len(items_of(numbers)),
             pieces(items_of(numbers)), sum(worth(items_of(numbers))))
            for key, numbers in by_status.items()
        },
        "top_delivery_dates": {
            (place, *key, count, sum(worth(items_of(by_date[key]))), rank, tied)
            for place, key, count, rank, tied in _ranked(by_date)
            if place <= 3
        },
        "pending_products": {
            (place, number, name, count, pieces(by_product[name, number]),
             len({row["order_id"] for row in by_product[name, number]}), rank, tied)
            for place, (name, number), count, rank, tied in _ranked(by_product)
        },
        "top_customers": {
            (place, number, name, count, len(items_of(by_buyer[name, number])),
             pieces(items_of(by_buyer[name, number])), sum(worth(items_of(by_buyer[name, number]))), rank, tied)
            for place, (name, number), count, rank, tied in _ranked(by_buyer)
            if place <= 3
        },
    }  # fmt: skip


def _of_item(row: Row | None, buyer: Any) -> tuple[Any, ...]:
    if row is None:
        return (None, "Unknown", "No order", False, False)
    status, name = row["status"], buyer(row["customer_id"])
    return (row["delivery_date"], name, status, status != "COMPLETED", status == "PENDING")


def _ranked(groups: Mapping[Any, Sequence[Any]]) -> Iterable[tuple[int, Any, int, int, bool]]:
    """Place, key, size, rank among equals and whether another group is of this size, the largest first."""
    sizes = {key: len(members) for key, members in groups.items()}
    for place, key in enumerate(sorted(sizes, key=lambda key: (-sizes[key], *key)), 1):
        count = sizes[key]
        rank = 1 + sum(other > count for other in sizes.values())
        yield place, key, count, rank, sum(other == count for other in sizes.values()) > 1


def wrong_orders_answers(connection: Any, raw: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Relations that say something else than Python: what only one of both says."""
    answers = orders_answers(raw)
    wrong = {}
    for name, query in QUERIES.items():
        found = connection.execute(query).fetchall()
        if set(found) != answers[name] or len(found) != len(answers[name]):
            wrong[name] = set(found) ^ answers[name] or found
    return wrong
