"""CSV file: a table of a report for spreadsheets, in which no text is a formula."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

# What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# What it strips to find one behind it: blanks, and control and format characters, which are invisible.
BREAKS = ("\t", "\r", "\n")
UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}
# Where a spreadsheet begins a cell amid a text: in many countries it takes `;` for the comma, and then minds no quotes.
CELLS = re.compile("([;\t\r\n])")


def as_csv(rows: pd.DataFrame) -> bytes:
    """UTF-8 with a mark that spreadsheets know it by, headings first; a `'` stands before what would be a formula."""
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
    begin = _seen_from(text)
    escaped = text[:begin] + _escape_cells(text[begin:])
    is_formula = text.startswith(FORMULA, begin) or text.lstrip(" ").startswith(BREAKS)
    return f"'{escaped}" if is_formula else escaped


def _escape_cells(text: str) -> str:
    first, *rest = CELLS.split(text)
    return first + "".join(
        f"'{part}" if part.startswith(FORMULA, _seen_from(part)) else part for part in rest
    )


def _seen_from(text: str) -> int:
    """The place of the first character that can be seen."""
    return next((at for at, one in enumerate(text) if unicodedata.category(one) not in UNSEEN), len(text))
