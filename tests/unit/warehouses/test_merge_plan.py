"""Merge plan: the case decides, and the reason says by what."""

import pytest

from data_ingestion.warehouses.postgres.merge_plan import (
    MergeFacts,
    MergePlan,
    PlanLimits,
    choose_plan,
    may_copy,
)

LIMITS = PlanLimits()
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("facts", "plan", "reason"),
    [
        (MergeFacts(staged=MILLION, raw_rows=0, sampled=0, known=0), MergePlan.MERGE, "raw was empty"),
        (MergeFacts(MILLION, MILLION, 1000, 1000), MergePlan.DIFFERENCE, "of 1,000 keys sampled raw held 1,000"),
        (MergeFacts(MILLION, 12 * MILLION, 1000, 990), MergePlan.DIFFERENCE, "raw held 990"),
        (MergeFacts(MILLION, MILLION, 1000, 100), MergePlan.MERGE, "raw held 100"),
        (MergeFacts(100, MILLION, 100, 100), MergePlan.MERGE, "small beside raw"),
        (MergeFacts(0, MILLION, 0, 0), MergePlan.MERGE, "of 0 keys"),
    ],
)  # fmt: skip
def test_a_drop_goes_the_road_of_its_case(facts, plan, reason):
    chosen, told = choose_plan(facts, LIMITS)
    assert chosen is plan
    assert reason in told


@pytest.mark.parametrize(
    ("raw_rows", "size", "allowed"),
    [(0, LIMITS.copy_bytes, True), (0, LIMITS.copy_bytes - 1, False), (1, LIMITS.copy_bytes, False)],
)
def test_only_a_large_drop_goes_straight_into_raw_and_only_while_raw_is_empty(raw_rows, size, allowed):
    assert may_copy(raw_rows, size, LIMITS) is allowed
