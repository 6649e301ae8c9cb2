"""The setting `capture` as a contract tells it, and each way to tell it wrong."""

from pathlib import Path

import pytest

from data_ingestion.contract import Contract, ContractError, read_contract
from data_ingestion.contract.terms import Capture

ROOT = Path(__file__).resolve().parents[2]
ORDERS = ROOT / "contracts/orders/order_changes.odcs.yaml"
PLACE = "servers[0].customProperties[1].value"


def contract(tmp_path: Path, old: str, new: str) -> Contract:
    text = ORDERS.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "order_changes.odcs.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return read_contract(path)


def test_a_contract_names_the_source_and_the_tables_whose_changes_it_takes(tmp_path: Path):
    tables = ("customers", "products", "orders", "order_items")
    assert read_contract(ORDERS).capture == Capture("shop", tables, "public")
    assert contract(tmp_path, "source: shop,", "source: shop, schema: sales,").capture == Capture(
        "shop", tables, "sales"
    )


def test_without_the_setting_somebody_else_writes_the_drops():
    assert read_contract(ROOT / "contracts/bank/bank_transactions.odcs.yaml").capture is None


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ("source: shop", "sorce: shop", f"{PLACE}.sorce", "'source'"),
        ("source: shop", "sorce: shop", f"{PLACE}.source", "erp"),
        ("source: shop", "source: Shop", f"{PLACE}.source", "'shop'"),
        ("tables: [customers, products, orders, order_items]", "tables: []", f"{PLACE}.tables", "list their names"),
        ("tables: [customers, products", "tables: [customers, customers", f"{PLACE}.tables", "once"),
        ("source: shop", "source: shop, schema: 7", f"{PLACE}.schema", "public"),
        ("{YYYY}/{MM}/{DD}/*.jsonl", "{YYYY}/{MM}/*.jsonl", "servers[0].path", "/{YYYY}/{MM}/{DD}/*.jsonl"),
    ],
)  # fmt: skip
def test_a_fault_of_capture_is_told_with_its_place_and_a_way_out(tmp_path, old, new, place, remedy):
    with pytest.raises(ContractError) as caught:
        contract(tmp_path, old, new)
    told = {fault.place: fault for fault in caught.value.faults}
    assert remedy in told[place].remedy
    assert {fault.anchor for fault in caught.value.faults} == {"capture"}
