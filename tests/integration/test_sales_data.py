"""The sales domain's drops on a real warehouse: every row accounted for, in words or digits, restated or not.

What raw must hold of the real files is read from them by plain Python (`sales_files`).
"""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from data_ingestion.contract import Contract, read_contract
from data_ingestion.ledger import Fates, Kind
from goldworks_samples.domains import write_samples
from tests.integration.sales_files import DATA, FILES, needs_real_sales, real_rows

ROOT = Path(__file__).resolve().parents[2]
SALE = {
    "transaction_id": "7001", "customer_id": "61.0", "transaction_date": "2026-03-05", "product_id": "40",
    "product_name": "Kettle", "quantity": "2.0", "price": "31.25", "tax": "3.10", "customer_first_name": "Ana",
    "customer_last_name": "Silva", "customer_email": "ana.silva@heron-mills.example",
    "customer_phone": "+351-555-0107", "customer_country": "Portugal", "customer_city": "Porto",
}  # fmt: skip
SEVEN, EIGHT, NINE = (f"customer_transactions/2026/03/05/{hour:02d}/sales.csv" for hour in (7, 8, 9))


def contract_of(dataset) -> Contract:
    return read_contract(ROOT / f"contracts/sales/{dataset}.odcs.yaml")


@pytest.fixture
def sales() -> Contract:
    return contract_of("customer_transactions")


def put(landing, key, *changes):
    """A file of sales, each SALE with changes, without a line end at its end."""
    rows = [",".join({**SALE, **change}.values()) for change in changes]
    landing.write(key, "\n".join([",".join(SALE), *rows]).encode())


def raw(warehouse, columns, dataset="customer_transactions"):
    return warehouse.connection.execute(f"select {columns} from raw.{dataset} order by 1").fetchall()


def test_a_letter_before_the_number_names_the_same_sale(landing, sales, load, warehouse):
    put(landing, SEVEN, {"transaction_id": "T7001"})
    put(landing, EIGHT, {"transaction_id": "7001", "price": "Forty"})
    load(sales)
    assert raw(warehouse, "transaction_id, price") == [(7001, Decimal(40))]


def test_another_letter_before_a_number_names_no_sale_that_is_there(landing, sales, load, warehouse):
    put(landing, SEVEN, {"transaction_id": "T7001"})
    put(landing, EIGHT, {"transaction_id": "R7001", "quantity": "-2"}, {"transaction_id": "7002"})
    load(sales)
    assert raw(warehouse, "transaction_id, quantity") == [(7001, 2), (7002, 2)]
    (bad,) = warehouse.quarantined("customer_transactions", limit=10)
    assert (bad["column_name"], bad["reason"]) == ("transaction_id", "not_an_integer")


def test_a_sale_in_words_again_in_digits_is_unchanged(landing, sales, load, warehouse):
    put(landing, SEVEN, {"price": "Two Hundred", "tax": "fifteen", "transaction_date": "05-03-2026"})
    load(sales)
    put(landing, EIGHT, {"price": "200", "tax": "15.0"})
    (report,) = load(sales)
    assert report.fates == Fates(read=1, unchanged=1)


def test_a_sale_of_a_former_hour_again_with_another_quantity_is_updated(landing, sales, load, warehouse):
    put(landing, SEVEN, {"quantity": ""}, {"transaction_id": "7002"})
    load(sales)
    put(landing, EIGHT, {"quantity": "3.0"})
    (report,) = load(sales)
    assert report.fates == Fates(read=1, updated=1)
    assert raw(warehouse, "transaction_id, quantity") == [(7001, 3), (7002, 2)]


def test_an_hour_that_arrives_late_overwrites_nothing_newer(landing, sales, load, warehouse):
    put(landing, NINE, {"quantity": "9"})
    load(sales)
    put(landing, EIGHT, {"quantity": "8"}, {"transaction_id": "7002"})
    (report,) = load(sales)
    assert (report.kind, report.fates) == (Kind.LATE, Fates(read=2, superseded=1, inserted=1))
    assert raw(warehouse, "transaction_id, quantity") == [(7001, 9), (7002, 2)]


def test_unclear_words_wait_in_the_quarantine_with_their_reason(landing, sales, load, warehouse):
    put(landing, SEVEN, {"price": "two two"}, {"transaction_id": "7002"})
    (report,) = load(sales)
    assert report.fates == Fates(read=2, inserted=1, quarantined=1)
    (bad,) = warehouse.quarantined("customer_transactions", limit=10)
    assert (bad["line"], bad["column_name"], bad["reason"]) == (2, "price", "not_number_words")
    assert "'two' can't follow 'two'" in bad["detail"]


def test_the_sample_hours_come_in_with_every_row_accounted_for(landing, sales, load, warehouse):
    drops = {
        drop.key: drop for drop in write_samples(landing.write, "sales", scale=0.3, today=date(2026, 3, 2))
    }
    for contract in (sales, contract_of("transaction_restatements")):
        reports = load(contract)
        assert {report.state for report in reports} == {"loaded"}
        for report in reports:
            drop, fates = drops[report.object_key], report.fates
            assert fates.accounted == fates.read
            if report.kind is not Kind.DUPLICATE:
                assert (fates.read, fates.quarantined) == (drop.rows, drop.bad_rows)
        assert load(contract) == []


def test_every_kind_of_bad_sample_row_is_quarantined_with_its_reason(landing, sales, load, warehouse):
    drops = write_samples(landing.write, "sales", today=date(2026, 3, 2))
    load(sales)
    rows = warehouse.quarantined("customer_transactions", limit=1000)
    assert {(row["column_name"], row["reason"]) for row in rows} == {
        ("transaction_id", "missing"),
        ("customer_id", "not_an_integer"),
        ("transaction_date", "not_a_date"),
        ("quantity", "not_an_integer"),
        ("price", "not_number_words"),
        ("tax", "not_number_words"),
        (None, "too_few_columns"),
        (None, "too_many_columns"),
        ("customer_email", "bad_utf8"),
    }
    copied = next(drop for drop in drops if "bytes" in drop.note)
    assert len(rows) == sum(drop.bad_rows for drop in drops) - copied.bad_rows


@needs_real_sales
@pytest.mark.parametrize("dataset", FILES)
def test_every_cell_of_the_real_file_is_in_raw_and_its_rows_add_up(landing, load, warehouse, dataset):
    expected = real_rows(dataset)
    key = f"{dataset}/2023/07/21/00/{dataset}.csv"
    (landing.root / key).parent.mkdir(parents=True)
    shutil.copy(DATA / FILES[dataset], landing.root / key)
    (report,) = load(contract_of(dataset))
    assert report.fates == Fates(read=len(expected), inserted=len(expected))
    assert warehouse.quarantined(dataset, limit=10) == []
    held = raw(warehouse, ", ".join(expected[0]), dataset)
    assert held == sorted(tuple(row.values()) for row in expected)
    assert load(contract_of(dataset)) == []
