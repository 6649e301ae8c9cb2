"""Copied stage: rows wait as files under a staging folder, and one COPY takes them in when all have been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_ingestion.engine.staged import Staged
from data_ingestion.errors import LawBroken
from data_ingestion.merge.table import RawTable
from data_ingestion.staging.rows import StageRows

if TYPE_CHECKING:
    from data_ingestion.staging.copying import CopyingSession


class CopiedStage:
    """Rows go to files while they are read; nothing is said to the server before all have been."""

    def __init__(self, session: CopyingSession, table: RawTable, *, positions: bool) -> None:
        self._session, self._types = session, table.stage_types(positions=positions)
        self._rows = StageRows(table, positions=positions)
        self._files = session.new_files()

    def write(self, rows: Any, positions: Any = None) -> None:
        """Adds a record batch of checked rows, in a shared stage with the position of each one's drop."""
        if rows.num_rows:
            self._files.write_batch(self._rows.prepare(rows, positions))

    def finish(self) -> Staged:
        """Copies the files in. The rows that the server has are held against those written."""
        name = self._session.copy_in(self._files, self._types)
        copied = self._session.one(f"select count(*) from {name}")
        if copied != self._files.rows:
            raise LawBroken(f"{self._files.rows} rows were staged, {copied} copied in")
        return Staged(self._files.rows, self._rows.are_distinct(), name)

    def remove(self) -> None:
        """Takes the files away."""
        self._files.remove()
