"""First rows: why the first row of a file does not name the columns of its contract: another row or delimiter would.

Pure. Names are compared as people read them: regardless of case, blanks, underscores and hyphens.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from data_ingestion.contract.names import spelling
from data_ingestion.excerpts import listed, quote
from data_ingestion.reading.likeness import DELIMITERS, Likeness

# A title block is looked for in so many rows.
MOST_ROWS = 30
_SPOKEN = {"\t": "a tab"}
VALUE = re.compile(r"[+-]?[0-9][0-9.,:/T Z+-]*")
_MARK = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,9}")
_QUOTED_LINE = re.compile(r'"[^"]*"')
SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that was likely meant."""
    by_spelling = {spelling(other): other for other in known}
    if (found := by_spelling.get(spelling(name))) is not None:
        return found
    near = difflib.get_close_matches(spelling(name)[:100], by_spelling, 1, cutoff=0.75)
    return by_spelling[near[0]] if near else None


# Its number, as a person counts, and its cells.
Row = tuple[int, Sequence[str]]


def of_lines(text: str, delimiter: str, headers: Collection[str]) -> Likeness | None:
    """What a CSV file's first lines say about its header, which is not the contract's."""
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()][
        :MOST_ROWS
    ]
    lines = [line for _, line in numbered]
    if not lines:
        return None
    if separator := SEPARATOR_LINE.fullmatch(lines[0].strip()):
        what = f"starts with the line {lines[0].strip()!r}, which only Excel understands"
        remedy = f"declare `headerLine: 2`{_and_declare(separator[1], delimiter)}"
        return Likeness(what, remedy)
    known = {spelling(header) for header in headers}
    if _QUOTED_LINE.fullmatch(lines[0].strip()) and _fitting(_cells(lines[0], delimiter), known) > 1:
        what = "has quotes around its whole first line, which make it one cell"
        return Likeness(what, "have it sent with quotes around single cells, or without quotes")
    own = _fitting(_cells(lines[0], delimiter), known)
    # The delimiter by which most of the names fit, and of these the contract's own.
    other = max(DELIMITERS, key=lambda mark: (_fitting(_cells(lines[0], mark), known), mark == delimiter))
    cells = _cells(lines[0], other)
    if other != delimiter and len(cells) > 1 and _fitting(cells, known) > own:
        return _of_delimiter(other, delimiter)
    for mark in (delimiter, *DELIMITERS):
        rows = [(number, _cells(line, mark)) for number, line in numbered]
        if found := of_rows(rows, headers, "line", None if mark == delimiter else mark):
            return found
    alone = len(_cells(lines[0], delimiter)) == 1
    for mark in DELIMITERS if alone else ():
        counts = {line.count(mark) for line in lines[:5]}
        if mark != delimiter and len(counts) == 1 and counts != {0}:
            return _of_delimiter(mark, delimiter)
    return None


def of_rows(
    rows: Sequence[Row], headers: Collection[str], noun: str, delimiter: str | None = None
) -> Likeness | None:
    """What the first rows of a file say about its header: a later one has it, or none has.

    `noun` is what a row is called; `delimiter` is named where it is not the contract's.
    """
    known = {spelling(header) for header in headers}
    if not rows or not known or _fitting(rows[0][1], known):
        return None
    for number, cells in rows[1:MOST_ROWS]:
        fitting, filled = _fitting(cells, known), sum(bool(cell.strip()) for cell in cells)
        if fitting >= min(2, len(known)) and 2 * fitting >= filled:
            also = f", with {_spoken(delimiter)} between its cells" if delimiter else ""
            what = f"has its header on {noun} {number}{also}, below a title or a comment"
            remedy = f"declare `headerLine: {number}`{_and_declare(delimiter, '') if delimiter else ''}"
            return Likeness(what, remedy)
    if noun == "line" and delimiter is None and (marks := _marks_of_kinds(rows)):
        what = (
            f"seems to hold records of several kinds: its lines begin with {listed([*map(quote, marks)], 6)}"
        )
        remedy = (
            "name the columns of one kind in `columnNames`; say by `headerLine` where its rows begin, "
            "and by `footer` what stands below them"
        )
        return Likeness(what, remedy)
    values = [cell for cell in rows[0][1] if VALUE.fullmatch(cell.strip())]
    if values and delimiter is None:
        shown = listed([quote(cell, 30) for cell in rows[0][1]], 6)
        what = f"seems to have no header: its first {noun} holds values: {shown}"
        remedy = "have it sent with a header"
        if noun == "line":
            remedy = f"name its columns, in their order, in `columnNames`, or {remedy}"
        return Likeness(what, remedy)
    return None


def _marks_of_kinds(rows: Sequence[Row]) -> list[str]:
    """What rows of several kinds begin with, each kind with a number of cells of its own; none where they don't."""
    sizes: dict[str, set[int]] = {}
    for _, cells in rows[:MOST_ROWS]:
        sizes.setdefault(cells[0].strip(), set()).add(len(cells))
    of_one_size = all(len(found) == 1 and _MARK.fullmatch(mark) for mark, found in sizes.items())
    differ = len({min(found) for found in sizes.values()}) > 1
    return list(sizes) if of_one_size and differ and 1 < len(sizes) < len(rows) else []


def _of_delimiter(found: str, declared: str) -> Likeness:
    what = f"has {_spoken(found)} between its cells, where the contract has {_spoken(declared)}"
    return Likeness(what, _declare(found, declared))


def _and_declare(found: str, declared: str) -> str:
    return "" if found == declared else f"; then {_declare(found, declared)}"


def _declare(found: str, declared: str) -> str:
    if found == "\t":
        return "declare `format: tsv`, without a `delimiter`"
    format_ = "`format: csv` and " if declared == "\t" else ""
    return f'declare {format_}`delimiter: "{found}"`'


def _spoken(delimiter: str) -> str:
    return _SPOKEN.get(delimiter, f"'{delimiter}'")


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _fitting(cells: Sequence[str], known: Collection[str]) -> int:
    """How many of the known names stand in these cells."""
    return len({spelling(cell) for cell in cells if len(cell) < 1000} & set(known) - {""})
