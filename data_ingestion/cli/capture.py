"""Capture: changes of operational databases, written to the landing as drops."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import ContractsOption, DatasetOption, JsonOption, LandingOption
from data_ingestion.cli.session import choose, contracts_folder
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.settings import Settings, source_url

if TYPE_CHECKING:
    from data_ingestion.capture.reader import CaptureReport
    from data_ingestion.contract import Contract
    from data_ingestion.landing import Landing


def capture(
    landing: LandingOption = None, contracts: ContractsOption = None, dataset: DatasetOption = None,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Go on, with so long a pause, until interrupted."),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Only tell how far each source is captured, and what it keeps for us.")
    ] = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write the changes of the contracts' sources to the landing. Changes are kept there until they are safe here."""
    from data_ingestion.landing import open_landing

    chosen = _captured(contracts, dataset)
    place = open_landing(Settings.from_environment(landing_url=landing, warehouse_url="unused").landing_url)
    if status:
        _tell_states([_state(contract, place) for contract in chosen], as_json)
        return
    if every is None:
        _capture_all(chosen, place, as_json)
        return
    with contextlib.suppress(KeyboardInterrupt):
        _go_on(chosen, place, as_json, every)


def _captured(contracts: Path | None, datasets: list[str] | None) -> Sequence[Contract]:
    from data_ingestion.contract import read_contracts

    folder = contracts_folder(contracts)
    chosen = choose(read_contracts(folder), datasets, folder)
    captured = [contract for contract in chosen if contract.capture]
    if not captured:
        raise ContractFault(
            f"{folder}: no contract has its drops captured from a source\n  docs/reference/contract.md#capture"
        )
    return captured


def _go_on(chosen: Sequence[Contract], landing: Landing, as_json: bool, every: float) -> None:
    """Captures again and again. Whoever has begun well goes on after a fault: servers are restarted, passwords changed.

    A fault is told once, however many rounds it lasts. One of the first round ends it, and one that no waiting mends.
    """
    from data_ingestion.capture.faults import SourceReplaced

    _capture_all(chosen, landing, as_json, quiet=True)
    told: dict[str, str] = {}
    while True:
        time.sleep(every)
        for contract in chosen:
            try:
                _capture_all([contract], landing, as_json, quiet=True)
            except SourceReplaced:
                raise
            except OperatorFault as fault:
                if told.get(contract.dataset) != str(fault):
                    output.errors.print(f"{contract.dataset}: {fault}", style="red", markup=False)
                told[contract.dataset] = str(fault)
            else:
                if told.pop(contract.dataset, None):
                    output.errors.print(f"{contract.dataset}: captured again", markup=False)


def _capture_all(chosen: Sequence[Contract], landing: Landing, as_json: bool, *, quiet: bool = False) -> None:
    """Captures one dataset after the other. A fault of one is raised when all others have been captured."""
    from data_ingestion.capture.faults import Faults
    from data_ingestion.capture.reader import capture as bring
    from data_ingestion.capture.source import open_source

    reports, faults = {}, Faults()
    for contract in chosen:
        with faults.of(contract.dataset):
            with open_source(contract, _url(contract)) as source:
                report = reports[contract.dataset] = bring(source, landing, contract.capture_folder)
            if not as_json:
                _tell(contract, report, quiet)
    if as_json:
        output.say_json(reports)
    faults.raise_found()


def _tell(contract: Contract, report: CaptureReport, quiet: bool) -> None:
    for note in report.notes:
        output.say("snapshot", f"{contract.dataset}  {note}")
    for alarm in report.alarms:
        output.say("alarm", f"{contract.dataset}  {alarm}", "bold red")
    if report.drops or not quiet:
        drops = "drop" if report.drops == 1 else "drops"
        output.say("capture", f"{contract.dataset}  {report.changes:,} changes in {report.drops:,} {drops}")


def _state(contract: Contract, landing: Landing) -> dict[str, Any]:
    """How far a source is captured: its slot, and the newest drop of its log."""
    from data_ingestion.capture.changelog import newest_place
    from data_ingestion.capture.source import open_source, told_lsn

    assert contract.capture
    with open_source(contract, _url(contract)) as source:
        state = source.state()
    newest = newest_place(landing, contract.capture_folder)
    return {
        "dataset": contract.dataset,
        "source": contract.capture.source,
        "slot": "none" if state is None else state.lost_because or state.standing,
        "captured_to": newest and told_lsn(newest),
        "behind_bytes": state and state.behind_bytes,
        "kept_bytes": state and state.lag_bytes,
        "left_bytes": state and state.left_bytes,
    }


def _tell_states(states: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.say_json(states)
        return
    output.say_table(states, {
        "dataset": "dataset", "source": "source", "slot": "slot", "captured_to": "captured to",
        "behind_bytes": "bytes behind", "kept_bytes": "bytes kept for it", "left_bytes": "bytes until it is lost",
    }, "")  # fmt: skip


def _url(contract: Contract) -> str:
    assert contract.capture
    return source_url(os.environ, contract.capture.source)
