"""Domain: what one team owns, as its DAG needs it: contracts, dbt models, and how often to look."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from data_ingestion.contract import Contract, read_contracts

ROOT = Path(__file__).resolve().parents[3]
LAYERS = ("bronze", "silver", "gold")

# How often a landing can be looked at, by the most hours that lie between two looks.
SCHEDULES = {1: "@hourly", 6: "0 */6 * * *", 24: "@daily", 168: "@weekly"}


class ManifestMissing(Exception):
    """dbt's manifest is not there, so nobody knows which models the domains have."""


@dataclass(frozen=True)
class Domain:
    """A domain by name, its contracts in the order of their names, and its dbt models layer by layer.

    One without contracts (`platform`) brings nothing in: its models look at what the others have.
    """

    name: str
    contracts: tuple[Contract, ...]
    models: Mapping[str, tuple[str, ...]]

    @property
    def datasets(self) -> tuple[str, ...]:
        return tuple(contract.dataset for contract in self.contracts)

    @property
    def captured(self) -> tuple[Contract, ...]:
        """The contracts whose drops are the changes of a source, which a run writes first."""
        return tuple(contract for contract in self.contracts if contract.capture)

    @property
    def archived(self) -> tuple[Contract, ...]:
        """Those whose records are kept in the lake, too."""
        return tuple(contract for contract in self.contracts if contract.archive)

    @property
    def has_reports(self) -> bool:
        """Whether there are files to be written of its gold."""
        return any((reports_folder() / self.name).glob("*.yaml"))

    @property
    def ends_in_raw(self) -> bool:
        """Whether nobody has said yet what the data means: no silver, no gold, and so nothing for dbt to build."""
        return not any(self.models.get(layer) for layer in ("silver", "gold"))

    @property
    def builder(self) -> str:
        """Under which name the ledger keeps what has been published; the first models find nothing built yet."""
        return f"raw.{self.name}" if self.ends_in_raw else self.name

    @property
    def writers(self) -> tuple[str, ...]:
        """The tasks that write what is read without a login, after gold is published."""
        return ("profile", "report") if self.has_reports else ("profile",)

    def writer(self, task: str) -> str:
        """Under which name the ledger keeps up to which loads such a task has written."""
        return f"{task}.{self.name}"

    @property
    def schedule(self) -> str:
        """As seldom as the contracts' freshness allows; daily when they promise none."""
        promised = [hours for contract in self.contracts if (hours := contract.warn_after_hours)]
        return schedule_within(min(promised, default=24))


def domains() -> list[Domain]:
    """Every domain that has contracts or models in gold, with the models that dbt's manifest knows of it."""
    contracts = read_contracts(contracts_folder())
    models = models_by_domain(read_manifest(manifest_file()))
    owned = {
        name: tuple(members) for name, members in groupby(contracts, key=lambda contract: contract.domain)
    }
    names = {*owned, *(name for name, layers in models.items() if layers.get("gold"))}
    return [Domain(name, owned.get(name, ()), models.get(name, {})) for name in sorted(names)]


def contracts_folder() -> Path:
    """`GOLDWORKS_CONTRACTS`, or the contracts that lie beside the DAGs."""
    return Path(os.environ.get("GOLDWORKS_CONTRACTS") or ROOT / "contracts")


def reports_folder() -> Path:
    """`GOLDWORKS_REPORTS`, or the reports that lie beside the DAGs."""
    return Path(os.environ.get("GOLDWORKS_REPORTS") or ROOT / "reports")


def dbt_project() -> Path:
    """`DBT_PROJECT_DIR`, or the project that lies beside the DAGs."""
    return Path(os.environ.get("DBT_PROJECT_DIR") or ROOT / "dbt")


def manifest_file() -> Path:
    """`GOLDWORKS_DBT_MANIFEST`, or where dbt writes it."""
    return Path(os.environ.get("GOLDWORKS_DBT_MANIFEST") or dbt_project() / "target" / "manifest.json")


def read_manifest(file: Path) -> dict[str, Any]:
    """dbt's manifest as it lies there. Raises `ManifestMissing`, saying how to make it."""
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ManifestMissing(
            f"{file}: not there, so the DAGs do not know dbt's models\n"
            "  run `dbt parse --target prod` with the project's settings, as `make demo` does"
        ) from error
    return manifest


def models_by_domain(manifest: Mapping[str, Any]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The models of `models/<layer>/<domain>/`, by domain and layer, sorted by name."""
    found: dict[str, dict[str, list[str]]] = {}
    for node in manifest["nodes"].values():
        parts = Path(node["original_file_path"]).parts
        if (
            node["resource_type"] == "model"
            and len(parts) > 3
            and parts[0] == "models"
            and parts[1] in LAYERS
        ):
            found.setdefault(parts[2], {}).setdefault(parts[1], []).append(node["name"])
    return {
        domain: {layer: tuple(sorted(layers[layer])) for layer in LAYERS if layer in layers}
        for domain, layers in found.items()
    }


def schedule_within(hours: int) -> str:
    """The most seldom schedule that looks at least once in so many hours."""
    fitting: Iterable[int] = [most for most in SCHEDULES if most <= hours]
    return SCHEDULES[max(fitting, default=min(SCHEDULES))]
