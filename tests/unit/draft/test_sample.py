"""Sample: a file is read as it must be, whatever its delimiter, encoding, titles and format."""

import gzip
import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_ingestion.draft.sample import find_table, read_sample
from data_ingestion.errors import UsageFault


def sample_of(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_sample(file)


def columns(sample):
    return {name: texts.to_pylist() for name, texts in sample.columns.items()}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_lines_equal_many_cells(delimiter):
    lines = [delimiter.join(row) for row in (["name", "price"], ["a, b; c", "1"], ["d | e", "2"], ["f", "3"])]
    assert find_table([line if delimiter != "," else line.replace("a, b", '"a, b"') for line in lines]) == (
        delimiter,
        1,
        True,
    )


def test_titles_above_the_header_are_passed_over_and_a_first_row_of_values_is_no_header():
    assert find_table(["Sales", "", "a;b;c", "1;2;3", "4;5;6"]) == (";", 3, True)
    assert find_table(["1,x,3", "4,y,6"]) == (",", 1, False)


@pytest.mark.parametrize(
    ("name", "content", "settings"),
    [
        ("a.csv", "id,note\n1,é\n2,b\n", {}),
        ("a.csv", "\ufeffid,note\n1,é\n2,b\n", {}),
        (
            "a.csv",
            "id;note\n1;é\n2;b\n".encode("windows-1252"),
            {"delimiter": ";", "encoding": "windows-1252"},
        ),
        ("a.csv", "id,note\n1,é\n2,b\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("a.csv.gz", gzip.compress("id,note\n1,é\n2,b\n".encode(), mtime=0), {}),
        ("a.csv", "Report of May\n\nid,note\n1,é\n2,b\n", {"headerLine": 3}),
        ("a.csv", "sep=,\nid,note\n1,é\n2,b\n", {"headerLine": 2}),
        ("a.csv", "# made by hand\nid,note\n1,é\n# so far\n2,b\n", {"commentPrefix": "#"}),
        (
            "a.csv",
            "Report\n# by hand\nid,note\n1,é\n2,b\n",
            {"commentPrefix": "#", "headerLine": 3},
        ),
        ("a.csv", "id,note\n1,é\n2,b\n,\n,\n", {"skipEmptyRows": True}),
    ],
)
def test_a_file_of_text_says_how_it_is_to_be_read(tmp_path, name, content, settings):
    sample = sample_of(tmp_path, name, content)
    assert columns(sample) == {"id": ["1", "2"], "note": ["é", "b"]}
    assert (sample.format, dict(sample.settings), sample.rows, sample.is_whole) == ("csv", settings, 2, True)


def test_a_file_without_a_header_gets_names(tmp_path):
    sample = sample_of(tmp_path, "a.csv", "1,x\n2,y\n")
    assert columns(sample) == {"column_1": ["1", "2"], "column_2": ["x", "y"]}
    assert sample.settings == {"columnNames": ["column_1", "column_2"]}


def test_columns_without_a_name_of_their_own_are_left_out(tmp_path):
    sample = sample_of(tmp_path, "a.csv", "id,label,label,\na,x,y,\nb,x,y,\n")
    assert list(sample.columns) == ["id"]
    assert sample.left_out == {"label": "stands 2 times in the header", "": "has no name"}


def test_json_lines_are_flattened_by_their_paths(tmp_path):
    records = [{"id": 1, "at": {"lat": 52.50}, "tags": []}, {"id": 2, "at": {"lat": None}, "ok": True}]
    sample = sample_of(tmp_path, "a.jsonl", "\n".join(map(json.dumps, records)))
    assert columns(sample) == {"id": ["1", "2"], "at.lat": ["52.5", None], "ok": [None, "true"]}
    assert sample.left_out == {"tags": "is a list, of which a column holds none"}


def test_parquet_has_its_own_names(tmp_path):
    table = pa.table({"id": [1, 2], "at": [{"lat": 52.5}, {"lat": 1.0}], "tags": [["a"], []]})
    pq.write_table(table, tmp_path / "a.parquet")
    sample = read_sample(tmp_path / "a.parquet")
    assert columns(sample) == {"id": ["1", "2"], "at.lat": ["52.5", "1"]}
    assert list(sample.left_out) == ["tags"]


def test_rows_that_begin_like_a_comment_are_rows(tmp_path):
    sample = sample_of(tmp_path, "a.csv", "id,note\n#1,x\n#2,y\n")
    assert columns(sample) == {"id": ["#1", "#2"], "note": ["x", "y"]}
    assert sample.settings == {}


def test_a_sheet_may_have_titles(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Sales of May"], ["id", "note"], [1, "x"], [2, "y"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    sample = read_sample(tmp_path / "a.xlsx")
    assert columns(sample) == {"id": ["1", "2"], "note": ["x", "y"]}
    assert sample.settings == {"headerLine": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "lines are blank"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PAR1 and no more", "Parquet file is damaged"),
        (gzip.compress(b"PAR1", mtime=0), "Parquet within gzip"),
        (b'{\n "id": 1,\n', "the file ends within a record"),
        (b"[1, 2]", "no JSON object with values"),
    ],
)
def test_what_no_contract_reads_is_refused_by_what_it_is(tmp_path, content, said):
    with pytest.raises(UsageFault, match=said):
        sample_of(tmp_path, "a.csv", content)


@pytest.mark.parametrize(
    ("name", "content", "format_", "settings"),
    [
        ("a.json", '[{"id": 1, "note": "é"},\n {"id": 2, "note": "b"}]', "json", {}),
        ("a.json", '{"id": 1, "note": "é"}\n{"id": 2, "note": "b"}\n', "jsonl", {}),
        ("a.json", '{\n"id": 1,\n"note": "é"}\n{"id": 2, "note": "b"}\n', "json", {}),
        (
            "a.json",
            '{"few": [{"x": 1}], "data": {"items": [{"id": 1, "note": "é"}, {"id": 2, "note": "b"}]}}',
            "json",
            {"records": "data.items"},
        ),
        (
            "a.json.gz",
            gzip.compress(
                '{"all": [{"id": 1, "note": "é"}, {"id": 2, "note": "b"}]}'.encode("utf-16"), mtime=0
            ),
            "json",
            {"records": "all", "encoding": "utf-16"},
        ),
    ],
)
def test_json_is_read_as_lines_or_from_the_longest_list_in_it(tmp_path, name, content, format_, settings):
    sample = sample_of(tmp_path, name, content)
    assert (sample.format, sample.settings) == (format_, settings)
    assert columns(sample) == {"id": ["1", "2"], "note": ["é", "b"]}


def test_one_line_of_json_is_a_line_where_the_name_says_so(tmp_path):
    assert sample_of(tmp_path, "a.jsonl", '{"id": 1}').format == "jsonl"
    assert sample_of(tmp_path, "a.json", '{"id": 1}').format == "json"
