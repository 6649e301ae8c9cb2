import csv
import io
import re
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.reports.csv_file import FORMULA, as_csv, escape


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


FORMULAS = ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "\tsum", " \nsum"]
# no-break space, byte order mark, vertical tab, form feed, NEL, zero-width and ideographic spaces, soft hyphen,
# marks of direction, separators of lines and paragraphs
BLANKS = "\xa0\ufeff\v\f\x85\u200b\u200d\u2060\u3000\u2003\xad\u200e\u200f\u202e\u2066\u2028\u2029\x00\x1f \t"


@pytest.mark.parametrize("text", [*FORMULAS, *(f"{blank}=1" for blank in BLANKS)])
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
    assert had_back(escaped) == had_back(text)


def had_back(text: str) -> str:
    return text.replace("'", "")


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r", "; ", ";\u200b"])
@pytest.mark.parametrize("sign", FORMULA)
def test_no_formula_begins_where_another_countrys_spreadsheet_ends_a_cell(separator: str, sign: str) -> None:
    content = as_csv(pd.DataFrame({"a": [1], "b": [f"Mill{separator}{sign}cmd|'/C calc'!A0"]}, dtype=object))
    cells = re.split("[;\t\r\n]", content.decode("utf-8-sig"))
    assert not any(cell.lstrip(" \u200b").startswith(FORMULA) for cell in cells)


def test_a_semicolon_alone_changes_nothing() -> None:
    assert escape("nuts; bolts;") == "nuts; bolts;"


@given(
    st.text(st.one_of(st.sampled_from(BLANKS), st.characters(categories=["Zs", "Zl", "Zp", "Cc", "Cf"]))),
    st.sampled_from(FORMULA),
    st.text(),
)
def test_no_blanks_before_a_formula_hide_it(blanks: str, sign: str, rest: str) -> None:
    assert escape(f"{blanks}{sign}{rest}").startswith(f"'{blanks}{sign}")


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1),
    st.text(st.characters(exclude_characters=";\t\r\n")),
)
def test_a_text_that_begins_with_a_letter_or_digit_stays_as_it_is(begin: str, rest: str) -> None:
    assert escape(begin + rest) == begin + rest
