"""Accelerators: where an engine may do a step of the merge faster, with the same rows at its end.

Here is the plain way, which every warehouse can go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_ingestion.ledger.model import MergePlan

if TYPE_CHECKING:
    from data_ingestion.engine.staged import DirectCopy
    from data_ingestion.merge.fates import Stage
    from data_ingestion.merge.table import RawTable


class Accelerators:
    """The plain way."""

    def choose_plan(self, stage: Stage, raw_rows: int) -> tuple[MergePlan, str]:
        """By which plan fates are computed, and why."""
        if not raw_rows:
            return MergePlan.MERGE, "raw was empty"
        return MergePlan.DIFFERENCE, "by one join with raw"

    def finish_direct(self, table: RawTable, copy: DirectCopy) -> None:
        """Ends a copy that went straight into raw."""
        raise NotImplementedError
