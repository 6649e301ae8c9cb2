"""Parquet: types are kept, what has none of ours becomes text, and damage is told."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.reading import ReadError
from data_ingestion.reading.parquet import read_parquet

ID = uuid.UUID("0b8f6a4e-7c7d-4c53-9b53-1f9f2b0f7a11")


def written(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def read(data: bytes, headers=()):
    reader = read_parquet(io.BytesIO(data), headers)
    return reader.header, list(reader)


def column(array: pa.Array) -> pa.Array:
    (_, (chunk,)) = read(written(pa.table({"c": array})))
    return chunk.table.column(0)


@pytest.mark.parametrize(
    ("array", "kind", "cells"),
    [
        (pa.array([1, None], pa.int32()), pa.int32(), [1, None]),
        (pa.array([1.5, None]), pa.float64(), [1.5, None]),
        (pa.array([True, None]), pa.bool_(), [True, None]),
        (pa.array([Decimal("12.10")]), pa.decimal128(4, 2), [Decimal("12.10")]),
        (pa.array([date(2026, 1, 5)]), pa.date32(), [date(2026, 1, 5)]),
        (pa.array([date(2026, 1, 5)], pa.date64()), pa.date32(), [date(2026, 1, 5)]),
        (pa.array([datetime(2026, 1, 5, 9)]), pa.timestamp("us"), [datetime(2026, 1, 5, 9)]),
        (pa.array(["a", None]), pa.string(), ["a", None]),
        (pa.array(["a", None], pa.large_string()), pa.string(), ["a", None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), pa.string(), ["a", "b", "a"]),
        (pa.array([b"caf\xc3\xa9"]), pa.string(), ["café"]),
        (pa.array([time(9, 30)]), pa.string(), ["09:30:00.000000"]),
        (pa.array([[1, None], None]), pa.string(), ["[1,null]", None]),
        (pa.array([{"a": Decimal("1.0"), "b": [True]}]), pa.string(), ['{"a":1.0,"b":[true]}']),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())), pa.string(), ['{"k":1}']),
        (pa.array([ID.bytes], pa.uuid()), pa.string(), [str(ID)]),
        (pa.nulls(2), pa.string(), [None, None]),
    ],
)
def test_a_column_keeps_its_type_or_becomes_text(array, kind, cells):
    found = column(array)
    assert (found.type, found.to_pylist()) == (kind, cells)


def test_a_moment_keeps_its_zone():
    moments = pa.array([datetime(2026, 1, 4, 23, tzinfo=UTC)], pa.timestamp("ms", "Europe/Berlin"))
    assert column(moments).type == pa.timestamp("ms", "Europe/Berlin")


def test_a_struct_is_taken_apart_where_the_contract_leads_into_it():
    table = pa.table({"id": [1, 2], "data": [{"at": {"lat": 1.5}, "n": 1}, None], "more": [{"x": 1}, None]})
    header, (chunk,) = read(written(table), {"id", "data.at.lat", "data.n", "more"})
    assert header == ("id", "data.at.lat", "data.n", "more")
    assert chunk.table.to_pylist() == [
        {"id": 1, "data.at.lat": 1.5, "data.n": 1, "more": '{"x":1}'},
        {"id": 2, "data.at.lat": None, "data.n": None, "more": None},
    ]


def test_a_part_of_a_struct_that_nobody_named_is_in_the_header_all_the_same():
    table = pa.table({"data": [{"lat": 1.5, "lng": 2.5}]})
    assert read(written(table), {"data.lat"})[0] == ("data.lat", "data.lng")
    assert read(written(table), {"data", "data.lat"})[0] == ("data", "data.lat")


def test_rows_are_counted_over_row_groups_from_1():
    data = written(pa.table({"id": list(range(7))}), row_group_size=3)
    _, chunks = read(data)
    assert [line for chunk in chunks for line in chunk.lines.to_pylist()] == [1, 2, 3, 4, 5, 6, 7]
    assert [cell for chunk in chunks for cell in chunk.table.column(0).to_pylist()] == list(range(7))


def test_long_rows_come_in_small_chunks():
    texts = [f"{number:06d}" * 50_000 for number in range(40)]
    _, chunks = read(written(pa.table({"text": texts}), use_dictionary=False))
    assert max(chunk.table.nbytes for chunk in chunks) < 8 << 20
    assert sum(len(chunk.lines) for chunk in chunks) == 40


def test_a_text_that_is_no_utf8_makes_its_row_bad_and_no_other():
    table = pa.table({"id": [1, 2, 3], "name": pa.array([b"a", b"\xff", b"c"], pa.binary())})
    _, (chunk,) = read(written(table))
    assert chunk.table.to_pylist() == [{"id": 1, "name": "a"}, {"id": 3, "name": "c"}]
    assert chunk.lines.to_pylist() == [1, 3]
    (record,) = chunk.bad
    assert (record.line, record.reason, record.column) == (2, "bad_utf8", "name")
    assert record.raw == b'{"id":2,"name":"\\\\xff"}'


@pytest.mark.parametrize(
    "array",
    [
        pa.array([0, 2**30], pa.int32()).cast(pa.time32("ms")),
        pa.array([0, -1]).cast(pa.time64("us")),
        pa.array([[0], [0, 2**62]], pa.list_(pa.timestamp("us"))),
        pa.array(
            [{"a": {"b": 0}}, {"a": {"b": 2**62}}], pa.struct({"a": pa.struct({"b": pa.timestamp("us")})})
        ),
        pa.array([[(0, 1)], [(2**62, 1)]], pa.map_(pa.timestamp("us"), pa.int8())),
    ],
)
def test_a_time_that_no_text_can_tell_makes_its_row_bad(array):
    _, (chunk,) = read(written(pa.table({"c": array, "note": ["a", "b"]})))
    (record,) = chunk.bad
    assert (record.line, record.reason, record.column) == (2, "out_of_range", "c")
    assert chunk.lines.to_pylist() == [1]


@pytest.mark.parametrize(
    "array", [pa.array([["a"], ["b", "\0"]]), pa.array([{"k": r"\u0000"}, {"k": "\\\0"}])]
)
def test_a_nul_byte_within_a_value_that_is_taken_whole_makes_its_row_bad(array):
    _, (chunk,) = read(written(pa.table({"c": array})))
    (record,) = chunk.bad
    assert (record.line, record.reason, record.column) == (2, "nul_byte", "c")
    assert chunk.lines.to_pylist() == [1]


def test_a_text_may_say_what_arrow_says_of_such_times():
    text = "<value out of range: 1>"
    assert column(pa.array([[text]])).to_pylist() == [f'["{text}"]']


def test_a_row_is_shown_as_json():
    table = pa.table(
        {
            "id": [10**18],
            "amount": [Decimal("12.10")],
            "ratio": [float("nan")],
            "day": [date(2026, 1, 5)],
            "far": pa.array([2**62], pa.timestamp("ms")),
            "tags": [["a", None]],
        }
    )
    _, (chunk,) = read(written(table))
    shown = json.loads(chunk.raw(0), parse_float=Decimal)
    assert shown.pop("far")
    assert shown == {
        "id": 10**18, "amount": Decimal("12.10"), "ratio": "nan", "day": "2026-01-05", "tags": ["a", None],
    }  # fmt: skip


def test_a_file_of_no_rows_has_a_header():
    assert read(written(pa.table({"id": pa.array([], pa.int64())}))) == (("id",), [])


WHOLE = written(
    pa.table({"id": list(range(50)), "name": [f"n{number}" for number in range(50)]}), row_group_size=20,
    write_page_checksum=True, compression="none",
)  # fmt: skip


def test_a_file_that_lacks_its_start_is_refused():
    with pytest.raises(ReadError, match="Parquet file is damaged"):
        read(WHOLE[20:])


def test_a_page_whose_checksum_is_wrong_is_refused():
    place = WHOLE.index(b"n7")
    with pytest.raises(ReadError, match="Parquet file is damaged"):
        read(WHOLE[:place] + b"x" + WHOLE[place + 1 :])


def test_a_packed_file_is_unpacked():
    assert read(gzip.compress(WHOLE))[0] == ("id", "name")


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60)
    | st.builds(
        lambda place, bit: WHOLE[:place] + bytes([WHOLE[place] ^ (1 << bit)]) + WHOLE[place + 1 :],
        st.integers(0, len(WHOLE) - 1),
        st.integers(0, 7),
    )
)
def test_whatever_the_bytes_they_are_read_or_refused(data):
    try:
        _, chunks = read(data)
    except ReadError:
        return
    for chunk in chunks:
        for row in range(len(chunk.lines)):
            chunk.raw(row)
