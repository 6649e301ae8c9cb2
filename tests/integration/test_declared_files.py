"""Files as they are sent, on a real warehouse: what a contract says of their lines and names decides the rows."""

import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.warehouses import open_warehouse

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def load(folder: Path, contract: Path):
    """The reports of a load of the folder's `landing`, and the rows of raw with their lines."""
    landing = FolderLanding(folder / "landing")
    warehouse = open_warehouse(f"duckdb:///{folder}/warehouse.duckdb")
    warehouse.migrate()
    read = read_contract(contract)
    found = discover([read], landing, warehouse, Choice())
    reports = [report for plan in found.plans for report in load_drops(read, landing, warehouse, plan.drops)]
    warehouse.close()
    names = ", ".join([*(column.name for column in read.columns), "_line"])
    with duckdb.connect(f"{folder}/warehouse.duckdb") as connection:
        rows = connection.sql(f"select {names} from raw.t order by _line").fetchall()
        quarantined = connection.sql("select line, reason from ops.quarantine order by line").fetchall()
    return reports, [tuple(None if cell is None else str(cell) for cell in row) for row in rows], quarantined


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


# By case: what its contract is to say of the file (on the server) and of its columns, and what raw holds then.
GERMAN = ["Jan", "Feb", "Mär|März", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
DECLARED = {
    "08": ({}, {}, {"ignoredHeaders": [""]}, [("A1", "1.50"), ("A2", "2.00"), ("A3", "3.00")]),
    "09": (
        {"repeatedHeaders": "numbered"}, {}, {"ignoredHeaders": ["Labels (2)"]},
        [("P-1", "red", "3.00"), ("P-2", "green", "5.00")],
    ),
    "10": ({"escape": "\\"}, {}, {}, [("A1", 'paper "fine" towels'), ("A2", "C:\\dir"), ("A3", "ok")]),
    "41": (
        {"quote": "none"}, {}, {"nullValues": ["\\N"]},
        [("1", '"Best" shop'), ("2", 'say "hi"'), ("3", None)],
    ),
    "94": (
        {}, {"acct": {"cleaning": ["trim", "strip_excel_text", "strip_trailing_apostrophe"]}}, {},
        [("00123", "x"), ("00124", "y"), ("00125", "z"), ("00126", "w")],
    ),
    "11": ({"headerLine": 2}, {}, {}, [("A1", "1.50")]),
    "111": ({"skipEmptyRows": True}, {}, {}, [(f"A{place}", f"{place}.00", "x") for place in range(5)]),
    "12": ({"headerLine": 4}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
    "13": ({"footer": ["Total,*", "* records"]}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
    "30": (
        {}, {"day": {"formats": ["%d. %b %Y"], "monthNames": GERMAN}}, {},
        [("1", "2026-03-31"), ("2", "2026-12-01")],
    ),
    "61": (
        {}, {"x": {"numberFormat": {"exponent": True}}}, {},
        [("1", "1.00E-7"), ("2", "100.000000000"), ("3", "0.100000000")],
    ),
    "89": ({}, {"cat": {"fillDown": True}}, {}, [("Fruit", "A1"), ("Fruit", "A2"), ("Veg", "B1"), ("Veg", "B2")]),
    "15": ({"columnNames": ["sku", "price"]}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
}  # fmt: skip


@pytest.mark.parametrize("case", DECLARED)
def test_a_reported_file_is_read_once_its_contract_says_what_it_is_like(tmp_path, case):
    if not (CASES / case).is_dir():
        pytest.skip("the reported files are not on this machine")
    server, columns, dataset, rows = DECLARED[case]
    shutil.copytree(CASES / case / "landing", tmp_path / "landing")
    (contract,) = (CASES / case / "contracts").rglob("*.odcs.yaml")
    said = yaml.safe_load(contract.read_text())
    declare(said["servers"][0], server)
    declare(said["schema"][0], dataset)
    for one in said["schema"][0]["properties"]:
        declare(one, columns.get(one["name"], {}))
    declared = tmp_path / "t.odcs.yaml"
    declared.write_text(yaml.safe_dump(said))
    reports, loaded, quarantined = load(tmp_path, declared)
    assert [report.state for report in reports] == [LoadState.LOADED], reports[0].error
    assert ([row[:-1] for row in loaded], quarantined) == (rows, [])


def declare(holder: dict[str, object], settings: dict[str, object]) -> None:
    kept = [item for item in holder.get("customProperties", []) if item["property"] not in settings]
    holder["customProperties"] = [
        *kept,
        *({"property": name, "value": value} for name, value in settings.items()),
    ]


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
