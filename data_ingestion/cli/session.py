"""Session: the options that commands share, and what they open: contracts, landing, warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from data_ingestion.contract import Contract, read_contracts
from data_ingestion.errors import ContractFault
from data_ingestion.landing import Landing, open_landing
from data_ingestion.settings import Settings
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.base import Warehouse

LandingOption = Annotated[
    str | None,
    typer.Option(
        "--landing",
        metavar="URL",
        help="s3://BUCKET/FOLDER, file:///FOLDER or a path. \\[env: GOLDWORKS_LANDING_URL]",
    ),
]
ContractsOption = Annotated[
    Path | None,
    typer.Option(
        "--contracts",
        metavar="DIR",
        help="Folder of contracts. \\[env: GOLDWORKS_CONTRACTS; default: contracts]",
    ),
]
WarehouseOption = Annotated[
    str | None,
    typer.Option(
        "--warehouse",
        metavar="URL",
        help="postgresql://USER:PASSWORD@HOST:PORT/DATABASE. \\[env: GOLDWORKS_WAREHOUSE_URL]",
    ),
]
DatasetOption = Annotated[
    list[str] | None, typer.Option("--dataset", metavar="NAME", help="Only this dataset; may be given again.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
FirstOption = Annotated[
    str, typer.Option("--from", metavar="PERIOD", help="Only periods from this one on, such as 2026-01.")
]
LastOption = Annotated[
    str, typer.Option("--to", metavar="PERIOD", help="Only periods up to this one, itself included.")
]
FullOption = Annotated[bool, typer.Option("--full-refresh", help="Load what is in force again, too.")]


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    contracts: tuple[Contract, ...]
    landing: Landing
    warehouse: Warehouse
    whole_landing: bool

    def contract(self, dataset: str) -> Contract:
        return next(contract for contract in self.contracts if contract.dataset == dataset)


@contextmanager
def open_ledger(url: str | None) -> Iterator[Warehouse]:
    """A warehouse with its ledger at this version, and attempts closed whose session is gone."""
    opened = open_warehouse(Settings.from_environment(warehouse_url=url, landing_url="unused").warehouse_url)
    try:
        opened.migrate()
        opened.abandon_lost_attempts()
        yield opened
    finally:
        opened.close()


@contextmanager
def open_session(
    landing: str | None, contracts: Path | None, warehouse: str | None, datasets: list[str] | None
) -> Iterator[Session]:
    """Everything a command works with; settings that are not given come from the environment."""
    settings = Settings.from_environment(landing_url=landing, contracts=contracts, warehouse_url=warehouse)
    chosen = _choose(read_contracts(settings.contracts), datasets, settings.contracts)
    place = open_landing(settings.landing_url)
    with open_ledger(settings.warehouse_url) as opened:
        yield Session(chosen, place, opened, whole_landing=not datasets)


def contracts_folder(given: Path | None) -> Path:
    """Where the contracts lie."""
    return Settings.from_environment(contracts=given, landing_url="unused", warehouse_url="unused").contracts


def _choose(
    contracts: tuple[Contract, ...], datasets: list[str] | None, folder: Path
) -> tuple[Contract, ...]:
    known = {contract.dataset: contract for contract in contracts}
    for name in datasets or ():
        if name not in known:
            raise ContractFault(
                f"no contract for dataset '{name}' in {folder}\n  it holds {', '.join(sorted(known)) or 'none'}"
            )
    return tuple(known[name] for name in datasets) if datasets else contracts
