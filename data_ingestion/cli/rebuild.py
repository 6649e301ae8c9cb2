"""Rebuild: raw made again from the landing, where a contract was wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.fits import say_changes
from data_ingestion.cli.options import ContractsOption, JsonOption, LandingOption, WarehouseOption
from data_ingestion.cli.progress import progress_bar
from data_ingestion.cli.session import open_session

if TYPE_CHECKING:
    from data_ingestion.rebuild import LeftDrop, RebuildReport

NAMED = 20


def rebuild(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset to rebuild.")],
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Continue even if rows are lost because their files are no longer on the landing."),
    ] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Rebuild raw, history and quarantine from the landing, under the current contract."""
    from contextlib import ExitStack

    from data_ingestion.rebuild import Progress, RebuildPlan
    from data_ingestion.rebuild import rebuild as run_rebuild

    with open_session(landing, contracts, warehouse, [dataset]) as session, ExitStack() as opened:
        contract = session.contract(dataset)

        def planned(plan: RebuildPlan) -> Progress:
            if not as_json:
                output.say(
                    "rebuild", f"raw.{dataset}  {_drops(len(plan.drops))} to read, {plan.bytes:,} bytes"
                )
            sizes = {drop.object.key: drop.object.size for drop in plan.drops}
            return opened.enter_context(progress_bar(dataset, sizes, not as_json)).add

        report = run_rebuild(contract, session.landing, session.warehouse, gives_up_rows=yes, planned=planned)
        opened.close()
        waiting = len(session.discover(record=False).drops)
        if as_json:
            output.say_json({**vars(report), "waiting": waiting})
            return
        _say(report)
        if waiting:
            output.say("", f"{_drops(waiting)} to load: goldworks load --dataset {dataset}", "dim")


def _drops(count: int) -> str:
    return f"{count:,} drop{'s' * (count != 1)}"


def _say(report: RebuildReport) -> None:
    output.say(
        "rebuilt",
        f"raw.{report.dataset}  {_drops(report.drops)}: {report.fates.describe()}  {report.seconds:.1f} s  "
        f"load {report.load_id}",
    )
    output.say(
        "rows",
        f"{report.raw_before:,} before, {report.raw_after:,} now"
        + (f", of which {report.kept_rows:,} as they were" if report.kept_rows else ""),
    )
    _say_left("kept", "its rows stay as loaded under an earlier contract", report.kept)
    _say_left("lost", "its rows are no longer in raw", report.lost)
    say_changes(report.notes)
    if report.is_other_key:
        output.say(
            "models", "the key has changed: build the models that read it with --full-refresh", "yellow"
        )


def _say_left(verb: str, what: str, drops: tuple[LeftDrop, ...]) -> None:
    for drop in drops[:NAMED]:
        output.say(verb, f"{drop.object_key}  rows: {drop.rows:,}; {drop.why}; {what}", "yellow")
    if len(drops) > NAMED:
        output.say(verb, f"and {len(drops) - NAMED:,} more; --json lists all", "yellow")
