"""The laws of reading, for any bytes whatever, cut into chunks of any size."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_ingestion.contract.file_formats import CsvFormat
from data_ingestion.reading import BadRecord, HeaderError, read_csv
from data_ingestion.reading.csv_records import RecordParser, Rules, count_lines

PIECES = [
    *(
        b",",
        b'"',
        b"\n",
        b"\r",
        b"\r\n",
        b"a",
        b"b",
        b" ",
        b'""',
        b'"\n',
        b'\n"',
        b',"',
        b'",',
        b"\n\n",
        b", ",
        b"\n#",
        b"'",
        b"\\",
        b'\\"',
        b"\\\n",
        b",'",
        b"#b\n",
        b"\n,\n",
    ),
    *(
        b"\xff",
        b"\xc3\xa9",
        b"\xe2\x82",
        b"\0",
        b"\xef\xbb\xbf",
        b"x,y\n",
        b'"a","b"\n',
        b'a,"b\nc"\n',
        b'1,"2\r\n',
        b"1,2\n",
    ),
]
soup = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
headers = st.sampled_from(
    [b"h\n", b"h,i\n", b"h,i\r\n", b"h,i,j\n", b"h,i\r", b'\n"h\n1",i\n', b"\xef\xbb\xbfh, i\n"]
)
formats = st.builds(
    CsvFormat,
    skip_initial_space=st.booleans(),
    max_record_bytes=st.sampled_from([1, 2, 3, 7, 20, 1 << 20]),
    comment_prefix=st.sampled_from(["", "", "#", "#b"]),
    skip_empty_rows=st.booleans(),
    quote=st.sampled_from(['"', '"', "'", ""]),
    escape=st.sampled_from(["", "", "\\"]),
)
chunk_sizes = st.sampled_from([1, 2, 3, 5, 11, 64, 1 << 20])

Row = tuple[int, tuple[str | None, ...], bytes]


def as_read(data: bytes, form: CsvFormat, chunk_bytes: int) -> tuple[list[Row], list[BadRecord]]:
    reader = read_csv(io.BytesIO(data), form, chunk_bytes)
    rows: list[Row] = []
    bad: list[BadRecord] = []
    for chunk in reader:
        assert tuple(chunk.table.schema.names) == reader.header
        assert len(chunk.lines) == chunk.table.num_rows
        cells = zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
        for i, (line, row) in enumerate(zip(chunk.lines.to_pylist(), cells, strict=True)):
            rows.append((line, row, chunk.raw(i)))
        bad.extend(chunk.bad)
    return rows, bad


def as_specified(data: bytes, form: CsvFormat) -> tuple[list[Row], list[BadRecord], int]:
    """The same by nothing but the specification, all of the data at once; and where the header ends."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    rules = Rules.of(form, "bad_utf8")
    parser = RecordParser(replace(rules, lone_cr=True))
    start = parser.skip_lines(data, 0, True)
    header = parser.read(data, start, True)
    assert header
    rules = replace(rules, columns=len(header.cells), lone_cr=data[header.end : header.next] == b"\r")
    names = [cell or "" for cell in header.cells]
    parser, place = RecordParser(rules), header.next
    rows: list[Row] = []
    bad: list[BadRecord] = []
    while (place := parser.skip_lines(data, place, True)) < len(data):
        record = parser.read(data, place, True)
        assert record
        line, raw = 1 + count_lines(data[:place], rules.lone_cr), data[place : record.end]
        if fault := record.fault:
            column = None if fault.column is None or fault.column >= len(names) else names[fault.column]
            bad.append(BadRecord(line, fault.reason, raw[: form.max_record_bytes], column, fault.detail))
        else:
            rows.append((line, tuple(record.cells), raw))
        place = record.next
    return rows, bad, header.next


def is_readable(data: bytes, form: CsvFormat) -> bool:
    try:
        read_csv(io.BytesIO(data), form)
    except HeaderError:
        return False
    return True


@settings(max_examples=1500, deadline=None)
@given(headers, soup, formats, chunk_sizes)
@example(b"h\n", b"\xef\xbb\xbfa\n", CsvFormat(), 1)
@example(b"h\n", b"\xef\xbb\xbf", CsvFormat(quote=""), 1)
@example(b"h\n", b" \xef\xbb\xbf", CsvFormat(skip_initial_space=True), 64)
@example(b"h\n", b"  \n", CsvFormat(skip_initial_space=True), 64)
@example(b"h,i\n", b'"a" "b",c\n', CsvFormat(skip_initial_space=True), 64)
def test_the_fast_way_reads_what_the_specification_says_however_the_file_is_cut(
    header, body, form, chunk_bytes
):
    form = replace(form, max_record_bytes=max(form.max_record_bytes, 8))
    if is_readable(header + body, form):
        rows, bad, _ = as_specified(header + body, form)
        assert as_read(header + body, form, chunk_bytes) == (rows, bad)


@settings(max_examples=700, deadline=None)
@given(headers, soup, formats, chunk_sizes)
def test_every_byte_is_of_one_record_or_a_line_end(header, body, form, chunk_bytes):
    form = replace(form, max_record_bytes=1 << 20, comment_prefix="", skip_empty_rows=False)
    data = header + body
    if not is_readable(data, form):
        return
    rows, bad = as_read(data, form, chunk_bytes)
    _, _, place = as_specified(data, form)
    data = data.removeprefix(b"\xef\xbb\xbf")
    for _, raw in sorted([(line, raw) for line, _, raw in rows] + [(b.line, b.raw) for b in bad]):
        found = data.index(raw, place)
        assert not data[place:found].strip(b"\r\n"), "bytes between records that are no line ends"
        place = found + len(raw)
    assert not data[place:].strip(b"\r\n")


@settings(max_examples=300, deadline=None)
@given(headers, soup, formats)
@example(b"h\n", b"\r\n\r\r\n\r", CsvFormat())
def test_a_verdict_does_not_depend_on_the_records_before_it(header, body, form):
    """Reading from any record's start on finds the same records as reading from the start of the file."""
    form = replace(form, max_record_bytes=max(form.max_record_bytes, 8), comment_prefix="")
    if not is_readable(header + body, form):
        return
    data = (header + body).removeprefix(b"\xef\xbb\xbf")
    rows, bad, place = as_specified(data, form)
    reads = sorted([(line, raw) for line, _, raw in rows] + [(b.line, b.raw) for b in bad])
    # A record that is a stray CR can't be found by its bytes: line ends before it hold them, too.
    found_by_its_bytes = all(raw.strip(b"\r") for _, raw in reads)
    if len(reads) > 1 and found_by_its_bytes and not any(b.reason == "record_too_long" for b in bad):
        rest = data.index(reads[1][1], data.index(reads[0][1], place) + len(reads[0][1]))
        later_rows, later_bad, _ = as_specified(data[:place] + data[rest:], form)
        assert [row[1:] for row in later_rows] == [row[1:] for row in rows if row[0] > reads[0][0]]
        assert [(b.reason, b.raw) for b in later_bad] == [
            (b.reason, b.raw) for b in bad if b.line > reads[0][0]
        ]


cells = st.lists(st.sampled_from(["a", "b", ",", '"', "\n", "\r\n", " ", "é", "☃", ";"]), max_size=6).map(
    "".join
)


@settings(max_examples=400, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=8)
    ),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t"]),
    chunk_sizes,
)
def test_what_another_writer_wrote_is_read_back(table, quoting, line_end, delimiter, chunk_bytes):
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=quoting, lineterminator=line_end, delimiter=delimiter)
    writer.writerow([f"c{i}" for i in range(len(table[0]))])
    writer.writerows(table)
    rows, bad = as_read(out.getvalue().encode(), CsvFormat(delimiter=delimiter), chunk_bytes)
    assert not bad
    assert [[cell or "" for cell in row] for _, row, _ in rows] == table


@settings(max_examples=200, deadline=None)
@given(st.text('ab,"\n é€'), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), chunk_sizes)
def test_an_encoding_changes_bytes_and_nothing_else(body, encoding, chunk_bytes):
    data = "h,i\n" + body
    assert (
        as_read(data.encode(encoding), CsvFormat(encoding=encoding), chunk_bytes)[0]
        == as_read(data.encode(), CsvFormat(), 1 << 20)[0]
    )
