"""Reading: from contract files to contracts that can be trusted, and everything that is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from data_ingestion.contract.dataset import read_dataset
from data_ingestion.contract.document import Document, read_document
from data_ingestion.contract.faults import ContractError, Fault
from data_ingestion.contract.settings import check_settings
from data_ingestion.contract.standard import check_standard
from data_ingestion.contract.terms import Contract

SUFFIX = ".odcs.yaml"


@dataclass(frozen=True)
class FaultyContract:
    """A contract that can't be trusted, and everything that is wrong with it.

    Domain and dataset are those of its place: its folder ('' outside of one) and its file's name. `claims` is the
    contract as far as it could be read, good for nothing but to see which files are its own; None where it does not
    say so.
    """

    path: Path
    domain: str
    dataset: str
    faults: tuple[Fault, ...]
    claims: Contract | None = None

    @property
    def error(self) -> ContractError:
        """Its faults as an error for the contract's author."""
        return ContractError(self.faults)


@dataclass(frozen=True)
class ContractFolder:
    """The contracts of a folder, each list sorted by domain and dataset."""

    sound: tuple[Contract, ...]
    faulty: tuple[FaultyContract, ...] = ()


def read_contract(path: Path) -> Contract:
    """The contract in a file; ContractError with all its faults when it can't be trusted."""
    contract, document = _read(path)
    if document.faults or contract is None:
        raise ContractError(document.faults)
    return contract


def read_folder(directory: Path) -> ContractFolder:
    """The contracts `<domain>/<dataset>.odcs.yaml` of a folder, the faulty ones beside those that can be trusted.

    Two that can't both be right, because they have one name or claim the same files, are both faulty; unless one of
    them is faulty anyway, which leaves the other alone. Raises `ContractError` where the folder holds no contract.
    """
    paths = _yaml_files(directory)
    if not paths:
        fault = "holds no contracts" if directory.is_dir() else "is not a folder"
        remedy = "give their folder by --contracts or GOLDWORKS_CONTRACTS"
        raise ContractError([Fault(directory, None, "", fault, remedy, "files")])
    found = [_read_file(path, directory) for path in paths]
    for one, other in combinations([item for item in found if item.is_whole], 2):
        _check_pair(one, other)
    sound = [item.contract for item in found if item.contract and not item.all_faults]
    faulty = [item.as_faulty(directory) for item in found if item.all_faults]
    return ContractFolder(
        tuple(sorted(sound, key=lambda contract: (contract.domain, contract.dataset))),
        tuple(sorted(faulty, key=lambda contract: (contract.domain, contract.dataset, contract.path))),
    )


def read_contracts(directory: Path) -> tuple[Contract, ...]:
    """The contracts of a folder, sorted by domain and dataset; ContractError with all faults of any of them."""
    found = read_folder(directory)
    if found.faulty:
        raise ContractError(fault for contract in found.faulty for fault in contract.faults)
    return found.sound


@dataclass
class _Found:
    """A YAML file among the contracts: what it says, and what is wrong with it alone and beside others."""

    path: Path
    contract: Contract | None = None
    is_whole: bool = False  # everything in it is right, wherever it lies
    own_faults: list[Fault] = field(default_factory=list)
    faults_beside_others: list[Fault] = field(default_factory=list)

    @property
    def all_faults(self) -> list[Fault]:
        return self.own_faults + self.faults_beside_others

    def as_faulty(self, directory: Path) -> FaultyContract:
        inner = self.path.relative_to(directory)
        domain = inner.parts[0] if len(inner.parts) > 1 else ""
        dataset = inner.name.partition(".")[0]
        # A pattern with a fault may match anything, and so may a marker, which stands beside it.
        says = not any(fault.place.startswith("servers") for fault in self.own_faults)
        return FaultyContract(
            self.path, domain, dataset, tuple(self.all_faults), self.contract if says else None
        )


def _read(path: Path) -> tuple[Contract | None, Document]:
    """A contract as far as it can be read, with its faults; ContractError where the file holds no settings at all."""
    document = read_document(path)
    check_standard(document)
    check_settings(document)
    return read_dataset(document), document


def _read_file(path: Path, directory: Path) -> _Found:
    if misplaced := _misplaced(path.relative_to(directory)):
        return _Found(path, own_faults=[Fault(path, None, "", *misplaced, "files")])
    try:
        contract, document = _read(path)
    except ContractError as error:
        return _Found(path, own_faults=[*error.faults])
    if contract is None or document.faults:
        return _Found(path, contract, own_faults=[*document.faults])
    return _Found(path, contract, is_whole=True, own_faults=[*_faults_of_place(contract)])


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
        return "is not in a domain's folder", f"move it to <domain>/{path.name}"
    return None


def _faults_of_place(contract: Contract) -> Iterator[Fault]:
    """What makes a contract impossible in the place where it lies."""
    folder, stem = contract.path.parent.name, contract.path.name.removesuffix(SUFFIX)
    if contract.domain != folder:
        fault = f"domain '{contract.domain}' differs from its folder's name '{folder}'"
        remedy = f"move the file to {contract.domain}/, or correct the domain"
        yield Fault(contract.path, None, "domain", fault, remedy, "files")
    if contract.dataset != stem:
        fault = f"dataset '{contract.dataset}' differs from its file's name '{stem}'"
        remedy = f"rename the file to {contract.dataset}{SUFFIX}"
        yield Fault(contract.path, None, "schema[0].name", fault, remedy, "files")


def _check_pair(one: _Found, other: _Found) -> None:
    """Notes why two contracts can't both be right: with both, or with the one that is faulty anyway."""
    alone = [item for item in (one, other) if item.own_faults]
    for item, beside in ((one, other), (other, one)):
        if item.contract and beside.contract and (item in alone or not alone):
            item.faults_beside_others += _faults_beside(item.contract, beside.contract)


def _faults_beside(contract: Contract, other: Contract) -> Iterator[Fault]:
    if other.dataset == contract.dataset:
        fault = f"dataset '{contract.dataset}' has another contract, {other.path}"
        remedy = "name one of them otherwise: names are unique across domains"
        yield Fault(contract.path, None, "schema[0].name", fault, remedy, "files")
    if {source.pattern for source in other.sources} & {source.pattern for source in contract.sources}:
        fault = f"dataset '{other.dataset}' matches the same files, {other.path}"
        remedy = "let each file match one dataset"
        yield Fault(contract.path, None, "servers[0].path", fault, remedy, "files")
