"""Ranks: as texts they are in the order of what they stand for."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.ledger import Rank

PERIODS = st.sampled_from(["", "2025", "2025-12", "2026-01", "2026-01-01", "2026-01-01T03", "2026-10"])
MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)
RANKS = st.builds(Rank, PERIODS, MOMENTS, KEYS)


@given(RANKS, RANKS)
def test_the_bytes_of_two_texts_compare_as_the_ranks_do(one, other):
    assert (one.text.encode() < other.text.encode()) == (one < other)


@given(RANKS)
def test_a_text_says_the_whole_rank(rank):
    assert Rank.of(rank.text) == rank
