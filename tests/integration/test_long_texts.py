"""Long texts: what a sender puts into a file, however long, fails that file alone and is shown in part."""

import io
import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from data_ingestion.cli import output
from data_ingestion.contract import read_contract
from data_ingestion.excerpts import MOST_OF_A_MESSAGE
from data_ingestion.ledger import LoadState
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, put, raw

# The server ends the session at a longer message where it waits for a short one.
LENGTHS = (9_950, 300_000)
FIRST = "things/2026-01/a"
LONG_FOLDERS = "/".join(["k" * 180] * 5)


def of_format(folder, name, path="things/{YYYY}-{MM}/*", **settings):
    written = write_things(folder)
    document = yaml.safe_load(written.read_text())
    (server,) = document["servers"]
    server |= {"format": name, "path": path}
    server["customProperties"] = [{"property": key, "value": value} for key, value in settings.items()]
    written.write_text(yaml.safe_dump(document))
    return read_contract(written)


def as_lines(*records):
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def as_sheet(*rows, title="Sheet1", others=()):
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for other in others:
        book.create_sheet(other)
    book.save(out)
    return out.getvalue()


def as_parquet(**columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def check_that_it_fails_alone(contract, landing, load, warehouse, key, data, good):
    """Whatever is wrong with one file, those after it come in, now and when it is read again."""
    landing.write(key, data)
    good()
    for files in (2, 1):
        reports = {report.object_key: report for report in load(contract)}
        failed = reports[key]
        assert (len(reports), failed.state) == (files, LoadState.FAILED)
        assert failed.error.startswith(key)
        assert len(failed.error) <= MOST_OF_A_MESSAGE
        assert (row := warehouse.loads("things", 1)[0])["error"] == failed.error or files == 2, row
    assert raw(warehouse) == [(7, "7.00", "good")]
    assert not warehouse.connection.closed
    return failed.error


HEADERS = {
    "one_cell": lambda length: b"id;amount;" + b"n" * length + b"\n1;2;3\n",
    "base64": lambda length: b"QUJD" * (length // 4),
    "a_million_names": lambda length: (
        ",".join(f"column {n}" for n in range(length // 8)).encode() + b"\n1,2\n"
    ),
    "one_is_missing": lambda length: b"id,amount," + b",".join(b"x%d" % n for n in range(700)) + b"\n",
    "twice": lambda length: b"id,amount,note," + b",".join([b"n" * length] * 2) + b"\n",
    "not_printable": lambda length: b"id,amount," + "\U000e0001".encode() * length + b"\n",
}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", HEADERS)
def test_a_long_header_of_text(name, length, things, landing, load, warehouse):
    check_that_it_fails_alone(
        things, landing, load, warehouse, f"{FIRST}.csv", HEADERS[name](length),
        lambda: put(landing, FEBRUARY, "7,7,good"),
    )  # fmt: skip


def test_a_missing_column_is_named_and_not_all_of_those_that_are_there(things, landing, load, tmp_path):
    written = write_things(tmp_path)
    document = yaml.safe_load(written.read_text())
    document["schema"][0]["customProperties"] += [
        {"property": "ignoredHeaders", "value": [f"x{n}" for n in range(700)]}
    ]
    written.write_text(yaml.safe_dump(document))
    header = ",".join(f"x{n}" for n in range(700))
    landing.write(f"{FIRST}.csv", f"id,amount,{header}\n".encode())
    (failed,) = load(read_contract(written))
    assert "missing 'note'" in failed.error
    assert len(failed.error) < 2_000


@pytest.mark.parametrize("length", LENGTHS)
def test_long_headers_of_a_sheet(length, tmp_path, landing, load, warehouse):
    length = min(length, 32_000)  # of a cell
    check_that_it_fails_alone(
        of_format(tmp_path, "xlsx"), landing, load, warehouse, f"{FIRST}.xlsx",
        as_sheet(["id", "amount", "n" * length], [1, 2, 3]),
        lambda: landing.write(f"{FIRST}b.xlsx", as_sheet(["id", "amount", "note"], [7, 7, "good"])),
    )  # fmt: skip


def test_many_sheets_of_which_none_is_the_one_asked_for(tmp_path, landing, load, warehouse):
    check_that_it_fails_alone(
        of_format(tmp_path, "xlsx", sheet="Data"), landing, load, warehouse, f"{FIRST}.xlsx",
        as_sheet(["id", "amount", "note"], others=[f"A sheet with number {n:03}" for n in range(600)]),
        lambda: landing.write(
            f"{FIRST}b.xlsx", as_sheet(["id", "amount", "note"], [7, 7, "good"], title="Data")
        ),
    )  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS)
def test_long_names_of_parquet_columns(length, tmp_path, landing, load, warehouse):
    contract = of_format(tmp_path, "parquet")
    check_that_it_fails_alone(
        contract, landing, load, warehouse, f"{FIRST}.parquet",
        as_parquet(id=["1"], amount=["2"], **{"n" * length: ["3"]}),
        lambda: landing.write(f"{FIRST}b.parquet", as_parquet(id=[7], amount=["7"], note=["good"])),
    )  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS)
def test_long_keys_of_json(length, tmp_path, landing, load, warehouse):
    contract = of_format(tmp_path, "jsonl")
    good = {"id": 7, "amount": "7", "note": "good"}
    strange = [{"id": n, "amount": 1, "note": "x", f"{n}{'k' * length}": 1} for n in range(20)]
    error = check_that_it_fails_alone(
        contract, landing, load, warehouse, f"{FIRST}.jsonl", as_lines(*strange),
        lambda: landing.write(f"{FIRST}b.jsonl", as_lines(good)),
    )  # fmt: skip
    assert "unknown_key" in error
    for row in warehouse.quarantined("things", None, everything=True, limit=100):
        assert len(row["detail"]) < 1_000
        assert len(row["column_name"]) < 1_000


@pytest.mark.parametrize("length", LENGTHS)
def test_long_keys_twice_and_long_cells_of_a_quarantined_row(length, tmp_path, landing, load, warehouse):
    contract = of_format(tmp_path, "jsonl")
    long = "k" * length
    lines = [
        as_lines({"id": 7, "amount": "7", "note": "good"}),
        as_lines({"id": long, "amount": 1, "note": "x"}),
        as_lines({"id": 1, "amount": long, "note": "x"}),
        f'{{"{long}": 1, "{long}": 2}}\n'.encode(),
    ]
    landing.write(f"{FIRST}.jsonl", b"".join(lines))
    (report,) = load(contract)
    assert (report.state, report.fates.quarantined) == (LoadState.LOADED, 3)
    for row in warehouse.quarantined("things", None, everything=True, limit=100):
        assert len(row["detail"]) < 1_000
        assert len(row["column_name"] or "") < 1_000


def test_the_longest_key_of_an_object(tmp_path, landing, load, warehouse):
    contract = of_format(tmp_path, "csv", "things/{YYYY}-{MM}/**/*.csv")
    key = f"things/2026-01/{LONG_FOLDERS}/{'a' * 90}.csv"
    error = check_that_it_fails_alone(
        contract, landing, load, warehouse, key, b"id;amount;note\n",
        lambda: put(landing, FEBRUARY, "7,7,good"),
    )  # fmt: skip
    assert "the file has ';' between its cells" in error


def test_an_error_that_was_not_foreseen_is_recorded_in_part(things, landing, load, warehouse, monkeypatch):
    put(landing, FEBRUARY, "7,7,good")

    def break_down(*_):
        raise ZeroDivisionError("z" * 50_000)

    with monkeypatch.context() as patch:
        patch.setattr("data_ingestion.load._Hashing.drain", break_down)
        with pytest.raises(ZeroDivisionError):
            load(things)
    error = warehouse.loads("things", 1)[0]["error"]
    assert error.startswith("ZeroDivisionError: zzz")
    assert len(error) == MOST_OF_A_MESSAGE
    load(things)
    assert raw(warehouse) == [(7, "7.00", "good")]


def test_a_terminal_shows_a_line_in_part(capsys):
    output.say("load", "x" * 50_000 + "\nnext line")
    shown = capsys.readouterr().out.splitlines()
    assert len(shown[0]) <= MOST_OF_A_MESSAGE + len("load        ")
    assert shown[-1] == "next line"
