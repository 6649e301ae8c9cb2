"""Reading, one tiny file a fault: what is good comes through, what is bad is set aside with its line and its reason."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from pathlib import Path

import pytest

from data_ingestion.contract.file_formats import CsvFormat
from data_ingestion.reading import HeaderError, ReadError, read_csv
from data_ingestion.reading.csv_records import RecordParser
from tests.unit.reading.csv_rows import read

FILES = Path(__file__).parents[2] / "fixtures" / "csv"
ANN, BO = ("1", "ann", "10"), ("2", "bo", "20")


@pytest.mark.parametrize(
    ("name", "form", "rows"),
    [
        ("plain.csv", {}, {2: ANN, 3: BO}),
        ("bom_crlf.csv", {}, {2: ANN, 3: BO}),
        ("bom_crlf.csv", {"encoding": "utf-8-sig"}, {2: ANN, 3: BO}),
        ("lone_cr.csv", {}, {2: ANN, 4: BO}),
        ("no_line_end_at_end.csv", {}, {2: ANN, 3: BO}),
        ("blank_lines.csv", {}, {4: ANN, 7: BO}),
        ("newline_in_quotes.csv", {}, {2: ("1", "ann\nof the hill", "10"), 4: BO}),
        ("quotes_doubled.csv", {}, {2: ("1", 'ann "the" first', "10"), 3: ("2", '5" pipe', "20")}),
        ("null_and_empty.csv", {}, {2: ("1", None, "10"), 3: ("2", "", "20")}),
        (
            "blanks_before_cells.csv",
            {"skip_initial_space": True},
            {2: ("1", "ann ", "10"), 3: ("2", "b,o", "20"), 4: ("3", None, "30")},
        ),
        ("header_only.csv", {}, {}),
        ("header_repeats_names.csv", {}, {2: ("1", "2", "3")}),
        ("latin1.csv", {"encoding": "latin-1"}, {2: ("1", "anné", "10"), 3: BO}),
        ("utf16.csv", {"encoding": "utf-16"}, {2: ("1", "anné", "10"), 3: BO}),
        ("two_members.csv.gz", {}, {2: ANN, 3: BO}),
    ],
)
def test_a_file_of_any_shape_is_read_whole(name, form, rows):
    assert read((FILES / name).read_bytes(), **form) == (rows, [])


@pytest.mark.parametrize(
    ("name", "form", "line", "reason", "column", "raw", "good_lines"),
    [
        ("too_few_columns.csv", {}, 2, "too_few_columns", None, b"1,ann", [3]),
        ("too_many_columns.csv", {}, 2, "too_many_columns", None, b"1,ann,10,11", [3]),
        ("unclosed_quote.csv", {}, 2, "unclosed_quote", "name", b'1,"ann,10', [3, 4]),
        ("unclosed_quote_met_by_a_later_one.csv", {}, 2, "unclosed_quote", "name", b'1,"ann,10', [3, 4, 5]),
        ("unclosed_quote_at_end.csv", {}, 3, "unclosed_quote", "amount", b'2,bo,"20', [2]),
        ("text_after_quote.csv", {}, 2, "text_after_quote", "name", b'1,"ann"a,10', [3]),
        ("stray_carriage_return.csv", {}, 2, "stray_carriage_return", "name", b"1,an\rn,10", [3]),
        ("nul_byte.csv", {}, 2, "nul_byte", "name", b"1,an\0n,10", [3]),
        ("bad_utf8.csv", {}, 2, "bad_utf8", "name", b"1,an\xe9,10", [3]),
        ("cp1252_undefined_byte.csv", {"encoding": "cp1252"}, 2, "bad_encoding", "name", b"1,an\x81,10", [3]),
    ],
)
def test_a_bad_record_is_set_aside_alone(name, form, line, reason, column, raw, good_lines):
    rows, bad = read((FILES / name).read_bytes(), **form)
    assert [(one.line, one.reason, one.column, one.raw) for one in bad] == [(line, reason, column, raw)]
    assert list(rows) == good_lines


def test_an_unclosed_quote_swallows_nothing_where_the_number_of_columns_tells():
    """The span of lines 2 to 4 is whole, with a column too many: each of its lines is judged by itself."""
    rows, bad = read((FILES / "unclosed_quote_swallowing_columns.csv").read_bytes())
    assert [(one.line, one.reason) for one in bad] == [(2, "unclosed_quote"), (4, "too_many_columns")]
    assert list(rows) == [3, 5]


def test_the_one_ambiguity_left_is_a_span_that_looks_like_a_record_in_every_way():
    rows, bad = read(b'id,name\n1,"ann\n2,bo\n3,cy"\n4,di\n')
    assert rows == {2: ("1", "ann\n2,bo\n3,cy"), 5: ("4", "di")}
    assert not bad


def test_a_quote_open_for_longer_than_a_record_may_be_costs_one_line():
    lines = [b'1,"ann,10'] + [b"%d,bo,20" % i for i in range(2, 2000)] + [b'2000,cy",30']
    rows, bad = read(b"id,name,amount\n" + b"\n".join(lines), max_record_bytes=1000)
    assert [(one.line, one.reason) for one in bad] == [(2, "unclosed_quote")]
    assert list(rows) == list(range(3, 2002))


def test_a_line_longer_than_a_record_may_be_is_bad_though_nothing_else_is_wrong_with_it():
    rows, bad = read(b"id,name,amount\n1," + b"x" * 30 + b",10\n2,bo,20\n", max_record_bytes=20)
    assert [(one.line, one.reason, len(one.raw)) for one in bad] == [(2, "record_too_long", 20)]
    assert rows == {3: BO}


def test_a_line_without_end_is_bad_and_the_next_one_good():
    rows, bad = read(b"id,name,amount\n1," + b"x" * 5_000_000 + b",10\n2,bo,20\n", max_record_bytes=1 << 20)
    assert [(one.line, one.reason, len(one.raw)) for one in bad] == [(2, "record_too_long", 1 << 20)]
    assert rows == {3: BO}


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("empty.csv", {}, "the file is empty"),
        ("only_blank_lines.csv", {}, "the file is empty"),
        ("header_unclosed_quote.csv", {}, "unclosed_quote"),
        ("header_utf16.csv", {}, "looks like text in UTF-16"),
        ("plain.csv", {"encoding": "utf-16"}, "without its byte order mark"),
    ],
)
def test_a_file_without_a_header_says_what_is_wrong_with_it(name, form, message):
    with pytest.raises(HeaderError, match=message):
        read((FILES / name).read_bytes(), **form)


@pytest.mark.parametrize("name", ["cut_short.csv.gz", "wrong_checksum.csv.gz", "cut_short.csv.zip"])
def test_a_damaged_archive_is_an_error_and_never_an_early_end(name):
    with pytest.raises(ReadError, match="damaged or cut short"):
        read((FILES / name).read_bytes())


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"encoding": "klingon"}, "'klingon' is not known"),
        ({"encoding": "base64"}, "'base64' is not known"),
        ({"delimiter": '"'}, "can't separate cells"),
        ({"delimiter": "||"}, "can't separate cells"),
        ({"delimiter": "€"}, "can't separate cells"),
        ({"delimiter": " ", "skip_initial_space": True}, "can't separate cells"),
        ({"max_record_bytes": 0}, "too small"),
    ],
)
def test_a_format_that_can_not_be_is_refused(form, message):
    with pytest.raises(ReadError, match=message):
        read(b"id\n1\n", **form)


def test_names_in_the_header_are_passed_on_as_they_are():
    data = b'id, amount ,,id, "x,y"\n'
    assert read_csv(io.BytesIO(data), CsvFormat(skip_initial_space=True)).header == (
        "id",
        " amount ",
        "",
        "id",
        "x,y",
    )


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("oddity", [b"", b'9,"a\nb",c' + b"\n"])
def test_raw_is_the_record_as_it_stands_in_the_file(line_end, oddity):
    (chunk,) = read_csv(
        io.BytesIO(b"a,b,c\n" + oddity + line_end.join([b'1, "x",3', b'2,"y, z",4', b""])), CsvFormat()
    )
    assert [chunk.raw(i) for i in range(chunk.table.num_rows)][-2:] == [b'1, "x",3', b'2,"y, z",4']


@pytest.mark.parametrize("row", [b"1,ann,10\n", b'1,"ann\nlee",10\n', b'1,"ann,10\n', b"\n"])
def test_memory_does_not_grow_with_the_file(row):
    def peak(size: int) -> int:
        packed = gzip.compress(b"id,name,amount\n" + row * (size // len(row)), 1)
        tracemalloc.start()
        for _ in read_csv(io.BytesIO(packed), CsvFormat(max_record_bytes=1 << 11), 1 << 13):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(60_000)  # what is imported and compiled first counts only once
    assert peak(300_000) < 1.2 * peak(60_000)


@pytest.mark.parametrize("row", [b'"aa""\n', b'"\n', b'a,"\n', b'"",""\n', b'a,"b\n', b'"""\n'])
def test_hostile_quotes_take_no_more_time_than_others(row):
    """Without memory of what was searched, each line of the first kind would be searched for a megabyte ahead."""
    records = 0
    for chunk in read_csv(io.BytesIO(b"h,i\n" + row * 40_000), CsvFormat()):
        records += chunk.table.num_rows + len(chunk.bad)
    assert records


def test_bad_lines_among_many_good_ones_cost_those_nothing(monkeypatch):
    """Runs of good lines between the bad ones go to Arrow unlooked at, and keep their lines and bytes."""
    lines = [b'%d,"a, %d\n' % (i, i) if i % 50 == 0 else b'%d,"a, %d",x\r\n' % (i, i) for i in range(2, 2000)]
    singly: list[bytes] = []
    asked = RecordParser.read
    monkeypatch.setattr(RecordParser, "read", lambda *args: singly.append(args[1]) or asked(*args))
    reader = read_csv(io.BytesIO(b"id,name,more\n" + b"".join(lines)), CsvFormat())
    singly.clear()
    chunks = list(reader)
    assert [record.line for chunk in chunks for record in chunk.bad] == list(range(50, 2000, 50))
    assert [int(row) for chunk in chunks for row in chunk.table.column(0).to_pylist()] == [
        i for i in range(2, 2000) if i % 50
    ]
    for chunk in chunks:
        for i, line in enumerate(chunk.lines.to_pylist()):
            assert chunk.raw(i) == b'%d,"a, %d",x' % (line, line)
    assert len(singly) < 100


TITLED = b'Report, "of May"\n\nmade;by hand\nid,name,amount\n1,ann,10\n2,bo,20\n'


def test_what_stands_above_the_header_is_passed_over_whatever_it_is():
    assert read(TITLED, header_line=4) == ({5: ANN, 6: BO}, [])
    assert read(TITLED.replace(b"\n", b"\r\n"), header_line=4) == ({5: ANN, 6: BO}, [])
    assert read(b"sep=,\nid,name,amount\n1,ann,10\n", header_line=2) == ({3: ANN}, [])


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
def test_a_long_title_is_passed_over_without_being_held(chunk_bytes):
    data = b"x" * 5_000 + b"\n" + b"id,name,amount\n1,ann,10\n"
    reader = read_csv(io.BytesIO(data), CsvFormat(header_line=2), chunk_bytes)
    assert reader.header == ("id", "name", "amount")
    assert [chunk.lines.to_pylist() for chunk in reader] == [[3]]


def test_a_file_that_ends_above_its_header_says_so():
    with pytest.raises(
        HeaderError, match=r"(?s)ends on line 2, above its header.*on line 4 \(`headerLine`\)"
    ):
        read(b"Report\nid,name", header_line=4)


NAMED = ("id", "name", "amount")


def test_a_file_without_a_header_has_the_names_of_its_contract():
    reader = read_csv(io.BytesIO(b"1,ann,10\n2,bo,20\n"), CsvFormat(column_names=NAMED))
    assert reader.header == NAMED
    assert read(b"1,ann,10\n2,bo,20\n", column_names=NAMED) == ({1: ANN, 2: BO}, [])
    assert read(b"made by hand\n1,ann,10\n", column_names=NAMED, header_line=2) == ({2: ANN}, [])
    assert read(b"1,ann,10\r2,bo,20\r", column_names=NAMED) == ({1: ANN, 2: BO}, [])


def test_without_a_header_the_first_row_is_judged_like_any_other():
    rows, bad = read(b"1,ann\n2,bo,20\n", column_names=NAMED)
    assert rows == {2: BO}
    assert [(record.line, record.reason) for record in bad] == [(1, "too_few_columns")]


def test_a_file_without_a_header_may_hold_no_row_but_not_nothing_at_all():
    assert read(b"\n", column_names=NAMED) == ({}, [])
    with pytest.raises(HeaderError, match="is empty"):
        read(b"", column_names=NAMED)
