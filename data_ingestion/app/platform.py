"""Platform: settings, landing and warehouse that commands and tasks work with, opened.

What opens them is imported when it is opened: `goldworks --help` need not wait for a database's driver.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_ingestion.landing import Landing
    from data_ingestion.settings import Settings
    from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Platform:
    """What a command or a task works with."""

    settings: Settings
    landing: Landing
    warehouse: Warehouse


@contextmanager
def open_platform(settings: Settings) -> Iterator[Platform]:
    """The landing and the warehouse of the settings."""
    from data_ingestion.landing import open_landing

    landing = open_landing(settings.landing_url)
    with open_ledger(settings.warehouse_url) as warehouse:
        yield Platform(settings, landing, warehouse)


@contextmanager
def open_ledger(url: str, *, writes: bool = True) -> Iterator[Warehouse]:
    """A warehouse with its ledger at this version.

    Without `writes` nothing is written to it, whatever is asked of it.
    """
    from data_ingestion.warehouses import open_warehouse

    opened = open_warehouse(url)
    try:
        if writes:
            opened.migrate()
        else:
            opened.read_only()
        yield opened
    finally:
        opened.close()
