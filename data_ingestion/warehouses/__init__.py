"""Warehouses: the databases that drops are loaded into, each behind the same adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data_ingestion.errors import OperatorFault

if TYPE_CHECKING:
    from data_ingestion.warehouses.base import Warehouse


def open_warehouse(url: str) -> Warehouse:
    """A connection to the warehouse at a URL such as `postgresql://user:password@host:5432/database`."""
    scheme, separator, _ = url.partition("://")
    if scheme in ("postgresql", "postgres"):
        from data_ingestion.warehouses.postgres import PostgresWarehouse

        return PostgresWarehouse.connect(url)
    if scheme == "duckdb" or url.startswith("ducklake:"):
        return _open_duckdb(url)
    if scheme == "redshift":
        return _open_redshift(url)
    if scheme == "snowflake":
        return _open_snowflake(url)
    named = f"{scheme}://" if separator else "without a scheme"
    raise OperatorFault(
        f"a warehouse {named} is not supported\n"
        "  use postgresql://USER:PASSWORD@HOST:PORT/DATABASE, duckdb:///FILE, ducklake:…,\n"
        "  redshift://USER:PASSWORD@HOST:5439/DATABASE or snowflake://USER@ACCOUNT/DATABASE"
    )


@contextmanager
def _needing(extra: str) -> Iterator[None]:
    """A block that imports what an extra of the package brings. Raises `OperatorFault` where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise OperatorFault(
            f"a {extra} warehouse needs the package '{error.name}'\n  pip install 'goldworks[{extra}]'"
        ) from error


def _open_duckdb(url: str) -> Warehouse:
    extra = "ducklake" if url.startswith("ducklake:") else "duckdb"
    with _needing(extra):
        from data_ingestion.warehouses.duckdb import DuckdbWarehouse
        from data_ingestion.warehouses.ducklake import DucklakeWarehouse
    return (DucklakeWarehouse if extra == "ducklake" else DuckdbWarehouse).connect(url)


def _open_redshift(url: str) -> Warehouse:
    with _needing("redshift"):
        from data_ingestion.warehouses.redshift import RedshiftWarehouse
    return RedshiftWarehouse.connect(url)


def _open_snowflake(url: str) -> Warehouse:
    with _needing("snowflake"):
        from data_ingestion.warehouses.snowflake import SnowflakeWarehouse
    return SnowflakeWarehouse.connect(url)
