"""Lines: what a terminal shows of drops, and how many there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_ingestion.cli import output
from data_ingestion.excerpts import shorten_line
from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState, MergePlan
from data_ingestion.report_lines import ReportLines

# The most lines for a person.
MOST_LINES = 100


@dataclass
class LoadLines(ReportLines):
    """Prints `drops` drops of one dataset and counts them; `width` is that of the longest key."""

    drops: int
    width: int
    shown: bool = True  # or only counted
    failed: list[LoadReport] = field(default_factory=list)
    held: list[LoadReport] = field(default_factory=list)
    loads: int = 0
    fates: Fates = field(default_factory=Fates)  # of drops that came in

    def add(self, report: LoadReport) -> None:
        """Counts the next report, and prints the lines that are complete."""
        self.loads += 1
        if report.state is LoadState.FAILED:
            self.failed.append(report)
        elif report.state is LoadState.HELD:
            self.held.append(report)
        else:
            self.fates += report.fates
        if self.shown:
            super().add(report)

    def has_own_line(self, report: LoadReport) -> bool:
        """While there are few."""
        return self.drops <= MOST_LINES

    def write_one(self, report: LoadReport) -> None:
        say_load(report, self.width)

    def write_alike(self, reports: Sequence[LoadReport]) -> None:
        say_loads(reports)

    def write_failed_alike(self, first: LoadReport, others: Sequence[LoadReport]) -> None:
        say_failed_alike(first, others)


def say_load(report: LoadReport, width: int) -> None:
    """What became of every row of one drop; `width` is that of the longest key."""
    place = f"{report.object_key:<{width}}"
    if report.state is LoadState.FAILED:
        output.say("failed", report.failure_message(), "bold red")
    elif report.state is LoadState.HELD:
        output.say("held", (report.error or "").replace(": held: ", "  ", 1), "yellow")
    elif report.plan == MergePlan.NOTHING:
        output.say(str(report.kind), f"{place} {report.plan_reason}; nothing to do", "dim")
    elif report.plan == MergePlan.SETTLE:
        output.say(str(report.kind), f"{place} {report.plan_reason}  load {report.load_id}")
    else:
        number = f"  load {report.load_id}" if report.load_id else ""
        corrected = f"{report.kind}: " if report.kind is not Kind.NEW else ""
        output.say(
            "load",
            f"{place} {corrected}{report.fates.describe()}  {report.seconds:.1f} s  {report.plan}{number}",
        )


def say_loads(reports: Sequence[LoadReport]) -> None:
    """What became of all rows of several drops that came in alike."""
    first = reports[0]
    place = f"{first.object_key} and {len(reports) - 1:,} more"
    if first.plan == MergePlan.NOTHING:
        output.say(str(first.kind), f"{place}; nothing to do", "dim")
        return
    numbers = [report.load_id for report in reports if report.load_id]
    load_ids = f"  loads {min(numbers)} to {max(numbers)}" if numbers else ""
    fates, seconds = (
        sum((report.fates for report in reports), Fates()),
        sum(report.seconds for report in reports),
    )
    corrected = f"{first.kind}: " if first.kind is not Kind.NEW else ""
    output.say("load", f"{place}  {corrected}{fates.describe()}  {seconds:.1f} s  {first.plan}{load_ids}")


def describe_load(row: Mapping[str, Any]) -> str:
    """The fates of a load by its ledger row, or its error."""
    if row["error"]:
        return shorten_line(str(row["error"]).splitlines()[0])
    if row["rows_read"] is None:
        return ""
    counts = {name: row[name] for name in Fates.__dataclass_fields__ if name != "read"}
    fates = Fates(read=row["rows_read"], **counts)
    reads_rows = row["kind"] not in (Kind.WITHDRAWAL, Kind.REBUILD)
    return fates.describe() if reads_rows else fates.describe_moved() or str(row["plan_reason"])


def say_total(drops: int, fates: Fates) -> None:
    """The sum over all drops that came in."""
    if drops > 1:
        output.say("total", fates.describe())


def say_failed_alike(first: LoadReport, others: Sequence[LoadReport]) -> None:
    """Drops that failed as another one did."""
    more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
    output.say("failed", f"{others[0].object_key}{more}: same error as {first.object_key}", "bold red")
