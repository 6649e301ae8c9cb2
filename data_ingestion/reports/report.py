"""Report: asks gold, and writes the files; the newest in `latest/`, and each day's last under its date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from data_ingestion.events import step
from data_ingestion.landing import Landing
from data_ingestion.reports.csv_file import as_csv
from data_ingestion.reports.definition import Report
from data_ingestion.reports.gold import read_rows
from data_ingestion.reports.page import page
from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Written:
    """Where a report lies now, and how many rows its tables have."""

    report: Report
    place: str
    rows: int


def write_report(
    report: Report, warehouse: Warehouse, reports: Landing, now: datetime | None = None
) -> Written:
    """Writes a report's page and files. All its tables are of one moment of the warehouse."""
    at = now or datetime.now(UTC)
    folder = f"{report.domain}/{report.name}"
    with step("report", domain=report.domain, report=report.name) as facts:
        tables = _ask(report, warehouse)
        files = {"index.html": page(report, tables, at).encode()}
        for table in report.tables:
            files[f"{table.name}.csv"] = as_csv(tables[table.name].rename(columns=dict(table.columns)))
        for place in (f"{folder}/{at:%Y-%m-%d}", f"{folder}/latest"):
            for name, content in files.items():
                reports.write(f"{place}/{name}", content)
        facts |= {"tables": len(tables), "rows": sum(map(len, tables.values()))}
    return Written(report, f"{reports.url}/{folder}/latest/index.html", sum(map(len, tables.values())))


def _ask(report: Report, warehouse: Warehouse) -> dict[str, pd.DataFrame]:
    """What each table of the report holds now."""
    tables = {}
    with warehouse.session.snapshot():
        for table in report.tables:
            names = list(table.columns)
            rows = read_rows(warehouse.session, table.relation, names, table.order, table.most)
            # as objects: pandas' own types would make floats of whole numbers beside a null
            tables[table.name] = pd.DataFrame(rows, columns=names, dtype=object)
    return tables
