"""Reading CSV in tests: rows by line, and the bad records."""

from __future__ import annotations

import io

from data_ingestion.contract import CsvFormat
from data_ingestion.reading import BadRecord, read_csv

Rows = dict[int, tuple[str | None, ...]]


def read(data: bytes, chunk_bytes: int = 1 << 20, **form: object) -> tuple[Rows, list[BadRecord]]:
    """What a file of this format holds, read in blocks of so many bytes."""
    rows: Rows = {}
    bad: list[BadRecord] = []
    for chunk in read_csv(io.BytesIO(data), CsvFormat(**form), chunk_bytes):  # type: ignore[arg-type]
        cells = zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
        rows.update(zip(chunk.lines.to_pylist(), cells, strict=True))
        bad += chunk.bad
    return rows, bad
