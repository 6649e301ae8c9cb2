"""Our reading of the standard's JSON Schema, held against a validator that follows it by the letter."""

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import open_data_contract_standard
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from open_data_contract_standard.model import OpenDataContractStandard

from data_ingestion.contract import ContractError, read_contract
from data_ingestion.contract.document import Document
from data_ingestion.contract.standard import check_standard

ROOT = Path(__file__).resolve().parents[2]
SOUND = [
    ROOT / "contracts/bank/bank_transactions.odcs.yaml",
    ROOT / "tests/fixtures/contracts/visits.odcs.yaml",
]
SCHEMA = Path(open_data_contract_standard.__file__).with_name("schema.json")
LETTER = jsonschema.Draft201909Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def read(path: Path) -> Any:
    """The YAML of a contract, its dates as the text that the standard wants."""
    return json.loads(
        json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str), parse_float=Decimal
    )


def places_of(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, name or index) inside a value."""
    found: list[tuple[Any, Any]] = []
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, item in entries:
        found += [(value, name), *places_of(item)]
    return found


def is_sound(value: Any) -> bool:
    document = Document(Path("x.odcs.yaml"), root=value)
    check_standard(document)
    return not document.faults


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_the_library_reads_what_we_find_sound(path: Path):
    assert is_sound(read(path))
    assert LETTER.is_valid(read(path))
    assert OpenDataContractStandard.from_file(str(path)).schema_


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_nothing_that_the_standard_refuses_passes(data: st.DataObject):
    value = copy.deepcopy(read(data.draw(st.sampled_from(SOUND))))
    holder, name = data.draw(st.sampled_from(places_of(value)))
    change = data.draw(st.sampled_from(["remove", "retype", "rename"]))
    if change == "remove":
        del holder[name]
    elif change == "retype":
        holder[name] = data.draw(st.sampled_from([None, True, 7, "text", [], {}, ["a"], {"a": 1}]))
    elif isinstance(holder, dict):
        holder[f"{name}X"] = holder.pop(name)
    # By the letter an absent type asks for the options of all types at once; we ask for the type alone.
    columns = (
        value.get("schema", [{}])[0] if isinstance(value.get("schema"), list) and value["schema"] else {}
    )
    listed = columns.get("properties") if isinstance(columns, dict) else []
    assume(
        isinstance(listed, list)
        and all(isinstance(column, dict) and "logicalType" in column for column in listed)
    )
    if not LETTER.is_valid(value):
        assert not is_sound(value)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_written_is_read_or_told_as_faults(data: st.DataObject, tmp_path_factory: Any):
    value = copy.deepcopy(read(data.draw(st.sampled_from(SOUND))))
    for _ in range(data.draw(st.integers(1, 3))):
        places = places_of(value)
        assume(places)
        holder, name = data.draw(st.sampled_from(places))
        holder[name] = data.draw(
            st.sampled_from(
                [None, True, -1, 7, 10**30, "", "text", "occurrence", [], {}, ["a"], [{}], [[]], {"a": 1}]
            )
        )
    path = tmp_path_factory.mktemp("written") / "x.odcs.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(value, default=float))), encoding="utf-8")
    try:
        contract = read_contract(path)
    except ContractError as error:
        assert all(fault.place and fault.fault and fault.remedy for fault in error.faults)
    else:
        assert contract.fingerprint
