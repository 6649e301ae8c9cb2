"""JSON documents: their records are read as JSON Lines are, at the places that they have; nothing else is let pass."""

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import JsonFormat, JsonLinesFormat
from data_ingestion.reading import ReadError
from data_ingestion.reading.json_document import read_json
from data_ingestion.reading.jsonl import read_jsonl

COLUMNS = (("id",), ("note",), ("more.x",))


def rows_of(reader):
    rows, bad = [], []
    for chunk in reader:
        columns = [chunk.table.column(index).to_pylist() for index in range(chunk.table.num_columns)]
        rows += zip(chunk.lines.to_pylist(), *columns, strict=True)
        bad += [(record.line, record.reason) for record in chunk.bad]
    return rows, bad


def read(text, records=(), chunk_bytes=1 << 20, limit=1 << 20, encoding="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    form = JsonFormat(encoding, limit, tuple(records))
    return rows_of(read_json(io.BytesIO(data), form, COLUMNS, (), chunk_bytes))


LIST = """[
  {"id": 1, "note": "a, ] } \\" b"},
  {"id": 2.50,
   "more": {"x": "é"}}
]
"""
ROWS = [(2, "1", 'a, ] } " b', None), (3, "2.50", None, "é")]


def test_a_list_over_several_lines_has_the_places_of_its_records():
    assert read(LIST) == (ROWS, [])


@pytest.mark.parametrize("chunk_bytes", range(1, 40))
def test_where_a_block_ends_is_of_no_account(chunk_bytes):
    assert read(LIST, chunk_bytes=chunk_bytes) == (ROWS, [])


def test_records_of_one_line_have_places_of_their_own():
    assert read('[{"id":1},{"id":2}]')[0] == [(1, "1", None, None), (2, "2", None, None)]
    assert [row[:2] for row in read('[{"id":1},{"id":2},\n\n\n{"id":3}]')[0]] == [
        (1, "1"),
        (2, "2"),
        (4, "3"),
    ]


def test_objects_in_a_row_are_records_however_they_are_broken():
    text = '{\n "id": 1\n}\n{"id": 2} {"id":\n3}\n'
    assert [row[:2] for row in read(text)[0]] == [(1, "1"), (4, "2"), (5, "3")]


def test_records_lie_where_the_contract_says():
    text = """{"count": 2, "page": {"size": [1, 2]}, "data": {"x": null, "items": [
      {"id": 1}, {"id": 2}], "next": "[{"}, "end": true}"""
    assert read(text, ["data", "items"])[0] == [(2, "1", None, None), (3, "2", None, None)]


@pytest.mark.parametrize("text", ["[]", "[ \n ]", '{"a": []}'])
def test_a_list_may_be_empty(text):
    assert read(text, ["a"] if text[0] == "{" else ()) == ([], [])


def test_a_file_may_be_packed_and_in_another_encoding():
    assert read(gzip.compress(LIST.encode(), mtime=0)) == (ROWS, [])
    assert read(LIST, encoding="utf-16") == (ROWS, [])
    assert read(b"\xef\xbb\xbf" + LIST.encode()) == (ROWS, [])


def test_a_record_that_is_not_what_it_should_be_is_bad_by_itself():
    text = '[{"id": 1},\n5,\n{"id": 2, "wrong": 1},\n{"id": 1, "id": 2},\n{"id": tru},\n"x",\n{"id": 9}]'
    rows, bad = read(text)
    assert [row[:2] for row in rows] == [(1, "1"), (7, "9")]
    assert bad == [
        (2, "not_an_object"), (3, "unknown_key"), (4, "duplicate_key"), (5, "invalid_json"), (6, "not_an_object"),
    ]  # fmt: skip


def test_a_line_end_within_a_text_is_as_wrong_as_in_any_json():
    assert read('[{"id": "a\nb"}]') == ([], [(1, "invalid_json")])


def test_a_record_that_is_too_long_is_bad_and_the_next_is_read():
    long = json.dumps({"id": 1, "note": "x" * 50, "more": {"x": list(range(500))}})
    rows, bad = read(f'[{long},\n{{"id": 2}}]', limit=100, chunk_bytes=64)
    assert [row[:2] for row in rows] == [(2, "2")]
    assert bad == [(1, "record_too_long")]


@pytest.mark.parametrize(
    ("text", "records", "message"),
    [
        ('[{"id": 1}, {"id": 2', (), "line 1: the file ends within a record\n  it was cut short"),
        ('[{"id": 1},', (), "a value is expected here\n  it was cut short"),
        ('[{"id": 1}', (), "the file ends where a comma or ']' is expected\n  it was cut short"),
        ('[{"id": "1', (), "the file ends within a record"),
        ('["1', (), "the file ends within a text"),
        ('[{"id": 1}\n{"id": 2}]', (), "line 2: '{' stands where a comma or ']' is expected"),
        ('[{"id": 1},]', (), "a value is expected here\n  it is not valid JSON"),
        ("[,1]", (), "a value is expected here\n  it is not valid JSON"),
        ('[{"id": 1}] [', (), "something follows the document"),
        ("[" * 2000, (), "more than 1,000 lists and objects in each other"),
        ('{"a": {"b": [1]}}', ("a", "c"), "'a' has no key 'c'; its keys: 'b'"),
        ('{"a": [1]}', ("a", "c"), "'a' is not an object, and so has no key 'c'"),
        ("[1]", ("a",), "the document is not an object, and so has no key 'a'"),
        ("{}", ("a",), "the document has no key 'a'; its keys: none"),
        ('{"a": {"b": 1}}', ("a",), "'a' is not a list"),
        ('{"a": null}', ("a",), "'a' is not a list"),
        ('{"a": [], "a": []}', ("a",), "the key 'a' stands twice"),
        ('{"a": [], }', ("a",), "a key and its value are expected here\n  it is not valid JSON"),
        ('{"a": [{"id": 1}]', ("a",), "the file ends where a comma or '}' is expected\n  it was cut short"),
        ('{"a" [1]}', ("a",), "a key and its value are expected here"),
        ("id,note\n1,a\n", (), "looks like CSV"),
        ("", (), "is empty: it has no bytes"),
        ("<html></html>", (), "looks like a web page"),
        ("nothing", (), "looks like plain text"),
    ],
)  # fmt: skip
def test_a_document_that_is_none_can_not_be_read_to_its_end(text, records, message):
    for chunk_bytes in (1, 7, 1 << 20):
        with pytest.raises(ReadError) as caught:
            read(text, records, chunk_bytes)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ('[{"id": "', "a text of more than 1,000 bytes"), ('["', "a text of more than 1,000 bytes"),
        ("[", "a value is expected here"),
    ],
)  # fmt: skip
def test_what_does_not_end_is_not_held_whole(start, message):
    read_bytes = []

    class Endless(io.RawIOBase):
        def read(self, size=-1):
            read_bytes.append(size)
            return (start.encode() if len(read_bytes) == 1 else b"x" * 100)[:size]

    form = JsonFormat("utf-8", 1_000)
    with pytest.raises(ReadError, match=message):
        list(read_json(Endless(), form, COLUMNS, (), 500))
    assert len(read_bytes) < 500


def test_a_text_of_a_megabyte_is_read(tmp_path):
    text = "\\n\\u00e9 x" * 100_000
    rows, bad = read(f'[{{"id": "{text}"}}]', limit=4 << 20)
    assert (len(rows[0][1]), bad) == (400_000, [])


def test_a_record_over_many_lines_is_as_long_as_it_stands_there():
    text = '[\n{"id":\n' + " " * 200 + "\n1}]"
    assert read(text, limit=100)[1] == [(2, "record_too_long")]
    assert read(text, limit=300)[0] == [(2, "1", None, None)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.fixed_dictionaries({"id": VALUES, "note": VALUES}) | VALUES, max_size=6)


@given(RECORDS, st.sampled_from([None, 0, 2]), st.integers(1, 50), st.booleans())
def test_each_record_is_read_as_alone_on_a_line(records, indent, chunk_bytes, is_wrapped):
    document = {"x": [{"records": 1}], "records": records} if is_wrapped else records
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    alone = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    rows, bad = read(text, ["records"] if is_wrapped else (), chunk_bytes)
    expected_rows, expected_bad = rows_of(read_jsonl(io.BytesIO(alone.encode()), JsonLinesFormat(), COLUMNS))
    assert [row[1:] for row in rows] == [row[1:] for row in expected_rows]
    assert [reason for _, reason in bad] == [reason for _, reason in expected_bad]
    lines = sorted([line for line, *_ in rows] + [line for line, _ in bad])
    assert len(set(lines)) == len(records)
