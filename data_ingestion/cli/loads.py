"""Loads: what lies on the landing, what a load of it would do, and the load itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from data_ingestion.cli import output
from data_ingestion.cli.fits import misfits, say_changes, say_fits
from data_ingestion.cli.options import (
    ContractsOption,
    DatasetOption,
    FirstOption,
    FullOption,
    JsonOption,
    LandingOption,
    LastOption,
    ListAllOption,
    WarehouseOption,
)
from data_ingestion.cli.progress import progress_bar
from data_ingestion.cli.session import Session, open_session
from data_ingestion.errors import DecisionNeeded, DropFault
from data_ingestion.faults import DatasetFaults, raise_all

if TYPE_CHECKING:
    from data_ingestion.cli.lines import LoadLines
    from data_ingestion.contract import Contract
    from data_ingestion.ledger import LoadReport
    from data_ingestion.plan import Choice, Plan


def discover(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, full: ListAllOption = False, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List the landing, record every object in the ledger, and show what is new."""
    with open_session(landing, contracts, warehouse, dataset) as session:
        found = session.discover(full=full)
        if as_json:
            output.say_json({
                "landing": session.landing.url,
                "datasets": {plan.dataset: {"to_load": len(plan.drops), "known": plan.known} for plan in found.plans},
                "unfinished": [item.key for item in found.ignored],
                "unresolved": [item.key for item in found.unresolved],
                "passed_over": output.passed_over_as_json(found.passed_over),
                "faults": output.faults_as_json(session.faults.found),
            })  # fmt: skip
        else:
            output.say_discovery(session.landing.url, found)
            output.say_unresolved([item.key for item in found.unresolved])
            output.say_passed_over(found.passed_over)
        session.faults.raise_found()


def plan(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, first: FirstOption = "", last: LastOption = "", full: ListAllOption = False,
    full_refresh: FullOption = False, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Show what a load would do with each object and why, without writing anything."""
    from data_ingestion.plan import Choice

    with open_session(landing, contracts, warehouse, dataset, writes=False) as session:
        found = session.discover(Choice(first, last, full_refresh), full=full, record=False)
        fits = [session.warehouse.fit(contract) for contract in session.contracts]
        if as_json:
            document = output.plan_as_json(session.landing.url, found, session.faults.found)
            output.say_json({**document, "tables": fits})
        else:
            output.say_discovery(session.landing.url, found)
            output.say_plan(found)
            say_fits(fits)
        raise_all([*(fault.error for fault in session.faults.found), *misfits(fits)])


def load(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, first: FirstOption = "", last: LastOption = "", full: ListAllOption = False,
    full_refresh: FullOption = False, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Load new and corrected files. Drops that fail are reported at the end; the others are loaded."""
    from data_ingestion.plan import Choice

    with open_session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(first, last, full_refresh), as_json, full=full)


def replay(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Load drops with quarantined rows again, under the corrected contract."""
    from data_ingestion.plan import Choice

    with open_session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(only_quarantined=True), as_json)


def _load(session: Session, choice: Choice, as_json: bool, *, full: bool = False) -> None:
    from data_ingestion.cli.lines import LoadLines, say_total
    from data_ingestion.decisions import find_waiting
    from data_ingestion.ledger import Fates

    found = session.discover(choice, full=full)
    if not as_json:
        output.say_discovery(session.landing.url, found)
    reports: list[LoadReport] = []  # of a machine's document alone: there may be many
    all_lines: list[LoadLines] = []
    refused = DatasetFaults()
    width = output.width_of(drop.object.key for drop in found.drops)
    for part in found.plans:
        lines = LoadLines(len(part.drops), width, shown=not as_json)
        all_lines.append(lines)
        contract = session.contract(part.dataset)
        with refused.of(contract):
            changes = session.warehouse.prepare(contract)
            say_changes(() if as_json else changes)
            if part.drops:
                for report in _load_drops(session, contract, part, lines, shown=not as_json):
                    if as_json:
                        reports.append(report)
    session.warehouse.record_faults("load", [part.dataset for part in found.plans], refused.found)
    session.faults.found.extend(refused.found)
    unresolved = [item.key for item in found.unresolved]
    waiting = find_waiting(session.contracts, session.warehouse)
    loads = sum(lines.loads for lines in all_lines)
    if as_json:
        output.say_json(
            {
                "landing": session.landing.url,
                "loads": reports,
                "known": sum(part.known for part in found.plans),
                "unresolved": unresolved,
                "waiting": waiting,
                "passed_over": output.passed_over_as_json(found.passed_over),
                "faults": output.faults_as_json(session.faults.found),
            }
        )
    else:
        fates = sum((lines.fates for lines in all_lines), Fates())
        say_total(loads - sum(len(lines.failed) for lines in all_lines), fates)
        output.say_quarantined(fates.quarantined)
        output.say_unresolved(unresolved)
        output.say_passed_over(found.passed_over)
        held = {report.object_key for lines in all_lines for report in lines.held}
        output.say_waiting([one for one in waiting if one.object_key not in held])
    errors = [fault.error for fault in session.faults.found]
    if failed := [report for lines in all_lines for report in lines.failed]:
        errors.append(_failure(failed, loads, as_json=as_json))
    if waiting:
        keys = len({one.object_key for one in waiting})
        files = "file waits" if keys == 1 else "files wait"
        errors.append(DecisionNeeded(f"{keys} {files} for a decision"))
    raise_all(errors)


def _load_drops(
    session: Session, contract: Contract, part: Plan, lines: LoadLines, *, shown: bool
) -> Iterator[LoadReport]:
    """Loads the drops of a plan behind a bar, with a line each."""
    from data_ingestion.load import load_drops

    sizes = {drop.object.key: drop.object.size for drop in part.drops}
    with progress_bar(part.dataset, sizes, shown) as progress:
        try:
            for report in load_drops(contract, session.landing, session.warehouse, part.drops, progress.add):
                progress.end(report.object_key)
                lines.add(report)
                yield report
        finally:
            lines.end()


def _failure(failed: Sequence[LoadReport], loads: int, *, as_json: bool) -> DropFault:
    """What the command ends with; the reasons stand in the lines above, where there are such."""
    one_of_them = failed[0].object_key
    tail = "; to end that:" if len(failed) == 1 else "; to end that for one of them:"
    others = "" if len(failed) == loads else "; the others are loaded"
    reason = f"\n  first: {failed[0].failure_message()}" if as_json else ""
    return DropFault(
        f"{len(failed):,} of {loads:,} {'drop' if loads == 1 else 'drops'} failed{others}{reason}\n"
        f"  each run tries again, until the file or its contract is corrected{tail}\n"
        f"  goldworks withdraw {shlex.quote(one_of_them)}"
    )
