"""Contracts are read whole or refused with everything that is wrong with them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from data_ingestion.contract import (
    Acceptance,
    Allowance,
    Column,
    Contract,
    ContractError,
    Fault,
    KeyRule,
    LogicalType,
    Role,
    read_contract,
)
from data_ingestion.errors import ContractFault

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures/contracts"
VISITS = FIXTURES / "visits.odcs.yaml"
BANK = ROOT / "contracts/bank/bank_transactions.odcs.yaml"

Changed = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """The sound contract of visits with pieces of its text replaced, each of which must be there once."""

    def write(*changes: tuple[str, str]) -> Path:
        text = VISITS.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
            text = text.replace(old, new)
        path = tmp_path / "visits.odcs.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def faults_of(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(ContractError) as caught:
        read_contract(path)
    return caught.value.faults


def column(contract: Contract, name: str) -> Column:
    return next(column for column in contract.columns if column.name == name)


# --- what a sound contract says


def test_the_bank_contract_says_what_was_agreed():
    contract = read_contract(BANK)
    assert (contract.domain, contract.dataset, contract.version) == ("bank", "bank_transactions", "1.0.0")
    assert [column.name for column in contract.columns] == [
        "account_no", "booking_date", "details", "cheque_no", "value_date",
        "withdrawal_inr", "deposit_inr", "balance_inr", "discrepancy",
    ]  # fmt: skip
    assert contract.key.rule is KeyRule.OCCURRENCE
    assert contract.key.name == "movement_id"
    assert "discrepancy" not in contract.key.columns
    assert contract.ignored_headers == (".",)
    assert contract.format.skip_initial_space
    assert (contract.warn_after_hours, contract.error_after_hours) == (24, 72)
    assert contract.acceptance == Acceptance(quarantined=Allowance(share=0.05, least=20))
    assert Role("junior_engineer", "raw") in contract.roles


def test_both_headers_of_a_padded_column_are_kept_with_their_blanks():
    assert column(read_contract(BANK), "withdrawal_inr").headers == (" WITHDRAWAL AMT ", "WITHDRAWAL AMT")


def test_each_type_has_its_type_in_the_warehouse():
    contract = read_contract(VISITS)
    assert {(column.type, column.physical_type) for column in contract.columns} == {
        (LogicalType.STRING, "text"),
        (LogicalType.INTEGER, "integer"),
        (LogicalType.NUMBER, "numeric(12,2)"),
        (LogicalType.NUMBER, "double precision"),
        (LogicalType.BOOLEAN, "boolean"),
        (LogicalType.DATE, "date"),
        (LogicalType.TIMESTAMP, "timestamptz"),
    }
    assert (column(contract, "price").precision, column(contract, "price").scale) == (12, 2)


def test_limits_are_of_the_type_of_their_column():
    contract = read_contract(VISITS)
    assert column(contract, "price").minimum == Decimal("-0.01")
    assert column(contract, "pages").maximum == 1000
    assert column(contract, "day").minimum == date(2020, 1, 1)
    assert column(contract, "visit").max_length == 36


def test_a_limit_keeps_every_digit(changed: Changed):
    contract = read_contract(changed(("minimum: -0.01", "minimum: -9999999999.99")))
    assert column(contract, "price").minimum == Decimal("-9999999999.99")


def test_a_date_without_formats_is_an_iso_date(changed: Changed):
    path = changed(('          - {property: formats, value: ["%Y-%m-%d", "%d-%b-%y"]}\n', ""))
    assert column(read_contract(path), "day").formats == ("%Y-%m-%d",)


def test_accepted_values_come_from_the_quality_rule_of_older_standards(changed: Changed):
    rule = "{metric: invalidValues, mustBe: 0, arguments: {validValues: [visit, '404']}}"
    old = '        enum:\n          - value: visit\n          - value: "404"\n'
    contract = read_contract(changed((old, f"        quality: [{rule}]\n")))
    assert column(contract, "action").accepted_values == ("visit", "404")
    assert contract.fingerprint == read_contract(VISITS).fingerprint


def test_a_natural_key_is_in_the_order_of_its_positions(changed: Changed):
    path = changed(
        ("primaryKey: true", "primaryKey: true\n        primaryKeyPosition: 2"),
        ("physicalType: integer", "primaryKey: true\n        primaryKeyPosition: 1\n        required: true"),
    )
    assert read_contract(path).key.columns == ("pages", "visit")


def test_words_that_yaml_once_took_for_booleans_are_words(changed: Changed):
    path = changed(("value: [Date, date]", "value: [on, no, y, 2026-01-01, 12:30]"))
    assert column(read_contract(path), "day").headers == ("DATE", "on", "no", "y", "2026-01-01", "12:30")


def test_another_vendors_settings_are_its_own_business(changed: Changed):
    path = changed(
        ("id: visits", "id: visits\ncustomProperties:\n  - {property: steward, value: 7, vendor: atlan}")
    )
    assert read_contract(path).dataset == "visits"


def test_prose_of_the_standard_is_welcome(changed: Changed):
    prose = "tags: [web]\nteam: {name: web, members: [{username: ana}]}\nstatus: draft\n"
    assert read_contract(changed(("domain: web\n", f"domain: web\n{prose}"))).domain == "web"


# --- what is refused

OCCURRENCE = "{property: key, value: {rule: occurrence, columns: [visit, pages]}}"


def dataset_setting(text: str) -> tuple[str, str]:
    return "    properties:\n      - name: visit\n", (
        f"    customProperties:\n      - {text}\n    properties:\n      - name: visit\n"
    )


NO_PRIMARY_KEY = ("        primaryKey: true\n", "")
PROPERTY = "schema[0].properties"

FAULTS = yaml.safe_load((FIXTURES / "faults.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_told_once_with_its_place_and_a_way_out(name: str, changed: Changed):
    expected = FAULTS[name]
    [fault] = faults_of(changed((expected["old"], expected["new"])))
    assert fault.place == expected["place"]
    assert expected["remedy"] in fault.remedy
    assert fault.line is not None


def test_headers_that_are_spelt_alike_belong_to_one_column_where_their_spelling_is_relaxed(changed: Changed):
    relaxed = ("format: csv", "format: csv\n    customProperties: [{property: headerMatch, value: relaxed}]")
    alike = ("physicalName: DATE", "physicalName: V-isit")
    [fault] = faults_of(changed(relaxed, alike))
    assert fault.fault == "'V-isit' is spelt like a header of visit, and 'headerMatch' is relaxed"
    assert "give it another header" in fault.remedy


def test_a_dataset_has_columns(changed: Changed):
    text = VISITS.read_text(encoding="utf-8")
    columns = text[text.index("    properties:\n") : text.index("slaProperties:")]
    assert "schema[0].properties" in {fault.place for fault in faults_of(changed((columns, "")))}


OCCURRENCE_FAULTS = {
    "an unknown rule": ("rule: occurrence", "rule: occurence", "value.rule", "'occurrence'"),
    "a natural rule": ("rule: occurrence", "rule: natural", "value.rule", "'primaryKey: true'"),
    "an unknown part": ("rule: occurrence", "rule: occurrence, column: x", "value.column", "'columns'"),
    "no such column": ("[visit, pages]", "[visit, page]", "value.columns[1]", "'pages'"),
    "a column twice": ("[visit, pages]", "[visit, visit]", "value.columns[1]", "keep one"),
    "a floating number": ("[visit, pages]", "[visit, ratio]", "value.columns[1]", "numeric"),
    "no columns": ("[visit, pages]", "[]", "value.columns", "identify a row"),
}


@pytest.mark.parametrize("fault", OCCURRENCE_FAULTS)
def test_a_key_of_occurrence_is_judged_too(fault: str, changed: Changed):
    old, new, place, way_out = OCCURRENCE_FAULTS[fault]
    assert old in OCCURRENCE
    [found] = faults_of(changed(NO_PRIMARY_KEY, dataset_setting(OCCURRENCE.replace(old, new))))
    assert found.place == f"schema[0].customProperties[0].{place}"
    assert way_out in found.remedy


@pytest.mark.parametrize(("name", "fault"), [("pages", "as a column is"), ("_key", "starts with '_'")])
def test_the_name_of_a_key_is_free_and_safe(name: str, fault: str, changed: Changed):
    settings = f"{OCCURRENCE}\n      - {{property: keyName, value: {name}}}"
    [found] = faults_of(changed(NO_PRIMARY_KEY, dataset_setting(settings)))
    assert found.place == "schema[0].customProperties[1].value"
    assert fault in found.fault


def test_a_key_of_occurrence_may_hold_nulls_and_is_named_after_its_dataset(changed: Changed):
    contract = read_contract(changed(NO_PRIMARY_KEY, dataset_setting(OCCURRENCE)))
    assert contract.key.columns == ("visit", "pages")
    assert contract.key.name == "visits_id"


def test_all_faults_of_a_contract_are_told_at_once(changed: Changed):
    path = changed(
        ("logicalType: boolean", "logicalType: bolean"),
        ("visits/{YYYY}/{MM}/*.csv", "visits/{MM}/*.csv"),
        ("access: gold", "access: golden"),
        ("physicalName: Visit", "physicalNam: Visit"),
    )
    assert {fault.place for fault in faults_of(path)} == {
        f"{PROPERTY}[0].physicalNam",
        f"{PROPERTY}[4].logicalType",
        "servers[0].path",
        "roles[0].access",
    }


def test_a_fault_reads_as_file_line_place_fault_and_remedy(changed: Changed):
    path = changed(("logicalType: boolean", "logicalType: bolean"))
    with pytest.raises(ContractFault) as caught:
        read_contract(path)
    assert str(caught.value) == (
        f"{path}:34: schema[0].properties[4].logicalType: 'bolean' is not a logical type\n"
        "  did you mean 'boolean'?  (docs/reference/contract.md#types)"
    )


# --- files that are no contracts

FILES = {
    "empty": (b"", "", "is empty"),
    "only a comment": (b"# later\n", "", "is empty"),
    "a list": (b"- a\n- b\n", "", "no settings"),
    "a word": (b"contract", "", "no settings"),
    "not UTF-8": ("name: Zürich".encode("latin-1"), "", "byte 7 is 0xfc"),
    "a broken line": (b"a: 1\nb: [1, 2\nc: 3\n", "line 3, column 2", "is not valid YAML"),
    "a tab": (b"a:\n\tb: 1\n", "line 2, column 1", "is not valid YAML"),
    "a name twice": (b"a: 1\nb:\n  c: 1\n  c: 2\n", "b.c", "set twice, first on line 3"),
    "two documents": (b"a: 1\n---\nb: 2\n", "line 2, column 1", "is not valid YAML"),
    "a control character": (b"a: \x01\n", "", "is not valid YAML"),
    "an object of Python": (b"a: !!python/object:os.system x\n", "a", "tag"),
    "a ring of aliases": (b"a: &a [*a]\n", "line 1, column 4", "are endless"),
    "a mapping as a name": (b"{a: 1}: 2\n", "line 1, column 1", "plain text"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_contract_says_why(name: str, tmp_path: Path):
    content, place, fault = FILES[name]
    path = tmp_path / "visits.odcs.yaml"
    path.write_bytes(content)
    found = faults_of(path)[0]
    assert (found.file, found.place) == (path, place)
    assert fault in found.fault


def test_aliases_cannot_make_a_small_file_endless(tmp_path: Path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    path = tmp_path / "visits.odcs.yaml"
    path.write_text("\n".join(lines))
    [found] = faults_of(path)
    assert "are endless" in found.fault


def test_deep_nesting_is_refused_not_crashed_on(tmp_path: Path):
    path = tmp_path / "visits.odcs.yaml"
    path.write_text("a: " + "[" * 5000 + "]" * 5000)
    assert faults_of(path)


def test_a_missing_file_is_a_fault(tmp_path: Path):
    [found] = faults_of(tmp_path / "none.odcs.yaml")
    assert "No such file" in found.fault


def test_a_byte_order_mark_is_no_fault(tmp_path: Path):
    path = tmp_path / "visits.odcs.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + VISITS.read_bytes())
    assert read_contract(path).dataset == "visits"
