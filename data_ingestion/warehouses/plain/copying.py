"""Copying warehouses: those that take rows as files, in one COPY a batch, and keep the ledger in plain tables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, Protocol

from data_ingestion.contract import Contract
from data_ingestion.engine.counting import CountingSession
from data_ingestion.engine.staged import Stage
from data_ingestion.merge.table import RawTable
from data_ingestion.plan import PlannedDrop
from data_ingestion.staging.copying import CopyingSession
from data_ingestion.warehouses.base import Warehouse
from data_ingestion.warehouses.plain import migrations
from data_ingestion.warehouses.plain.rebuilding import PlainRebuilding
from data_ingestion.warehouses.plain.tables import PlainTables


class FileStage(Stage, Protocol):
    """A stage of files."""

    def remove(self) -> None:
        """Removes the files."""


class FileStagingWarehouse(Warehouse):
    """A warehouse whose stages are files, which are removed when the block that uses them ends."""

    session: CountingSession

    def read_only(self) -> None:
        self.session.is_read_only = True
        self.is_made = migrations.is_made(self.session)

    def remove_abandoned(self) -> None:
        """Temporary tables are gone with their session."""

    def stage(self, contract: Contract, planned: PlannedDrop) -> AbstractContextManager[Stage]:
        return self._staged(contract, positions=False)

    def shared_stage(self, contract: Contract) -> AbstractContextManager[Stage]:
        return self._staged(contract, positions=True)

    @contextmanager
    def _staged(self, contract: Contract, *, positions: bool) -> Iterator[Stage]:
        stage = self._open_stage(RawTable(contract), positions=positions)
        try:
            yield stage
        finally:
            stage.remove()

    @abstractmethod
    def _open_stage(self, table: RawTable, *, positions: bool) -> FileStage:
        """A new, empty stage, with `positions` for several drops."""


class CopyingWarehouse(FileStagingWarehouse):
    """A warehouse over a session that also hands over rows of the ledger as files."""

    rebuilding: ClassVar[type[PlainRebuilding]] = PlainRebuilding

    def __init__(self, session: CopyingSession) -> None:
        self.session: CopyingSession = session

    def migrate(self) -> None:
        migrations.migrate(self.session)

    @property
    def tables(self) -> PlainTables:
        return PlainTables(self.session)

    @contextmanager
    def rebuild(self, contract: Contract) -> Iterator[PlainRebuilding]:
        rebuilding = self.rebuilding(self.session, RawTable(contract))
        try:
            yield rebuilding
        finally:
            rebuilding.end()

    def abandon_lost_attempts(self) -> int:
        lost = super().abandon_lost_attempts()
        if lost:
            self.session.remove_old_files()
        return lost

    def _open_stage(self, table: RawTable, *, positions: bool) -> FileStage:
        from data_ingestion.staging.copied_stage import CopiedStage  # which imports Arrow

        return CopiedStage(self.session, table, positions=positions)
