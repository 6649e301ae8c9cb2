"""Warehouses: the databases that drops are loaded into, each behind the same adapter."""

from __future__ import annotations

from data_ingestion.errors import OperatorFault
from data_ingestion.warehouses.base import Warehouse


def open_warehouse(url: str) -> Warehouse:
    """A connection to the warehouse at a URL such as `postgresql://user:password@host:5432/database`."""
    scheme, separator, _ = url.partition("://")
    if scheme in ("postgresql", "postgres"):
        from data_ingestion.warehouses.postgres import PostgresWarehouse

        return PostgresWarehouse.connect(url)
    told = f"{scheme}://" if separator else "without a scheme"
    raise OperatorFault(
        f"a warehouse {told} is not supported\n  use postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    )
