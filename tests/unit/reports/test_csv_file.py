import csv
import io
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.reports.csv_file import FORMULA, as_csv, escape


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1"])
def test_a_text_that_would_be_a_formula_is_none(text: str) -> None:
    assert read(as_csv(pd.DataFrame({"a": [text]}, dtype=object)))[1] == [f"'{text}"]


def test_numbers_stay_numbers_and_nothing_is_nothing() -> None:
    rows = pd.DataFrame(
        {"a": [-5, None], "b": [Decimal("-0.50"), date(2026, 1, 5)], "c": ["x, y", 'say "z"']}, dtype=object
    )
    assert read(as_csv(rows)) == [["a", "b", "c"], ["-5", "-0.50", "x, y"], ["", "2026-01-05", 'say "z"']]


def test_spreadsheets_see_that_it_is_utf_8() -> None:
    assert as_csv(pd.DataFrame({"Größe": ["ä"]})).startswith(b"\xef\xbb\xbf")


@given(st.text())
def test_no_text_begins_a_formula_and_every_text_can_be_had_back(text: str) -> None:
    escaped = escape(text)
    assert not escaped.lstrip(" ").startswith(FORMULA)
    assert text in (escaped, escaped[1:])
