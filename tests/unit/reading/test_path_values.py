"""Path values: what a path says stands beside what a file of any format says, in every row."""

import json
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from data_ingestion.checked_rows import read_checked
from data_ingestion.contract import read_contract
from data_ingestion.errors import DropFault
from data_ingestion.quarantine import BadRows


def contract(folder: Path, format_: str, *, kinds: bool = False):
    path = folder / "t.odcs.yaml"
    columns = [
        {"name": "id", "logicalType": "integer", "required": True, "primaryKey": True},
        {"name": "store", "logicalType": "string", "required": True,
         "customProperties": [{"property": "fromPath", "value": "store"}]},
        {"name": "file", "logicalType": "string", "customProperties": [{"property": "fromPath", "value": "stem"}]},
    ]  # fmt: skip
    of_kinds = {"property": "kinds", "value": {"columns": ["store"], "known": [{"is": ["rome"]}]}}
    path.write_text(
        yaml.safe_dump({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "t", "version": "1.0.0", "domain": "d",
            "servers": [{"server": "landing", "type": "custom", "path": "{store}/*", "format": format_}],
            "schema": [{"name": "t", "properties": columns, "customProperties": [of_kinds] if kinds else []}],
        })
    )  # fmt: skip
    return read_contract(path)


def write(path: Path) -> None:
    match path.suffix:
        case ".csv":
            path.write_text("id\n1\n2\n")
        case ".jsonl":
            path.write_text('{"id": 1}\n{"id": 2}\n')
        case ".json":
            path.write_text(json.dumps([{"id": 1}, {"id": 2}]))
        case ".parquet":
            pq.write_table(pa.table({"id": [1, 2]}), path)
        case ".xlsx":
            book = openpyxl.Workbook()
            for row in (["id"], [1], [2]):
                book.active.append(row)
            book.save(path)


def rows(path: Path, read, key: str):
    bad = BadRows()
    with path.open("rb") as stream:
        found = [row for checked in read_checked(stream, read, key, bad) for row in checked.rows.to_pylist()]
    return [(row["id"], row["store"], row["file"]) for row in found], [row.reason for row in bad]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet", "xlsx"])
def test_each_row_has_what_the_path_of_its_file_says(tmp_path, ending):
    write(tmp_path / f"a.{ending}")
    found, bad = rows(tmp_path / f"a.{ending}", contract(tmp_path, ending), f"rome/a.{ending}")
    assert (found, bad) == ([(1, "rome", "a"), (2, "rome", "a")], [])


def test_a_record_with_an_unknown_field_has_the_kind_that_its_path_says(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "x": 1}\n{"id": 2}\n')
    read = contract(tmp_path, "jsonl", kinds=True)
    assert rows(tmp_path / "a.jsonl", read, "rome/a.jsonl") == ([(2, "rome", "a")], ["unknown_key"])
    assert rows(tmp_path / "a.jsonl", read, "oslo/a.jsonl") == ([], ["unknown_kind", "unknown_kind"])


def test_a_file_outside_of_its_folders_is_refused_for_nothing_says_what_it_is_of(tmp_path):
    write(tmp_path / "a.csv")
    with pytest.raises(
        DropFault, match=r"'\{store\}/\*', does not match it, so 'store', 'file' can't be known\n"
    ):
        rows(tmp_path / "a.csv", contract(tmp_path, "csv"), "a.csv")
