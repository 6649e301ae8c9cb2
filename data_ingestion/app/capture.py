"""Capture: what has changed at the sources of several datasets, written to the landing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from data_ingestion.capture.faults import Faults, SourceBusy
from data_ingestion.capture.reader import CaptureReport
from data_ingestion.capture.reader import capture as capture_source
from data_ingestion.capture.slot import open_source
from data_ingestion.contract import Contract
from data_ingestion.landing import Landing


def capture_datasets(
    contracts: Sequence[Contract],
    url_of: Callable[[Contract], str],
    landing: Landing,
    *,
    on_busy: Callable[[Contract, SourceBusy], None] | None = None,
) -> Iterator[tuple[Contract, CaptureReport]]:
    """Captures one dataset after the other; a fault of one is raised when all others have been captured.

    That another process is at a source is a fault, unless `on_busy` takes it.
    """
    faults = Faults()
    for contract in contracts:
        with faults.of(contract.dataset):
            try:
                with open_source(contract, url_of(contract)) as source:
                    report = capture_source(source, landing, contract.capture_folder)
            except SourceBusy as busy:
                if on_busy is None:
                    raise
                on_busy(contract, busy)
            else:
                yield contract, report
    faults.raise_found()
