"""Every format on a real warehouse: the same rows in raw, whatever file they came in."""

import csv
import gzip
import io
import json
import shutil
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from data_ingestion.checks import BadRow
from data_ingestion.contract import read_contract
from data_ingestion.errors import DropFault
from data_ingestion.ledger import Fates, Kind, LoadState
from data_ingestion.quarantine import BadRows
from goldworks_samples.domains import write_samples
from tests.integration.conftest import empty_ledger, write_things

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bank_transactions"
OLE_DAY_ZERO = date(1899, 12, 30)
AMOUNTS = ("WITHDRAWAL AMT", "DEPOSIT AMT", "BALANCE AMT")


class Sheet:
    """An xlsx file as a spreadsheet program writes it: dates as numbers with a format, floats with 17 digits."""

    def __init__(self, rows):
        lines = (
            f'<row r="{number}">{"".join(self.cell(cell, place, number) for place, cell in enumerate(row))}</row>'
            for number, row in enumerate(rows, start=1)
        )
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        package = "http://schemas.openxmlformats.org/package/2006"
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        parts = {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
            "xl/styles.xml": f'<styleSheet xmlns="{main}"><fonts count="1"><font/></fonts>'
            '<fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/></borders>'
            '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
            '<cellXfs count="2"><xf xfId="0"/><xf numFmtId="14" xfId="0"/></cellXfs></styleSheet>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData>'
            "</worksheet>",
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        self.bytes = out.getvalue()

    def cell(self, value, place, number):
        at = f"r={quoteattr(chr(ord('A') + place) + str(number))}"
        match value:
            case None:
                return ""
            case str():
                return f'<c {at} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
            case date():
                return f'<c {at} s="1"><v>{(value - OLE_DAY_ZERO).days}</v></c>'
        return f"<c {at}><v>{value:.17g}</v></c>"


def a_day(text):
    for form in ("%Y-%m-%d", "%d-%b-%y", "%b %d, %y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            pass
    return text  # a sheet keeps as text what it does not understand


def a_number(text):
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def as_sheet(export: bytes) -> bytes:
    """The export as it is after a person opened it in a spreadsheet program and saved it there."""
    text = (gzip.decompress(export) if export.startswith(b"\x1f\x8b") else export).decode()
    (header,) = csv.reader([text.splitlines()[0]])
    rows = list(csv.reader(io.StringIO(text), skipinitialspace=True))[1:]
    made = {"DATE": a_day, "VALUE DATE": a_day, "CHQ.NO.": a_number, "DISCREPANCIES": a_number}
    made |= dict.fromkeys(AMOUNTS, a_number)
    return Sheet(
        [
            header,
            *(
                [
                    made.get(name.strip(), str)(cell) if cell else None
                    for name, cell in zip(header, row, strict=True)
                ]
                for row in rows
            ),
        ]
    ).bytes


def movements(warehouse, bank):
    columns = ", ".join(column.name for column in bank.columns)
    return warehouse.connection.execute(
        f"select _key, {columns} from raw.bank_transactions order by _key"
    ).fetchall()


def forget(warehouse):
    empty_ledger(warehouse.connection)
    warehouse.connection.execute("drop table raw.bank_transactions, raw.bank_transactions__history")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(path.name, id=path.stem) for path in sorted(DATA.glob("*.csv"))
    ] or [pytest.param("", marks=pytest.mark.skip("the real exports are not on this machine"))],
)  # fmt: skip
def test_the_banks_export_as_a_spreadsheet_gives_the_same_raw_rows(name, bank, landing, load, warehouse):
    as_csv = landing.root / "bank_transactions" / name
    as_csv.parent.mkdir()
    shutil.copy(DATA / name, as_csv)
    (of_csv,) = load(bank)
    expected = movements(warehouse, bank)
    assert of_csv.fates.inserted == len(expected) > 0
    as_csv.with_suffix(".xlsx").write_bytes(as_sheet(as_csv.read_bytes()))
    as_csv.unlink()
    forget(warehouse)
    (of_sheet,) = load(bank)
    assert (of_sheet.error, of_sheet.fates) == (None, of_csv.fates)
    assert movements(warehouse, bank) == expected


def test_the_sample_movements_as_spreadsheets_change_nothing_in_raw(bank, landing, load, warehouse):
    written = {}
    drops = write_samples(
        lambda key, data: written.update({key: data}), "bank", scale=0.1, faults=False, today=date(2026, 7, 1)
    )
    for drop in drops:
        data = written[drop.key]
        landing.write(drop.key, data if isinstance(data, bytes) else data.read())
    load(bank)
    expected = movements(warehouse, bank)
    for path in sorted(landing.root.rglob("*.csv*")):
        path.with_suffix(".xlsx").write_bytes(as_sheet(path.read_bytes()))
    reports = load(bank)
    assert len(reports) == len(drops)
    fates = sum((report.fates for report in reports), Fates())
    assert (fates.inserted, fates.quarantined, fates.withdrawn) == (0, 0, 0)
    assert movements(warehouse, bank) == expected


ROWS = [
    (1, Decimal("12.10"), "plain"),
    (2, Decimal("-0.30"), 'with, comma and "quotes"'),
    (3, None, "tab\there"),
    (4, Decimal("1234567890.99"), "é€"),
]


def as_delimited(delimiter):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([("id", "amount", "note"), *ROWS])
    return out.getvalue().encode()


def as_jsonl():
    return "".join(
        f'{{"id":{id_},"data":{{"amount":{"null" if amount is None else amount}}},"note":{json.dumps(note)}}}\n'
        for id_, amount, note in ROWS
    ).encode()


def as_parquet():
    ids, amounts, notes = zip(*ROWS, strict=True)
    out = io.BytesIO()
    table = {
        "id": pa.array(ids, pa.int16()),
        "amount": pa.array(amounts, pa.decimal128(20, 4)),
        "note": notes,
    }
    pq.write_table(pa.table(table), out, row_group_size=2)
    return out.getvalue()


def as_json(between=","):
    """A document with the records in an envelope, on one line or on several."""
    records = between.join(as_jsonl().decode().splitlines())
    return f'{{"sent": "now", "data": {{"items": [{records}], "next": null}}}}'.encode()


def as_xlsx():
    return Sheet([("id", "amount", "note"), *ROWS]).bytes


@pytest.fixture
def of_every_kind(tmp_path):
    path = write_things(tmp_path, headers=["data.amount"])
    contract = yaml.safe_load(path.read_text())
    (amount,) = (column for column in contract["schema"][0]["properties"] if column["name"] == "amount")
    amount["customProperties"] = [{"property": "headers", "value": [amount.pop("headers")[0]]}]
    contract["servers"] = [
        {"server": kind, "type": "custom", "format": kind, "path": f"things/{{YYYY}}-{{MM}}/*.{kind}"}
        for kind in ("csv", "tsv", "jsonl", "json", "parquet", "xlsx")
    ]
    (document,) = (server for server in contract["servers"] if server["format"] == "json")
    document["customProperties"] = [{"property": "records", "value": "data.items"}]
    path.write_text(yaml.safe_dump(contract))
    return read_contract(path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", as_delimited(",")),
        ("a.csv.gz", gzip.compress(as_delimited(","), mtime=0)),
        ("a.tsv", as_delimited("\t")),
        ("a.tsv.gz", gzip.compress(as_delimited("\t"), mtime=0)),
        ("a.jsonl", as_jsonl()),
        ("a.jsonl.gz", gzip.compress(as_jsonl(), mtime=0)),
        ("a.json", as_json()),
        ("a.json.gz", gzip.compress(as_json(" ,\n"), mtime=0)),
        ("a.parquet", as_parquet()),
        ("a.xlsx", as_xlsx()),
    ],
)
def test_a_drop_of_any_format_gives_the_same_raw_rows(name, data, of_every_kind, landing, load, warehouse):
    landing.write(f"things/2026-01/{name}", data)
    (report,) = load(of_every_kind)
    assert (report.kind, report.state, report.fates) == (
        Kind.NEW,
        LoadState.LOADED,
        Fates(read=4, inserted=4),
    )
    found = warehouse.connection.execute("select id, amount, note from raw.things order by id").fetchall()
    assert found == [(id_, amount, note) for id_, amount, note in ROWS]
    assert load(of_every_kind) == []


def test_the_same_rows_in_another_format_are_unchanged(of_every_kind, landing, load):
    for month, (name, data) in enumerate(
        [
            ("a.csv", as_delimited(",")),
            ("a.jsonl", as_jsonl()),
            ("a.json", as_json()),
            ("a.parquet", as_parquet()),
            ("a.xlsx", as_xlsx()),
        ],
        1,
    ):
        landing.write(f"things/2026-0{month}/{name}", data)
        (report,) = load(of_every_kind)
        assert report.fates == (Fates(read=4, inserted=4) if month == 1 else Fates(read=4, unchanged=4))


def test_bad_records_of_documents_have_their_lines_whether_they_come_in_alone_or_many_at_once(
    of_every_kind, landing, load, warehouse
):
    document = b'{"data": {"items": [\n{"id": %d, "amount": "1.5", "note": "a"},\n{"id": "x"}\n]}}\n'
    for number in range(5):
        landing.write(f"things/2026-01/{number}.json", document % number)
    reports = load(of_every_kind)
    assert {(report.fates.inserted, report.fates.quarantined) for report in reports} == {(1, 1)}
    found = warehouse.connection.execute(
        "select line, raw_text from ops.quarantine order by object_key"
    ).fetchall()
    assert found == [(3, '{"id": "x"}')] * 5
    landing.write("things/2026-02/cut.json", document[:50] % 9)
    (report,) = load(of_every_kind)
    assert report.state is LoadState.FAILED
    assert "cut.json: line 2: the file ends within a record\n  it was cut short" in report.error


def test_bad_records_of_every_format_wait_in_quarantine_with_their_place_and_bytes(
    of_every_kind, landing, load, warehouse
):
    folder = "things/2026-01"
    table = pa.table({"id": [1, 2], "amount": [1.0, 0.125], "note": ["a", "b"]})
    out = io.BytesIO()
    pq.write_table(table, out)
    landing.write(f"{folder}/a.jsonl", b'{"id":1,"note":"a"}\n{"id":2,"nota":"b"}\n')
    landing.write(f"{folder}/b.parquet", out.getvalue())
    landing.write(f"{folder}/c.xlsx", Sheet([("id", "amount", "note"), (1, 1, "a"), (2, "1,00", "b")]).bytes)
    load(of_every_kind)
    rows = warehouse.connection.execute(
        "select object_key, line, reason, column_name, raw_text from ops.quarantine order by 1"
    ).fetchall()
    assert rows == [
        (f"{folder}/a.jsonl", 2, "unknown_key", "nota", '{"id":2,"nota":"b"}'),
        (f"{folder}/b.parquet", 2, "too_precise", "amount", '{"id":2,"amount":0.125,"note":"b"}'),
        (f"{folder}/c.xlsx", 3, "not_a_number", "amount", '{"id":2,"amount":"1,00","note":"b"}'),
    ]


BAD_KEYS = [rb"a\u0000b", rb"\ud800b"]


def test_a_key_that_no_text_of_the_warehouse_can_hold_waits_in_quarantine(
    of_every_kind, landing, load, warehouse
):
    bad = b"".join(b'{"id":2,"%b":1}\n' % key for key in BAD_KEYS)
    landing.write("things/2026-01/a.jsonl", b'{"id":1,"note":"a"}\n' + bad)
    (report,) = load(of_every_kind)
    assert (report.state, report.fates) == (LoadState.LOADED, Fates(read=3, quarantined=2, inserted=1))
    rows = warehouse.connection.execute(
        "select line, column_name, detail from ops.quarantine order by line"
    ).fetchall()
    assert rows == [
        (2, r"a\x00b", r"'a\x00b' is not a header of the contract"),
        (3, r"\ud800b", r"'\ud800b' is not a header of the contract"),
    ]


def test_a_load_that_fails_for_such_keys_is_recorded(of_every_kind, landing, load, warehouse):
    bad = b"".join(b'{"id":2,"%b":1}\n' % key for key in BAD_KEYS * 3)
    landing.write("things/2026-01/a.jsonl", b'{"id":1,"note":"a"}\n' + bad)
    (report,) = load(of_every_kind)
    assert report.state is LoadState.FAILED
    assert r"3 a\x00b: unknown_key, 3 \ud800b: unknown_key" in str(report.error)
    assert warehouse.connection.execute("select error from ops.loads").fetchall() == [(report.error,)]
    assert warehouse.connection.execute("select count(*) from ops.quarantine").fetchone() == (6,)


def test_whatever_characters_a_failure_tells_of_it_is_recorded(
    of_every_kind, landing, load, warehouse, monkeypatch
):
    def strange(*_):
        raise DropFault("a\0b \ud800")

    monkeypatch.setattr(BadRows, "__iter__", lambda _: iter([BadRow(1, "r", "\0", "\ud800", b"")]))
    monkeypatch.setattr("data_ingestion.load.check_rows", strange)
    landing.write("things/2026-01/a.csv", as_delimited(","))
    load(of_every_kind)
    assert warehouse.connection.execute("select error from ops.loads").fetchall() == [(r"a\x00b \ud800",)]
    kept = warehouse.connection.execute("select column_name, detail from ops.quarantine").fetchall()
    assert kept == [(r"\x00", r"\ud800")]


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.parquet", "not like Parquet"), ("a.xlsx", "not like .xlsx"), ("a.csv", "not like CSV")],
)
def test_a_file_that_is_something_else_fails_its_load_and_leaves_raw_alone(
    name, said, of_every_kind, landing, load, warehouse
):
    landing.write("things/2026-01/good.csv", as_delimited(","))
    load(of_every_kind)
    landing.write(f"things/2026-02/{name}", b'{"id":9}\n')
    (report,) = load(of_every_kind)
    assert report.state is LoadState.FAILED
    assert said in str(report.error)
    assert report.error.startswith(f"things/2026-02/{name}:")
    assert warehouse.connection.execute("select count(*) from raw.things").fetchone() == (4,)
