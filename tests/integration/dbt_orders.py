"""The orders' feed for the tests of dbt: change logs, small and colliding, told twice, late and out of order."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data_ingestion.contract import read_contract
from tests.integration.dbt_session import ROOT

KEYS = {
    "customers": "customer_id",
    "products": "product_id",
    "orders": "order_id",
    "order_items": "order_item_id",
}
STAMPED = {
    "updated_at": "2026-01-05T08:00:00.5", "updated_by": -1, "created_at": "2026-01-05T08:00:00", "created_by": -1
}  # fmt: skip
STATUSES = ("PENDING", "PENDING", "PROCESSING", "REPROCESSING", "COMPLETED")
FIRST_MS = 1_767_600_000_000

Record = Mapping[str, Any]
Row = dict[str, Any]


class Orders:
    """Drops of a change log: changes told twice, late, out of order, corrected; clocks that run backwards."""

    contract = read_contract(ROOT / "contracts/orders/order_changes.odcs.yaml")
    keys: Sequence[str] = tuple(f"orders/changes/2026/01/05/{name}.jsonl" for name in "abcd")

    def drop(self, records: Iterable[Record]) -> bytes:
        return "".join(f"{json.dumps(record)}\n" for record in records).encode()

    def random_drop(self, chance: random.Random) -> bytes:
        return self.drop(_random_record(chance) for _ in range(chance.randint(1, 14)))


def change(
    op: str,
    table: str,
    before: Row | None = None,
    after: Row | None = None,
    lsn: int = 1,
    ordinal: int | None = None,
    minute: float = 0,
) -> Record:
    """A record of the log; `minute` is when it was committed."""
    record = {
        "op": op, "lsn": lsn, "ordinal": ordinal, "source_table": table,
        "ts_ms": FIRST_MS + int(minute * 60_000), "before": before, "after": after,
    }  # fmt: skip
    return {name: value for name, value in record.items() if name != "ordinal" or value is not None}


def customer(number: int, name: str = "Mill Trading", **values: Any) -> Row:
    return {
        "customer_id": number, "customer_name": name, "is_active": True, "customer_address": None, **STAMPED, **values,
    }  # fmt: skip


def product(number: int, name: str = "Lamp, oak", price: float = 10.5, **values: Any) -> Row:
    return {
        "product_id": number, "product_name": name, "barcode": f"{number:012}", "unity_price": price, "is_active": True,
        **STAMPED, **values,
    }  # fmt: skip


def order(
    number: int, status: str = "PENDING", buyer: int = 1, delivery: str = "2026-01-09", **values: Any
) -> Row:
    return {
        "order_id": number, "order_date": "2026-01-05", "delivery_date": delivery, "customer_id": buyer,
        "status": status, **STAMPED, **values,
    }  # fmt: skip


def item(number: int, of: int, sold: int = 1, quantity: int = 1, **values: Any) -> Row:
    return {
        "order_item_id": number, "order_id": of, "product_id": sold, "quanity": quantity, **STAMPED, **values
    }  # fmt: skip


def _random_record(chance: random.Random) -> Record:
    place = {
        "lsn": chance.randint(1, 30),
        "ordinal": chance.choice((None, 0, 1)),
        "minute": chance.randint(0, 40),
    }
    table = chance.choices(tuple(KEYS), (1, 1, 3, 3))[0]
    what = chance.random()
    if what < 0.04:
        return change("t", table, **place)
    if what < 0.10:
        return change("g", table, {"lsn": chance.randint(0, place["lsn"])}, **place)
    before, after = _random_row(table, chance), _random_row(table, chance)
    if what < 0.25:
        return change("d", table, before, **place)
    if what < 0.55:
        of_this = {**before, KEYS[table]: after[KEYS[table]]}
        return change("u", table, chance.choice((None, before, of_this)), after, **place)
    return change(chance.choice(("c", "r")), table, None, after, **place)


def _random_row(table: str, chance: random.Random) -> Row:
    number = chance.randint(1, 4)
    if table == "customers":
        return customer(number, chance.choice(("Mill Trading", "Harbour Trading")))
    if table == "products":
        return product(number, chance.choice(("Lamp, oak", "Chair")), chance.choice((10.5, 0.01)))
    if table == "orders":
        return order(
            number,
            chance.choice(STATUSES),
            chance.randint(1, 5),
            chance.choice(("2026-01-09", "2026-01-10", "2026-01-11", "2026-01-12")),
        )
    return item(chance.randint(1, 6), chance.randint(1, 5), chance.randint(1, 5), chance.randint(1, 3))
