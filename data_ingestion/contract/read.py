"""Reading: from contract files to contracts that can be trusted, or to everything that is wrong with them."""

from __future__ import annotations

from pathlib import Path

from data_ingestion.contract.dataset import read_dataset
from data_ingestion.contract.document import read_document
from data_ingestion.contract.faults import ContractError, Fault
from data_ingestion.contract.settings import judge_settings
from data_ingestion.contract.standard import judge
from data_ingestion.contract.terms import Contract

SUFFIX = ".odcs.yaml"


def read_contract(path: Path) -> Contract:
    """The contract in a file; ContractError with all its faults when it can't be trusted."""
    document = read_document(path)
    judge(document)
    judge_settings(document)
    contract = read_dataset(document)
    if document.faults or contract is None:
        raise ContractError(document.faults)
    return contract


def read_contracts(directory: Path) -> tuple[Contract, ...]:
    """The contracts `<domain>/<dataset>.odcs.yaml` of a folder, sorted so; ContractError with all faults."""
    faults: list[Fault] = []
    contracts: list[Contract] = []
    paths = _yaml_files(directory)
    if not paths:
        fault = "holds no contracts" if directory.is_dir() else "is no folder"
        remedy = "say where they are by --contracts or GOLDWORKS_CONTRACTS"
        faults.append(Fault(directory, None, "", fault, remedy, "files"))
    for path in paths:
        if misplaced := _misplaced(path.relative_to(directory)):
            faults.append(Fault(path, None, "", *misplaced, "files"))
            continue
        try:
            contract = read_contract(path)
        except ContractError as error:
            faults += error.faults
            continue
        faults += _faults_among(contract, contracts)
        contracts.append(contract)
    if faults:
        raise ContractError(faults)
    return tuple(sorted(contracts, key=lambda contract: (contract.domain, contract.dataset)))


def _yaml_files(directory: Path) -> list[Path]:
    found = (path for suffix in ("yaml", "yml") for path in directory.rglob(f"*.{suffix}"))
    return sorted(
        path for path in found if not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )


def _misplaced(path: Path) -> tuple[str, str] | None:
    """Why a YAML file among the contracts would never be read, and what to do; None when it will be."""
    if not path.name.endswith(SUFFIX):
        return "is not named like a contract", f"rename it to <dataset>{SUFFIX}, or keep it elsewhere"
    if len(path.parts) != 2:
        return "lies in no domain's folder", f"move it to <domain>/{path.name}"
    return None


def _faults_among(contract: Contract, others: list[Contract]) -> list[Fault]:
    """What makes a contract impossible beside those read before it, or in the place where it lies."""
    faults = []
    folder, stem = contract.path.parent.name, contract.path.name.removesuffix(SUFFIX)
    if contract.domain != folder:
        fault = f"domain '{contract.domain}' lies in the folder '{folder}'"
        faults.append(("domain", fault, f"move the file to {contract.domain}/, or correct the domain"))
    if contract.dataset != stem:
        fault = f"dataset '{contract.dataset}' lies in a file named '{stem}'"
        faults.append(("schema[0].name", fault, f"rename the file to {contract.dataset}{SUFFIX}"))
    for other in others:
        if other.dataset == contract.dataset:
            fault = f"dataset '{contract.dataset}' has another contract, {other.path}"
            faults.append(
                ("schema[0].name", fault, "name one of them otherwise: names are unique across domains")
            )
        if {source.pattern for source in other.sources} & {source.pattern for source in contract.sources}:
            fault = f"dataset '{other.dataset}' claims the same files, {other.path}"
            faults.append(("servers[0].path", fault, "let each file belong to one dataset"))
    return [Fault(contract.path, None, place, fault, remedy, "files") for place, fault, remedy in faults]
