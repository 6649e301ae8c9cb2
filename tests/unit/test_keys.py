"""Keys: equal rows have equal keys, different ones different keys, and distinctness is proven or left open."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion import keys
from data_ingestion.keys import KeyProof, content_keys

COLUMNS = ("text", "other", "amount", "number", "day", "flag", "share")
TYPES = (
    pa.string(), pa.string(), pa.decimal128(18, 2), pa.int64(), pa.date32(), pa.bool_(), pa.float64(),
)  # fmt: skip
texts = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=3)
rows = st.tuples(
    texts,
    texts,
    st.none() | st.decimals(-100, 100, places=2),
    st.none() | st.integers(-2, 300),
    st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 3)),
    st.none() | st.booleans(),
    st.none() | st.sampled_from([0.0, -0.0, 0.1, 1e300]),
)


CONTRACT = SimpleNamespace(key=SimpleNamespace(rule=keys.KeyRule.OCCURRENCE, columns=COLUMNS))


def batch(records):
    columns = list(zip(*records, strict=True)) if records else [[] for _ in COLUMNS]
    return pa.record_batch(
        [pa.array(values, kind) for values, kind in zip(columns, TYPES, strict=True)], names=list(COLUMNS)
    )


@given(st.lists(rows, max_size=8))
def test_rows_have_the_same_key_if_and_only_if_they_agree_in_every_column(records):
    found = content_keys(batch(records), CONTRACT).to_pylist()
    for left, left_key in zip(records, found, strict=True):
        for right, right_key in zip(records, found, strict=True):
            assert (left == right) == (left_key == right_key)


@given(st.lists(rows, min_size=2, max_size=8), st.integers(0, 7))
def test_a_key_does_not_depend_on_the_rows_around_it(records, start):
    start %= len(records)
    whole = content_keys(batch(records), CONTRACT).to_pylist()
    assert content_keys(batch(records).slice(start), CONTRACT).to_pylist() == whole[start:]


def test_what_a_key_is_made_of_stays_as_it_is():
    record = ("a", None, Decimal("1.50"), 7, date(2026, 1, 31), True, 0.1)
    (key,) = content_keys(batch([record]), CONTRACT).to_pylist()
    assert key.hex() == "f3fa7dd5a66174dd245c057d6f2bb757", (
        "raw tables know their rows by this: raise terms.RULES with it"
    )


@given(st.lists(rows, max_size=12), st.integers(1, 12))
def test_keys_proven_distinct_are_distinct_and_repeated_ones_never_are(records, size):
    proof = KeyProof()
    for start in range(0, len(records), size):
        proof.add(batch(records[start : start + size]), COLUMNS)
    assert proof.is_distinct() == (len(set(records)) == len(records))


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=12), st.integers(1, 12))
def test_uuids_are_proven_by_their_bytes(values, size):
    column = pa.record_batch([pa.array(values, pa.binary(16))], names=["id"])
    proof = KeyProof()
    for start in range(0, len(values), size):
        proof.add(column.slice(start, size), ("id",))
    assert proof.is_distinct() == (len(set(values)) == len(values))


def test_a_drop_too_long_for_the_proof_proves_nothing(monkeypatch):
    monkeypatch.setattr(keys, "MOST_PROVEN", 3)
    proof = KeyProof()
    for number in range(5):
        proof.add(pa.record_batch([pa.array([number])], names=["id"]), ("id",))
        assert proof.is_distinct() == (number < 3)


@pytest.mark.parametrize("count", [0, 1])
def test_no_row_and_one_row_are_distinct(count):
    proof = KeyProof()
    proof.add(pa.record_batch([pa.array([7] * count, pa.int64())], names=["id"]), ("id",))
    assert proof.is_distinct()
