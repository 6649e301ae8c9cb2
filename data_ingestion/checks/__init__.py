"""Checks: records of text made into typed rows, and the rows that break the contract set apart with their reason.

What is here says what the checks speak of; `checks.rows` does the work, and only a run that reads a file imports it.
"""

from __future__ import annotations

from dataclasses import dataclass

LINE = "_line"
TEXT_SUFFIX = "__text"


@dataclass(frozen=True)
class BadRow:
    """A row for the quarantine: where it stood, which column broke which rule, and its bytes.

    `shape` is that of the column's text (`drop_limits.shape_of`); None where no cell is at fault.
    """

    line: int
    reason: str
    column: str | None
    detail: str
    raw: bytes
    shape: str | None = None
