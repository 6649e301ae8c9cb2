"""Packed files: what is in them is read as if it were not packed; one that is cut short or damaged never ends early."""

import io
import zipfile

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import CsvFormat, JsonFormat, JsonLinesFormat, SpreadsheetFormat
from data_ingestion.reading import ReadError
from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.csv import read_csv
from data_ingestion.reading.json_document import read_json
from data_ingestion.reading.jsonl import read_jsonl
from data_ingestion.reading.lines import read_lines
from data_ingestion.reading.spreadsheet import read_spreadsheet

CSV = b"id,note\n" + b"".join(b"%d,note %d\n" % (number, number * number) for number in range(5000))


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def content_of(data, step=1 << 12):
    source = decompressed(io.BytesIO(data), zips=True)
    return b"".join(iter(lambda: source.read(step), b""))


@given(st.binary(max_size=200), st.integers(1, 300))
def test_what_was_packed_comes_out(data, step):
    assert content_of(zstd(data), step) == data
    assert content_of(zipped(("a.csv", data)), step) == data


def test_zstd_of_several_frames_is_one_content():
    assert content_of(zstd(CSV) + zstd(CSV)) == CSV + CSV


def test_what_macos_adds_to_an_archive_and_its_folders_do_not_count():
    assert content_of(zipped(("data/", b""), ("data/a.csv", CSV), ("__MACOSX/data/._a.csv", b"x"))) == CSV


def test_a_file_is_not_taken_for_part_of_a_document_by_the_start_of_its_name():
    assert content_of(zipped(("mimetypes.csv", CSV))) == CSV


@pytest.mark.parametrize("cut", [10, 100, -1])
@pytest.mark.parametrize(
    ("pack", "name"), [(zstd, "zstd file"), (lambda data: zipped(("a.csv", data)), "zip archive")]
)
def test_a_file_that_was_cut_short_is_no_shorter_file(pack, name, cut):
    with pytest.raises(ReadError, match=rf"the {name} is damaged or cut short.*\n  nothing of it was loaded"):
        content_of(pack(CSV)[:cut])


def test_a_byte_that_was_changed_in_an_archive_is_found():
    data = bytearray(zipped(("a.csv", CSV), method=zipfile.ZIP_STORED))
    data[200] ^= 1
    with pytest.raises(ReadError, match="the zip archive is damaged"):
        content_of(bytes(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            zipped(("a.csv", b""), ("b/c.csv", b"")),
            r"has 2 files: 'a.csv', 'b/c.csv'\n  have it sent with one file",
        ),
        (zipped(("data/", b"")), "has no file"),
    ],
)
def test_an_archive_of_another_number_of_files_is_refused(data, message):
    with pytest.raises(ReadError, match=message):
        content_of(data)


def test_an_archive_with_a_password_is_refused():
    data = bytearray(zipped(("a.csv", CSV)))
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= 1
    with pytest.raises(ReadError, match="the zip archive has a password"):
        content_of(bytes(data))


@pytest.mark.parametrize("pack", [zstd, lambda data: zipped(("inner.txt", data))])
def test_every_format_of_text_may_be_packed(pack):
    rows = [chunk.table.num_rows for chunk in read_csv(io.BytesIO(pack(CSV)), CsvFormat())]
    assert sum(rows) == 5000
    lines = b'{"id": 1}\n{"id": 2}\n'
    (chunk,) = read_jsonl(io.BytesIO(pack(lines)), JsonLinesFormat(), [["id"]])
    assert chunk.rows == 2
    (chunk,) = read_json(io.BytesIO(pack(b'[{"id": 1}]')), JsonFormat(), [["id"]])
    assert chunk.rows == 1
    assert [len(part) for part in read_lines(io.BytesIO(pack(lines)), JsonLinesFormat())] == [2]


def test_a_spreadsheet_is_no_archive_to_be_unpacked():
    import openpyxl

    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["id"])
    book.active.append([1])
    book.save(file)
    assert content_of(file.getvalue()) == file.getvalue()
    reader = read_spreadsheet(io.BytesIO(zstd(file.getvalue())), SpreadsheetFormat())
    assert [chunk.rows for chunk in reader] == [1]
