"""The real change log, where it lies beside the repository: it loads whole, and replays to the source's last state."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data_ingestion.contract import read_contracts
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.warehouses import open_warehouse

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "orders"
KEYS = {
    "customers": "customer_id",
    "products": "product_id",
    "orders": "order_id",
    "order_items": "order_item_id",
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real change log is not at {DATA}")


def test_the_change_log_loads_whole_and_replays_to_the_last_state(tmp_path: Path, warehouse_url: str) -> None:
    folder = tmp_path / "orders" / "changes" / "2026" / "11" / "18"
    folder.mkdir(parents=True)
    (folder / "cdc_changes.jsonl").write_bytes((DATA / "cdc_changes.jsonl").read_bytes())
    [contract] = [one for one in read_contracts(ROOT / "contracts") if one.dataset == "order_changes"]
    landing, warehouse = FolderLanding(tmp_path), open_warehouse(warehouse_url)
    warehouse.migrate()
    [plan] = discover([contract], landing, warehouse, Choice()).plans
    [report] = load_drops(contract, landing, warehouse, plan.drops)
    warehouse.close()
    lines = (DATA / "cdc_changes.jsonl").read_text().splitlines()
    assert (report.fates.read, report.fates.inserted) == (len(lines), len(lines))

    state: dict[str, dict[int, dict[str, Any]]] = {table: {} for table in KEYS}
    with psycopg.connect(warehouse_url) as session:
        changes = session.execute(
            "select source_table, op, before, after from raw.order_changes order by lsn, ordinal"
        )
        for table, op, before, after in changes:
            row = json.loads(after or before, parse_float=str)
            if op == "d":
                del state[table][row[KEYS[table]]]
            else:
                state[table][row[KEYS[table]]] = row
    for table, key in KEYS.items():
        with (DATA / f"{table}__snapshot.csv").open(newline="") as file:
            snapshot = {int(row[key]): row for row in csv.DictReader(file)}
        assert {
            number: {name: plain(value) for name, value in row.items()}
            for number, row in state[table].items()
        } == {number: {name: plain(value) for name, value in row.items()} for number, row in snapshot.items()}


def plain(value: object) -> object:
    """One spelling of what JSON and CSV spell differently."""
    text = str(value)
    if value is None or isinstance(value, bool):
        text = {None: "", True: "t", False: "f"}[value]
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text
