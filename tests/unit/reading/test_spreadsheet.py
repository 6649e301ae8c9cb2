"""Spreadsheets: what a person sees in the sheet is what is read, and what can't be read is told."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from data_ingestion.contract.file_formats import SpreadsheetFormat
from data_ingestion.reading import HeaderError, ReadError
from data_ingestion.reading.spreadsheet import read_spreadsheet


def sheet_of(*rows: list[object], book: openpyxl.Workbook | None = None) -> bytes:
    book = book or openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_xml(data: bytes, old: str, new: str, shared: str | None = None) -> bytes:
    """A book whose first sheet has other XML at a place, and perhaps a table of shared texts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
        for item in before.infolist():
            content = before.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            elif item.filename == "[Content_Types].xml" and shared is not None:
                part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED_STRINGS}"/></Types>'
                content = content.replace(b"</Types>", part.encode())
            after.writestr(item, content)
        if shared is not None:
            after.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET_MAIN_NS}">{shared}</sst>')
    return out.getvalue()


def with_cell(cell: str, shared: str | None = None) -> bytes:
    """A sheet with the header `a`, `b`, whose second row is this XML, written as Excel writes it."""
    return with_xml(sheet_of(["a", "b"], [2026]), '<c r="A2" t="n"><v>2026</v></c>', cell, shared)


def read(data: bytes, **form: object):
    reader = read_spreadsheet(io.BytesIO(data), SpreadsheetFormat(**form))  # type: ignore[arg-type]
    rows, bad = {}, []
    for chunk in reader:
        cells = zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
        rows |= dict(zip(chunk.lines.to_pylist(), cells, strict=True))
        bad += chunk.bad
    return reader.header, rows, bad


def test_rows_are_found_by_their_numbers_in_the_sheet_and_empty_ones_are_none():
    data = sheet_of([], ["id", " AMOUNT "], [1, 12.1], [], [None, None], [2, None])
    assert read(data) == (("id", " AMOUNT "), {3: (1, 12.1), 6: (2, None)}, [])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("712000400355'", "712000400355'"),
        ("  padded ", "  padded "),
        (712000400355, 712000400355),
        (12.1, 12.1),
        (True, True),
        (date(2026, 1, 5), date(2026, 1, 5)),
        (datetime(2026, 1, 5, 9, 30), datetime(2026, 1, 5, 9, 30)),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        ("", None),
    ],
)
def test_a_cell_keeps_the_type_it_has_in_the_sheet(value, cell):
    assert read(sheet_of(["a", "b"], [value, 1]))[1] == {2: (cell, 1)}


@pytest.mark.parametrize(
    ("form", "value", "cell"),
    [
        ("00000", 1234, "01234"),
        ("00000", 1234.0, "01234"),
        ("00000", 123456, "123456"),
        ("00000", -5, -5),
        ("00000", 1.5, 1.5),
        ("00000", True, True),
        ("00000", "x", "x"),
        ("0", 7, 7),
        ("0.00", 7, 7),
        ("0.0%", 0.125, 0.125),
    ],
)
def test_a_number_that_a_format_of_zeros_fills_up_is_what_the_sheet_shows(form, value, cell):
    book = openpyxl.Workbook()
    book.active.append(["zip", "n"])
    book.active.append([value, 1])
    book.active["A2"].number_format = form
    assert read(sheet_of(book=book))[1] == {2: (cell, 1)}


def test_a_column_may_hold_cells_of_several_types():
    mixed = ["5-Jan-26", date(2026, 1, 6), None, 7, 7.5, True, datetime(2026, 1, 5, 9)]
    data = sheet_of(["n", "mixed"], *([number, value] for number, value in enumerate(mixed)))
    assert [cell for _, cell in read(data)[1].values()] == mixed


@pytest.mark.parametrize(
    ("xml", "reason", "raw"),
    [
        ('<c r="A2" t="e"><v>#N/A</v></c>', "cell_error", b'{"a":"#N/A"}'),
        ('<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "cell_error", b'{"a":"#DIV/0!"}'),
        ('<c r="A2"><f>1+1</f></c>', "formula_without_value", b'{"a":"=1+1"}'),
        ('<c r="A2"><f>1+1</f><v></v></c>', "formula_without_value", b'{"a":"=1+1"}'),
    ],
)
def test_a_cell_without_a_value_makes_its_row_bad(xml, reason, raw):
    _, rows, (record,) = read(with_cell(xml))
    assert rows == {}
    assert (record.line, record.reason, record.column, record.raw) == (2, reason, "a", raw)


@pytest.mark.parametrize(
    ("xml", "cells"),
    [
        ('<c r="A2"><f>1+1</f><v>2</v></c>', (2, None)),
        ('<c r="A2" t="str"><f>"x"</f><v>x</v></c>', ("x", None)),
        ('<c r="A2" t="str"><f>""</f><v></v></c><c r="B2"><v>1</v></c>', (None, 1)),
        ('<c r="A2"><v>0.30000000000000004</v></c>', (0.1 + 0.2, None)),
        ('<c r="A2"><v>12345678901234567890</v></c>', ("12345678901234567890", None)),
        ('<c r="A2"><v>1E3</v></c>', (1000.0, None)),
        ('<c r="A2" t="d"><v>2026-01-05</v></c>', (date(2026, 1, 5), None)),
        ('<c r="A2" t="inlineStr"><is><t>in line</t></is></c>', ("in line", None)),
        ("<c><v>1</v></c><c><v>2</v></c>", (1, 2)),
    ],
)
def test_a_formula_counts_with_its_saved_value_and_a_number_as_it_is_written(xml, cells):
    assert read(with_cell(xml))[1:] == ({2: cells}, [])


ESCAPED = [
    ("a_x000D_\nb", "a\r\nb"),
    ("a_x000d__x0009_", "a\r\t"),
    ("_x005F_x000D_", "_x000D_"),
    ("_x005F_", "_"),
    ("x005F_", "x005F_"),
    ("_x00D_ _x000G_ _x 000D_ x000D_", "_x00D_ _x000G_ _x 000D_ x000D_"),
    ("_xD83D__xDE00_", "\N{GRINNING FACE}"),
]
BROKEN = [
    ("a_x0000_", "nul_byte", "text can't contain a NUL byte"),
    ("_xD83D_b", "lone_surrogate", r"\ud83d is half of a surrogate pair, not a character"),
    ("_xDE00__xD83D_", "lone_surrogate", r"\ude00 is half of a surrogate pair, not a character"),
]


def with_text(text: str, place: str) -> bytes:
    """A sheet whose one cell below the header `a` holds this text, in one of the places where a text can stand."""
    match place:
        case "shared":
            return with_cell('<c r="A2" t="s"><v>0</v></c>', f"<si><t>{text}</t></si>")
        case "shared rich":
            return with_cell('<c r="A2" t="s"><v>0</v></c>', f"<si><r><t>{text}</t></r></si>")
        case "formula":
            return with_cell(f'<c r="A2" t="str"><f>B1</f><v>{text}</v></c>')
    return with_cell(f'<c r="A2" t="inlineStr"><is><t>{text}</t></is></c>')


@pytest.mark.parametrize("place", ["shared", "shared rich", "formula", "inline"])
@pytest.mark.parametrize(("written", "cell"), ESCAPED)
def test_a_character_that_was_stored_by_its_code_is_itself_again(written, cell, place):
    assert read(with_text(written, place))[1:] == ({2: (cell, None)}, [])


@pytest.mark.parametrize("place", ["shared", "formula", "inline"])
@pytest.mark.parametrize(("written", "reason", "detail"), BROKEN)
def test_the_code_of_what_is_no_character_makes_its_row_bad(written, reason, detail, place):
    _, rows, (record,) = read(with_text(written, place))
    assert rows == {}
    assert (record.line, record.reason, record.column, record.detail) == (2, reason, "a", detail)
    assert record.raw == b'{"a":"%b"}' % written.encode()


def test_the_header_holds_characters_by_their_code_too():
    assert read(sheet_of(["a_x000D_\nb"], [1]))[0] == ("a\r\nb",)
    for written, reason, _ in BROKEN:
        with pytest.raises(HeaderError, match=f"row 1 can't be read as a header: {reason}"):
            read(sheet_of([written], [1]))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('<row r="3">', '<row r="2">', "row '2' after row 2"),
        ('<row r="3">', '<row r="1">', "row '1' after row 2"),
        ('<row r="3">', '<row r="99999999999999999999">', "row '99999999999999999999' after row 2"),
        ('<row r="3">', '<row r="1048577">', "row '1048577' after row 2"),
        ('<row r="3">', '<row r="2.5">', "row '2.5' after row 2"),
        ('<row r="3">', '<row r="nan">', "row 'nan' after row 2"),
        ('<row r="1">', '<row r="-5">', "row '-5' after row 0"),
        ('<row r="2">', '<row r="1048576">', "row '3' after row 1048576"),
        ('<row r="3">', '<row r="1048576"/><row>', "row 1048577 after row 1048576"),
        ('<c r="B3"', '<c r="A3"', "two values for column 1 of row 3"),
    ],
)
def test_rows_and_cells_out_of_their_order_are_refused_for_none_can_be_told_from_another(old, new, told):
    data = sheet_of(["a", "b"], [1, 2], [3, 4])
    with pytest.raises(ReadError, match=rf"spreadsheet is damaged: .*{told}"):
        read(with_xml(data, old, new))


def test_rows_may_have_gaps_and_numbers_written_as_floats():
    data = with_xml(sheet_of(["a", "b"], [1], [2]), '<row r="3">', '<row r="1048576.0">')
    assert read(data)[1] == {2: (1, None), 1048576: (2, None)}


def test_a_row_that_holds_more_than_the_header_names_is_bad():
    _, rows, (record,) = read(sheet_of(["a", "b"], [1, 2, None], [1, 2, 3]))
    assert list(rows) == [2]
    assert (record.line, record.reason, record.detail) == (3, "too_many_columns", "3 cells, the header has 2")
    assert record.raw == b'{"a":1,"b":2,"column 3":3}'


def test_a_merged_cell_holds_its_value_once():
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append(["x", 1])
    book.active.append([None, 2])
    book.active.merge_cells("A2:A3")
    assert read(sheet_of(book=book))[1] == {2: ("x", 1), 3: (None, 2)}


def test_the_first_sheet_that_is_not_hidden_is_read_or_the_one_that_is_named():
    book = openpyxl.Workbook()
    book.active.title, book.active.sheet_state = "Hidden", "hidden"
    book.active.append(["hidden"])
    for title in ("Shown", "Other"):
        book.create_sheet(title).append([title])
    out = io.BytesIO()
    book.active = 1
    book.save(out)
    assert read(out.getvalue())[0] == ("Shown",)
    assert read(out.getvalue(), sheet="Other")[0] == ("Other",)
    with pytest.raises(HeaderError, match=r"no sheet 'other', only 'Hidden', 'Shown', 'Other'"):
        read(out.getvalue(), sheet="other")


def test_an_empty_sheet_is_told():
    with pytest.raises(HeaderError, match="the sheet is empty"):
        read(sheet_of())


def test_an_error_in_the_header_is_told():
    with pytest.raises(HeaderError, match=r"row 2 .*#REF!"):
        book = openpyxl.Workbook()
        book.active["B2"] = "#REF!"
        read(sheet_of(book=book))


def test_a_file_above_the_stated_size_is_refused_with_the_way_out():
    data = sheet_of(["a"], [1])
    with pytest.raises(ReadError, match=r"more than 100 bytes\n.*as CSV or Parquet.*maxFileBytes"):
        read(data, max_file_bytes=100)
    with pytest.raises(ReadError, match=r"once unpacked; the limit is 5,000\n.*maxUnpackedBytes"):
        read(data, max_unpacked_bytes=5000)


def test_a_small_archive_that_unpacks_to_much_is_refused_before_it_is_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", bytes(64 << 20))
    assert len(out.getvalue()) < 100_000
    with pytest.raises(ReadError, match="maxUnpackedBytes"):
        read(out.getvalue(), max_unpacked_bytes=32 << 20)


def test_a_workbook_with_a_password_is_told():
    with pytest.raises(ReadError, match="or one with a password"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000))


WHOLE = sheet_of(["id", "name"], *([number, f"n{number}"] for number in range(20)))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60)
    | st.builds(lambda end: WHOLE[:end], st.integers(0, len(WHOLE) - 1))
    | st.builds(
        lambda place, bit: WHOLE[:place] + bytes([WHOLE[place] ^ (1 << bit)]) + WHOLE[place + 1 :],
        st.integers(0, len(WHOLE) - 1),
        st.integers(0, 7),
    )
)
def test_whatever_the_bytes_they_are_read_or_refused(data):
    with suppress(ReadError):
        read(data)


@settings(max_examples=150, deadline=None)
@given(
    st.text("<>/=\"'&;# AaBb0129.:-crvtsfe\n", max_size=80)
    | st.sampled_from(["<x/>", "<c r='A'/>", "<c t='s'><v>99</v></c>"])
)
def test_whatever_a_row_is_made_of_it_is_read_or_refused(xml):
    with suppress(ReadError):
        read(with_cell(xml))


def test_the_header_may_stand_below_titles():
    data = sheet_of(["Sales of May"], [None, "made by hand"], [], ["a", "b"], [1, "x"])
    assert read(data, header_line=4) == (("a", "b"), {5: (1, "x")}, [])


def test_a_sheet_that_ends_above_its_header_says_so():
    with pytest.raises(HeaderError, match="nothing from row 4 on"):
        read(sheet_of(["a", "b"], [1, 2]), header_line=4)
