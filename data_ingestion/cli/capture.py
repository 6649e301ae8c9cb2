"""Capture: changes of operational databases, written to the landing as drops."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import ContractsOption, DatasetOption, JsonOption, LandingOption
from data_ingestion.cli.session import choose, contracts_folder
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.faults import combine
from data_ingestion.settings import Settings, source_url

if TYPE_CHECKING:
    from data_ingestion.capture.reader import CaptureReport
    from data_ingestion.contract import Contract
    from data_ingestion.landing import Landing


def capture(
    landing: LandingOption = None, contracts: ContractsOption = None, dataset: DatasetOption = None,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Capture again after this pause, until interrupted."),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Only show how far each source is captured, and how much log it keeps.")
    ] = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write changes from the contracts' sources to the landing. A source keeps changes until they are stored there."""
    from data_ingestion.contract import read_folder
    from data_ingestion.landing import open_landing

    folder = contracts_folder(contracts)
    found = read_folder(folder)
    chosen = [contract for contract in choose(found, dataset, folder) if contract.capture]
    faulty = [] if dataset else [contract.error for contract in found.faulty]
    if not (chosen or faulty):
        raise ContractFault(
            f"{folder}: no contract has its drops captured from a source\n  docs/reference/contract.md#capture"
        )
    place = open_landing(Settings.from_environment(landing_url=landing, warehouse_url="unused").landing_url)
    if status:
        _say_states([_state(contract, place) for contract in chosen], as_json)
    elif every is None:
        try:
            _capture_all(chosen, place, as_json)
        except OperatorFault as error:
            raise combine([*faulty, error]) from error
    else:
        for fault in faulty:  # with --every they would be reported at the very end
            output.say_error(f"error: {fault}")
        with contextlib.suppress(KeyboardInterrupt):
            _capture_repeatedly(chosen, place, as_json, every)
    if faulty:
        raise combine(faulty)


def _capture_repeatedly(chosen: Sequence[Contract], landing: Landing, as_json: bool, every: float) -> None:
    """Captures repeatedly. After a first round without a fault, later ones do not end it: servers are restarted.

    A fault is reported once, however many rounds it lasts. A fault of the first round ends it, and a permanent one.
    """
    from data_ingestion.capture.faults import SourceReplaced

    _capture_all(chosen, landing, as_json, quiet=True)
    reported: dict[str, str] = {}
    while True:
        time.sleep(every)
        for contract in chosen:
            try:
                _capture_all([contract], landing, as_json, quiet=True)
            except SourceReplaced:
                raise
            except OperatorFault as fault:
                if reported.get(contract.dataset) != str(fault):
                    output.say_error(f"{contract.dataset}: {fault}")
                reported[contract.dataset] = str(fault)
            else:
                if reported.pop(contract.dataset, None):
                    output.say_error(f"{contract.dataset}: captured again", style="")


def _capture_all(chosen: Sequence[Contract], landing: Landing, as_json: bool, *, quiet: bool = False) -> None:
    """Captures one dataset after the other. A fault of one is raised when all others have been captured."""
    from data_ingestion.app.capture import capture_datasets

    reports = {}
    try:
        for contract, report in capture_datasets(chosen, _url, landing):
            reports[contract.dataset] = report
            if not as_json:
                _say_report(contract, report, quiet)
    finally:
        if as_json:
            output.say_json(reports)


def _say_report(contract: Contract, report: CaptureReport, quiet: bool) -> None:
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
    from data_ingestion.capture.slot import format_lsn, open_source

    assert contract.capture
    with open_source(contract, _url(contract)) as source:
        state = source.state()
    newest = newest_place(landing, contract.capture_folder)
    return {
        "dataset": contract.dataset,
        "source": contract.capture.source,
        "slot": "none" if state is None else state.lost_because or state.standing,
        "captured_to": newest and format_lsn(newest),
        "behind_bytes": state and state.behind_bytes,
        "kept_bytes": state and state.lag_bytes,
        "left_bytes": state and state.left_bytes,
    }


def _say_states(states: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.say_json(states)
        return
    output.say_table(states, {
        "dataset": "dataset", "source": "source", "slot": "slot", "captured_to": "captured to",
        "behind_bytes": "bytes behind", "kept_bytes": "bytes of log kept", "left_bytes": "bytes until the slot is lost",
    }, "")  # fmt: skip


def _url(contract: Contract) -> str:
    assert contract.capture
    return source_url(os.environ, contract.capture.source)
