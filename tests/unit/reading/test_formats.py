"""One road: the same table gives the same checked rows, in whatever format it comes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import (
    Column,
    Contract,
    CsvFormat,
    JsonLinesFormat,
    Key,
    KeyRule,
    LogicalType,
    ParquetFormat,
    Pattern,
    SpreadsheetFormat,
)
from data_ingestion.contract.terms import Source
from data_ingestion.reading import open_reader

COLUMNS = (
    Column("id", ("Id",), LogicalType.INTEGER, "bigint", required=True),
    Column("name", ("Name",), LogicalType.STRING, "text", cleaning=("trim",), max_length=5),
    Column(
        "amount",
        (" AMOUNT ",),
        LogicalType.NUMBER,
        "numeric(12,2)",
        precision=12,
        scale=2,
        maximum=Decimal(10**6),
    ),
    Column("ratio", ("Ratio",), LogicalType.NUMBER, "double precision"),
    Column("is_new", ("Is new",), LogicalType.BOOLEAN, "boolean"),
    Column("day", ("Day",), LogicalType.DATE, "date", formats=("%d.%m.%Y",), minimum=date(2000, 1, 1)),
    Column("seen_at", ("Seen",), LogicalType.TIMESTAMP, "timestamptz", formats=("%Y-%m-%d %H:%M:%S",)),
)
HEADER = [column.headers[0] for column in COLUMNS]
CONTRACT = Contract(
    path=Path("store/things.odcs.yaml"),
    domain="store",
    dataset="things",
    version="1",
    description="",
    pattern=Pattern("*.csv"),
    format=CsvFormat(),
    columns=COLUMNS,
    ignored_headers=(),
    key=Key(KeyRule.NATURAL, ("id",), ""),
    also=(
        Source(Pattern("*.tsv"), CsvFormat(delimiter="\t")),
        Source(Pattern("*.jsonl"), JsonLinesFormat()),
        Source(Pattern("*.parquet"), ParquetFormat()),
        Source(Pattern("*.xlsx"), SpreadsheetFormat()),
    ),
)
TYPES = [
    pa.int64(), pa.string(), pa.decimal128(12, 3), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("ms"),
]  # fmt: skip

# What a spreadsheet can hold: no date before March 1900, no number of more than 15 digits.
texts = st.text(st.sampled_from("abé€\"',;\t =+#1.\n"), min_size=1, max_size=7)
rows = st.tuples(
    st.none() | st.integers(-(10**14), 10**14),
    st.none() | texts.filter(lambda text: text.strip()),
    st.none() | st.decimals(-(10**7), 10**7, places=3).map(lambda amount: amount if amount else abs(amount)),
    st.none() | st.integers(-(10**9), 10**9).map(lambda number: number / 1024),
    st.none() | st.booleans(),
    st.none() | st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.none()
    | st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),
)
Table = list[tuple[object, ...]]


def as_text(row: tuple[object, ...]) -> list[str | None]:
    """A row as a person writes it under the contract."""
    cells: list[str | None] = []
    for cell in row:
        match cell:
            case None:
                cells.append(None)
            case datetime():
                cells.append(f"{cell:%Y-%m-%d %H:%M:%S}")
            case date():
                cells.append(f"{cell:%d.%m.%Y}")
            case float():
                cells.append(repr(cell))
            case bool():
                cells.append("yes" if cell else "no")
            case _:
                cells.append(str(cell))
    return cells


def as_delimited(table: Table, delimiter: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(HEADER)
    writer.writerows(["" if cell is None else cell for cell in as_text(row)] for row in table)
    return out.getvalue().encode()


def as_jsonl(table: Table) -> bytes:
    lines = []
    for row in table:
        cells: list[object] = [*as_text(row)]
        cells[4] = row[4]
        written = json.dumps(dict(zip(HEADER, cells, strict=True)))
        for place in (0, 2, 3):  # numbers as numbers, with the digits they were given
            key = json.dumps(HEADER[place])
            written = written.replace(f'{key}: "{cells[place]}"', f"{key}: {cells[place]}")
        lines.append(written)
    return "\n".join(lines).encode() or b"\n"


def as_parquet(table: Table) -> bytes:
    columns = [[row[place] for row in table] for place in range(len(HEADER))]
    arrays = [pa.array(cells, kind) for cells, kind in zip(columns, TYPES, strict=True)]
    out = io.BytesIO()
    pq.write_table(pa.table(arrays, names=HEADER), out, row_group_size=3)
    return out.getvalue()


def as_xlsx(table: Table) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    for number, row in enumerate(table, start=2):
        for place, cell in enumerate(row, start=1):
            if cell is not None:
                at = book.active.cell(number, place, float(cell) if isinstance(cell, Decimal) else cell)
                if isinstance(cell, str):
                    at.data_type = "s"  # even if it starts with '='
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def checked(data: bytes, name: str) -> tuple[list[tuple[object, ...]], list[tuple[int, str, str | None]]]:
    """The rows that passed, and of each bad one its place among the records, its reason and its column."""
    reader = open_reader(io.BytesIO(data), CONTRACT, name, chunk_bytes=64)
    checks = RowChecks(CONTRACT, reader.header, name)
    good, bad, lines = [], [], []
    for chunk in reader:
        result = checks.check(chunk)
        good += [tuple(row.values())[:-1] for row in result.rows.to_pylist()]
        bad += [(row.line, row.reason, row.column) for row in result.bad]
        lines += [*chunk.lines.to_pylist(), *(record.line for record in chunk.bad)]
    place = {line: number for number, line in enumerate(sorted(lines))}
    return good, [(place[line], reason, column) for line, reason, column in bad]


@settings(max_examples=150, deadline=None)
@given(st.lists(rows.filter(any), max_size=8))
def test_the_same_table_gives_the_same_checked_rows_in_every_format(table):
    as_csv = as_delimited(table, ",")
    expected = checked(as_csv, "a.csv")
    assert len(expected[0]) + len(expected[1]) == len(table)
    assert checked(as_delimited(table, "\t"), "a.tsv") == expected
    assert checked(as_jsonl(table), "a.jsonl") == expected
    assert checked(gzip.compress(as_jsonl(table)), "a.jsonl.gz") == expected
    assert checked(as_parquet(table), "a.parquet") == expected
    assert checked(as_xlsx(table), "a.xlsx") == expected


def test_the_first_source_whose_pattern_matches_says_how_an_object_is_read():
    contract = replace(CONTRACT, also=(Source(Pattern("*.*"), ParquetFormat()), *CONTRACT.also))
    assert contract.format_of("a.csv") == CsvFormat()
    assert contract.format_of("a.jsonl") == ParquetFormat()
    assert contract.match("a.csv") == Pattern("*.csv").match("a.csv")
    assert contract.match("a/b.csv") is None


IMPORTS = """
import io, sys
from data_ingestion.contract import file_formats
from data_ingestion.reading import open_reader
from data_ingestion.errors import GoldworksError
from types import SimpleNamespace
contract = SimpleNamespace(columns=(), ignored_headers=(), format_of=lambda key: getattr(file_formats, sys.argv[1])())
try:
    open_reader(io.BytesIO(b""), contract, "a")
except GoldworksError:
    pass
print(*sorted({"openpyxl", "pyarrow.parquet"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("form", "imported"),
    [
        ("CsvFormat", []),
        ("JsonLinesFormat", []),
        ("ParquetFormat", ["pyarrow.parquet"]),
        ("SpreadsheetFormat", ["openpyxl"]),
    ],
)
def test_a_load_imports_what_its_own_format_needs(form, imported):
    command = [sys.executable, "-c", IMPORTS, form]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == imported
