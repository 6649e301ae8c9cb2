"""Lines: what a task's log says of the landing and of its drops: the first ones, and whatever is wrong, a line each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data_ingestion.report_lines import ReportLines

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.discovery import Discovery
    from data_ingestion.ledger import LoadReport
    from data_ingestion.plan import Choice, PlannedDrop

# The number of drops with a line each, whatever their outcome.
FIRST = 20
# Lines of one kind that `discover` logs.
MOST_LINES = 200


@dataclass
class LoadLines(ReportLines):
    """Logs the drops of one dataset."""

    log: logging.Logger
    _own_lines: int = field(default=0, init=False)

    def has_own_line(self, report: LoadReport) -> bool:
        """The first ones, and each with quarantined rows."""
        if self._own_lines >= FIRST and not report.fates.quarantined:
            return False
        self._own_lines += 1
        return True

    def write_one(self, report: LoadReport) -> None:
        if report.state == "failed":
            self.log.error("failed: %s", report.failure_message())
        elif report.state == "held":
            self.log.warning(report.failure_message())
        elif report.plan == "nothing":
            self.log.info("%s: %s; nothing to do", report.object_key, report.plan_reason)
        else:
            self.log.info(
                "%s: %s, %.1f s, %s, load %s",
                report.object_key, report.fates.describe(), report.seconds, report.plan, report.load_id,
            )  # fmt: skip

    def write_alike(self, reports: Sequence[LoadReport]) -> None:
        first, *others = reports
        keys = f"{first.object_key} and {len(others):,} more"
        if first.plan == "nothing":
            self.log.info("%s: nothing to do", keys)
            return
        loads = [report.load_id for report in reports if report.load_id is not None]
        fates = sum((report.fates for report in others), first.fates)
        seconds = sum(report.seconds for report in reports)
        self.log.info(
            "%s: %s, %.1f s, %s, loads %s to %s",
            keys, fates.describe(), seconds, first.plan, min(loads, default=None), max(loads, default=None),
        )  # fmt: skip

    def write_failed_alike(self, first: LoadReport, others: Sequence[LoadReport]) -> None:
        more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
        self.log.error("failed: %s%s: same error as %s", others[0].object_key, more, first.object_key)


def log_discovery(
    log: logging.Logger, found: Discovery, contracts: Sequence[Contract], choice: Choice, landing: str
) -> list[str]:
    """Logs what lies there and what is done with it; gives what the choice leaves out, for the run's note."""
    from goldworks_dags.choice import left_out

    by_name = {contract.dataset: contract for contract in contracts}
    notes = []
    for plan in found.plans:
        log.info("%s: %d to load, %d known, on %s", plan.dataset, len(plan.drops), plan.known, landing)
        seen = len(plan.drops) + plan.known + len(plan.left) + plan.outside
        if line := left_out(by_name[plan.dataset], choice, plan.outside, seen):
            log.warning("%s", line)
            notes.append(line)
    log_some(log, [describe_drop(drop) for drop in found.drops], logging.INFO, "drops to load")
    left_alone = [
        f"{item.object.key}: left alone ({item.reason})" for plan in found.plans for item in plan.left
    ]
    log_some(log, left_alone, logging.INFO, "objects left alone")
    set_aside = [
        f"{item.key}: not loaded: it matches, or may match, a faulty contract" for item in found.set_aside
    ]
    log_some(log, set_aside, logging.WARNING, "objects matching faulty contracts")
    unresolved = [f"{item.key}: unresolved, no contract matches it" for item in found.unresolved]
    log_some(log, unresolved, logging.WARNING, "unresolved objects")
    odd = [f"{entry.key[:200]}: passed over: {entry.fault}; {entry.remedy}" for entry in found.passed_over]
    log_some(log, odd, logging.WARNING, "entries passed over")
    return notes


def describe_drop(drop: PlannedDrop) -> str:
    """A planned drop with its reason and size."""
    return f"{drop.object.key}: {drop.kind} ({drop.reason}), {drop.object.size:,} bytes"


def log_some(log: logging.Logger, lines: Sequence[str], level: int, what: str) -> None:
    """The first of many lines: no one reads a log of a hundred thousand."""
    for line in lines[:MOST_LINES]:
        log.log(level, "%s", line)
    if len(lines) > MOST_LINES:
        log.log(level, "… and %d more %s; `goldworks plan` lists all", len(lines) - MOST_LINES, what)
