"""Rebuilding: what a rebuild needs an engine for; all else of it is in `rebuild/`, in the SQL that engines share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from data_ingestion.merge.fit import There
    from data_ingestion.merge.table import RawTable


class Rebuilding(Protocol):
    """A rebuild of one dataset under way. What it made aside is gone with its block, or with its process."""

    prefix: str
    """What names of its tables begin with."""

    def look(self) -> There:
        """The dataset's raw table as it is."""

    def create(self, part: str, query: str) -> str:
        """Makes a table aside as a query has it; its name in statements."""

    def make(self, new: RawTable) -> None:
        """Makes the tables that will be raw and its history, without keys and indexes."""

    def complete(self, new: RawTable) -> None:
        """Gives them their keys and indexes, now that the rows are in."""

    def take_place(self, old: RawTable, new: RawTable) -> tuple[str, ...]:
        """The new tables get the names of the old ones, and all that stood on these; what was lost, in sentences.

        Readers wait from here to the end of the transaction. Raises `OperatorFault` where they can't be made to.
        """

    def analyze(self, *tables: str) -> None:
        """Tells the engine's planner what tables hold by now."""
