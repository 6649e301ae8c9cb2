"""Lines: what is kept of a file of JSON Lines is what its reader finds in it, good and bad, however it is cut."""

import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.contract import JsonLinesFormat
from data_ingestion.reading import ReadError
from data_ingestion.reading.jsonl import read_jsonl
from data_ingestion.reading.lines import read_lines

PIECES = [
    b'{"id": 1}',
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"\t",
    b'"',
    b"{",
    b"\xff",
    b"\xc3\xa9",
    b"\0",
    b"nothing\n",
]


def kept(data: bytes, chunk_bytes: int = 1 << 20, **form: object) -> list[tuple[int, bytes]]:
    some = read_lines(io.BytesIO(data), JsonLinesFormat(**form), chunk_bytes)  # type: ignore[arg-type]
    return [line for lines in some for line in lines]


def read(data: bytes, **form: object) -> list[tuple[int, bytes]]:
    found = []
    for chunk in read_jsonl(io.BytesIO(data), JsonLinesFormat(**form), [["id"]]):  # type: ignore[arg-type]
        found += [(line, chunk.raw(index)) for index, line in enumerate(chunk.lines.to_pylist())]
        found += [(bad.line, bad.raw) for bad in chunk.bad]
    return sorted(found)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    st.sampled_from([1, 2, 3, 11, 64, 1 << 20]),
    st.sampled_from([3, 8, 20, 1 << 20]),
)
def test_the_records_are_those_that_the_reader_finds(data, chunk_bytes, limit):
    assert kept(data, chunk_bytes, max_record_bytes=limit) == read(data, max_record_bytes=limit)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_another_encoding_and_gzip_are_read_as_declared(encoding):
    text = '{"id": "ü"}\n\n{"id": 2}\n'
    assert kept(gzip.compress(text.encode(encoding)), encoding=encoding) == [
        (1, '{"id": "ü"}'.encode()), (3, b'{"id": 2}'),
    ]  # fmt: skip


def test_a_damaged_gzip_is_refused():
    with pytest.raises(ReadError, match="cut short"):
        kept(gzip.compress(b'{"id": 1}\n' * 1000)[:-20])


def test_a_line_without_end_is_not_held_in_memory():
    class Endless(io.RawIOBase):
        left = 64 << 20

        def read(self, size=-1):
            self.left -= size
            return b"x" * size if self.left > 0 else b""

    (line,) = [
        line
        for lines in read_lines(Endless(), JsonLinesFormat(max_record_bytes=100), 1 << 16)
        for line in lines
    ]  # type: ignore[arg-type]
    assert line == (1, b"x" * 100)
