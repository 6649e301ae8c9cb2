"""Merge plan: by which road a staged drop comes into raw, chosen from facts. Pure.

What each road costs was measured (docs/decisions/0018-merge-plans.md); every one of them ends in the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from data_ingestion.ledger import MergePlan


@dataclass(frozen=True)
class PlanLimits:
    """Where one plan ends and the next begins."""

    copy_bytes: int = 4 << 20  # smaller first drops are not worth the lock on raw
    large_bytes: int = 16 << 20  # the stage of a smaller drop is filled and read by one process soon enough
    # Sessions that copy a large drop: two keep up with one thread that reads.
    copy_sessions: int = 2
    sample_rows: int = 1000
    known_share: float = 0.5  # of the sampled rows, to take the drop for one that raw mostly holds
    least_of_raw: float = 0.05  # of raw's rows, to read them all for the difference


@dataclass(frozen=True)
class MergeFacts:
    """What is known, under the dataset's lock, of a drop in the stage and of raw."""

    staged: int
    raw_rows: int
    sampled: int
    known: int


def may_copy(raw_rows: int, size_bytes: int, limits: PlanLimits) -> bool:
    """Whether a new drop of that size may go straight into raw, with no stage."""
    return raw_rows == 0 and size_bytes >= limits.copy_bytes


def choose_plan(facts: MergeFacts, limits: PlanLimits) -> tuple[MergePlan, str]:
    """The plan for a drop in the stage, and why."""
    if not facts.raw_rows:
        return MergePlan.MERGE, "raw was empty"
    share = facts.known / facts.sampled if facts.sampled else 0.0
    sampled = f"of {facts.sampled:,} keys sampled raw held {facts.known:,}"
    if share < limits.known_share:
        return MergePlan.MERGE, sampled
    if facts.staged < limits.least_of_raw * facts.raw_rows:
        return MergePlan.MERGE, f"{sampled}, but it is small beside raw"
    return MergePlan.DIFFERENCE, sampled
