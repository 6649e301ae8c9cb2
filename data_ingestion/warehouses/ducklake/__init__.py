"""DuckLake as a warehouse: DuckDB's tables as Parquet in a folder or on S3, which many may read."""

from __future__ import annotations

from typing import Any

from data_ingestion.warehouses.duckdb import DuckdbWarehouse
from data_ingestion.warehouses.ducklake.session import DucklakeSession, Place


class DucklakeWarehouse(DuckdbWarehouse):
    """A DuckLake: the same tables, as files that many may read."""

    def __init__(self, session: DucklakeSession) -> None:
        super().__init__(session)
        self.session: DucklakeSession = session

    @classmethod
    def connect(cls, url: str) -> DucklakeWarehouse:
        """A warehouse in a lake, whose tables are made when it is first written to."""
        return cls(DucklakeSession(Place.of(url)))

    def query_as_of(self, load_id: int, query: str) -> list[dict[str, Any]]:
        self.session.open_as_of(load_id)
        return self.session.query(query)

    def abandon_lost_attempts(self) -> int:
        lost = super().abandon_lost_attempts()
        if lost:
            self.session.remove_orphans()
        return lost
