"""Moments: a column of timestamps read at once, as each of them is read by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_ingestion.checks.cells import ISO_MOMENTS
from data_ingestion.checks.dates import parse_timestamp
from data_ingestion.checks.moments import iso_moments

NUMBER = st.sampled_from(
    ["00", "01", "02", "09", "12", "13", "23", "24", "28", "29", "30", "31", "32", "59", "60"]
)
TEXTS = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    st.sampled_from(["0000", "0001", "1900", "1969", "2000", "2024", "2026", "9999", "26", "२०२६"]),
    NUMBER, NUMBER, st.sampled_from("T t"), NUMBER, NUMBER, NUMBER,
    st.sampled_from(["", ".", ".5", ".037", ".037001", ".0370019", ",5", ".x"]),
    st.sampled_from(["Z", "z", "", "+00:00", "-0330"]),
)  # fmt: skip


@given(st.lists(TEXTS | st.none() | st.text(max_size=27), max_size=20), st.integers(0, 3))
@example(["2024-02-29T23:59:59.999999Z", "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z"], 0)
@settings(deadline=None)
def test_law_a_moment_is_the_one_that_its_text_is_by_itself(texts: list[str | None], skipped: int):
    found = iso_moments(pa.array(texts, pa.string()).slice(skipped)).to_pylist()
    for text, moment in zip(texts[skipped:], found, strict=True):
        by_itself = None if text is None else parse_timestamp(text, ISO_MOMENTS)
        if moment is not None:
            assert moment == by_itself
        elif text is not None and text.isascii() and text.endswith("Z"):
            assert by_itself is None


@pytest.mark.parametrize("fraction", ["", *(f".{'123456'[:digits]}" for digits in range(1, 7))])
def test_seconds_may_have_up_to_six_decimals(fraction: str):
    (moment,) = iso_moments(pa.array([f"2026-03-02T10:05:50{fraction}Z"])).to_pylist()
    micros = int(fraction[1:].ljust(6, "0"))
    assert moment == datetime(2026, 3, 2, 10, 5, 50, micros, tzinfo=UTC)


def test_a_column_of_nulls_has_none():
    assert iso_moments(pa.array([None, None], pa.string())).to_pylist() == [None, None]
    assert iso_moments(pa.array([], pa.string())).to_pylist() == []
