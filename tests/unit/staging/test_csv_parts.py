"""CSV parts: what a warehouse's COPY is given to read."""

import gzip
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest

from data_ingestion.errors import DropFault
from data_ingestion.landing import FolderLanding
from data_ingestion.staging import csv_parts
from data_ingestion.staging.csv_parts import CsvFiles


@pytest.fixture
def files(tmp_path):
    return CsvFiles(FolderLanding(tmp_path), text_bytes=10)


def text_of(files, folder):
    files.finish()
    return b"".join(gzip.decompress((folder / key).read_bytes()) for key in files.keys).decode()


def test_a_batch_is_written_as_copy_reads_it(files, tmp_path):
    batch = pa.record_batch(
        {
            "text": ['a"b,\nc', None, ""],
            "whole": [1, None, 3],
            "floating": [-5e-324, -0.0, None],
            "exact": pa.array([Decimal("1E-10"), None, Decimal("-9.5")], pa.decimal128(38, 10)),
            "moment": pa.array(
                [datetime(1, 1, 1, tzinfo=UTC), None, datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)],
                pa.timestamp("us", "UTC"),
            ),
            "day": [date(1, 1, 1), None, date(9999, 12, 31)],
            "flag": [True, None, False],
            "id": pa.array([UUID(int=5).bytes, None, UUID(int=2**128 - 1).bytes], pa.binary(16)),
        }
    )
    null = files.null
    files.write_batch(batch)
    files.write_batch(batch.slice(2, 1))  # whose buffers begin before it
    last = (
        f'"",3,{null},-9.5000000000,9999-12-31 23:59:59.999999+00,9999-12-31,false,'
        "ffffffff-ffff-ffff-ffff-ffffffffffff\n"
    )
    assert text_of(files, tmp_path) == (
        '"a""b,\nc",1,-5e-324,0.0000000001,0001-01-01 00:00:00.000000+00,0001-01-01,true,'
        "00000000-0000-0000-0000-000000000005\n"
        f"{null},{null},-0,{null},{null},{null},{null},{null}\n" + last + last
    )
    assert files.rows == 4


def test_rows_of_the_ledger_are_written_likewise_and_cut_where_they_are_too_long(files, tmp_path):
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    files.write([["é" * 6, None], [b"\x01\xff", None], [moment, None], [True, False], [7, -1], [0.5, None]])
    null = files.null
    assert text_of(files, tmp_path) == (
        f'"{"é" * 5}","01ff",2026-01-02 01:00:00+00,true,7,0.5\n{null},{null},{null},false,-1,{null}\n'
    ).replace('"01ff"', "01ff")


def test_the_mark_for_null_is_another_one_in_each_stage(tmp_path):
    marks = {CsvFiles(FolderLanding(tmp_path), 10).null for _ in range(100)}
    assert len(marks) == 100


def test_a_text_of_a_row_that_is_too_long_is_refused_with_what_to_do(files):
    files.write_batch(pa.record_batch({"note": ["é" * 5]}))
    with pytest.raises(
        DropFault, match=r"note: a text has 12 bytes, the warehouse takes 10\n  name the warehouse"
    ):
        files.write_batch(pa.record_batch({"note": ["é" * 6]}))


def test_a_part_ends_when_it_is_full_and_all_are_removed(files, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_parts, "PART_BYTES", 20)
    for _ in range(4):
        files.write_batch(pa.record_batch({"note": ["0123456789"]}))
    files.write([[1]])
    assert text_of(files, tmp_path) == '"0123456789"\n' * 4 + "1\n"
    assert [key.split("/")[1] for key in files.keys] == ["00000.csv.gz", "00001.csv.gz", "00002.csv.gz"]
    files.remove()
    assert list(tmp_path.rglob("*.gz")) == []
