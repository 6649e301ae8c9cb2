"""Quotes of a CSV file: another character, none, and what stands before one that is text."""

from __future__ import annotations

import pytest

from tests.unit.reading.csv_rows import read

CHUNKS = pytest.mark.parametrize("chunk_bytes", [1, 5, 1 << 20])
BACKSLASH = "\\"


@CHUNKS
def test_cells_are_quoted_by_the_character_that_the_contract_names(chunk_bytes):
    data = b"id,'n,m'\n1,'a,b'\n2,'it''s'\n3,say \"hi\"\n4,\"c\"\n5,''\n6,\n7,'d\ne'\n"
    rows, bad = read(data, chunk_bytes, quote="'")
    assert list(rows.values()) == [
        ("1", "a,b"), ("2", "it's"), ("3", 'say "hi"'), ("4", '"c"'), ("5", ""), ("6", None), ("7", "d\ne"),
    ]  # fmt: skip
    assert bad == []


@CHUNKS
def test_without_quoting_a_quote_is_text_like_any_other(chunk_bytes):
    data = b'id,n\n1,"a" b\n2,"\n3,c\n4,""\n5,"d,e"\n'
    rows, bad = read(data, chunk_bytes, quote="")
    assert rows == {2: ("1", '"a" b'), 3: ("2", '"'), 4: ("3", "c"), 5: ("4", '""')}
    assert [(record.line, record.reason, record.raw) for record in bad] == [
        (6, "too_many_columns", b'5,"d,e"')
    ]


@CHUNKS
def test_an_escape_makes_a_quote_a_delimiter_or_a_line_end_text(chunk_bytes):
    data = rb"""id,n
1,"a \"b\" c"
2,"C:\\dir\\"
3,d\,e\\
4,"f""g\""
5,h\
i
6,\N
7,j
"""
    rows, bad = read(data, chunk_bytes, escape=BACKSLASH)
    assert rows == {
        2: ("1", 'a "b" c'), 3: ("2", BACKSLASH.join(["C:", "dir", ""])), 4: ("3", "d,e" + BACKSLASH),
        5: ("4", 'f"g"'), 6: ("5", "h\ni"), 8: ("6", BACKSLASH + "N"), 9: ("7", "j"),
    }  # fmt: skip
    assert bad == []


@CHUNKS
@pytest.mark.parametrize("line", [rb"1,a\tb", rb'1,"a\tb"', rb'1,"\N"', rb"1,a\N"])
def test_an_escape_before_anything_else_is_a_fault_as_its_meaning_is_not_known(chunk_bytes, line):
    rows, bad = read(b"id,n\n" + line + b"\n2,b\n", chunk_bytes, escape=BACKSLASH)
    assert rows == {3: ("2", "b")}
    assert [(record.line, record.reason, record.column, record.raw) for record in bad] == [
        (2, "unknown_escape", "n", line)
    ]


def test_an_escape_at_the_very_end_of_a_file_is_a_fault():
    assert [record.reason for record in read(b"id,n\n1,a\\", escape=BACKSLASH)[1]] == ["unknown_escape"]


def test_a_file_in_which_each_line_opens_a_quote_is_read_in_good_time():
    _, bad = read(b"id,n\n" + b'1,"a\\"\n' * 20_000, escape=BACKSLASH)
    assert len(bad) == 20_000
    assert {record.reason for record in bad} == {"unclosed_quote"}
