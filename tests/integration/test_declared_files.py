"""Files as they are sent, on a real warehouse: what a contract says of their lines and names decides the rows."""

import pytest
import yaml

from data_ingestion.ledger import LoadState
from tests.integration.declared_files import load


def document(server: dict[str, object], columns: list[dict[str, object]]):
    return {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "d-t", "version": "1.0.0", "domain": "d",
        "servers": [{"server": "landing", "type": "custom", "path": "t/*.csv", "format": "csv", "customProperties": [
            {"property": name, "value": value} for name, value in server.items()]}],
        "schema": [{"name": "t", "properties": columns}],
    }  # fmt: skip


def column(name: str, type_: str = "string", *, key: bool = False, **settings: object):
    numeric = {"physicalType": "numeric(12,2)"} if type_ == "number" else {}
    return {
        "name": name, "logicalType": type_, **numeric, **({"primaryKey": True, "required": True} if key else {}),
        **({"physicalName": settings.pop("header")} if "header" in settings else {}),
        "customProperties": [{"property": setting, "value": value} for setting, value in settings.items()],
    }  # fmt: skip


SKU_AND_PRICE = [column("sku", key=True), column("price", "number")]
A1 = ("A1", "1.50")


@pytest.mark.parametrize(
    ("text", "server", "columns", "rows"),
    [
        ("# a\nsku,price\n# b\nA1,1.5\n", {"commentPrefix": "#"}, SKU_AND_PRICE, [(*A1, "4")]),
        ("sku,price\n,\nA1,1.5\n,\n", {"skipEmptyRows": True}, SKU_AND_PRICE, [(*A1, "3")]),
        ("sku,price\nA1,1.5\nSum,1.5\n", {"footer": ["Sum,*"]}, SKU_AND_PRICE, [(*A1, "2")]),
        ("sku,price\n'A,1',1.5\n", {"quote": "'"}, SKU_AND_PRICE, [("A,1", "1.50", "2")]),
        ('sku,price\n"A",1.5\n', {"quote": "none"}, SKU_AND_PRICE, [('"A"', "1.50", "2")]),
        ('sku,price\n"A\\"1",1.5\n', {"escape": "\\"}, SKU_AND_PRICE, [('A"1', "1.50", "2")]),
        (
            'sku,price\n"=""01""",1.5\n\'02,="2.5"\n',
            {},
            [
                column("sku", key=True, cleaning=["strip_excel_text"]),
                column("price", "number", cleaning=["strip_excel_text"]),
            ],
            [("01", "1.50", "2"), ("02", "2.50", "3")],
        ),
        (
            "id,sent\n1,2026-01-31T10:00:00.123456999Z\n",
            {},
            [column("id", key=True), column("sent", "timestamp", formats=["%Y-%m-%dT%H:%M:%S.%N%z"])],
            [("1", "2026-01-31 10:00:00.123456+00:00", "2")],
        ),
        ("SKU,Price\nA1,1.5\n", {"headerMatch": "relaxed"}, SKU_AND_PRICE, [(*A1, "2")]),
        (
            "sku,tag,tag\nA1,x,y\n",
            {"repeatedHeaders": "numbered"},
            [column("sku", key=True), column("first", header="tag"), column("second", header="tag (2)")],
            [("A1", "x", "y", "2")],
        ),
    ],
)
def test_a_file_is_loaded_as_its_contract_describes_it(tmp_path, text, server, columns, rows):
    path = tmp_path / "landing" / "t" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    contract = tmp_path / "t.odcs.yaml"
    contract.write_text(yaml.safe_dump(document(server, columns)))
    reports, loaded, quarantined = load(tmp_path, contract)
    assert [report.state for report in reports] == [LoadState.LOADED], reports[0].error
    assert (loaded, quarantined) == (rows, [])


@pytest.mark.parametrize(
    ("columns", "settings", "rows"),
    [
        ([column("sku", key=True), column("n")], {}, [("A1", "2", "2"), ("A2", "1", "3")]),
        (
            [column("sku"), column("n")],
            {"rule": "occurrence", "columns": ["sku"]},
            [("A1", "1", "1"), ("A1", "2", "2"), ("A2", "1", "3")],
        ),
    ],
)
def test_records_of_a_document_on_one_line_are_rows_of_their_own(tmp_path, columns, settings, rows):
    path = tmp_path / "landing" / "t" / "a.csv"
    path.parent.mkdir(parents=True)
    path.write_text('[{"sku": "A1", "n": "1"}, {"sku": "A1", "n": "2"}, {"sku": "A2", "n": "1"}]')
    described = document({}, columns)
    described["servers"][0]["format"] = "json"
    if settings:
        described["schema"][0]["customProperties"] = [{"property": "key", "value": settings}]
    contract = tmp_path / "t.odcs.yaml"
    contract.write_text(yaml.safe_dump(described))
    _, loaded, quarantined = load(tmp_path, contract)
    assert (loaded, quarantined) == (rows, [])


def test_small_files_that_are_read_together_are_filled_each_by_itself(tmp_path):
    contract = tmp_path / "t.odcs.yaml"
    columns = [column("grp", fillDown=True), column("sku", key=True)]
    contract.write_text(yaml.safe_dump(document({}, columns)))
    landing = tmp_path / "landing" / "t"
    landing.mkdir(parents=True)
    (landing / "a.csv").write_text("grp,sku\nfruit,A1\n,A2\n")
    (landing / "b.csv").write_text("grp,sku\n,B1\nnuts,B2\n,B3\n")
    reports, loaded, _ = load(tmp_path, contract)
    assert ["drops at once" in report.plan_reason for report in reports] == [True, True]
    assert sorted((row[:2] for row in loaded), key=lambda row: row[1]) == [
        ("fruit", "A1"), ("fruit", "A2"), (None, "B1"), ("nuts", "B2"), ("nuts", "B3"),
    ]  # fmt: skip
