"""The real files of sales, where they lie beside the repository, read cell by cell by plain Python."""

import csv
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.dbt_session import ROOT

DATA = ROOT.parent / "shared" / "data" / "customer_transactions"
FILES = {
    "customer_transactions": "customer_transactions.csv",
    "transaction_restatements": "customer_transactions__8_columns_one_row_restated.csv",
}
# All that these files write in words, as a person reads it.
IN_WORDS = {"two hundred": "200", "fifteen": "15"}

needs_real_sales = pytest.mark.skipif(not DATA.is_dir(), reason="the real sales are not on this machine")


def real_rows(dataset: str) -> list[dict[str, Any]]:
    """The rows of a dataset's file, as raw has to hold them."""
    with (DATA / FILES[dataset]).open(newline="", encoding="utf-8") as file:
        return [_typed(row) for row in csv.DictReader(file)]


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: cell.strip() or None for name, cell in row.items()}
    for name in ("transaction_id", "product_id"):
        values[name] = int(values[name].lstrip("TP"))
    for name in ("customer_id", "quantity"):
        values[name] = values[name] and int(Decimal(values[name]))
    form = "%d-%m-%Y" if re.match(r"\d\d-", values["transaction_date"]) else "%Y-%m-%d"
    values["transaction_date"] = datetime.strptime(values["transaction_date"], form).date()
    for name in ("price", "tax"):
        values[name] = Decimal(IN_WORDS.get(values[name].lower(), values[name]))
    return values
