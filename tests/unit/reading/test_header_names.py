"""Header names: a file's names become the contract's where it says that spelling is not exact, and never by a guess."""

from __future__ import annotations

import io

import pytest

from data_ingestion.contract.file_formats import CsvFormat, SpreadsheetFormat
from data_ingestion.reading import read_csv
from data_ingestion.reading.header_names import in_contract_spelling

KNOWN = ("Order No", "price", "Labels", "Labels (2)", "")
RELAXED, NUMBERED = CsvFormat(relaxed_headers=True), CsvFormat(numbers_repeated_headers=True)
BOTH = CsvFormat(relaxed_headers=True, numbers_repeated_headers=True)


@pytest.mark.parametrize(
    ("header", "form", "names"),
    [
        (("order_no", "PRICE"), CsvFormat(), ("order_no", "PRICE")),
        (("order_no", " Price "), RELAXED, ("Order No", "price")),
        (("order_no", "Price"), SpreadsheetFormat(relaxed_headers=True), ("Order No", "price")),
        (("order_nr", "-", ""), RELAXED, ("order_nr", "-", "")),
        (("price", "Price"), RELAXED, ("price", "price")),
        (("Labels", "x", "Labels", "Labels"), NUMBERED, ("Labels", "x", "Labels (2)", "Labels (3)")),
        (("Labels", "labels"), NUMBERED, ("Labels", "labels")),
        (("Labels", "Labels (2)", "Labels"), NUMBERED, ("Labels", "Labels (2)", "Labels (2)")),
        (("LABELS", "labels"), BOTH, ("Labels", "Labels (2)")),
        (("", ""), BOTH, ("", "")),
    ],
)
def test_names_differ_from_the_contracts_only_as_far_as_it_lets_them(header, form, names):
    assert in_contract_spelling(header, form, KNOWN) == names


def test_rows_and_faults_of_a_file_go_by_the_contracts_names():
    reader = read_csv(io.BytesIO(b'A,B\n1,2\n3,"x"y\n'), CsvFormat())
    reader.rename(("a", "b"))
    (chunk,) = reader
    assert chunk.table.schema.names == ["a", "b"]
    assert chunk.bad[0].column == "b"
