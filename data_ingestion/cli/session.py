"""Session: what commands open: contracts, landing, warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_ingestion.app import platform
from data_ingestion.app.platform import Platform
from data_ingestion.errors import ContractFault
from data_ingestion.faults import DatasetFaults, faults_of_contracts
from data_ingestion.settings import Settings

if TYPE_CHECKING:
    from data_ingestion.contract import Contract, ContractFolder, FaultyContract
    from data_ingestion.discovery import Discovery
    from data_ingestion.plan import Choice
    from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Session(Platform):
    """What a command works with.

    `faults` are of the datasets asked for: those of faulty contracts from the start, others as they are found. Whoever
    runs a command raises them at its end, so that the other datasets are done first.
    """

    contracts: tuple[Contract, ...]
    whole_landing: bool
    neighbours: tuple[Contract, ...] = ()
    faulty: tuple[FaultyContract, ...] = ()
    faults: DatasetFaults = field(default_factory=DatasetFaults)

    def contract(self, dataset: str) -> Contract:
        return next(contract for contract in self.contracts if contract.dataset == dataset)

    def discover(self, choice: Choice | None = None, *, full: bool = False, record: bool = True) -> Discovery:
        """What lies on the landing, and what of the choice has to be loaded."""
        from data_ingestion.discovery import discover
        from data_ingestion.plan import Choice

        found = discover(
            self.contracts, self.landing, self.warehouse, choice or Choice(),
            neighbours=self.neighbours, faulty=self.faulty, whole_landing=self.whole_landing, full=full,
            record=record, reserved=self.settings.reserved,
        )  # fmt: skip
        self.faults.found.extend(found.faults)
        return found


@contextmanager
def open_ledger(url: str | None, *, writes: bool = True) -> Iterator[Warehouse]:
    """A warehouse with its ledger at this version, and attempts closed whose session is gone.

    Without `writes` nothing is written to it, whatever is asked of it.
    """
    settings = Settings.from_environment(warehouse_url=url, landing_url="unused")
    with platform.open_ledger(settings.warehouse_url, writes=writes) as opened:
        if writes:
            opened.abandon_lost_attempts()
        yield opened


@contextmanager
def open_session(
    landing: str | None,
    contracts: Path | None,
    warehouse: str | None,
    datasets: list[str] | None,
    *,
    writes: bool = True,
) -> Iterator[Session]:
    """Everything a command works with; settings that are not given come from the environment.

    A faulty contract keeps no command from the other datasets. Asked for by its name, its faults are raised at once.
    """
    from data_ingestion.contract import read_folder
    from data_ingestion.landing import open_landing

    settings = Settings.from_environment(landing_url=landing, contracts=contracts, warehouse_url=warehouse)
    folder = read_folder(settings.contracts)
    chosen = choose(folder, datasets, settings.contracts)
    others = tuple(contract for contract in folder.sound if contract not in chosen)
    faults = DatasetFaults(() if datasets else faults_of_contracts(folder.faulty))
    place = open_landing(settings.landing_url)
    with open_ledger(settings.warehouse_url, writes=writes) as opened:
        yield Session(settings, place, opened, chosen, not datasets, others, folder.faulty, faults)


def contracts_folder(given: Path | None) -> Path:
    """Where the contracts lie."""
    return Settings.from_environment(contracts=given, landing_url="unused", warehouse_url="unused").contracts


def or_all(datasets: list[str] | None) -> Sequence[str | None]:
    """The datasets chosen, or None for all of them at once, as the ledger's questions take it."""
    return datasets or (None,)


def refuse_unknown(datasets: list[str] | None, summary: Sequence[Mapping[str, Any]]) -> None:
    """Raises `ContractFault` where the ledger knows datasets, but not one of those chosen."""
    known = [row["dataset"] for row in summary]
    for name in datasets or ():
        if known and name not in known:
            raise ContractFault(
                f"no dataset '{name}' in the ledger\n  known datasets: {', '.join(known)}; "
                "`goldworks discover` adds that of a new contract"
            )


def choose(folder: ContractFolder, datasets: list[str] | None, place: Path) -> tuple[Contract, ...]:
    """The contracts of the datasets named, or all that can be trusted.

    Raises `ContractFault` where one that is named is unknown, or faulty.
    """
    known = {contract.dataset: contract for contract in folder.sound}
    for name in datasets or ():
        if name not in known:
            for contract in folder.faulty:
                if contract.dataset == name:
                    raise contract.error
            raise ContractFault(
                f"no contract for dataset '{name}' in {place}\n  known datasets: {', '.join(sorted(known)) or 'none'}"
            )
    return tuple(known[name] for name in datasets) if datasets else folder.sound
