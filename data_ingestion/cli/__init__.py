"""Command line: `goldworks`, the loader for a shell, a cron job or a task."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.contract import Contract, read_contracts
from data_ingestion.errors import ContractFault, DropFault, GoldworksError
from data_ingestion.landing import Landing, open_landing
from data_ingestion.ledger import LoadReport, LoadState
from data_ingestion.load import discover as discover_landing
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.settings import Settings
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.base import Warehouse

app = typer.Typer(
    help="Bring files from a landing into a warehouse: exactly once, every row accounted for.",
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

LandingOption = Annotated[
    str | None,
    typer.Option(
        "--landing",
        metavar="URL",
        help="s3://BUCKET/FOLDER, file:///FOLDER or a path. \\[env: GOLDWORKS_LANDING_URL]",
    ),
]
ContractsOption = Annotated[
    Path | None,
    typer.Option(
        "--contracts",
        metavar="DIR",
        help="Folder of contracts. \\[env: GOLDWORKS_CONTRACTS; default: contracts]",
    ),
]
WarehouseOption = Annotated[
    str | None,
    typer.Option(
        "--warehouse",
        metavar="URL",
        help="postgresql://USER:PASSWORD@HOST:PORT/DATABASE. \\[env: GOLDWORKS_WAREHOUSE_URL]",
    ),
]
DatasetOption = Annotated[
    list[str] | None, typer.Option("--dataset", metavar="NAME", help="Only this dataset; may be given again.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
FirstOption = Annotated[
    str, typer.Option("--from", metavar="PERIOD", help="Only periods from this one on, such as 2026-01.")
]
LastOption = Annotated[
    str, typer.Option("--to", metavar="PERIOD", help="Only periods up to this one, itself included.")
]
FullOption = Annotated[bool, typer.Option("--full-refresh", help="Load what is in force again, too.")]


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    contracts: tuple[Contract, ...]
    landing: Landing
    warehouse: Warehouse
    whole_landing: bool

    def contract(self, dataset: str) -> Contract:
        return next(contract for contract in self.contracts if contract.dataset == dataset)


@app.command()
def discover(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List the landing, give every object its ledger row, and tell what is new."""
    with _session(landing, contracts, warehouse, dataset) as session:
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
    with _session(landing, contracts, warehouse, dataset) as session:
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
    with _session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(first, last, full_refresh), as_json)


@app.command()
def replay(
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Load drops with quarantined rows again, under the contract as corrected since."""
    with _session(landing, contracts, warehouse, dataset) as session:
        _load(session, Choice(only_quarantined=True), as_json)


@app.command()
def status(
    warehouse: WarehouseOption = None, dataset: DatasetOption = None, as_json: JsonOption = False,
    limit: Annotated[int, typer.Option("--loads", metavar="N", min=0, help="Loads to list.")] = 15,
) -> None:  # fmt: skip
    """Tell what the warehouse holds, and how the newest loads went."""
    with _warehouse(warehouse) as session:
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
    found = read_contracts(_contracts_folder(contracts))
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


@contextmanager
def _warehouse(url: str | None) -> Iterator[Warehouse]:
    opened = open_warehouse(Settings.from_environment(warehouse_url=url, landing_url="unused").warehouse_url)
    try:
        opened.migrate()
        opened.abandon_lost_attempts()
        yield opened
    finally:
        opened.close()


@contextmanager
def _session(
    landing: str | None, contracts: Path | None, warehouse: str | None, datasets: list[str] | None
) -> Iterator[Session]:
    settings = Settings.from_environment(landing_url=landing, contracts=contracts, warehouse_url=warehouse)
    chosen = _choose(read_contracts(settings.contracts), datasets, settings.contracts)
    place = open_landing(settings.landing_url)
    with _warehouse(settings.warehouse_url) as opened:
        yield Session(chosen, place, opened, whole_landing=not datasets)


def _or_all(datasets: list[str] | None) -> Sequence[str | None]:
    return datasets or (None,)


def _contracts_folder(given: Path | None) -> Path:
    return Settings.from_environment(contracts=given, landing_url="unused", warehouse_url="unused").contracts


def _choose(
    contracts: tuple[Contract, ...], datasets: list[str] | None, folder: Path
) -> tuple[Contract, ...]:
    known = {contract.dataset: contract for contract in contracts}
    for name in datasets or ():
        if name not in known:
            raise ContractFault(
                f"no contract for dataset '{name}' in {folder}\n  it holds {', '.join(sorted(known)) or 'none'}"
            )
    return tuple(known[name] for name in datasets) if datasets else contracts


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
            f"{len(failed)} of {len(reports)} drops failed; the others are in\n  first: {failed[0].error}"
        )


def _quarantined(
    url: str | None,
    datasets: Sequence[str | None],
    load_id: int | None,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    with _warehouse(url) as opened:
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
