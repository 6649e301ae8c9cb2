"""Lines: what the log of a load says of its drops: the first ones, and whatever is wrong, in a line each."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_ingestion.ledger import LoadReport

# So many drops have a line each, whatever became of them; of more, a line tells of so many at most.
FIRST, MOST_IN_A_LINE = 20, 500


@dataclass
class LoadLines:
    """Tells of the drops of one dataset as their reports come; those left over are told at the end."""

    log: logging.Logger
    _told: int = 0
    _alike: list[LoadReport] = field(default_factory=list)

    def add(self, report: LoadReport) -> None:
        """Takes the next report in: one that failed, or has quarantined rows, gets a line of its own for certain."""
        if self._told < FIRST or report.state == "failed" or report.fates.quarantined:
            self._told += 1
            self._tell(report)
            return
        if self._alike and (len(self._alike) == MOST_IN_A_LINE or self._alike[0].plan != report.plan):
            self.end()
        self._alike.append(report)

    def end(self) -> None:
        """Tells of what was not told yet."""
        alike, self._alike = self._alike, []
        if len(alike) < 2:
            for report in alike:
                self._tell(report)
            return
        first, *others = alike
        place = f"{first.object_key} and {len(others):,} more"
        if first.plan == "nothing":
            self.log.info("%s: nothing to do", place)
            return
        loads = [report.load_id for report in alike if report.load_id is not None]
        fates = sum((report.fates for report in others), first.fates)
        seconds = sum(report.seconds for report in alike)
        self.log.info(
            "%s: %s, %.1f s, %s, loads %s to %s",
            place, fates.told(), seconds, first.plan, min(loads, default=None), max(loads, default=None),
        )  # fmt: skip

    def _tell(self, report: LoadReport) -> None:
        if report.state == "failed":
            self.log.error("failed: %s", report.told_failure())
        elif report.plan == "nothing":
            self.log.info("%s: %s; nothing to do", report.object_key, report.plan_reason)
        else:
            self.log.info(
                "%s: %s, %.1f s, %s, load %s",
                report.object_key, report.fates.told(), report.seconds, report.plan, report.load_id,
            )  # fmt: skip
