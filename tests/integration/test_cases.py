"""Reported files: each is loaded right once its contract says what it is like, or refused with the way out."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_ingestion.contract import ContractError, read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger import LoadState
from data_ingestion.warehouses import open_warehouse
from tests.integration.declared_files import load

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

# By case: what its contract is to say of the file (on the server), of its columns and of the dataset, and raw's rows.
GERMAN = ["Jan", "Feb", "Mär|März", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
TIMES = [
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%N%z",
    "epoch seconds", "epoch milliseconds",
]  # fmt: skip
DECLARED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[tuple[Any, ...]]]] = {
    "08": ({}, {}, {"ignoredHeaders": [""]}, [("A1", "1.50"), ("A2", "2.00"), ("A3", "3.00")]),
    "09": (
        {"repeatedHeaders": "numbered"}, {}, {"ignoredHeaders": ["Labels (2)"]},
        [("P-1", "red", "3.00"), ("P-2", "green", "5.00")],
    ),
    "10": ({"escape": "\\"}, {}, {}, [("A1", 'paper "fine" towels'), ("A2", "C:\\dir"), ("A3", "ok")]),
    "101": (
        {"columnNames": ["kind", "sku", "price"], "headerLine": 2, "footer": ["TRL|*"]}, {},
        {"ignoredHeaders": ["kind"]}, [("A1", "1.50"), ("A2", "2.00")],
    ),
    "109": ({}, {}, {}, [
        ("11111111-1111-1111-1111-111111111111", "2026-01-31 08:00:00+00:00", "True", '{"a": "x, y"}', '{"a b",c}',
         "1.50"),
        ("11111111-1111-1111-1111-111111111112", "2026-07-31 08:00:00.500000+00:00", None, None, None, None),
    ]),
    "11": ({"headerLine": 2}, {}, {}, [("A1", "1.50")]),
    "111": ({"skipEmptyRows": True}, {}, {}, [(f"A{place}", f"{place}.00", "x") for place in range(5)]),
    "12": ({"headerLine": 4}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
    "13": ({"footer": ["Total,*", "* records"]}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
    "15": ({"columnNames": ["sku", "price"]}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
    "16": (
        {}, {}, {"nullValues": ["N/A", "-", "NULL", "\\N", "#N/A"]},
        [("A1", "1.50", "2026-01-01"), ("A2", None, None), ("A3", None, None), ("A4", None, None)],
    ),
    "17": (
        {}, {"preis": {"numberFormat": {"decimal": ",", "grouping": "."}}}, {},
        [("A1", "1234.56"), ("A2", "12.50"), ("A3", "-0.99")],
    ),
    "18": (
        {}, {
            "amt": {"numberFormat": {"negative": ["trailing_minus", "parentheses"], "currency": ["$"]}},
            "pct": {"numberFormat": {"percent": "keep"}},
        }, {},
        [("A1", "-123.45", "12.00"), ("A2", "-50.00", "3.50"), ("A3", "1.80", "0.00"), ("A4", "-2.00", "7.00")],
    ),
    "24": ({"delimiter": ";"}, {}, {}, [("A1", "1.50")]),
    "30": (
        {}, {"day": {"formats": ["%d. %b %Y"], "monthNames": GERMAN}}, {},
        [("1", "2026-03-31"), ("2", "2026-12-01")],
    ),
    "32": (
        {}, {"b": {"cleaning": ["trim"], "trueValues": ["ja", "x", "true", "1.0", "on", "t"]}}, {},
        [*((str(number), "True") for number in range(1, 7)), ("7", None), ("8", "False")],
    ),
    "41": (
        {"quote": "none"}, {}, {"nullValues": ["\\N"]},
        [("1", '"Best" shop'), ("2", 'say "hi"'), ("3", None)],
    ),
    "48": ({"headerLine": 4}, {}, {}, [("A1", "1.50"), ("A2", "2.00")]),
    "52": (
        {}, {"pct": {"numberFormat": {"percent": "divide"}}, "note": {"cleaning": ["trim"]}}, {},
        [
            ("1", "01234", "4111111111111111", "4917012345678", "0.1250", "True", "a"),
            ("2", "01234", "4111111111111112", "+49 170", "0.1200", "True", "x"),
            ("3", None, None, None, None, None, None),
        ],
    ),
    "54": (
        {"headerLine": 2, "repeatedHeaders": "numbered"}, {}, {"ignoredHeaders": ["q1 (2)", "q2 (2)"]},
        [("A1", "1.00", "2.00")],
    ),
    "60": ({}, {"at": {"formats": TIMES}}, {}, [
        ("1", "2026-01-31 09:00:00+00:00"), ("2", "2026-01-31 09:00:00.123000+00:00"),
        ("3", "2026-01-31 10:00:00+00:00"), ("4", "2026-01-31 08:00:00+00:00"),
        ("5", "2026-01-31 10:00:00+00:00"), ("6", "2026-01-31 10:00:00+00:00"),
    ]),
    "61": (
        {}, {"x": {"numberFormat": {"exponent": True}}}, {},
        [("1", "1.00E-7"), ("2", "100.000000000"), ("3", "0.100000000")],
    ),
    "69": ({}, {}, {}, [("A1", "1.50")]),
    "80": ({}, {"at": {"formats": ["%Y-%m-%d %H:%M:%S%z"]}}, {}, [("1", "2026-01-31 08:00:00+00:00")]),
    "89": ({}, {"cat": {"fillDown": True}}, {}, [("Fruit", "A1"), ("Fruit", "A2"), ("Veg", "B1"), ("Veg", "B2")]),
    "94": (
        {}, {"acct": {"cleaning": ["trim", "strip_excel_text", "strip_trailing_apostrophe"]}}, {},
        [("00123", "x"), ("00124", "y"), ("00125", "z"), ("00126", "w")],
    ),
}  # fmt: skip

# By case: which rows come in under its contract and these columns' settings, and the (line, reason) of the others.
IN_PART = {
    "26": (
        {"at": {"timeZone": "Europe/Berlin", "repeatedHour": "first"}},
        [("2", "2026-10-25 00:30:00+00:00"), ("3", "2026-07-01 10:00:00+00:00")], [(2, "not_a_timestamp")],
    ),
    "31": ({"day": {"formats": ["excel days"]}}, [("1", "2023-03-15")], [(3, "not_a_date")]),
    "93": ({}, [("0", "2.00")], [(2, "missing"), (4, "missing")]),
}  # fmt: skip

# By case: what the errors say of files that can't be read as their contracts have it, one text for each in their order.
REFUSED = {
    "101": ["records of several kinds: its lines begin with 'HDR', 'DTL', 'TRL'"],
    "104": ["990 of 1,000 rows differ from a later row with the same key (cust)"],
    "24": ['declare `delimiter: ";"`'],
    "42": [
        "an Excel spreadsheet (.xlsx)", "the zip archive has 2 files", "looks like JSON Lines", "one JSON array",
        "a Parquet file", "a web page (HTML)", None, "packed by bzip2", "packed by xz", "text in UTF-16-LE",
        "a tab between its cells", "an error message in XML", "an Avro file", "from before 2007 (.xls)",
    ],
    "44": [
        "looks like CSV", "one JSON array", "a JSON document over several lines", "it has no bytes",
        "packed by gzip twice", "looks like CSV", "it has no bytes", "its end is missing", None,
    ],
    "54": ["declare `headerLine: 2`"],
    "72": ["missing 'price', 'cost'; unknown 'n1', 'n2', 'n3', 'n4', 'n5', 'n6'"],
}  # fmt: skip

# Settings of a server that are not custom properties.
OF_STANDARD = {"delimiter", "path"}


def laid(case: str, folder: Path) -> None:
    """The files of a case on a landing of the test's own."""
    if not (CASES / case).is_dir():
        pytest.skip("the reported files are not on this machine")
    shutil.copytree(CASES / case / "landing", folder / "landing", copy_function=shutil.copyfile)
    for path in [folder / "landing", *(folder / "landing").rglob("*")]:
        path.chmod(0o755)


def contract_of(
    case: str, folder: Path, server: dict[str, Any], columns: dict[str, Any], dataset: dict[str, Any]
) -> Path:
    """The contract of a case, with what it is to say besides."""
    (contract,) = (CASES / case / "contracts").rglob("*.odcs.yaml")
    said = yaml.safe_load(contract.read_text())
    for name in OF_STANDARD & server.keys():
        said["servers"][0][name] = server.pop(name)
    declare(said["servers"][0], server)
    declare(said["schema"][0], dataset)
    for one in said["schema"][0]["properties"]:
        declare(one, columns.get(one["name"], {}))
    declared = folder / "t.odcs.yaml"
    declared.write_text(yaml.safe_dump(said))
    return declared


def declare(holder: dict[str, Any], settings: dict[str, Any]) -> None:
    kept = [item for item in holder.get("customProperties", []) if item["property"] not in settings]
    holder["customProperties"] = [
        *kept,
        *({"property": name, "value": value} for name, value in settings.items()),
    ]


@pytest.mark.parametrize("case", DECLARED)
def test_a_reported_file_is_read_once_its_contract_says_what_it_is_like(tmp_path, case):
    laid(case, tmp_path)
    server, columns, dataset, rows = DECLARED[case]
    reports, loaded, quarantined = load(tmp_path, contract_of(case, tmp_path, {**server}, columns, dataset))
    assert [report.state for report in reports] == [LoadState.LOADED], reports[0].error
    assert ([row[:-1] for row in loaded], quarantined) == (rows, [])


@pytest.mark.parametrize("case", IN_PART)
def test_what_is_not_a_value_in_a_reported_file_is_quarantined_with_its_line(tmp_path, case):
    laid(case, tmp_path)
    columns, rows, bad = IN_PART[case]
    lenient = {"acceptance": {"badShare": 1}}
    _, loaded, quarantined = load(tmp_path, contract_of(case, tmp_path, {}, columns, lenient))
    assert ([row[:-1] for row in loaded], quarantined) == (rows, bad)


@pytest.mark.parametrize("case", REFUSED)
def test_a_reported_file_that_is_something_else_is_refused_by_what_it_is(tmp_path, case):
    laid(case, tmp_path)
    reports, _, _ = load(tmp_path, contract_of(case, tmp_path, {}, {}, {}))
    errors = [report.error for report in sorted(reports, key=lambda report: report.object_key)]
    assert len(errors) == len(REFUSED[case])
    for error, said in zip(errors, REFUSED[case], strict=True):
        assert error is None if said is None else said in error


def test_an_offset_that_would_not_be_honoured_is_a_fault_of_the_contract(tmp_path):
    laid("80", tmp_path)
    with pytest.raises(ContractError, match=r"offset '\+02'.*\n.*write '%z'"):
        load(tmp_path, contract_of("80", tmp_path, {}, {}, {}))


def test_a_reported_good_file_keeps_its_rows_when_a_bad_one_takes_its_place(tmp_path):
    laid("47", tmp_path)
    contract, file = contract_of("47", tmp_path, {}, {}, {}), tmp_path / "landing" / "t" / "a.csv"
    shutil.copyfile(CASES / "47" / "good.txt", file)
    (first,), good, _ = load(tmp_path, contract)
    shutil.copyfile(CASES / "47" / "bad.txt", file)
    (second,), kept, _ = load(tmp_path, contract)
    assert (first.state, len(good)) == (LoadState.LOADED, 15)
    assert (second.state, kept) == (LoadState.FAILED, good)
    assert "rows violate the contract" in second.error


def test_reported_links_to_what_lies_beside_the_landing_are_told(tmp_path):
    laid("83", tmp_path)
    beside = tmp_path / "beside"
    (beside / "sub").mkdir(parents=True)
    (beside / "sub" / "b.csv").write_text("sku,price\nB,2\n")
    (beside / "c.csv").write_text("sku,price\nC,3\n")
    (tmp_path / "landing" / "t" / "sub").symlink_to(beside / "sub")
    (tmp_path / "landing" / "t" / "c.csv").symlink_to(beside / "c.csv")
    contract = read_contract(contract_of("83", tmp_path, {}, {}, {}))
    with closing(open_warehouse(f"duckdb:///{tmp_path}/warehouse.duckdb")) as warehouse:
        warehouse.migrate()
        found = discover([contract], FolderLanding(tmp_path / "landing"), warehouse)
    assert [drop.object.key for drop in found.drops] == ["t/a.csv"]
    told = sorted((entry.key, entry.fault) for entry in found.passed_over)
    fault = "a link to a target outside the landing, which is not followed"
    assert told == [("t/c.csv", fault), ("t/sub", fault)]


def test_stores_that_only_the_path_tells_apart_are_in_the_rows_and_in_the_key(tmp_path):
    laid("71", tmp_path)
    contract = contract_of("71", tmp_path, {"path": "t/store={store}/*.csv"}, {}, {})
    said = yaml.safe_load(contract.read_text())
    said["schema"][0]["properties"].append({
        "name": "store", "logicalType": "integer", "required": True, "primaryKey": True,
        "customProperties": [{"property": "fromPath", "value": "store"}],
    })  # fmt: skip
    contract.write_text(yaml.safe_dump(said))
    reports, loaded, _ = load(tmp_path, contract)
    assert [report.state for report in reports] == [LoadState.LOADED, LoadState.LOADED]
    assert sorted(row[:-1] for row in loaded) == [
        ("A1", "1.00", "1"), ("A1", "1.00", "2"), ("A2", "5.00", "1"), ("A2", "6.00", "2"),
    ]  # fmt: skip


def test_every_reported_case_ends_here(tmp_path):
    if not CASES.is_dir():
        pytest.skip("the reported files are not on this machine")
    alone = {"47", "71", "83"}
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == {*DECLARED, *IN_PART, *REFUSED, *alone}
