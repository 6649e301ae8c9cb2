"""Redshift as a warehouse: files on S3, one COPY a batch, and the ledger beside the data."""

from __future__ import annotations

from data_ingestion.warehouses.plain.copying import CopyingWarehouse
from data_ingestion.warehouses.redshift.place import Place
from data_ingestion.warehouses.redshift.session import RedshiftSession


class RedshiftWarehouse(CopyingWarehouse):
    """A cluster's or a workgroup's database."""

    def __init__(self, session: RedshiftSession) -> None:
        super().__init__(session)
        self.session: RedshiftSession = session

    @classmethod
    def connect(cls, url: str) -> RedshiftWarehouse:
        """A warehouse, with which a session is opened when it is first needed."""
        return cls(RedshiftSession(Place.of(url)))

    def migrate(self) -> None:
        self.session.make_lock()
        super().migrate()
