"""Fill down: an empty cell has the value above it, wherever a block of the file ends; never that of a record unread."""

import io
from pathlib import Path

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import Column, Contract, CsvFormat, Key, KeyRule, LogicalType, SpreadsheetFormat
from data_ingestion.contract.pattern import Pattern
from data_ingestion.reading import open_reader

GROUP = Column("group", ("Group",), LogicalType.STRING, "text", fill_down=True)
ID = Column("id", ("id",), LogicalType.INTEGER, "bigint", required=True)
NOTE = Column("note", ("note",), LogicalType.STRING, "text")


def contract(form):
    return Contract(
        path=Path("t.odcs.yaml"), domain="d", dataset="t", version="1", description="", pattern=Pattern("*"),
        format=form, columns=(GROUP, ID, NOTE), ignored_headers=(), key=Key(KeyRule.NATURAL, ("id",), ""),
    )  # fmt: skip


def read(data, form=CsvFormat(), chunk_bytes=1 << 20):
    rows, bad, raws = [], [], []
    for chunk in open_reader(io.BytesIO(data), contract(form), "t", chunk_bytes):
        columns = [chunk.table.column(index).to_pylist() for index in range(3)]
        rows += zip(chunk.lines.to_pylist(), *columns, strict=True)
        bad += [(record.line, record.reason, record.column) for record in chunk.bad]
        raws += [chunk.raw(row) for row in range(chunk.rows)]
    return rows, bad, raws


def test_an_empty_cell_has_the_value_above_it_and_its_record_stays_as_it_was():
    rows, bad, raws = read(b'Group,id,note\n,0,\nfruit,1,\n,2,x\n  ,3,\nnuts,4,\n"",5,\n')
    assert [row[1:] for row in rows] == [
        (None, "0", None), ("fruit", "1", None), ("fruit", "2", "x"), ("fruit", "3", None), ("nuts", "4", None),
        ("nuts", "5", None),
    ]  # fmt: skip
    assert (bad, raws[2]) == ([], b",2,x")


@given(st.lists(st.sampled_from(["a", "b", "", " ", "bad"]), max_size=12), st.integers(1, 60))
def test_below_a_record_that_can_not_be_read_nothing_is_filled_until_the_next_value(groups, chunk_bytes):
    lines, expected, faults, above = [], [], [], None
    for line, group in enumerate(groups, start=2):
        if group == "bad":
            lines.append("x,1,n,too many")
            faults.append((line, "too_many_columns", None))
            above = "?"
            continue
        lines.append(f"{group},{line},n")
        above = group if group.strip() else above
        if above == "?":
            faults.append((line, "value_above_unread", "Group"))
        else:
            expected.append((line, above))
    rows, bad, _ = read("\n".join(["Group,id,note", *lines, ""]).encode(), chunk_bytes=chunk_bytes)
    assert [(row[0], (row[1] or "").strip() or None) for row in rows] == expected
    assert bad == faults


def test_merged_cells_of_a_sheet_say_the_same_in_each_of_their_rows():
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in [
        ("Group", "id", "note"),
        ("fruit", 1, "x"),
        (None, 2, None),
        (2026, 3, None),
        (None, 4, None),
    ]:
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.save(file)
    rows, bad, raws = read(file.getvalue(), SpreadsheetFormat())
    assert [row[1] for row in rows] == ["fruit", "fruit", 2026, 2026]
    assert (bad, raws[1]) == ([], b'{"id":2}')


def test_a_file_without_the_column_is_read_as_it_is():
    assert read(b"id,note,x\n1,,\n")[0] == [(2, "1", None, None)]
