"""Kinds of records in the checks, held against the same rules said row by row in Python."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import Column, Contract, Key, KeyRule, LogicalType
from data_ingestion.contract.file_formats import CsvFormat, Format, JsonLinesFormat, ParquetFormat
from data_ingestion.contract.pattern import Pattern
from data_ingestion.contract.terms import Kinds, RecordKind
from data_ingestion.reading import open_reader


def column(name: str, type_: LogicalType = LogicalType.STRING, **more: object) -> Column:
    physical = "double precision" if type_ is LogicalType.NUMBER else "text"
    return Column(name, (name,), type_, physical, may_be_absent=not more.get("required"), **more)  # type: ignore[arg-type]


MOVED, OPENED, CLOSED = ("car", "moved"), ("shift", "opened"), ("shift", "closed")
KINDS = Kinds(
    ("on", "event"),
    (RecordKind(MOVED, ("lat",), ("lng",)), RecordKind(OPENED, ("until",)), RecordKind(CLOSED)),
)
CONTRACT = Contract(
    path=Path("trips.odcs.yaml"), domain="trips", dataset="trips", version="1", description="",
    pattern=Pattern("*.jsonl"), format=JsonLinesFormat(),
    columns=(
        column("lat", LogicalType.NUMBER), column("lng", LogicalType.NUMBER), column("until"),
        column("on", required=True), column("event", required=True),
    ),
    ignored_headers=(), key=Key(KeyRule.OCCURRENCE, ("on",), "trip_id"), kinds=KINDS,
)  # fmt: skip
Record = dict[str, str | None]


def checked(data: bytes, form: Format) -> tuple[list[int], dict[int, tuple[str, str | None]]]:
    """Lines of good rows; of bad ones, by line, why and by which column."""
    contract = replace(CONTRACT, format=form)
    reader = open_reader(io.BytesIO(data), contract, "trips.jsonl")
    checks = RowChecks(contract, reader.header, "trips.jsonl")
    good: list[int] = []
    bad: dict[int, tuple[str, str | None]] = {}
    for chunk in reader:
        checked = checks.check(chunk)
        good += checked.rows.column("_line").to_pylist()
        bad |= {row.line: (row.reason, row.column) for row in checked.bad}
    return good, bad


def checked_lines(*records: object) -> dict[int, tuple[str, str | None]]:
    return checked("".join(json.dumps(record) + "\n" for record in records).encode(), JsonLinesFormat())[1]


def as_specified(record: Record) -> tuple[str, str | None] | None:
    """Why a record of text is refused, and by which column: the rules, one after the other."""
    record = {name: value or None for name, value in record.items()}
    what = (record["on"], record["event"])
    known = {MOVED, OPENED, CLOSED}
    if None not in what and what not in known:
        return "unknown_kind", "on"
    if record["lat"] == "x":
        return "not_a_number", "lat"
    if record["lat"] is None and what == MOVED:
        return "missing", "lat"
    if record["lng"] == "x":
        return "not_a_number", "lng"
    if record["until"] is None and what == OPENED:
        return "missing", "until"
    return next((("missing", name) for name in ("on", "event") if record[name] is None), None)


records = st.lists(
    st.fixed_dictionaries(
        {
            "lat": st.sampled_from([None, "1.5", "x"]),
            "lng": st.sampled_from([None, "2.5", "x"]),
            "until": st.sampled_from([None, "noon", ""]),
            "on": st.sampled_from([None, "car", "shift", "Car"]),
            "event": st.sampled_from([None, "moved", "opened", "closed", ""]),
        }
    ),
    max_size=30,
)


@given(records)
def test_law_each_format_judges_kinds_as_they_are_specified(rows: list[Record]):
    expected = {line: why for line, row in enumerate(rows, 1) if (why := as_specified(row))}
    good = [line for line in range(1, len(rows) + 1) if line not in expected]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode() or b"\n"
    assert checked(lines, JsonLinesFormat()) == (good, expected)
    names = [column.name for column in CONTRACT.columns]
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    file = io.BytesIO()
    pq.write_table(table, file)
    assert checked(file.getvalue(), ParquetFormat()) == (good, expected)


@given(records)
def test_law_cells_with_types_of_their_own_are_judged_as_their_texts_are(rows: list[Record]):
    rows = [{**row, "lat": row["lat"] if row["lat"] != "x" else None} for row in rows]
    names = [column.name for column in CONTRACT.columns]
    texts = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    numbers = texts.set_column(0, "lat", texts.column("lat").cast(pa.float64()))
    found = []
    for table in (texts, numbers):
        file = io.BytesIO()
        pq.write_table(table, file)
        found.append(checked(file.getvalue(), ParquetFormat()))
    assert found[0] == found[1]


def test_a_known_kind_is_not_dropped_for_lacking_the_fields_of_another():
    assert (
        checked_lines({"on": "shift", "event": "closed"}, {"on": "car", "event": "moved", "lat": 1.5}) == {}
    )


def test_a_field_of_another_kind_is_kept():
    data = b'{"on": "shift", "event": "closed", "lat": 1.5}\n'
    contract = replace(CONTRACT, format=JsonLinesFormat())
    reader = open_reader(io.BytesIO(data), contract, "trips.jsonl")
    checks = RowChecks(contract, reader.header, "trips.jsonl")
    (row,) = [row for chunk in reader for row in checks.check(chunk).rows.to_pylist()]
    assert row["lat"] == 1.5


@pytest.mark.parametrize("what", [{"on": "driver", "event": "opened"}, {"on": "car", "event": "opened"}])
def test_a_record_of_an_unknown_kind_has_that_reason_whatever_else_it_holds(what):
    others = ({}, {"name": "x"}, {"data": {"name": "x"}}, {"lat": "x"}, {"lat": {"deg": 1}})
    told = checked_lines(*({**what, **more} for more in others))
    assert told == dict.fromkeys(range(1, 6), ("unknown_kind", "on"))


def test_a_known_kind_with_a_field_that_nobody_declared_has_the_reason_of_the_field():
    assert checked_lines({"on": "car", "event": "moved", "lat": 1, "latt": 2}) == {1: ("unknown_key", "latt")}


def test_a_record_that_does_not_say_what_it_is_is_told_so():
    told = checked_lines({"on": "car"}, {"on": "car", "event": None, "lat": 1}, {"event": "moved", "x": 1})
    assert told == {1: ("missing", "event"), 2: ("missing", "event"), 3: ("unknown_key", "x")}


def test_half_a_character_in_a_record_with_unknown_fields_spoils_nothing_else():
    data = b'{"on": "driver", "event": "\\ud800", "x": 1}\n{"on": "shift", "event": "closed"}\n'
    assert checked(data, JsonLinesFormat()) == ([2], {1: ("lone_surrogate", None)})


def test_kinds_are_told_apart_in_csv_too():
    data = b"on,event,lat,lng,until\ncar,moved,1.5,,\ncar,moved,,,\ncar,flew,1.5,,\n"
    assert checked(data, CsvFormat()) == ([2], {3: ("missing", "lat"), 4: ("unknown_kind", "on")})


def test_a_kind_with_a_long_name_is_shown_short():
    reader = open_reader(
        io.BytesIO(json.dumps({"on": "y" * 5_000, "event": "z"}).encode()), CONTRACT, "trips.jsonl"
    )
    checks = RowChecks(CONTRACT, reader.header, "trips.jsonl")
    (bad,) = [row for chunk in reader for row in checks.check(chunk).bad]
    assert len(bad.detail) < 150
