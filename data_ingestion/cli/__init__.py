"""Command line: `goldworks`, the loader for a shell, a cron job or a task."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.session import (
    ContractsOption,
    DatasetOption,
    FirstOption,
    FullOption,
    JsonOption,
    LandingOption,
    LastOption,
    Session,
    WarehouseOption,
    contracts_folder,
    open_ledger,
    open_session,
)
from data_ingestion.contract import read_contracts
from data_ingestion.errors import DropFault, GoldworksError
from data_ingestion.landing import open_landing
from data_ingestion.ledger import LoadReport, LoadState
from data_ingestion.load import discover as discover_landing
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.settings import Settings

app = typer.Typer(
    epilog="Exit codes: 0 done · 2 wrong usage · 3 a contract is wrong · 4 a drop failed "
    "· 5 the platform needs its operator.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
contract_app = typer.Typer(help="Contracts: what was agreed about each dataset.", no_args_is_help=True)
quarantine_app = typer.Typer(help="Rows that break their contract, with the reason, the place and the text.")
app.add_typer(contract_app, name="contract")
app.add_typer(quarantine_app, name="quarantine")


def _show_version(wanted: bool) -> None:
    if wanted:
        output.console.print(f"goldworks {metadata.version('goldworks')}")
        raise typer.Exit


@app.callback()
def goldworks(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Bring files from a landing into a warehouse: exactly once, every row accounted for."""


@app.command()
def discover(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List the landing, give every object its ledger row, and tell what is new."""
    with open_session(landing, contracts, warehouse, dataset) as session:
        found = discover_landing(
            session.contracts, session.landing, session.warehouse, whole_landing=session.whole_landing
        )
        if as_json:
            output.say_json({
                "landing": session.landing.url,
                "datasets": {plan.dataset: {"to_load": len(plan.drops), "known": plan.known} for plan in found.plans},
                "unresolved": [item.key for item in found.unresolved],
            })  # fmt: skip
            return
        output.say_discovery(session.landing.url, found)
        _say_unresolved([item.key for item in found.unresolved])


@app.command()
def plan(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, first: FirstOption = "", last: LastOption = "", full_refresh: FullOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Tell what a load would do and why, and do nothing."""
    with open_session(landing, contracts, warehouse, dataset) as session:
        choice = Choice(first, last, full_refresh)
        found = discover_landing(
            session.contracts,
            session.landing,
            session.warehouse,
            choice,
            whole_landing=session.whole_landing,
            record=False,
        )
        if as_json:
            output.say_json(
                {
                    "drops": [drop.as_json() for drop in found.drops],
                    "unresolved": [item.key for item in found.unresolved],
                }
            )
            return
        output.say_discovery(session.landing.url, found)
        width = max((len(drop.object.key) for drop in found.drops), default=0)
        for drop in found.drops:
            output.say(
                str(drop.kind), f"{drop.object.key:<{width}} {drop.object.size:>13,} bytes  {drop.reason}"
            )
        _say_unresolved([item.key for item in found.unresolved])


@app.command()
def load(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, first: FirstOption = "", last: LastOption = "", full_refresh: FullOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Bring in what is new or corrected. Drops that fail are reported at the end; the others are in."""
    with open_session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(first, last, full_refresh), as_json)


@app.command()
def replay(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Load drops with quarantined rows again, under the contract as corrected since."""
    with open_session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(only_quarantined=True), as_json)


@app.command()
def status(
    warehouse: WarehouseOption = None, dataset: DatasetOption = None, as_json: JsonOption = False,
    limit: Annotated[int, typer.Option("--loads", metavar="N", min=0, help="Loads to list.")] = 15,
) -> None:  # fmt: skip
    """Tell what the warehouse holds, and how the newest loads went."""
    with open_ledger(warehouse) as session:
        chosen = [row for row in session.summary() if not dataset or row["dataset"] in dataset]
        loads = [row for name in _or_all(dataset) for row in session.loads(name, limit)]
        unresolved = session.unresolved()
    if as_json:
        output.say_json({"datasets": chosen, "loads": loads, "unresolved": unresolved})
        return
    output.say_table(chosen, {
        "dataset": "dataset", "raw_rows": "rows in raw", "objects": "objects", "drops": "drops",
        "not_loaded": "not loaded", "open_quarantine": "quarantined", "last_load_id": "last load",
        "last_loaded_at": "at (UTC)",
    }, "nothing was loaded yet")  # fmt: skip
    if loads:
        output.console.print()
        told = [{**row, "rows": output.describe_load(row)} for row in loads]
        output.say_table(told, {
            "load_id": "load", "object_key": "object", "kind": "kind", "state": "state", "seconds": "s", "rows": "rows",
        }, "")  # fmt: skip
    _say_unresolved(unresolved)


@quarantine_app.callback(invoke_without_command=True)
def quarantine(
    context: typer.Context, warehouse: WarehouseOption = None, dataset: DatasetOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Closed rows, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most this many rows.")] = 100,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List quarantined rows: the open ones, or those of one load with `show LOAD`."""
    if context.invoked_subcommand is None:
        _quarantined(warehouse, _or_all(dataset), None, everything, limit, as_json)


@quarantine_app.command("show")
def quarantine_show(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="Number of a load, as `status` lists it.")],
    warehouse: WarehouseOption = None, as_json: JsonOption = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most this many rows.")] = 1000,
) -> None:  # fmt: skip
    """List the rows that one load quarantined, open or closed."""
    _quarantined(warehouse, [None], load_id, True, limit, as_json)


@contract_app.command("check")
def contract_check(contracts: ContractsOption = None, as_json: JsonOption = False) -> None:
    """Judge every contract; each fault is told with its place and remedy."""
    found = read_contracts(contracts_folder(contracts))
    if as_json:
        output.say_json(
            [
                {
                    "dataset": one.dataset,
                    "domain": one.domain,
                    "path": str(one.path),
                    "fingerprint": one.fingerprint,
                }
                for one in found
            ]
        )
        return
    for one in found:
        output.say(
            "contract",
            f"{one.path}  {one.domain}.{one.dataset}: {len(one.columns)} columns, key by {one.key.rule}",
        )


@app.command()
def samples(
    landing: LandingOption = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="NAME", help="Only this domain; may be given again."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    scale: Annotated[float, typer.Option("--scale", min=0.01, help="Times the usual number of rows.")] = 1.0,
    faults: Annotated[
        bool, typer.Option("--faults/--no-faults", help="With the faults that real files have.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Write invented drops to the landing, with all the faults of real ones."""
    from data_ingestion.samples import DOMAINS, SampleDrop, write_samples

    place = open_landing(Settings.from_environment(landing_url=landing, warehouse_url="unused").landing_url)
    known = {item.key: item.size for item in place.list_objects()}
    written: list[SampleDrop] = []

    def write(key: str, data: bytes) -> None:
        if known.get(key) != len(data):  # a second run touches nothing
            place.write(key, data)

    for name in domain or DOMAINS:
        written += write_samples(write, name, seed=seed, scale=scale, faults=faults)
    if as_json:
        output.say_json([asdict(drop) for drop in written])
        return
    width = max((len(drop.key) for drop in written), default=0)
    for drop in written:
        output.say("sample", f"{drop.key:<{width}} {drop.rows:>9,} rows, {drop.bad_rows} bad  {drop.note}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; errors that a person can put right are told without a traceback."""
    output.escape_unspellable()
    try:
        app(arguments, standalone_mode=True)
    except GoldworksError as error:
        output.errors.print(f"error: {error}", style="red", markup=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _or_all(datasets: list[str] | None) -> Sequence[str | None]:
    return datasets or (None,)


def _load(session: Session, choice: Choice, as_json: bool) -> None:
    found = discover_landing(
        session.contracts, session.landing, session.warehouse, choice, whole_landing=session.whole_landing
    )
    if not as_json:
        output.say_discovery(session.landing.url, found)
    reports: list[LoadReport] = []
    width = max((len(drop.object.key) for drop in found.drops), default=0)
    for part in found.plans:
        size = sum(drop.object.size for drop in part.drops)
        with output.progress_bar(part.dataset, size, not as_json) as progress:
            for report in load_drops(
                session.contract(part.dataset), session.landing, session.warehouse, part.drops, progress
            ):
                reports.append(report)
                if not as_json:
                    output.say_load(report, width)
    unresolved = [item.key for item in found.unresolved]
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
        output.say_total(reports)
        _say_unresolved(unresolved)
    failed = [report for report in reports if report.state is LoadState.FAILED]
    if failed:
        raise DropFault(
            f"{len(failed)} of {len(reports)} drops failed; the others are in\n  first: {failed[0].told_failure()}"
        )


def _quarantined(
    url: str | None,
    datasets: Sequence[str | None],
    load_id: int | None,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    with open_ledger(url) as opened:
        rows = [
            row
            for name in datasets
            for row in opened.quarantined(name, load_id, everything=everything, limit=limit)
        ]
    if as_json:
        output.say_json(rows)
        return
    for row in rows:
        column = f"{row['column_name']}: " if row["column_name"] else ""
        closed = f"  (closed by load {row['closed_by_load_id']})" if row["closed_by_load_id"] else ""
        place = f"{row['object_key']}:{row['line']}: {column}"
        output.console.print(
            f"{place}{row['reason']}: {row['detail']} → load {row['load_id']}{closed}", markup=False
        )
        output.console.print(f"    {row['raw_text']}", markup=False)
    if not rows:
        output.say("quarantine", "no such row")


def _say_unresolved(keys: Sequence[str]) -> None:
    for key in keys:
        output.say("unresolved", f"{key}  no contract matches", "yellow")
