"""Domain: what one team owns, as its DAG needs it: contracts, dbt models, and how often to look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data_ingestion import settings
from data_ingestion.contract import Contract, ContractFolder, FaultyContract, read_folder
from data_ingestion.contract.schedule import NEVER
from data_ingestion.manifest import LAYERS, Manifest, models_of, read_manifest

ROOT = Path(__file__).resolve().parents[3]

# How often a landing can be looked at, by the most hours that lie between two looks.
SCHEDULES = {1: "@hourly", 6: "0 */6 * * *", 24: "@daily", 168: "@weekly"}


class ManifestMissing(Exception):
    """dbt's manifest is missing, so the domains' models are unknown."""


@dataclass(frozen=True)
class Domain:
    """A domain by name, its contracts in the order of their names, and its dbt models layer by layer.

    One without contracts (`platform`) brings nothing in: its models look at what the others have. What is known of
    `faulty` contracts is what is wrong with them: their files are left alone, and what was loaded of them is built.
    """

    name: str
    contracts: tuple[Contract, ...]
    models: Mapping[str, tuple[str, ...]]
    faulty: tuple[FaultyContract, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """Those that can be loaded."""
        return tuple(contract.dataset for contract in self.contracts)

    @property
    def all_datasets(self) -> tuple[str, ...]:
        """Those that may have rows in raw."""
        return (*self.datasets, *(contract.dataset for contract in self.faulty))

    @property
    def has_landing(self) -> bool:
        """Whether anything lands for it."""
        return bool(self.contracts or self.faulty)

    @property
    def captured(self) -> tuple[Contract, ...]:
        """The contracts whose drops are the changes of a source, which a run writes first."""
        return tuple(contract for contract in self.contracts if contract.capture)

    @property
    def archived(self) -> tuple[Contract, ...]:
        """Those whose records are also kept in the lake."""
        return tuple(contract for contract in self.contracts if contract.archive)

    @property
    def has_reports(self) -> bool:
        """Whether there are files to be written of its gold."""
        return any((reports_folder() / self.name).glob("*.yaml"))

    @property
    def ends_in_raw(self) -> bool:
        """Whether the domain has no models yet: no silver, no gold, and so nothing for dbt to build."""
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
    def schedules(self) -> tuple[str, ...]:
        """When the DAG runs by itself: whenever one of its datasets asks for it; empty for never.

        A dataset asks by its `schedule`, or else by the freshness that it promises. Where nothing is said at all, the
        DAG runs daily.
        """
        named = {contract.schedule for contract in self.contracts if contract.schedule}
        silent = [contract for contract in self.contracts if not contract.schedule]
        promised = [hours for contract in silent if (hours := contract.warn_after_hours)]
        asked = named - {NEVER}
        if promised:
            asked.add(schedule_within(min(promised)))
        if not asked and (silent or not self.contracts):
            asked.add(schedule_within(24))
        return tuple(sorted(asked))


def domains() -> list[Domain]:
    """Every domain that has contracts or models in gold, with the models that dbt's manifest knows of it.

    Raises `ManifestMissing`, saying how to make the manifest.
    """
    folder = contract_folder()
    manifest = read_manifest(manifest_file())
    if manifest is None:
        raise ManifestMissing(
            f"{manifest_file()}: missing, so the DAGs do not know dbt's models\n"
            "  run `dbt parse --target prod` with the project's settings, as `make demo` does"
        )
    models = models_by_domain(manifest)
    contracts: tuple[Contract | FaultyContract, ...] = (*folder.sound, *folder.faulty)
    with_contracts = {contract.domain for contract in contracts if contract.domain}
    with_gold = {name for name, layers in models.items() if layers.get("gold")}
    return [
        Domain(
            name,
            tuple(contract for contract in folder.sound if contract.domain == name),
            models.get(name, {}),
            tuple(contract for contract in folder.faulty if contract.domain == name),
        )
        for name in sorted(with_contracts | with_gold)
    ]


@cache
def contract_folder() -> ContractFolder:
    """The contracts as they lie there, read once a process: one parses the DAGs, or runs a task."""
    return read_folder(settings.contracts_folder(ROOT))


def reports_folder() -> Path:
    """Where it is said which reports there are."""
    return settings.reports_folder(ROOT)


def dbt_project() -> Path:
    """Where dbt's project lies."""
    return settings.dbt_project(ROOT)


def manifest_file() -> Path:
    """Where dbt's manifest lies."""
    return settings.manifest_file(ROOT)


def models_by_domain(manifest: Manifest) -> dict[str, dict[str, tuple[str, ...]]]:
    """The names of models, by domain and layer, sorted."""
    found: dict[str, dict[str, list[str]]] = {}
    for model in models_of(manifest):
        found.setdefault(model.domain, {}).setdefault(model.layer, []).append(model.name)
    return {
        domain: {layer: tuple(sorted(layers[layer])) for layer in LAYERS if layer in layers}
        for domain, layers in found.items()
    }


def schedule_within(hours: int) -> str:
    """The most seldom schedule that looks at least once in so many hours."""
    fitting: Iterable[int] = [most for most in SCHEDULES if most <= hours]
    return SCHEDULES[max(fitting, default=min(SCHEDULES))]
