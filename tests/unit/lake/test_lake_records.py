"""Records: the row groups of the lake's files, few and of a bounded size, whatever they are put together from."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_ingestion.errors import LawBroken
from data_ingestion.lake import records
from data_ingestion.lake.records import SCHEMA, RecordsFile, join_files

NOW = datetime(2026, 3, 2, tzinfo=UTC)
OF_TYPE = {pa.string(): "x", pa.binary(): None, pa.int64(): 1, pa.timestamp("us", "UTC"): NOW}


def written(*groups):
    """A file of the lake: of each row group its records."""
    row = {field.name: OF_TYPE[field.type] for field in SCHEMA}
    content = io.BytesIO()
    with pq.ParquetWriter(content, SCHEMA) as writer:
        for texts in groups:
            writer.write_table(pa.Table.from_pylist([{**row, "record": text} for text in texts], SCHEMA))
    return content


def groups_of(content):
    file = pq.ParquetFile(content)
    return [file.read_row_group(index)["record"].to_pylist() for index in range(file.num_row_groups)]


def test_row_groups_of_small_files_are_put_together_too():
    """A file of many row groups of a few rows is read and compressed hardly better than many files."""
    joined, size = join_files([written([f"{number}", "y"]) for number in range(50)], 100)
    assert groups_of(joined.content) == [[text for number in range(50) for text in (f"{number}", "y")]]
    assert size < 10_000


def test_no_row_group_grows_beyond_what_is_held_of_it(monkeypatch: pytest.MonkeyPatch):
    """The batches of a Parquet file go across its row groups, so they would hold more."""
    files = [written(["a" * 10] * 3, ["b" * 10] * 3), written(["c" * 10] * 3)]
    monkeypatch.setattr(records, "_GROUP_BYTES", 50)
    held: list[int] = []
    add = RecordsFile.add_table
    monkeypatch.setattr(
        RecordsFile, "add_table", lambda self, rows: (held.append(len(rows)), add(self, rows))
    )
    joined, _ = join_files(files, 9)
    assert held == [3, 3, 3]
    assert [len(group) for group in groups_of(joined.content)] == [6, 3]


def test_files_with_other_records_than_the_ledger_knows_of_are_not_put_together():
    with pytest.raises(LawBroken, match="3 records lie in some files of the lake, 1 were read"):
        join_files([written(["a"])], 3)
