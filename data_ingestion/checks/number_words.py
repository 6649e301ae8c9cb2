"""Number words: `Two Hundred and Fifty` as the digits that it spells, or what is unclear about it.

Only what English reads in one way is read. Which word may follow which is one table, so that nothing is guessed from
what is left over: `two two`, `hundred two hundred` and `twenty eleven` are not numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_ingestion.checks.texts import BLANKS

_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
_VALUES = {"a": 1, "zero": 0, **_ONES, **_TEENS, **_TENS, **_SCALES}
_KINDS = {
    "a": "a", "zero": "zero", "hundred": "hundred", "and": "and", "point": "point", "minus": "minus",
    **dict.fromkeys(_ONES, "one"), **dict.fromkeys(_TEENS, "teen"), **dict.fromkeys(_TENS, "ten"),
    **dict.fromkeys(_SCALES, "scale"),
}  # fmt: skip
_ANY = {"one", "teen", "ten"}
# What may stand behind a word of each kind; `first` is before all words, `end` behind them.
_FOLLOWERS = {
    "first": _ANY | {"zero", "a", "minus"},
    "minus": _ANY | {"zero", "a"},
    "a": {"hundred", "scale"},
    "zero": {"point", "end"},
    "one": {"hundred", "scale", "point", "end"},
    "teen": {"hundred", "scale", "point", "end"},
    "ten": {"one", "scale", "point", "end"},
    "hundred": _ANY | {"and", "scale", "point", "end"},
    "scale": _ANY | {"and", "point", "end"},
    "and": _ANY,
    "point": {"zero", "one"},
    "digit": {"zero", "one", "end"},
}
_GREATEST_TENS = 99  # of `ninety-nine hundred`
_BETWEEN = re.compile(rf"-|(,?)[{BLANKS}]+")


@dataclass(frozen=True)
class Unclear:
    """Why a text spells no number."""

    why: str


def parse_number_words(text: str) -> str | Unclear:
    """The digits of a number in English words: `one thousand and five point two` is `1005.2`.

    In any case, parted by blanks or single hyphens, with `and` or without, with a comma behind thousand and above; up
    to 999 billion (10^9). `point` is followed by its digits one by one. `a` is one in front, `twelve hundred` is 1200.
    """
    total = group = 0
    limit = max(_SCALES.values()) * 1000
    sign, decimals, last, before = "", "", "first", ""
    words = _BETWEEN.split(text.lower())
    for word, comma in zip(words[::2], [*words[1::2], None], strict=True):
        kind = _KINDS.get(word)
        if kind is None:
            return Unclear(
                f"'{word}' is not a number word" if word.isalpha() else "it is not made of words alone"
            )
        if kind not in _FOLLOWERS[last]:
            return Unclear(f"'{word}' can't follow '{before}'" if before else f"it can't start with '{word}'")
        if comma and kind != "scale":
            return Unclear(f"a comma can't follow '{word}'")
        value = _VALUES.get(word, 0)
        if last in ("point", "digit"):
            decimals, kind = decimals + str(value), "digit"
        elif kind == "minus":
            sign = "-"
        elif kind == "hundred":
            if not _counts_hundreds(group, total):
                return Unclear(f"'hundred' can't follow '{before}' here")
            group *= 100
        elif kind == "scale":
            if group >= 1000 or value >= limit:
                return Unclear(
                    f"'{word}' can't come here: the words before it are not that many times as much"
                )
            total, group, limit = total + group * value, 0, value
        else:
            group += value
        last, before = kind, word
    if "end" not in _FOLLOWERS[last]:
        return Unclear(f"something is missing after '{before}'")
    return f"{sign}{total + group}" + (f".{decimals}" if decimals else "")


def _counts_hundreds(group: int, total: int) -> bool:
    """`two hundred`; and `twelve hundred`, where no thousands stand before it. `twenty hundred` is not said."""
    return 1 <= group <= 9 or (total == 0 and 11 <= group <= _GREATEST_TENS and group % 10 != 0)
