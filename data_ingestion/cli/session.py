"""Session: what commands open: contracts, landing, warehouse.

What opens them is imported when it is opened: `goldworks --help` need not wait for a database's driver.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_ingestion.errors import ContractFault
from data_ingestion.settings import Settings

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.discovery import Discovery
    from data_ingestion.landing import Landing
    from data_ingestion.plan import Choice
    from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    contracts: tuple[Contract, ...]
    landing: Landing
    warehouse: Warehouse
    whole_landing: bool
    settings: Settings
    neighbours: tuple[Contract, ...] = ()

    def contract(self, dataset: str) -> Contract:
        return next(contract for contract in self.contracts if contract.dataset == dataset)

    def discover(self, choice: Choice | None = None, *, full: bool = False, record: bool = True) -> Discovery:
        """What lies on the landing, and what of the choice has to be loaded."""
        from data_ingestion.discovery import discover
        from data_ingestion.plan import Choice

        return discover(
            self.contracts, self.landing, self.warehouse, choice or Choice(),
            neighbours=self.neighbours, whole_landing=self.whole_landing, full=full, record=record,
            reserved=self.settings.reserved,
        )  # fmt: skip


@contextmanager
def open_ledger(url: str | None, *, writes: bool = True) -> Iterator[Warehouse]:
    """A warehouse with its ledger at this version, and attempts closed whose session is gone.

    Without `writes` nothing is written to it, whatever is asked of it.
    """
    from data_ingestion.warehouses import open_warehouse

    opened = open_warehouse(Settings.from_environment(warehouse_url=url, landing_url="unused").warehouse_url)
    try:
        if writes:
            opened.migrate()
            opened.abandon_lost_attempts()
        else:
            opened.read_only()
        yield opened
    finally:
        opened.close()


@contextmanager
def open_session(
    landing: str | None,
    contracts: Path | None,
    warehouse: str | None,
    datasets: list[str] | None,
    *,
    writes: bool = True,
) -> Iterator[Session]:
    """Everything a command works with; settings that are not given come from the environment."""
    from data_ingestion.contract import read_contracts
    from data_ingestion.landing import open_landing

    settings = Settings.from_environment(landing_url=landing, contracts=contracts, warehouse_url=warehouse)
    everyone = read_contracts(settings.contracts)
    chosen = choose(everyone, datasets, settings.contracts)
    others = tuple(contract for contract in everyone if contract not in chosen)
    place = open_landing(settings.landing_url)
    with open_ledger(settings.warehouse_url, writes=writes) as opened:
        yield Session(chosen, place, opened, not datasets, settings, neighbours=others)


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
                f"the ledger knows no dataset '{name}'\n  it knows {', '.join(known)}; "
                "`goldworks discover` enters that of a new contract"
            )


def choose(contracts: tuple[Contract, ...], datasets: list[str] | None, folder: Path) -> tuple[Contract, ...]:
    """The contracts of the datasets named, or all. Raises `ContractFault` where one is unknown."""
    known = {contract.dataset: contract for contract in contracts}
    for name in datasets or ():
        if name not in known:
            raise ContractFault(
                f"no contract for dataset '{name}' in {folder}\n  it holds {', '.join(sorted(known)) or 'none'}"
            )
    return tuple(known[name] for name in datasets) if datasets else contracts
