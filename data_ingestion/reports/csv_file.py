"""CSV file: a table of a report for spreadsheets, in which no text is a formula."""

from __future__ import annotations

import unicodedata

import pandas as pd

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# What it strips to find one behind it: blanks, and control and format characters, which nobody sees.
BREAKS = ("\t", "\r", "\n")
UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}


def as_csv(rows: pd.DataFrame) -> bytes:
    """UTF-8 with a mark that spreadsheets know it by, headings first; texts that would be formulas begin with `'`."""
    # As objects: beside a null, pandas makes floats of whole numbers.
    escaped = pd.DataFrame(
        {
            escape(str(heading)): pd.Series(map(_escaped, rows[heading]), dtype=object)
            for heading in rows.columns
        }
    )
    return escaped.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _escaped(value: object) -> object:
    return escape(value) if isinstance(value, str) else value


def escape(text: str) -> str:
    """The text as a spreadsheet shows it and never reckons it."""
    return f"'{text}" if _seen(text).startswith(FORMULA) or text.lstrip(" ").startswith(BREAKS) else text


def _seen(text: str) -> str:
    """The text from its first character that can be seen."""
    begin = next((at for at, one in enumerate(text) if unicodedata.category(one) not in UNSEEN), len(text))
    return text[begin:]
