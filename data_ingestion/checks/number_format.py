"""Number format: numbers as a contract says they are written (`1.234,56-`, `($12.50)`), made plain (`-1234.56`)."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.contract.terms import NumberFormat

# A blank between thousands may be one that does not break the line.
BLANK = "[ \u00a0\u202f]"
EXPONENT = "([eE][+-]?[0-9]{1,4})?"
# No digit of a number is rounded away, however many it has.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def make_plain(text: Any, form: NumberFormat, *, with_exponent: bool) -> tuple[Any, Any]:
    """The numbers of a column of text made plain, and a mask of the cells that are not in this format.

    Any other cell is left unchanged.
    """
    bare = _without_signs(text, form)
    percent = None
    if form.percent:
        percent = pc.fill_null(pc.match_substring_regex(bare, f"{BLANK}*%$"), False)
        bare = pc.replace_substring_regex(bare, f"{BLANK}*%$", "")
    is_number = pc.match_substring_regex(bare, _pattern(form, with_exponent or form.exponent))
    plain = bare
    if form.grouping == " ":
        plain = pc.replace_substring_regex(plain, BLANK, "")
    elif form.grouping:
        plain = pc.replace_substring(plain, form.grouping, "")
    if form.decimal != ".":
        plain = pc.replace_substring(plain, form.decimal, ".")
    plain = pc.if_else(is_number, plain, text)
    is_number = pc.fill_null(is_number, False)
    if percent is not None and form.percent == "divide":
        plain = _moved(plain, pc.and_(percent, is_number), by=-2)
    if form.exponent and not with_exponent:
        with_one = pc.fill_null(pc.match_substring_regex(plain, "[eE]"), False)
        plain = _moved(plain, pc.and_(with_one, is_number), by=0)
    return plain, pc.and_(pc.is_valid(text), pc.invert(is_number))


def _without_signs(text: Any, form: NumberFormat) -> Any:
    """Currencies taken away, and every minus put in front."""
    if form.currency:
        names = "|".join(re.escape(name) for name in sorted(form.currency, key=len, reverse=True))
        text = pc.replace_substring_regex(text, rf"^([+-]?\(?)(?:{names}){BLANK}*(.*)$", r"\1\2")
        text = pc.replace_substring_regex(text, rf"^(.*?){BLANK}*(?:{names})([)-]?)$", r"\1\2")
    if "parentheses" in form.negative:
        text = pc.replace_substring_regex(text, r"^\(([^()+-]+)\)$", r"-\1")
    if "trailing_minus" in form.negative:
        text = pc.replace_substring_regex(text, r"^([^()+-]+)-$", r"-\1")
    return text


@cache
def _pattern(form: NumberFormat, with_exponent: bool) -> str:
    """A regular expression for a number: digits grouped by three or, with commas, also the Indian way."""
    mark = re.escape(form.decimal)
    whole = "[0-9]+"
    if form.grouping:
        group = BLANK if form.grouping == " " else re.escape(form.grouping)
        whole = f"([0-9]+|[0-9]{{1,3}}({group}[0-9]{{3}})+"
        if form.grouping == ",":
            whole += f"|[0-9]{{1,2}}({group}[0-9]{{2}})*{group}[0-9]{{3}}"
        whole += ")"
    return f"^[+-]?({whole}({mark}[0-9]*)?|{mark}[0-9]+){EXPONENT if with_exponent else ''}$"


def _moved(text: Any, chosen: Any, *, by: int) -> Any:
    """The chosen numbers without an exponent and with their point moved, exactly; each distinct text once."""
    if isinstance(text, pa.ChunkedArray):
        text, chosen = text.combine_chunks(), chosen.combine_chunks()
    coded = pc.dictionary_encode(text.filter(chosen))
    moved = [f"{Decimal(cell).scaleb(by, EXACT):f}" for cell in coded.dictionary.to_pylist()]
    return pc.replace_with_mask(text, chosen, pa.array(moved, pa.string()).take(coded.indices))
