"""Law: a row's fate never depends on its neighbours, of whatever drop they are."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract.file_formats import CsvFormat, JsonLinesFormat
from data_ingestion.reading import ReadError, is_text, open_reader
from tests.unit.test_kinds import CONTRACT, records

NAMES = [column.name for column in CONTRACT.columns]
STRANGE = st.sampled_from([b"{", b"\xff", b"[1]", b'{"on":"car","x":1}', b'{"on":"car","on":"car"}', b""])
DROPS = st.lists(
    st.builds(
        lambda rows, strange, at: [*rows[:at], *strange, *rows[at:]],
        records.map(lambda rows: [json.dumps(row).encode() for row in rows]),
        st.lists(STRANGE, max_size=2),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=4,
)


def chunks_of(data, form):
    try:
        return list(open_reader(io.BytesIO(data), form_contract(form), "trips.jsonl", 200))
    except ReadError:  # of a file of another kind no record is checked
        return []


def form_contract(form):
    return replace(CONTRACT, format=form)


def check_both_ways(files, form):
    contract = form_contract(form)
    checks = RowChecks(contract, NAMES, "trips.jsonl")
    chunks = [chunk for data in files for chunk in chunks_of(data, form)]
    if not chunks:
        return
    together = checks.check_together(chunks)
    for number, chunk in enumerate(chunks):
        alone = checks.check(chunk)
        assert is_text(chunk)
        own = [
            row for row, drop in zip(together.rows.to_pylist(), together.drops, strict=True) if drop == number
        ]
        assert own == alone.rows.to_pylist()
        assert together.bad[number] == alone.bad
        assert len(own) + len(together.bad[number]) == alone.read


@given(DROPS)
@settings(deadline=None)
def test_records_of_json_lines_are_judged_together_as_they_are_alone(drops):
    check_both_ways([b"\n".join(lines) for lines in drops], JsonLinesFormat())


@given(st.lists(records, min_size=1, max_size=4))
@settings(deadline=None)
def test_rows_of_csv_are_judged_together_as_they_are_alone(drops):
    def cell(value):
        return "" if value is None else '"' + value.replace('"', '""') + '"'

    files = []
    for rows in drops:
        lines = [",".join(NAMES), *(",".join(cell(row.get(name)) for name in NAMES) for row in rows)]
        files.append("\n".join(lines).encode())
    check_both_ways(files, CsvFormat())
