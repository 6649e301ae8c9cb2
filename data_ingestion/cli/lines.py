"""Lines: what became of drops, a line each; where there are many, a line for those that came in alike."""

from __future__ import annotations

from dataclasses import dataclass, field

from data_ingestion.cli import output
from data_ingestion.ledger import Fates, LoadReport, LoadState, MergePlan

# A person reads so many lines; of more drops, a line tells of so many at most.
MOST_LINES, MOST_IN_A_LINE = 100, 500


@dataclass
class LoadLines:
    """Tells of `drops` drops of one dataset as their reports come, and counts them; `width` is that of the longest key.

    A drop that failed has a line of its own, however many there are.
    """

    drops: int
    width: int
    shown: bool = True  # or only counted
    failed: list[LoadReport] = field(default_factory=list)
    loads: int = 0
    fates: Fates = field(default_factory=Fates)
    _alike: list[LoadReport] = field(default_factory=list)

    def add(self, report: LoadReport) -> None:
        """Takes the next report in, and tells of those that are complete."""
        self.loads += 1
        self.fates += report.fates
        if report.state is LoadState.FAILED:
            self.failed.append(report)
        if not self.shown:
            return
        if self.drops <= MOST_LINES or report.state is LoadState.FAILED:
            self.end()
            output.say_load(report, self.width)
            return
        is_full = len(self._alike) == MOST_IN_A_LINE
        if self._alike and (is_full or _way(self._alike[0]) != _way(report)):
            self.end()
        self._alike.append(report)

    def end(self) -> None:
        """Tells of what was not told yet."""
        alike, self._alike = self._alike, []
        if len(alike) == 1:
            output.say_load(alike[0], self.width)
        elif alike:
            output.say_loads(alike)


def _way(report: LoadReport) -> tuple[str, MergePlan | None]:
    return str(report.kind), report.plan
