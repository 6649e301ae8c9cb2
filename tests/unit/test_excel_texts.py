"""The cleaning of digits that people protect from a spreadsheet takes away what protects them, and nothing else."""

import pyarrow as pa
import pytest

from data_ingestion.checks.cleaning import clean
from data_ingestion.contract import Column, LogicalType


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('="00123"', "00123"),
        ("'00123", "00123"),
        ('=""', ""),
        ("'", ""),
        ("00123", "00123"),
        ('="1"&"2"', '="1"&"2"'),
        ("=00123", "=00123"),
        ("O'Neil", "O'Neil"),
        (None, None),
    ],
)
def test_what_protects_digits_is_taken_away(written, text):
    column = Column("id", ("id",), LogicalType.STRING, "text", cleaning=("strip_excel_text",))
    assert clean(pa.array([written], pa.string()), column).to_pylist() == [text]
