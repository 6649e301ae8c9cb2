"""Archive: the lake of the datasets whose contracts ask for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from data_ingestion.app.platform import Platform
from data_ingestion.contract import Contract
from data_ingestion.faults import DatasetFaults
from data_ingestion.lake.archive import ArchiveReport, archive
from data_ingestion.lake.compaction import CompactionReport, compact
from data_ingestion.lake.ledger import LakeLedger
from data_ingestion.landing import open_store

T = TypeVar("T")


def archive_datasets(
    platform: Platform, contracts: Sequence[Contract], faults: DatasetFaults
) -> Iterator[ArchiveReport]:
    """Copies the records of what was loaded into the lake, with what an earlier run left over."""
    lake, ledger = open_store(platform.settings.lake), LakeLedger(platform.warehouse.session)
    return _each(platform, contracts, faults, lambda one: archive(one, platform.landing, lake, ledger))


def compact_datasets(
    platform: Platform, contracts: Sequence[Contract], faults: DatasetFaults, *, patient: bool = False
) -> Iterator[CompactionReport]:
    """Puts the small files of each day together; with patience not those of a day that is still growing."""
    lake, ledger = open_store(platform.settings.lake), LakeLedger(platform.warehouse.session)
    return _each(platform, contracts, faults, lambda one: compact(one.dataset, lake, ledger, patient=patient))


def _each(
    platform: Platform, contracts: Sequence[Contract], faults: DatasetFaults, act: Callable[[Contract], T]
) -> Iterator[T]:
    """What the act gives for each dataset that is archived; a failure is a fault of that one alone."""
    for contract in contracts:
        if contract.archive:
            with faults.of(contract):
                platform.warehouse.prepare(contract)
                yield act(contract)
