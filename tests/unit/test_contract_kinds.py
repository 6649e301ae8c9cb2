"""Kinds of records as a contract tells them, and each way to tell them wrong."""

from pathlib import Path

import pytest

from data_ingestion.contract import Contract, ContractError, read_contract
from data_ingestion.contract.terms import Kinds, RecordKind

VISITS = Path(__file__).parents[1] / "fixtures/contracts/visits.odcs.yaml"
KINDS = "{columns: [visit], known: [{is: [start], required: [day], optional: [price]}, {is: [end]}]}"
PLACE = "schema[0].customProperties[0].value"


def contract(tmp_path: Path, kinds: str = KINDS, old: str = "", new: str = "") -> Contract:
    text = VISITS.read_text(encoding="utf-8").replace(old, new) if old else VISITS.read_text(encoding="utf-8")
    setting = f"    customProperties:\n      - property: kinds\n        value: {kinds}\n    properties:\n"
    path = tmp_path / "visits.odcs.yaml"
    path.write_text(text.replace("    properties:\n", setting, 1), encoding="utf-8")
    return read_contract(path)


def test_a_contract_names_its_kinds_and_what_each_must_and_may_have(tmp_path: Path):
    kinds = contract(tmp_path).kinds
    start = RecordKind(("start",), ("day",), ("price",))
    assert kinds == Kinds(("visit",), (start, RecordKind(("end",))))
    assert (kinds.having("day"), kinds.having("price"), kinds.having("pages")) == ((start,), (start,), ())


def test_without_the_setting_all_records_are_of_one_kind():
    assert read_contract(VISITS).kinds is None


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ("known:", "knwon:", "knwon", "'known'"),
        ("optional: [price]", "optionl: [price]", "known[0].optionl", "'optional'"),
        ("columns: [visit]", "columns: []", "columns", "distinguish the kinds"),
        ("columns: [visit]", "columns: visit", "columns", "list their names"),
        ("columns: [visit]", "columns: [visits]", "columns[0]", "'visit'"),
        ("columns: [visit]", "columns: [visit, visit]", "columns[1]", "keep one"),
        ("columns: [visit]", "columns: [pages]", "columns[0]", "columns of text"),
        ("columns: [visit]", "columns: [action]", "columns[0]", "required: true"),
        ("is: [end]", "is: [end, now]", "known[1].is", "one text for each of visit"),
        ("is: [end]", "is: end", "known[1].is", "one text for each of visit"),
        ("is: [end]", "is: [start]", "known[1]", "keep one"),
        ("required: [day]", "required: [days]", "known[0].required[0]", "'day'"),
        ("required: [day]", "required: [visit]", "known[0].required[0]", "drop 'required'"),
        ("optional: [price]", "optional: [day]", "known[0].optional[0]", "keep one"),
    ],
)
def test_a_fault_of_kinds_is_told_with_its_place_and_a_way_out(tmp_path, old, new, place, remedy):
    with pytest.raises(ContractError) as caught:
        contract(tmp_path, KINDS.replace(old, new))
    told = {fault.place: fault for fault in caught.value.faults}
    assert remedy in told[f"{PLACE}.{place}"].remedy
    assert {fault.anchor for fault in caught.value.faults} == {"kinds-of-records"}


def test_a_kind_that_the_column_does_not_accept_could_never_come(tmp_path: Path):
    accepted = 'logicalTypeOptions: {minLength: 3, maxLength: 36, pattern: "[a-z0-9-]+"}'
    with pytest.raises(ContractError) as caught:
        contract(tmp_path, old=accepted, new="enum: [{value: start}, {value: stop}]")
    (fault,) = caught.value.faults
    assert (fault.place, "stop" in fault.remedy) == (f"{PLACE}.known[1].is", True)
