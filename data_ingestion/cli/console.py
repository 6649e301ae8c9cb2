"""Console: lines of text on a terminal or in a log. Imported when one is printed: JSON for programs needs none."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console

from data_ingestion.excerpts import MOST_OF_A_MESSAGE, shorten

# What a terminal would obey rather than show; line ends and tabs are shown.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Lines(Console):
    """Prints text as it is, without control codes: names and quarantined rows come from senders."""

    def print(self, *parts: Any, **how: Any) -> None:
        """Prints, with control characters escaped and lines of an extreme length cut."""
        super().print(*(inert(one) if isinstance(one, str) else one for one in parts), **how)


def inert(text: str) -> str:
    """The text with control characters escaped, cut where it is of an extreme length."""
    text = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
    return "\n".join(map(shorten, text.split("\n"))) if len(text) > MOST_OF_A_MESSAGE else text


# No emoji: `a.csv:100:` is a file and its line.
console = _Lines(highlight=False, soft_wrap=True, emoji=False)
errors = _Lines(stderr=True, highlight=False, soft_wrap=True, emoji=False)
