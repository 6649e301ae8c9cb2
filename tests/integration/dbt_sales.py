"""Sales for the tests of dbt: drops of both datasets, small and colliding, and the marts' answers in plain Python."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from data_ingestion.contract import read_contract
from tests.integration.dbt_session import ROOT

Row = Mapping[str, Any]

RESTATED = (
    "transaction_id", "customer_id", "transaction_date", "product_id", "product_name", "quantity", "price", "tax"
)  # fmt: skip
PERSON = ("customer_first_name", "customer_last_name", "customer_email", "customer_phone")
PLACE = ("customer_country", "customer_city")
SALES_COLUMNS = (*RESTATED, *PERSON, *PLACE)
UNKNOWN_DAY = date(1900, 1, 1)
# Two people with one number at the till, one of them written in two ways; somebody without a name; nobody.
PEOPLE = (
    ("Ana", "Silva", "ana@harbour.example", "+351-555-0107"),
    ("ANA", "silva", "Ana@harbour.example", "+351 555 0107"),
    ("Ana", "Silva", "ana@mill.example", "+351-555-0107"),
    ("", "", "bo@mill.example", ""),
    ("", "", "", ""),
)
PLACES = (("Portugal", "Porto"), ("Portugal", ""), ("Peru", "Cusco"), ("Unknown", ""), ("", ""))
PRODUCTS = (("40", "Kettle"), ("P40", "Kettle"), ("41", "Lamp"), ("41", ""), ("", "Radio"), ("", ""))
DAYS = ("2023-12-31", "31-01-2024", "2024-02-01", "2024-02-02", "29-02-2024", "")
AMOUNTS = ("19.99", "Two Hundred", "fifteen", "0", "")


class Sales:
    """Hourly drops of sales; the same sale may come again with any cell changed, its day and buyer too."""

    contract = read_contract(ROOT / "contracts/sales/customer_transactions.odcs.yaml")
    columns: Sequence[str] = SALES_COLUMNS
    keys: Sequence[str] = tuple(f"customer_transactions/2024/03/0{day}/07/sales.csv" for day in (1, 2, 3))

    def drop(self, *rows: Row) -> bytes:
        """`rows` are cells by column; what a row leaves out is empty."""
        lines = [",".join(str(row.get(name, "")) for name in self.columns) for row in rows]
        return "\n".join([",".join(self.columns), *lines]).encode()

    def random_drop(self, chance: random.Random) -> bytes:
        return self.drop(*(self.random_row(chance) for _ in range(chance.randint(1, 8))))

    def random_row(self, chance: random.Random) -> Row:
        product, name = chance.choice(PRODUCTS)
        cells = (
            f"{chance.choice(['', 'T'])}{chance.randint(1, 20)}", chance.choice(["61.0", ""]), chance.choice(DAYS),
            product, name, chance.choice(["", "1.0", "3"]), chance.choice(AMOUNTS), chance.choice(AMOUNTS),
            *chance.choice(PEOPLE), *chance.choice(PLACES),
        )  # fmt: skip
        return dict(zip(SALES_COLUMNS, cells, strict=True))


class Restatements(Sales):
    """The first eight columns of sales, some of which never come; any cell may be empty."""

    contract = read_contract(ROOT / "contracts/sales/transaction_restatements.odcs.yaml")
    columns = RESTATED
    keys = tuple(f"transaction_restatements/2024/03/0{day}/21/restated.csv" for day in (1, 2, 3))

    def random_row(self, chance: random.Random) -> Row:
        row = super().random_row(chance)
        return {
            name: cell if name == "transaction_id" or chance.random() < 0.5 else ""
            for name, cell in row.items()
        }


_SUMS = (
    "transactions, counted_transactions, uncounted_transactions, missing_quantities, quantity, revenue, tax, "
    "uncounted_tax"
)
# What of each model `sales_answers` says, as the query to ask it by. A person is asked for by name, not by hash.
QUERIES = {
    "mart_sales_by_month": f"select month_start, {_SUMS} from gold.mart_sales_by_month",
    "mart_sales_by_country": f"select month_start, country, {_SUMS} from gold.mart_sales_by_country",
    "mart_sales_by_product": f"""
        select month_start, country, product_id, product_name, {_SUMS} from gold.mart_sales_by_product""",
    "mart_sales_by_customer": f"""
        select month_start, country, lower(customer_first_name), lower(customer_last_name), mart.customer_email,
               translate(customer_phone, ' -().', ''), {_SUMS}
        from gold.mart_sales_by_customer as mart left join gold.dim_sales_customer using (customer_key)""",
    "fct_sales_transaction": """
        select transaction_id, date_key, quantity, price, tax, revenue, is_counted, is_restated
        from gold.fct_sales_transaction""",
    "star": """
        select transaction_id, d.calendar_date, p.product_id, l.country, l.city, lower(c.customer_email)
        from gold.fct_sales_transaction
        inner join gold.dim_sales_date as d using (date_key)
        inner join gold.dim_sales_product as p using (product_key)
        inner join gold.dim_sales_location as l using (location_key)
        inner join gold.dim_sales_customer as c using (customer_key)""",
    "missing_quantity": "select transaction_id, transaction_date from gold.missing_quantity",
}


def sales_answers(sales: Iterable[Row], restatements: Iterable[Row]) -> dict[str, set[Any]]:
    """What gold must say of these rows of the two datasets, by the names of QUERIES."""
    groups: dict[str, dict[Any, list[Row]]] = defaultdict(lambda: defaultdict(list))
    names: dict[Any, list[str]] = defaultdict(list)  # of a product in a month, in any country
    answers: dict[str, set[Any]] = {name: set() for name in QUERIES}
    for sale in _together(sales, restatements):
        day = sale["transaction_date"]
        month = (day or UNKNOWN_DAY).replace(day=1)
        country, city = (sale[name] or "Unknown" for name in PLACE)
        product = sale["product_id"] or (sale["product_name"] or "").lower()
        groups["mart_sales_by_month"][month,].append(sale)
        groups["mart_sales_by_country"][month, country].append(sale)
        groups["mart_sales_by_product"][month, country, product].append(sale)
        if sale["product_name"]:
            names[month, product].append(sale["product_name"])
        groups["mart_sales_by_customer"][month, country, *_person(sale)].append(sale)
        revenue = sale["quantity"] * sale["price"] if _is_counted(sale) else None
        number = sale["transaction_id"]
        answers["fct_sales_transaction"].add(
            (number, int(f"{day:%Y%m%d}") if day else 0, sale["quantity"], sale["price"], sale["tax"], revenue,
             _is_counted(sale), sale["is_restated"])
        )  # fmt: skip
        answers["star"].add((number, day, sale["product_id"], country, city, _person(sale)[2]))
        if sale["quantity"] is None:
            answers["missing_quantity"].add((number, day))
    for mart, grouped in groups.items():
        for key, rows in grouped.items():
            if mart == "mart_sales_by_product":
                month, country, product = key
                key = (month, country, rows[0]["product_id"], max(names[month, product], default="Unknown"))
            answers[mart].add((*key, *_sums(rows)))
    return answers


def _together(sales: Iterable[Row], restatements: Iterable[Row]) -> Iterable[dict[str, Any]]:
    nothing = dict.fromkeys(SALES_COLUMNS)
    sold = {row["transaction_id"]: row for row in sales}
    restated = {row["transaction_id"]: row for row in restatements}
    for number in sold.keys() | restated.keys():
        row = {**nothing, **sold.get(number, {})}
        row.update({name: value for name, value in restated.get(number, {}).items() if value is not None})
        yield {**row, "is_restated": number in restated}


def _person(sale: Row) -> tuple[Any, ...]:
    """Name, e-mail and phone, in small letters and without what people put between digits; nobody is Unknown."""
    first, last, email, phone = (sale[name] for name in PERSON)
    if first is last is email is phone is None:
        return ("unknown", "unknown", None, None)
    digits = "".join(sign for sign in phone if sign not in " -().") if phone else None
    return (first and first.lower(), last and last.lower(), email and email.lower(), digits)


def _is_counted(sale: Row) -> bool:
    return sale["quantity"] is not None and sale["price"] is not None


def _sums(rows: Sequence[Row]) -> tuple[Any, ...]:
    counted = [row for row in rows if _is_counted(row)]
    others = [row for row in rows if not _is_counted(row)]
    return (
        len(rows), len(counted), len(others), sum(row["quantity"] is None for row in rows),
        sum(row["quantity"] for row in counted),
        sum((row["quantity"] * row["price"] for row in counted), Decimal(0)),
        sum((row["tax"] or Decimal(0) for row in counted), Decimal(0)),
        sum((row["tax"] or Decimal(0) for row in others), Decimal(0)),
    )  # fmt: skip
