"""Loads: what lies on the landing, what a load of it would do, and the load itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_ingestion.cli import output
from data_ingestion.cli.lines import LoadLines
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
from data_ingestion.cli.session import Session, open_session
from data_ingestion.errors import DropFault
from data_ingestion.ledger import Fates, LoadReport

if TYPE_CHECKING:
    from data_ingestion.plan import Choice


def discover(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, full: ListAllOption = False, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List the landing, give every object its ledger row, and tell what is new."""
    with open_session(landing, contracts, warehouse, dataset) as session:
        found = session.discover(full=full)
        if as_json:
            output.say_json({
                "landing": session.landing.url,
                "datasets": {plan.dataset: {"to_load": len(plan.drops), "known": plan.known} for plan in found.plans},
                "unfinished": [item.key for item in found.ignored],
                "unresolved": [item.key for item in found.unresolved],
            })  # fmt: skip
            return
        output.say_discovery(session.landing.url, found)
        output.say_unresolved([item.key for item in found.unresolved])


def plan(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, first: FirstOption = "", last: LastOption = "", full: ListAllOption = False,
    full_refresh: FullOption = False, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Tell what a load would do with every object and why, and write nothing anywhere."""
    from data_ingestion.plan import Choice

    with open_session(landing, contracts, warehouse, dataset, writes=False) as session:
        found = session.discover(Choice(first, last, full_refresh), full=full, record=False)
        if as_json:
            output.say_json(output.plan_as_json(session.landing.url, found))
            return
        output.say_discovery(session.landing.url, found)
        output.say_plan(found)


def load(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, first: FirstOption = "", last: LastOption = "", full: ListAllOption = False,
    full_refresh: FullOption = False, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Bring in what is new or corrected. Drops that fail are reported at the end; the others are in."""
    from data_ingestion.plan import Choice

    with open_session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(first, last, full_refresh), as_json, full=full)


def replay(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Load drops with quarantined rows again, under the contract as corrected since."""
    from data_ingestion.plan import Choice

    with open_session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(only_quarantined=True), as_json)


def _load(session: Session, choice: Choice, as_json: bool, *, full: bool = False) -> None:
    from data_ingestion.load import load_drops

    found = session.discover(choice, full=full)
    if not as_json:
        output.say_discovery(session.landing.url, found)
    reports: list[LoadReport] = []  # of a machine's document alone: there may be many
    told: list[LoadLines] = []
    width = max((len(drop.object.key) for drop in found.drops), default=0)
    for part in found.plans:
        lines = LoadLines(len(part.drops), width, shown=not as_json)
        told.append(lines)
        size = sum(drop.object.size for drop in part.drops)
        with output.progress_bar(part.dataset, size, not as_json) as progress:
            for report in load_drops(
                session.contract(part.dataset), session.landing, session.warehouse, part.drops, progress
            ):
                lines.add(report)
                if as_json:
                    reports.append(report)
            lines.end()
    unresolved = [item.key for item in found.unresolved]
    loads = sum(lines.loads for lines in told)
    if as_json:
        output.say_json(
            {
                "landing": session.landing.url,
                "loads": reports,
                "known": sum(part.known for part in found.plans),
                "unresolved": unresolved,
            }
        )
    else:
        output.say_total(loads, sum((lines.fates for lines in told), Fates()))
        output.say_unresolved(unresolved)
    failed = [report for lines in told for report in lines.failed]
    if failed:
        raise DropFault(
            f"{len(failed)} of {loads} drops failed; the others are in\n  first: {failed[0].told_failure()}"
        )
