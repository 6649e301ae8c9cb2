"""Warehouses that a contract names: what they can't hold is found before anything lands, or in the row that has it."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from data_ingestion.checks.cells import check_cells
from data_ingestion.checks.native import check_column
from data_ingestion.contract import Column, LogicalType, read_contract
from data_ingestion.errors import ContractFault

TEXT = Column("note", ("note",), LogicalType.STRING, "text", most_bytes=10)
EVENTS = Path("contracts/web/events.odcs.yaml")


def events(folder, warehouses, edit=lambda document: None):
    document = yaml.safe_load(EVENTS.read_text())
    document["schema"][0].setdefault("customProperties", []).append(
        {"property": "warehouses", "value": warehouses}
    )
    edit(document)
    path = folder / "web" / EVENTS.name
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return read_contract(path)


def refused(column, *cells):
    return {row: reason for row, (reason, _) in check_cells(pa.array(cells), column).refused.items()}


def test_a_text_is_as_long_as_its_bytes():
    assert refused(TEXT, "e" * 10, "é" * 5, "é" * 6, "e" * 11, None) == {2: "too_long", 3: "too_long"}
    assert refused(replace(TEXT, most_bytes=None), "e" * 11) == {}


def test_of_a_column_that_keeps_its_text_the_cell_as_it_came_must_fit():
    trimmed = replace(TEXT, cleaning=("trim",))
    assert refused(trimmed, "e" + " " * 10) == {}
    assert refused(replace(trimmed, keep_text=True), "e" + " " * 10) == {0: "too_long"}


def test_a_cell_that_comes_with_a_type_of_its_own_is_as_long_as_its_text():
    assert check_column(pa.array([10**9, 10**10]), TEXT).refused[1][0] == "too_long"


def test_the_tightest_of_the_warehouses_decides(tmp_path):
    both = events(tmp_path, ["snowflake", "redshift"])
    assert both.warehouses == ("redshift", "snowflake")
    assert {column.most_bytes for column in both.columns if column.physical_type == "text"} == {65_535}
    assert {column.most_bytes for column in both.columns if column.physical_type != "text"} == {None}
    assert {c.most_bytes for c in events(tmp_path, ["snowflake"]).columns} == {None, 16 << 20}
    assert {c.most_bytes for c in events(tmp_path, ["postgres", "duckdb"]).columns} == {None}


def test_a_contract_that_names_what_every_contract_fits_has_the_fingerprint_of_one_that_names_nothing(
    tmp_path,
):
    assert events(tmp_path, ["postgres"]).fingerprint == read_contract(EVENTS).fingerprint
    assert events(tmp_path, ["redshift"]).fingerprint != read_contract(EVENTS).fingerprint


@pytest.mark.parametrize(
    ("warehouses", "edit", "message"),
    [
        (["redshft"], {}, r"'redshft' is not a warehouse\n  did you mean 'redshift'"),
        (
            ["redshift"],
            {"maxRecordBytes": 5 << 20},
            r"redshift takes rows of 4,194,304 bytes, 'maxRecordBytes'",
        ),
        (["redshift"], {"minLength": 65_536}, r"takes texts of 65,535 bytes, 'minLength' asks for 65,536"),
        (["redshift"], {"columns": 1_600}, r"redshift holds 1,600 columns in a table"),
        (["postgres"], {"columns": 1_600}, r"postgres holds 1,600 columns in a table"),
    ],
)
def test_what_a_warehouse_can_not_hold_is_a_fault_of_the_contract(tmp_path, warehouses, edit, message):
    def change(document):
        server, schema = document["servers"][0], document["schema"][0]
        if "maxRecordBytes" in edit:
            server.setdefault("customProperties", []).append(
                {"property": "maxRecordBytes", "value": edit["maxRecordBytes"]}
            )
        for item in schema["properties"]:
            if "minLength" in edit and item["name"] == "uri":
                item["logicalTypeOptions"] = {"minLength": edit["minLength"]}
        schema["properties"] += [
            {"name": f"c{number}", "logicalType": "string", "physicalType": "text"}
            for number in range(edit.get("columns", 0))
        ]

    with pytest.raises(ContractFault, match=message):
        events(tmp_path, warehouses, change)


@pytest.mark.parametrize("warehouses", [["snowflake"], ["duckdb", "ducklake"]])
def test_what_they_can_hold_is_none(tmp_path, warehouses):
    def change(document):
        document["servers"][0].setdefault("customProperties", []).append(
            {"property": "maxRecordBytes", "value": 5 << 20}
        )

    assert events(tmp_path, warehouses, change).warehouses == tuple(warehouses)
