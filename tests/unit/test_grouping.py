"""Grouping: every drop once, in order, in transactions and tasks of a bounded size."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion import grouping
from data_ingestion.grouping import cut_batches, group_drops
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind
from data_ingestion.plan import PlannedDrop


@given(st.lists(st.integers(0, 10**9), max_size=200), st.integers(1, 64))
def test_batches_hold_every_drop_once_in_order_and_are_never_too_many(sizes, limit):
    drops = [
        PlannedDrop("d", LandingObject(str(i), size, "e", datetime(2026, 1, 1, tzinfo=UTC)), Kind.NEW, "", "")
        for i, size in enumerate(sizes)
    ]
    batches = cut_batches(drops, limit)
    assert [drop for batch in batches for drop in batch] == drops
    assert len(batches) <= limit
    assert all(batches)


SEEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(Kind), st.booleans()), max_size=30))
def test_small_drops_that_are_new_or_replace_others_share_a_transaction_and_all_others_have_one_of_their_own(
    drawn,
):
    drops = [
        PlannedDrop(
            "things", LandingObject(f"{number}.csv", size, "e", SEEN_AT), kind, "", "", "e" if held else None
        )
        for number, (size, kind, held) in enumerate(drawn)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "SMALL_BYTES", 40)
        patch.setattr(grouping, "TOGETHER_BYTES", 100)
        patch.setattr(grouping, "MOST_TOGETHER", 4)
        batches = list(group_drops(drops))
    assert [drop for batch in batches for drop in batch] == drops
    for batch in batches:
        assert len(batch) <= 4
        if len(batch) > 1:
            assert sum(drop.object.size for drop in batch) <= 100
            assert all(drop.object.size <= 40 for drop in batch)
            assert all(drop.is_new for drop in batch) or all(drop.replaces for drop in batch)
