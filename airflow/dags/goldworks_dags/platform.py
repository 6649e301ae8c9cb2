"""Platform: the landing and the warehouse that a task works with, opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from goldworks_dags.logins import warehouse_url

if TYPE_CHECKING:
    from data_ingestion.app.platform import Platform


@contextmanager
def open_platform() -> Iterator[Platform]:
    """The landing that the environment names and the warehouse of the connection, its ledger at this version."""
    from data_ingestion.app.platform import open_platform as opened
    from data_ingestion.events import send_to
    from data_ingestion.settings import Settings, log_target

    send_to(log_target(), into_log=True)
    with opened(Settings.from_environment(warehouse_url=warehouse_url())) as platform:
        yield platform
