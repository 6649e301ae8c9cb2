"""Declared files: a folder's landing loaded under one contract into a file of DuckDB, and what came of it."""

from pathlib import Path

import duckdb

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.warehouses import open_warehouse


def load(folder: Path, contract: Path):
    """The reports of a load of the folder's `landing`, and the rows of raw with their lines."""
    landing = FolderLanding(folder / "landing")
    warehouse = open_warehouse(f"duckdb:///{folder}/warehouse.duckdb")
    warehouse.migrate()
    read = read_contract(contract)
    found = discover([read], landing, warehouse, Choice())
    reports = [report for plan in found.plans for report in load_drops(read, landing, warehouse, plan.drops)]
    warehouse.close()
    names = ", ".join(f'"{name}"' for name in [*(column.name for column in read.columns), "_line"])
    with duckdb.connect(f"{folder}/warehouse.duckdb") as connection:
        rows = connection.sql(f"select {names} from raw.t order by _line").fetchall()
        quarantined = connection.sql("select line, reason from ops.quarantine order by line").fetchall()
    return reports, [tuple(None if cell is None else str(cell) for cell in row) for row in rows], quarantined
