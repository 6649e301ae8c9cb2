"""Excerpts: foreign text in messages is of a bounded length, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.excerpts import (
    MOST_OF_A_CELL,
    MOST_OF_A_MESSAGE,
    MOST_OF_A_NAME,
    cut,
    quote,
    quote_name,
    quote_names,
    shorten,
)


@pytest.mark.parametrize(("write", "most"), [(quote, MOST_OF_A_CELL), (quote_name, MOST_OF_A_NAME)])
def test_a_text_is_quoted_whole_up_to_its_limit_and_cut_beyond(write, most):
    assert write("x" * most) == repr("x" * most)
    assert write("x" * (most + 1)) == repr("x" * (most - 3) + "...")


def test_what_can_not_be_printed_is_escaped():
    assert quote("a\x00\x1b[2J\ud800") == r"'a\x00\x1b[2J\ud800'"


def test_of_many_names_the_first_are_given_and_the_others_counted():
    assert quote_names(["a", "b"]) == "'a', 'b'"
    told = quote_names(f"x{n}" for n in range(700))
    assert told.startswith("'x0', 'x1', ")
    shown = told.count("'x")
    assert told.endswith(f" and {700 - shown} more")


@given(st.lists(st.text(max_size=3000), max_size=30))
def test_a_list_of_names_is_short_whatever_they_are(names):
    assert len(quote_names(names)) < MOST_OF_A_MESSAGE


def test_a_message_is_cut_at_its_limit_and_tells_its_length():
    assert shorten("x" * MOST_OF_A_MESSAGE) == "x" * MOST_OF_A_MESSAGE
    cut = shorten("x" * 1_000_000)
    assert len(cut) == MOST_OF_A_MESSAGE
    assert cut.endswith("x… (1,000,000 characters)")


@given(st.text(), st.integers(0, 40))
def test_as_much_of_a_text_as_fits(text, most):
    kept = cut(text, most)
    assert text.startswith(kept)
    assert len(kept.encode()) <= most
    assert kept == text or len(text[: len(kept) + 1].encode()) > most
