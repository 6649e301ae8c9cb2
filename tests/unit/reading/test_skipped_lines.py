"""Lines of a CSV file that are not rows: comments, rows without a text, and a footer that must be there."""

from __future__ import annotations

import pytest

from data_ingestion.reading import HeaderError, ReadError
from tests.unit.reading.csv_rows import read

CHUNKS = pytest.mark.parametrize("chunk_bytes", [1, 4, 1 << 20])


@CHUNKS
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_comment_is_not_a_row_wherever_it_stands(chunk_bytes, end):
    data = b'# made by hand\nid,note\n1,a\n# "open\n2,#b\n#,\n# the end'.replace(b"\n", end)
    assert read(data, chunk_bytes, comment_prefix="#") == ({3: ("1", "a"), 5: ("2", "#b")}, [])


@CHUNKS
def test_a_line_within_quotes_is_text_whatever_it_begins_with(chunk_bytes):
    data = b'id,note\n1,"a\n# b\n,\n"\n# c\n2,d\n'
    rows = {2: ("1", "a\n# b\n,\n"), 7: ("2", "d")}
    assert read(data, chunk_bytes, comment_prefix="#", skip_empty_rows=True) == (rows, [])


def test_without_the_setting_a_comment_is_a_record_like_any_other():
    rows, bad = read(b"id,note\n# a\n#b,c\n")
    assert rows == {3: ("#b", "c")}
    assert [record.reason for record in bad] == ["too_few_columns"]


@CHUNKS
def test_a_comment_longer_than_a_record_may_be_is_shown_as_too_long(chunk_bytes):
    rows, bad = read(b"id,n\n#" + b"x" * 99 + b"\n1,2\n", chunk_bytes, comment_prefix="#", max_record_bytes=9)
    assert rows == {3: ("1", "2")}
    assert [(record.line, record.reason) for record in bad] == [(2, "record_too_long")]


@CHUNKS
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_rows_of_delimiters_alone_are_skipped_where_the_contract_says_so(chunk_bytes, end):
    data = b'id,n,m\n,,\n1,,\n,,\n,\n"",,\n,,'.replace(b"\n", end)
    rows, bad = read(data, chunk_bytes, skip_empty_rows=True)
    assert rows == {3: ("1", None, None), 6: ("", None, None)}
    assert bad == []
    assert read(b"id,n,m\n,,\n")[0] == {2: (None, None, None)}


def test_blanks_between_delimiters_are_no_text_where_they_are_skipped():
    data = b"id,n\n , \n"
    assert read(data, skip_empty_rows=True)[0] == {2: (" ", " ")}
    assert read(data, skip_empty_rows=True, skip_initial_space=True)[0] == {}


FOOTER = {"footer": ("Total,*", "* records")}


@CHUNKS
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_footer_is_not_among_the_rows(chunk_bytes, end):
    data = b"id,n\n1,2\n3,4\nTotal,6\n\n2 records\n \n\n".replace(b"\n", end)
    assert read(data, chunk_bytes, **FOOTER) == ({2: ("1", "2"), 3: ("3", "4")}, [])
    assert read(b"id,n\n1,2\nTotal,2\n1 records", chunk_bytes, **FOOTER) == ({2: ("1", "2")}, [])


@CHUNKS
def test_a_file_without_its_footer_is_refused_as_it_may_be_cut_short(chunk_bytes):
    with pytest.raises(ReadError, match=r"(?s)line 2 from its end is '1,2', not like 'Total,\*'.*`footer`"):
        read(b"id,n\n1,2\n3,4\n", chunk_bytes, **FOOTER)
    with pytest.raises(ReadError, match=r"its last line is '3,4', not like '\* records'"):
        read(b"id,n\nTotal,2\n3,4\n", chunk_bytes, **FOOTER)


def test_a_file_of_nothing_but_its_footer_has_no_header():
    with pytest.raises(HeaderError, match="is empty"):
        read(b"Total,0\n0 records\n", **FOOTER)


def test_a_file_whose_last_line_never_ends_is_not_held_in_memory():
    with pytest.raises(ReadError, match="last lines are longer than 65,536 bytes"):
        read(b"id\r" * 100_000, 1 << 10, footer=("Total",))
