"""Report: files of gold for those who have no login."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from data_ingestion.errors import GoldworksError, WarehouseLost
from data_ingestion.landing import open_store
from data_ingestion.reports.definition import Report
from data_ingestion.reports.report import Written, write_report
from data_ingestion.settings import Settings
from data_ingestion.warehouses.base import Warehouse


def write_reports(
    settings: Settings, warehouse: Warehouse, reports: Sequence[Report], faults: list[Exception]
) -> Iterator[Written]:
    """Writes one report after the other. What one of them lacks, another may not need: it is added to `faults`."""
    store = open_store(settings.reports)
    for one in reports:
        try:
            written = write_report(one, warehouse, store)
        except WarehouseLost:
            raise
        except GoldworksError as fault:
            faults.append(fault)
        else:
            yield written
