"""Likeness: a table of first bytes, and what a file that starts so seems to be under each format."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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
    SpreadsheetFormat,
)
from data_ingestion.contract.file_formats import Format
from data_ingestion.contract.pattern import Pattern
from data_ingestion.errors import DropFault
from data_ingestion.reading import open_reader, read_csv
from data_ingestion.reading.jsonl import read_jsonl
from data_ingestion.reading.likeness import encoding_of, of_start

SHIP = Column("ship", ("ship",), LogicalType.STRING, "text", required=True)
KNOTS = Column("knots", ("knots",), LogicalType.INTEGER, "bigint")
FORMATS: dict[str, Format] = {
    "csv": CsvFormat(),
    "jsonl": JsonLinesFormat(),
    "parquet": ParquetFormat(),
    "xlsx": SpreadsheetFormat(),
}


def packed(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"ship": ["Ida"], "knots": [7]}), file)
    return file.getvalue()


CSV = b"ship,knots\nIda,7\n"
FILES = {
    "a Parquet file": parquet(),
    "an encrypted Parquet file": b"PARE\x15\x04",
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an Avro file": b"Obj\x01\x04\x16avro.schema",
    "an ORC file": b"ORC\x08\x03",
    "an Arrow (Feather) file": b"ARROW1\0\0\xff\xff",
    "an SQLite database": b"SQLite format 3\0\x10\0",
    "a document in RTF": b"{\\rtf1\\ansi ship,knots}",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
    "an image (PNG)": b"\x89PNG\r\n\x1a\n",
    "packed by gzip twice": gzip.compress(gzip.compress(CSV)),
    "zstd file is damaged": b"\x28\xb5\x2f\xfd\x20\x11\x89\0\0ship",
    "packed by bzip2": b"BZh91AY&SY",
    "packed by xz": b"\xfd7zXZ\0\0\x04",
    "packed by 7-Zip": b"7z\xbc\xaf\x27\x1c\0\x04",
    "packed by RAR": b"Rar!\x1a\x07\x01\0",
    "zip archive": packed(("ships.csv", CSV), ("boats.csv", CSV)),
    "an Excel file from before 2007": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "an OpenDocument file": packed(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")),
    "a Word or PowerPoint document": packed(
        ("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<a/>")
    ),
    "a web page": b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "an error message in XML": b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>',
    "looks like XML": b"<ships><ship knots='7'>Ida</ship></ships>",
    "only NUL bytes": bytes(4096),
    "is empty": b"",
}


def refused(data: bytes, form: Format, *ignored: str) -> str:
    """What a load of the file would say; '' if it can be read."""
    contract = Contract(
        path=Path("ships.odcs.yaml"), domain="sea", dataset="ships", version="1", description="",
        pattern=Pattern("*"), format=form, columns=(SHIP, KNOTS), ignored_headers=ignored,
        key=Key(KeyRule.NATURAL, ("ship",), ""),
    )  # fmt: skip
    try:
        reader = open_reader(io.BytesIO(data), contract, "ships")
        RowChecks(contract, reader.header, "ships", reader.look)
        list(reader)
    except DropFault as error:
        return str(error)
    return ""


@pytest.mark.parametrize("declared", FORMATS)
@pytest.mark.parametrize("what", FILES)
def test_a_file_of_another_kind_is_called_what_it_looks_like(what: str, declared: str):
    said = refused(FILES[what], FORMATS[declared])
    if (what, declared) == ("a Parquet file", "parquet"):
        assert not said
    elif (what, declared) == ("is empty", "csv"):
        assert "the file is empty" in said
    else:
        assert what in said
        assert "\n  " in said


@pytest.mark.parametrize(
    ("declared", "data", "what", "remedy"),
    [
        ("csv", b'{"ship": "Ida"}\n{"ship": "Tor"}\n', "looks like JSON Lines", "`format: jsonl`"),
        ("csv", b'[{"ship": "Ida"}]', "is one JSON array", "have it sent as CSV"),
        ("csv", b'{\n  "ship": "Ida"\n}\n', "over several lines", "declare `format: json`"),
        ("csv", packed(("xl/workbook.xml", b"<a/>")), "an Excel spreadsheet (.xlsx)", "`format: xlsx`"),
        ("csv", "ship,knots\nIda,7\n".encode("utf-16"), "text in UTF-16", "`encoding: utf-16`"),
        ("csv", "ship,knots\nIda,7\n".encode("utf-16-le"), "text in UTF-16-LE", "`encoding: utf-16-le`"),
        ("csv", "ship,knots\nIda,7\n".encode("utf-16-be"), "text in UTF-16-BE", "`encoding: utf-16-be`"),
        ("csv", "ship,knots\nIda,7\n".encode("utf-32"), "text in UTF-32", "`encoding: utf-32`"),
        ("csv", "ship,größe\n".encode("cp1252"), "bad_utf8", "`encoding: windows-1252`"),
        ("csv", "ship,größe\n".encode("cp850"), "bad_utf8", "`encoding: cp850`"),
        ("jsonl", CSV, "looks like CSV: its first line has 2 cells", "`format: csv`"),
        ("jsonl", b'{"ship":"Ida"},\n{"ship":"Tor"},\n', "a comma after its objects", "one object on"),
        ("jsonl", b"Ida sailed\n", "looks like plain text", "as JSON Lines"),
        ("jsonl", b'{"ship":"Ida"}\n'.decode().encode("utf-16"), "text in UTF-16", "`encoding: utf-16`"),
        ("parquet", CSV, "looks like CSV", "`format: csv`"),
        ("parquet", b'{"ship": "Ida"}\n', "looks like JSON Lines", "`format: jsonl`"),
        ("parquet", parquet()[:-9], "its end is missing", "sent again"),
        ("xlsx", CSV, "looks like CSV", "`format: csv`"),
        ("xlsx", parquet(), "a Parquet file", "`format: parquet`"),
    ],
)  # fmt: skip
def test_what_can_be_declared_is_named_as_the_way_out(declared: str, data: bytes, what: str, remedy: str):
    said = refused(data, FORMATS[declared])
    assert what in said
    assert remedy in said


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16-le", "utf-16"])
def test_utf_8_under_another_declared_encoding_is_noticed(encoding: str):
    said = refused("schiff,größe\nIda,7\n".encode(), CsvFormat(encoding=encoding))
    assert "UTF-8" in said or "without its byte order mark" in said
    assert "leave `encoding` out" in said


def test_a_text_in_its_declared_encoding_is_not_said_to_need_it():
    said = refused("ship,fart\nIda,7\n".encode("utf-16"), CsvFormat(encoding="utf-16"))
    assert "missing 'knots'; unknown 'fart'" in said


def test_a_spreadsheet_that_was_cut_short_says_so():
    said = refused(packed(("xl/workbook.xml", b"<a/>"))[:-30], SpreadsheetFormat())
    assert "cut short" in said


ROWS = [{"ship": f"ship {number}", "knots": number} for number in range(100_000)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        "[" + "\n,".join(map(json.dumps, ROWS)) + "]",
        '[\n{"ship": "Ida", "knots": 7}\n]\n',
        "[]",
    ],
    ids=["on one line", "pretty-printed", "an element a line", "comma first", "of one element", "empty"],
)
def test_a_json_array_is_no_file_of_json_lines_and_is_called_so(text: str):
    assert "one JSON array, not an object on each line" in refused(text.encode(), JsonLinesFormat())


@pytest.mark.parametrize(
    "text",
    [
        '[1, 2]\n{"ship": "Ida"}\n',
        '{"ship": "Ida",\n{"ship": "Tor"}\n',
        'started\n{"ship": "Ida"}\n',
        '{"ship": "Ida"\n',
        "\n",
    ],
    ids=["an array among objects", "a broken line", "a stray line", "one broken line", "a blank line"],
)
def test_bad_records_among_json_lines_are_records_and_not_another_kind_of_file(text: str):
    assert refused(text.encode(), JsonLinesFormat()) == ""


def test_most_names_in_a_message_do_not_make_it_long():
    data = ",".join(f"unknown {number} {'x' * 5000}" for number in range(700)).encode() + b"\n"
    assert len(refused(data, CsvFormat(max_record_bytes=8 << 20))) < 4000


@pytest.mark.parametrize("declared", FORMATS)
def test_no_bytes_at_all_make_looking_fail(declared: str):
    for first in range(256):
        of_start(bytes([first]) * 3 + b"\n\xff\0{[", declared)


def test_bytes_that_are_letters_in_one_encoding_alone_tell_it():
    assert encoding_of("Übergröße, naïve".encode("cp1252")) == "windows-1252"
    assert encoding_of("für größere Füße".encode("cp850")) == "cp850"
    assert encoding_of("ship".encode("utf-16")) == "utf-16"


TRAILING = b"ship,knots\nIda,7,\nTor,9,\n"


def test_rows_that_end_with_a_delimiter_have_a_way_out_that_reads_them():
    said = refused(TRAILING, CsvFormat())
    assert "a delimiter at the end of every row" in said
    assert "ignoredHeaders" in said
    assert refused(TRAILING, CsvFormat(), "") == ""


@pytest.mark.parametrize(
    ("data", "header", "rows"),
    [
        (TRAILING, ("ship", "knots", ""), 2),
        (b"ship,knots\n\nIda,7,\nTor,9\n", ("ship", "knots", ""), 1),
        (b"ship,knots\nIda,7\nTor,9,\n", ("ship", "knots"), 1),
        (b"ship,knots,\nIda,7,\n", ("ship", "knots", ""), 1),
        (b"ship,knots\n", ("ship", "knots"), 0),
        (b"ship,knots\r\nIda,7,", ("ship", "knots", ""), 1),
    ],
)
def test_the_first_row_says_whether_a_last_column_without_a_name_is_there(
    data: bytes, header: tuple[str, ...], rows: int
):
    for chunk_bytes in (1, 1 << 20):
        reader = read_csv(io.BytesIO(data), CsvFormat(), chunk_bytes, ends_unnamed=True)
        assert reader.header == header
        assert sum(chunk.rows for chunk in reader) == rows


def test_some_rows_that_end_with_a_delimiter_are_bad_rows():
    assert refused(b"ship,knots\nIda,7,\nTor,9\n", CsvFormat()) == ""


def test_all_unknown_keys_of_a_file_are_counted():
    lines = [{"ship": "Ida", "flag": 1, "owner": 2}, {"ship": "Tor", "owner": 3}, {"ship": "Una"}]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    reader = read_jsonl(io.BytesIO(data), JsonLinesFormat(), [["ship"]])
    bad = [record for chunk in reader for record in chunk.bad]
    assert [record.detail for record in bad] == [
        "'flag', 'owner' are not headers of the contract",
        "'owner' is not a header of the contract",
    ]
    assert reader.remark().startswith("unknown keys: 'owner' in 2 records, 'flag' in 1 record; add them")


def test_long_keys_and_many_of_them_make_no_long_message():
    data = json.dumps({f"{number}{'k' * 5000}": number for number in range(2000)}).encode()
    reader = read_jsonl(io.BytesIO(data), JsonLinesFormat(max_record_bytes=16 << 20), [["ship"]])
    (record,) = [record for chunk in reader for record in chunk.bad]
    assert len(record.detail) + len(record.column or "") + len(reader.remark()) < 4000


@pytest.mark.parametrize(
    ("byte", "form", "said"),
    [
        (b"\xe9", {}, "byte 0xe9 is not valid UTF-8; in windows-1252 it is 'é' (see `encoding`)"),
        (b"gr\x94\xe1e", {}, "byte 0x94 is not valid UTF-8; in cp850 it is 'ö' (see `encoding`)"),
        (b"\x81", {"encoding": "windows-1252"}, "is not a character in the contract's `encoding`"),
    ],
)
def test_a_byte_that_does_not_decode_says_in_which_encoding_it_could(
    byte: bytes, form: dict[str, str], said: str
):
    (chunk,) = read_csv(io.BytesIO(b"ship\nIda\n" + byte + b"\n"), CsvFormat(**form))
    assert said in chunk.bad[0].detail
    (lines,) = read_jsonl(
        io.BytesIO(b'{"ship":"Ida"}\n{"ship":"' + byte + b'"}\n'), JsonLinesFormat(**form), [["ship"]]
    )
    assert said in lines.bad[0].detail
