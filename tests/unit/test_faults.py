"""Faults of single datasets: collected while the others go on, raised at the end as who must act first."""

from pathlib import Path

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.errors import ContractFault, DropFault, OperatorFault, WarehouseLost
from data_ingestion.faults import DatasetFaults, combine

BANK = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))


def test_a_failure_is_kept_for_the_end_but_a_lost_session_is_everybodys():
    faults = DatasetFaults()
    with faults.of(BANK):
        raise ContractFault("wrong")
    with pytest.raises(WarehouseLost), faults.of(BANK):
        raise WarehouseLost("gone")
    assert [(fault.domain, fault.message) for fault in faults.found] == [("bank", "bank_transactions: wrong")]
    with pytest.raises(ContractFault, match="wrong"):
        faults.raise_found()
    DatasetFaults().raise_found()


def test_several_faults_are_one_error_of_the_class_of_who_must_act_first():
    error = combine([DropFault("a file"), OperatorFault("a login"), ContractFault("a type")])
    assert (type(error), str(error)) == (ContractFault, "a file\na login\na type")
    assert type(combine([DropFault("a file"), OperatorFault("a login")])) is OperatorFault


def test_a_bug_goes_before_all_others_and_carries_them():
    bug = KeyError("x")
    assert combine([ContractFault("a type"), bug]) is bug
    assert bug.__notes__ == ["a type"]
