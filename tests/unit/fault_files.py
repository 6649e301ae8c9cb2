"""Fault files: drops with one fault each, as a contract judges them."""

from pathlib import Path
from typing import Any

from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import Contract
from data_ingestion.reading.open import open_reader

Rows = dict[int, dict[str, Any]]
Refused = list[tuple[int, str | None, str]]


def judged_drop(file: Path, contract: Contract, key: str) -> tuple[Rows, Refused]:
    """The rows of a file that landed as `key`, by line, and what was refused as (line, column, reason)."""
    rows: Rows = {}
    bad: Refused = []
    with file.open("rb") as stream:
        reader = open_reader(stream, contract, key)
        checks = RowChecks(contract, reader.header, key, reader.look)
        for chunk in reader:
            checked = checks.check(chunk)
            rows |= {row.pop("_line"): row for row in checked.rows.to_pylist()}
            bad += [(one.line, one.column, one.reason) for one in checked.bad]
    return rows, bad
