"""Report lines: which drops of a load get a line of their own, and which share one; a terminal and a log write them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_ingestion.ledger import LoadReport

# How many drops share a line at most.
MOST_IN_A_LINE = 500


@dataclass
class ReportLines(ABC):
    """Writes the drops of one dataset as their reports come; those left over are written at the end.

    The first drop that failed for a reason has its own line at once; others with the same error are counted at the end.
    """

    _alike: list[LoadReport] = field(default_factory=list, init=False)
    _failed_alike: dict[str, list[LoadReport]] = field(default_factory=dict, init=False)

    def add(self, report: LoadReport) -> None:
        """Adds the next report, and writes the lines that are complete."""
        if report.state == "failed":
            alike = self._failed_alike.setdefault(report.failure_kind, [])
            alike.append(report)
            if len(alike) > 1:
                return
        if report.state != "loaded" or self.has_own_line(report):
            self._end_shared_line()
            self.write_one(report)
            return
        if self._alike and (
            len(self._alike) == MOST_IN_A_LINE or _kind_and_plan(self._alike[0]) != _kind_and_plan(report)
        ):
            self._end_shared_line()
        self._alike.append(report)

    def end(self) -> None:
        """Writes what was not written yet."""
        self._end_shared_line()
        for first, *others in self._failed_alike.values():
            if others:
                self.write_failed_alike(first, others)
        self._failed_alike.clear()

    def _end_shared_line(self) -> None:
        alike, self._alike = self._alike, []
        if len(alike) == 1:
            self.write_one(alike[0])
        elif alike:
            self.write_alike(alike)

    @abstractmethod
    def has_own_line(self, report: LoadReport) -> bool:
        """Whether a drop that came in shares its line with no other."""

    @abstractmethod
    def write_one(self, report: LoadReport) -> None:
        """A line for one drop."""

    @abstractmethod
    def write_alike(self, reports: Sequence[LoadReport]) -> None:
        """A line for two or more drops that came in the same way."""

    @abstractmethod
    def write_failed_alike(self, first: LoadReport, others: Sequence[LoadReport]) -> None:
        """A line for drops that failed as the first did, whose error has been written."""


def _kind_and_plan(report: LoadReport) -> tuple[str, str | None]:
    return report.kind, report.plan
