"""Periods: one grammar for the command line and for the form, where it is a regular expression alone."""

import re

import pytest

from data_ingestion.periods import EXAMPLES, PERIOD, is_period


@pytest.mark.parametrize("period", [*EXAMPLES, "2024-02-29"])
def test_a_period_goes_from_the_year_down_to_the_second(period):
    assert is_period(period)


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-3", "2026-13", "2026-00", "2026-03-32", "2026-03-05 10", "2026-03-05T24", "March"],
)
def test_the_form_alone_refuses_what_is_not_written_as_a_period(text):
    assert not re.fullmatch(PERIOD, text)
    assert not is_period(text)


def test_a_day_that_no_calendar_has_is_no_period():
    assert not is_period("2026-02-30")
