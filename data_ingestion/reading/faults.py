"""Faults: what reading can find wrong, in a record (it is set aside) or in a file (its load fails)."""

from __future__ import annotations

from dataclasses import dataclass, field

from data_ingestion.errors import DropFault


class ReadError(DropFault):
    """The file can't be read to its end, so none of it is taken: damaged gzip, an encoding that is not an encoding."""


class HeaderError(ReadError):
    """The file's first record names no columns: it is missing, or broken."""


@dataclass(frozen=True)
class BadRecord:
    """A record that breaks the rules of its format: where it starts, why, and what it was.

    `reason` is one of a fixed set of codes:
    of text: nul_byte, bad_utf8 (bad_encoding in a file declared to be anything else), record_too_long;
    of CSV: too_few_columns, too_many_columns, unclosed_quote, text_after_quote, stray_carriage_return;
    of JSON Lines: invalid_json, not_an_object, unknown_key, duplicate_key, lone_surrogate;
    of Parquet: bad_utf8, out_of_range;
    of both, where cells are filled from above: value_above_unread;
    of a spreadsheet: too_many_columns, cell_error, formula_without_value, nul_byte, lone_surrogate.
    `raw` is all of the record, in a text file without its line end, else as JSON; of `record_too_long` it is the
    first `max_record_bytes`.
    `column` is the header of the cell at fault, None where the fault is the record's or lies beyond the header.
    `cells` are those of the header where the record can be read all the same, as one of JSON Lines that has more or
    other fields than the contract names; None where it can't.
    """

    line: int
    reason: str
    raw: bytes
    column: str | None = None
    detail: str = ""
    cells: tuple[str | None, ...] | None = field(default=None, compare=False)
