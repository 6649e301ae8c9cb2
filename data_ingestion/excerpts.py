"""Excerpts: text of a sender as a message may show it, cut to a length that is known.

A header cell may be as long as its file, and a file may have a million of them: whatever quotes such text does it by
these functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_OF_A_CELL = 60
MOST_OF_A_NAME = 200
MOST_LISTED = 12
# Names in a list, by the characters that they take together.
MOST_OF_NAMES = 800
# A whole message as it is kept, and a line of one as it is shown.
MOST_OF_A_MESSAGE, MOST_OF_A_LINE = 4_000, 400


def quote(text: str, most: int = MOST_OF_A_CELL) -> str:
    """The text in quotes, its beginning where it is longer; what can't be printed is escaped."""
    return repr(text if len(text) <= most else f"{text[: most - 3]}...")


def quote_name(name: str) -> str:
    """The same for a header, a key or a sheet's name, of which a person needs more to find it."""
    return quote(name, MOST_OF_A_NAME)


def quote_names(names: Iterable[str]) -> str:
    """Several names with commas between them; of many the first, and how many more there are."""
    shown: list[str] = []
    length = more = 0
    for name in names:
        quoted = quote_name(name)
        length += len(quoted)
        if more or (shown and length > MOST_OF_NAMES):
            more += 1
        else:
            shown.append(quoted)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def listed(texts: Sequence[str], most: int = MOST_LISTED, total: int | None = None) -> str:
    """The first texts, which are quoted already, and how many more there are of `total`, by default of them all."""
    more = (len(texts) if total is None else total) - most
    return ", ".join(texts[:most]) + (f" and {more:,} more" if more > 0 else "")


def shorten(text: str, most: int = MOST_OF_A_MESSAGE) -> str:
    """The text, or its beginning and how long it is."""
    if len(text) <= most:
        return text
    suffix = f"… ({len(text):,} characters)"
    return text[: most - len(suffix)] + suffix


def shorten_line(text: str) -> str:
    """A line for a terminal or a log: of a megabyte the beginning, how long it is, and how to see all of it."""
    if len(text) <= MOST_OF_A_LINE:
        return text
    return f"{text[:MOST_OF_A_LINE]}… ({len(text):,} characters; --json shows all)"


def cut(text: str, most: int) -> str:
    """The text, or as much of it as fits into so many bytes."""
    return text if len(text) * 4 <= most else text.encode()[:most].decode(errors="ignore")
