"""Footer: last lines of a text file that its contract declares as no rows, such as a total; they must be there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from data_ingestion.excerpts import quote
from data_ingestion.reading.compression import Source
from data_ingestion.reading.faults import ReadError

# A footer that is longer than this is not one.
MOST_BYTES_PER_LINE = 1 << 16


def without_footer(source: Source, footer: Sequence[str]) -> Source:
    """The source without its last lines that hold anything, one for each of `footer`, where `*` is any text.

    Reading it raises ReadError at the end of a file whose last lines are others: it may be cut short, and to drop
    two lines whatever they are would lose rows.
    """
    return _Footed(source, footer)


class _Footed:
    def __init__(self, source: Source, footer: Sequence[str]) -> None:
        self._source, self._footer = source, footer
        self._held = b""
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """The next bytes that are not the footer's: at most those of what is held and of `size` more."""
        while not self._ended:
            more = self._source.read(size)
            text = self._held + more
            start = _start_of_last(text, len(self._footer))
            self._held = text[start:]
            if not more:
                self._ended = True
                self._check()
            elif len(self._held) > MOST_BYTES_PER_LINE * len(self._footer) + size:
                raise ReadError(
                    f"the file's last lines are longer than {MOST_BYTES_PER_LINE:,} bytes each\n"
                    "  take `footer` out of the contract, or have the file sent with line ends"
                )
            if start:
                return text[:start]
        return b""

    def _check(self) -> None:
        lines = [line for line in self._held.decode(errors="replace").split("\n") if line.strip()]
        for place, wanted in enumerate(self._footer):
            line = lines[place].strip() if place < len(lines) else ""
            pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
            if not re.fullmatch(pattern, line, re.DOTALL):
                ordinal = len(self._footer) - place
                which = "its last line" if ordinal == 1 else f"line {ordinal} from its end"
                raise ReadError(
                    f"the file does not end with its footer: {which} is {quote(line)}, not like {quote(wanted)}\n"
                    "  have the whole file sent again, or correct `footer` in the contract"
                )


def _start_of_last(text: bytes, count: int) -> int:
    """Where the last lines begin that hold anything, so many of them; 0 if there are fewer."""
    end = len(text)
    while end:
        start = text.rfind(b"\n", 0, end - 1) + 1
        count -= bool(text[start:end].strip())
        if not count:
            return start
        end = start
    return 0
