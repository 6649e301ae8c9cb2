"""The fingerprint changes exactly when the same bytes would become other rows."""

import dataclasses
import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.contract import (
    Column,
    Contract,
    CsvFormat,
    Key,
    KeyRule,
    LogicalType,
    read_contract,
    terms,
)
from data_ingestion.contract.arrival import DoneMarker, Window
from data_ingestion.contract.file_formats import Format, JsonLinesFormat, ParquetFormat, SpreadsheetFormat
from data_ingestion.contract.pattern import Pattern
from data_ingestion.contract.terms import (
    Acceptance,
    Allowance,
    Capture,
    Kinds,
    NumberFormat,
    RecordKind,
    Role,
    Source,
)

ROOT = Path(__file__).resolve().parents[2]
BANK = ROOT / "contracts/bank/bank_transactions.odcs.yaml"
CONTRACT = read_contract(BANK)

CSV = dataclasses.replace(CONTRACT, also=())  # read in one format

IDLE = {
    "path": Path("elsewhere.odcs.yaml"),
    "domain": "other",
    "dataset": "other",
    "version": "9.9.9",
    "description": "other",
    "pattern": Pattern("other/*.csv"),
    "acceptance": Acceptance(Allowance(0.5, 1)),
    "warn_after_hours": 1,
    "error_after_hours": 2,
    "roles": (Role("other", "gold"),),
    "settle_seconds": 9,
    "done_marker": DoneMarker("_SUCCESS"),
    "recheck": Window(2, "hour"),
    "schedule": "@hourly",
    "capture": Capture("erp", ("items",)),
    "archive": True,
    "warehouses": ("postgres",),  # what those of others decide is in the columns
    "also": (
        Source(Pattern("bank_transactions/**/*.jsonl"), JsonLinesFormat()),
    ),  # of what the first doesn't match
}
DECISIVE = {
    "format": CsvFormat(delimiter=";"),
    "columns": CONTRACT.columns[:-1],
    "ignored_headers": (".", "x"),
    "key": Key(KeyRule.OCCURRENCE, ("account_no",), "movement_id"),
    "kinds": Kinds(("details",), (RecordKind(("rent",), ("cheque_no",)),)),
}
IDLE_OF_COLUMN = {"classification": "public", "description": "other", "known_bad": ("NA",)}
DECISIVE_OF_COLUMN = {
    "name": "other",
    "headers": ("other",),
    "type": LogicalType.INTEGER,
    "physical_type": "other",
    "precision": 9,
    "scale": 9,
    "required": False,
    "cleaning": ("trim",),
    "formats": ("%Y",),
    "pattern": "x",
    "minimum": date(2020, 1, 1),
    "maximum": 9,
    "min_length": 9,
    "max_length": 9,
    "most_bytes": 9,
    "month_names": tuple("abcdefghijkl"),
    "fill_down": True,
    "from_path": "store",
    "accepted_values": ("x",),
    "keep_text": True,
    "may_be_absent": True,
    "may_be_empty": True,
    "null_values": ("NA",),
    "number_format": NumberFormat(decimal=","),
    "time_zone": "Europe/Berlin",
    "repeated_hour": "first",
    "true_values": ("ja",),
    "false_values": ("nein",),
}


def with_first_column(**changes: object) -> Contract:
    first, *others = CONTRACT.columns
    return dataclasses.replace(CONTRACT, columns=(dataclasses.replace(first, **changes), *others))


def test_every_field_is_known_to_decide_rows_or_not():
    assert {field.name for field in dataclasses.fields(Contract)} == IDLE.keys() | DECISIVE.keys()
    assert {
        field.name for field in dataclasses.fields(Column)
    } == IDLE_OF_COLUMN.keys() | DECISIVE_OF_COLUMN.keys()


@pytest.mark.parametrize("field", IDLE)
def test_what_decides_no_row_changes_no_fingerprint(field: str):
    assert dataclasses.replace(CSV, **{field: IDLE[field]}).fingerprint == CSV.fingerprint


@pytest.mark.parametrize("field", DECISIVE)
def test_what_decides_rows_changes_the_fingerprint(field: str):
    assert dataclasses.replace(CSV, **{field: DECISIVE[field]}).fingerprint != CSV.fingerprint


@pytest.mark.parametrize("field", IDLE_OF_COLUMN)
def test_what_decides_no_cell_changes_no_fingerprint(field: str):
    assert with_first_column(**{field: IDLE_OF_COLUMN[field]}).fingerprint == CONTRACT.fingerprint


def test_which_month_a_name_is_of_decides_rows():
    names = tuple("abcdefghijkl")
    assert (
        with_first_column(month_names=names).fingerprint
        != with_first_column(month_names=names[::-1]).fingerprint
    )


@pytest.mark.parametrize("field", DECISIVE_OF_COLUMN)
def test_what_decides_cells_changes_the_fingerprint(field: str):
    assert with_first_column(**{field: DECISIVE_OF_COLUMN[field]}).fingerprint != CONTRACT.fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (JsonLinesFormat(), ParquetFormat()),
        (JsonLinesFormat(), JsonLinesFormat(max_record_bytes=9)),
        (ParquetFormat(), SpreadsheetFormat()),
        (SpreadsheetFormat(), SpreadsheetFormat("Movements")),
        (CsvFormat(), CsvFormat(delimiter="\t")),
        (CsvFormat(), CsvFormat(comment_prefix="#")),
        (CsvFormat(), CsvFormat(quote="")),
        (CsvFormat(), CsvFormat(escape="\\")),
        (CsvFormat(), CsvFormat(relaxed_headers=True)),
        (SpreadsheetFormat(), SpreadsheetFormat(numbers_repeated_headers=True)),
        (CsvFormat(), CsvFormat(skip_empty_rows=True)),
        (CsvFormat(), CsvFormat(footer=("Total",))),
    ],
)
def test_another_format_changes_the_fingerprint(one: Format, other: Format):
    of = {
        dataclasses.replace(CONTRACT, format=one).fingerprint,
        dataclasses.replace(CONTRACT, format=other).fingerprint,
    }
    assert len(of) == 2


def test_the_size_from_which_on_a_spreadsheet_is_refused_decides_no_row():
    one, other = SpreadsheetFormat(), SpreadsheetFormat(max_file_bytes=9, max_unpacked_bytes=9)
    assert (
        dataclasses.replace(CONTRACT, format=one).fingerprint
        == dataclasses.replace(CONTRACT, format=other).fingerprint
    )


def test_a_contract_of_csv_has_the_fingerprint_it_had_before_there_were_other_formats(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(terms, "RULES", 1)
    visits = read_contract(ROOT / "tests/fixtures/contracts/visits.odcs.yaml")
    assert visits.fingerprint == "3f57cd9451012e1184d39714ae45725f1826441a596f484115a9dddb22078d45"


# Several servers

PLAIN = dataclasses.replace(CSV, format=CsvFormat())


def of_two(
    first: str, second: str, first_format: Format = CsvFormat(), second_format: Format = JsonLinesFormat()
):
    return dataclasses.replace(
        CONTRACT, pattern=Pattern(first), format=first_format, also=(Source(Pattern(second), second_format),)
    )


def test_an_object_has_the_fingerprint_of_the_format_that_it_is_read_in():
    both = of_two("d/*.csv", "d/*.jsonl")
    assert both.fingerprint_of("d/a.csv") == PLAIN.fingerprint
    assert (
        both.fingerprint_of("d/a.jsonl") == dataclasses.replace(PLAIN, format=JsonLinesFormat()).fingerprint
    )
    assert both.fingerprints == tuple(
        sorted({both.fingerprint_of("d/a.csv"), both.fingerprint_of("d/a.jsonl")})
    )


def test_a_first_path_that_no_longer_matches_an_object_changes_its_format_and_so_its_fingerprint():
    before, after = of_two("d/*", "d/**/*.txt"), of_two("d/*.csv", "d/**/*.txt")
    assert before.fingerprint_of("d/a.txt") != after.fingerprint_of("d/a.txt")
    assert before.fingerprint_of("d/a.csv") == after.fingerprint_of("d/a.csv")


def test_paths_that_leave_an_object_its_format_change_no_fingerprint():
    one, other = of_two("d/*.csv", "d/*.jsonl"), of_two("d/**/*.csv", "d/b/*.jsonl")
    assert one.fingerprint_of("d/a.csv") == other.fingerprint_of("d/a.csv")
    assert one.fingerprint_of("d/b.jsonl") != other.fingerprint_of("d/b.csv")
    assert one.fingerprint_of("d/b.jsonl") == other.fingerprint_of("d/b/c.jsonl")


def test_another_server_and_its_format_concern_only_what_it_matches():
    alone, both = dataclasses.replace(PLAIN, pattern=Pattern("d/*.csv")), of_two("d/*.csv", "d/*.jsonl")
    small = of_two("d/*.csv", "d/*.jsonl", second_format=JsonLinesFormat(max_record_bytes=9))
    assert (
        alone.fingerprint_of("d/a.csv") == both.fingerprint_of("d/a.csv") == small.fingerprint_of("d/a.csv")
    )
    assert both.fingerprint_of("d/a.jsonl") != small.fingerprint_of("d/a.jsonl")


def test_servers_of_one_format_share_a_fingerprint():
    both = of_two("d/*.csv", "e/*.csv", second_format=CsvFormat())
    assert both.fingerprints == (PLAIN.fingerprint,)


def test_a_drop_of_several_objects_is_read_as_the_one_that_gives_it_its_rank():
    both = of_two("d/*.csv", "d/*.jsonl")
    assert both.fingerprint_of("d/a.csv", ranked_by="d/a.jsonl") == both.fingerprint_of("d/a.jsonl")
    assert both.fingerprint_of("d/a.csv", ranked_by="no/longer/matched") == both.fingerprint_of("d/a.csv")


def test_the_bronze_name_of_a_key_decides_no_row():
    key = dataclasses.replace(CONTRACT.key, name="other")
    assert dataclasses.replace(CONTRACT, key=key).fingerprint == CONTRACT.fingerprint


@given(st.randoms(use_true_random=False))
def test_the_order_of_columns_headers_and_accepted_values_decides_nothing(chance: random.Random):
    def shuffled(items: tuple) -> tuple:
        return tuple(chance.sample(items, len(items)))

    columns = tuple(
        dataclasses.replace(
            column, headers=shuffled(column.headers), accepted_values=shuffled(("a", "b", "c"))
        )
        for column in CONTRACT.columns
    )
    sorted_ = tuple(
        dataclasses.replace(column, accepted_values=("a", "b", "c")) for column in CONTRACT.columns
    )
    one = dataclasses.replace(CONTRACT, columns=shuffled(columns))
    assert one.fingerprint == dataclasses.replace(CONTRACT, columns=sorted_).fingerprint


@pytest.mark.parametrize(("rule", "decides"), [(KeyRule.NATURAL, False), (KeyRule.OCCURRENCE, True)])
def test_the_order_of_a_keys_columns_decides_only_where_they_are_hashed(rule: KeyRule, decides: bool):
    one, other = (
        dataclasses.replace(CONTRACT, key=Key(rule, columns, "")).fingerprint
        for columns in (("account_no", "booking_date"), ("booking_date", "account_no"))
    )
    assert (one != other) is decides


def test_of_kinds_what_they_must_have_decides_and_neither_their_order_nor_what_they_may_have():
    plain, checked = RecordKind(("rent",), ()), RecordKind(("cheque",), ("cheque_no",))

    def fingerprint(*known: RecordKind) -> str:
        return dataclasses.replace(CONTRACT, kinds=Kinds(("details",), known)).fingerprint

    assert fingerprint(plain, checked) == fingerprint(checked, plain)
    assert fingerprint(plain) == fingerprint(dataclasses.replace(plain, optional=("cheque_no",)))
    assert fingerprint(plain) != fingerprint(dataclasses.replace(plain, required=("cheque_no",)))
    assert fingerprint(plain) != fingerprint(plain, checked)


def test_the_order_of_formats_and_cleaning_decides():
    column = dataclasses.replace(CONTRACT.columns[0], formats=("%Y-%m-%d", "%d-%b-%y"))
    one = dataclasses.replace(CONTRACT, columns=(column,))
    other = dataclasses.replace(
        CONTRACT, columns=(dataclasses.replace(column, formats=column.formats[::-1]),)
    )
    assert one.fingerprint != other.fingerprint


def test_another_process_finds_the_same_fingerprint():
    code = (
        "import sys, pathlib; from data_ingestion.contract import read_contract;"
        "print(read_contract(pathlib.Path(sys.argv[1])).fingerprint)"
    )
    command = [sys.executable, "-c", code, str(BANK)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == CONTRACT.fingerprint
