"""JSON Lines, one tiny file a fault, and the laws of reading them for any bytes."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.contract.file_formats import JsonLinesFormat
from data_ingestion.reading import BadRecord, ReadError
from data_ingestion.reading.json_records import GREATEST_DEPTH
from data_ingestion.reading.jsonl import read_jsonl

FILES = Path(__file__).parents[2] / "fixtures" / "jsonl"
COLUMNS = [["id"], ["data.lat"]]
Row = tuple[str | None, ...]


def read(
    data: bytes, columns=COLUMNS, ignored=(), chunk_bytes=1 << 20, **form: object
) -> tuple[dict[int, Row], list[BadRecord]]:
    """Rows by line, and bad records."""
    rows: dict[int, Row] = {}
    bad: list[BadRecord] = []
    form_ = JsonLinesFormat(**form)  # type: ignore[arg-type]
    for chunk in read_jsonl(io.BytesIO(data), form_, columns, ignored, chunk_bytes):
        cells = zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
        rows.update(zip(chunk.lines.to_pylist(), cells, strict=True))
        bad += chunk.bad
    return rows, bad


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("plain.jsonl", {1: ("1", "1.10"), 2: ("2", None)}),
        ("bom_crlf_blank_lines.jsonl", {1: ("1", None), 4: ("2", None)}),
        ("empty.jsonl", {}),
    ],
)
def test_a_file_of_any_shape_is_read_whole(name, rows):
    data = (FILES / name).read_bytes()
    assert read(data) == (rows, [])
    assert read(gzip.compress(data)) == (rows, [])


@pytest.mark.parametrize(
    ("name", "faults", "good"),
    [
        ("duplicate_key.jsonl", [(2, "duplicate_key", "id")], [1, 3]),
        ("unknown_key.jsonl", [(2, "unknown_key", "idd")], [1, 3]),
        ("no_number.jsonl", [(2, "invalid_json", None), (3, "invalid_json", None)], [1, 4]),
        ("cut_short.jsonl", [(2, "invalid_json", None)], [1, 3]),
        ("two_on_a_line.jsonl", [(2, "invalid_json", None)], [1, 3]),
        (
            "array.jsonl",
            [(1, "invalid_json", None), (2, "invalid_json", None), (4, "invalid_json", None)],
            [3],
        ),
        (
            "not_an_object.jsonl",
            [(2, "not_an_object", None), (3, "not_an_object", None), (4, "not_an_object", None)],
            [1],
        ),
        ("no_object_on_the_way.jsonl", [(2, "not_an_object", "data")], [1]),
        ("bad_utf8.jsonl", [(2, "bad_utf8", None)], [1, 3]),
        ("nul_byte.jsonl", [(1, "nul_byte", None)], [2]),
        ("lone_surrogate.jsonl", [(1, "lone_surrogate", None)], [2]),
        ("control_character.jsonl", [(1, "invalid_json", None)], [2]),
    ],
)
def test_a_bad_record_is_set_aside_with_its_bytes_and_the_next_line_is_read(name, faults, good):
    data = (FILES / name).read_bytes()
    rows, bad = read(data)
    assert [(record.line, record.reason, record.column) for record in bad] == faults
    assert [record.raw for record in bad] == [data.split(b"\n")[line - 1] for line, _, _ in faults]
    assert list(rows) == good


@pytest.mark.parametrize(
    ("record", "reason", "column"),
    [
        (rb'{"a\u0000b":1}', "unknown_key", r"a\x00b"),
        (rb'{"\ud800b":1}', "unknown_key", r"\ud800b"),
        (rb'{"data":{"\u001b[2J":1}}', "unknown_key", r"data.\x1b[2J"),
        (rb'{"\u0000":1,"\u0000":2}', "duplicate_key", r"\x00"),
        ('{"\u00e9 \N{GRINNING FACE}":1}'.encode(), "unknown_key", "\u00e9 \N{GRINNING FACE}"),
    ],
)
def test_a_key_that_cant_be_told_plainly_is_told_by_escapes(record, reason, column):
    _, (bad,) = read(record)
    assert (bad.reason, bad.column) == (reason, column)
    assert column in bad.detail


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
def test_a_record_that_is_too_long_is_bad_however_the_file_is_cut(chunk_bytes):
    data = (FILES / "too_long.jsonl").read_bytes()
    rows, (record,) = read(data, max_record_bytes=40, chunk_bytes=chunk_bytes)
    assert (record.line, record.reason, record.raw) == (2, "record_too_long", data.split(b"\n")[1][:40])
    assert list(rows) == [1, 3]


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("1.10", "1.10"),
        ("-0", "-0"),
        ("1E+2", "1E+2"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("true", "true"),
        ("null", None),
        ('""', ""),
        ('"\\u00e9\\n"', "é\n"),
        ('[1.0, {"a": "é", "b": null}, false]', '[1.0,{"a":"é","b":null},false]'),
        ('{"x": {}}', '{"x":{}}'),
    ],
)
def test_a_value_is_taken_as_it_is_written(written, cell):
    rows, bad = read(f'{{"id": {written}}}'.encode(), [["id"]])
    assert (rows, bad) == ({1: (cell,)}, [])


def test_a_path_leads_into_objects_and_through_keys_with_dots():
    data = b'{"a":{"b":{"c":1}}}\n{"a.b":{"c":2}}\n{"a.b.c":3}\n{"a":{"b.c":4}}\n{"a":{"b":null}}\n{"a":null}\n{}'
    rows, bad = read(data, [["a.b.c"]])
    assert ([cells for (cells,) in rows.values()], bad) == (["1", "2", "3", "4", None, None, None], [])


def test_an_object_may_be_taken_whole_and_in_parts():
    rows, _ = read(b'{"a":{"b":1,"c":2}}', [["a"], ["a.b"]])
    assert rows == {1: ('{"b":1,"c":2}', "1")}


def test_of_the_paths_of_a_column_a_record_gives_one():
    rows, bad = read(b'{"lat":1}\n{"data":{"lat":2}}\n{"lat":null,"data":{"lat":3}}\n{"lat":1,"data":{"lat":1}}',
                     [["lat", "data.lat"]])  # fmt: skip
    assert rows == {1: ("1",), 2: ("2",), 3: ("3",)}
    assert [(record.line, record.reason) for record in bad] == [(4, "duplicate_key")]


def test_what_the_contract_ignores_may_be_there_with_all_that_it_holds():
    rows, bad = read(b'{"id":1,"debug":{"x":[1]},"data":{"y":2}}', ignored=["debug", "data.y"])
    assert (rows, bad) == ({1: ("1", None)}, [])


def test_a_record_nested_without_end_is_bad():
    deep = b'{"id":' + b"[" * GREATEST_DEPTH + b"]" * GREATEST_DEPTH + b"}"
    brackets_in_a_text = json.dumps({"id": "[" * 1000}).encode()
    rows, (record,) = read(deep + b"\n" + brackets_in_a_text)
    assert (record.line, record.reason, list(rows)) == (1, "invalid_json", [2])
    assert [record.reason for record in read(b'{"id":' + b"[" * 500_000)[1]] == ["invalid_json"]


MEBIBYTE = 1 << 20
MANY_KEYS = b",".join(b'"%d":1' % number for number in range(MEBIBYTE // 11))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(b"[" * 200 + b'"' + b'\\"' * (MEBIBYTE // 2 - 200), "invalid_json", id="unclosed text"),
        pytest.param(b"[" * 200 + b'"' + b"\\" * (MEBIBYTE - 201), "invalid_json", id="backslashes"),
        pytest.param(b"{" + MANY_KEYS + b',"x":1,"x":1}', "duplicate_key", id="many keys"),
    ],
)
def test_a_record_takes_no_longer_to_judge_than_to_read(record, reason):
    start = time.process_time()
    assert [bad.reason for bad in read(record)[1]] == [reason]
    assert time.process_time() - start < 1


def test_another_encoding_is_read_as_declared():
    assert read('{"id":"é"}\n'.encode("utf-16"), encoding="utf-16")[0] == {1: ("é", None)}


def test_memory_does_not_grow_with_the_file():
    packed = gzip.compress(b'{"id":1,"data":{"lat":2.5}}\n' * 200_000)
    tracemalloc.start()
    try:
        for _ in read_jsonl(io.BytesIO(packed), JsonLinesFormat(), COLUMNS, chunk_bytes=1 << 14):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 << 20


def test_a_damaged_gzip_is_refused():
    with pytest.raises(ReadError, match="cut short"):
        read(gzip.compress(b'{"id":1}\n' * 1000)[:-9])


PIECES = [
    *(
        b'{"id":1}',
        b'{"id":1}\n',
        b"\n",
        b"\r\n",
        b" ",
        b"{",
        b"}",
        b'"',
        b"[",
        b"]",
        b",",
        b":",
        b"1",
        b"\\",
    ),
    *(b'{"data":{"lat":2}}\n', b"\xff", b"\xc3\xa9", b"\0", b"\\u0000", b"\\ud800", b"NaN", b"null\n", b"\t"),
]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join) | st.binary(max_size=200),
    st.sampled_from([1, 2, 3, 11, 64]),
    st.sampled_from([8, 20, 1 << 20]),
)
def test_every_line_that_is_not_blank_is_a_row_or_bad_however_the_file_is_cut(data, chunk_bytes, limit):
    if data.startswith(b"\x1f\x8b"):
        return
    try:
        rows, bad = read(data, chunk_bytes=chunk_bytes, max_record_bytes=limit)
    except ReadError:
        return
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    filled = [
        number
        for number, line in enumerate(lines, start=1)
        if line.strip(b" \t\r") or len(line.removesuffix(b"\r")) > limit
    ]
    assert sorted([*rows, *(record.line for record in bad)]) == filled
    assert read(data, max_record_bytes=limit) == (rows, bad)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def holds_nul(value):
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(map(holds_nul, (*value, *value.values())))
        case list():
            return any(map(holds_nul, value))
    return False


@pytest.mark.parametrize(
    "whole", [r'{"k":"a\u0000"}', r'["\u0000"]', r'{"a\u0000":1}', r'{"k":["\\\u0000"]}']
)
def test_a_nul_byte_within_a_value_that_is_taken_whole_is_no_text_either(whole):
    rows, (bad,) = read(f'{{"id":{whole}}}'.encode(), [["id"]])
    assert (rows, bad.reason, bad.column) == ({}, "nul_byte", "id")


def test_a_text_that_tells_of_such_an_escape_holds_none():
    rows, bad = read(rb'{"id":{"k":"\\u0000"}}', [["id"]])
    assert (rows, bad) == ({1: (r'{"k":"\\u0000"}',)}, [])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.fixed_dictionaries({"id": values}), max_size=20), st.sampled_from([1, 64, 1 << 20]))
def test_what_was_written_is_read(records, chunk_bytes):
    data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    rows, bad = read(data, [["id"]], chunk_bytes=chunk_bytes)
    for record, number in zip(records, range(1, len(records) + 1), strict=True):
        value = record["id"]
        if holds_nul(value):
            assert number not in rows
            continue
        (cell,) = rows[number]
        assert cell == (
            value
            if isinstance(value, str | None)
            else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        )
    assert len(rows) + len(bad) == len(records)


def test_of_a_record_with_other_fields_than_declared_the_cells_are_told_all_the_same():
    _, bad = read(
        b'{"id": 1, "idd": 2, "data": {"lat": 3}}\n{"id": 1, "data": 4}\n{"id": 1, "id": 2, "x": 3}\n'
    )
    assert [(record.reason, record.cells) for record in bad] == [
        ("unknown_key", ("1", "3")),
        ("not_an_object", ("1", None)),
        ("duplicate_key", None),
    ]
