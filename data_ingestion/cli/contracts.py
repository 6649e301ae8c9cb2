"""Contracts: the agreements about datasets, checked by themselves and against the tables that the warehouse has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.fits import misfits, say_fits
from data_ingestion.cli.options import ContractsOption, JsonOption
from data_ingestion.cli.session import choose, contracts_folder, open_ledger
from data_ingestion.cli.trials import say_trial
from data_ingestion.errors import DropFault, UsageFault
from data_ingestion.faults import raise_all

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.merge.fit import TableFit

app = typer.Typer(help="Contracts: what was agreed on each dataset.", no_args_is_help=True)


@app.command("check")
def contract_check(
    contracts: ContractsOption = None,
    compares: Annotated[
        bool,
        typer.Option(
            "--warehouse",
            help="Also compare with the warehouse's tables: what a load would change, and what needs a rebuild. "
            "A URL may follow. \\[env: GOLDWORKS_WAREHOUSE_URL]",
        ),
    ] = False,
    url: Annotated[str | None, typer.Argument(hidden=True)] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every contract, and report each fault with its place and remedy."""
    from data_ingestion.contract import read_contracts

    if url and not compares:
        raise UsageFault(f"{url!r} is not expected here\n  a warehouse follows --warehouse")
    found = read_contracts(contracts_folder(contracts))
    fits = _compare(found, url) if compares else {}
    if as_json:
        output.say_json([_as_json(one, fits.get(one.dataset)) for one in found])
    else:
        for one in found:
            output.say(
                "contract",
                f"{one.path}  {one.domain}.{one.dataset}: {len(one.columns)} columns, key by {one.key.rule}",
            )
        say_fits(fits.values())
    raise_all(misfits(fits.values()))


@app.command("draft")
def contract_draft(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files of one dataset, as the sender delivers them.", exists=True, dir_okay=False
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="Of the dataset. \\[default: by the files' names]"),
    ] = None,
    domain: Annotated[
        str, typer.Option("--domain", metavar="NAME", help="Of which the dataset is.")
    ] = "draft",
    path: Annotated[
        str | None,
        typer.Option(
            "--path",
            metavar="PATTERN",
            help="Where its files lie. \\[default: in a folder of the dataset, with the dates of the files' names]",
        ),
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write it to its place among the contracts, instead of printing it."),
    ] = False,
    contracts: ContractsOption = None,
) -> None:
    """Write a first version of a contract from sample files. What only a person can decide is marked in it."""
    from data_ingestion.contract.names import faults_of_dataset, faults_of_name
    from data_ingestion.draft.place import dataset_of, parts_of, path_of
    from data_ingestion.draft.sample import read_sample
    from data_ingestion.draft.unite import unite
    from data_ingestion.draft.write import write_draft

    name = dataset or dataset_of(files)
    for fault, remedy in (*faults_of_dataset(name), *faults_of_name(domain, "domain")):
        raise UsageFault(f"{fault}\n  {remedy}")
    sample = unite({str(file): read_sample(file) for file in files})
    folders, parts = ("", {}) if path else parts_of(files)
    where = path or path_of(files, name, folders)
    draft = write_draft(sample, domain=domain, dataset=name, path=where, parts=parts)
    if not write:
        typer.echo(draft.text, nl=False)
        return
    target = contracts_folder(contracts) / domain / f"{name}.odcs.yaml"
    if target.exists():
        raise UsageFault(
            f"{target}: is there already\n  name another dataset (--dataset), or remove it first"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(draft.text, encoding="utf-8")
    output.say("drafted", f"{target}  {draft.to_decide} to decide: look for 'TO DECIDE'")


@app.command("try")
def contract_try(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files as the sender delivers them.", exists=True, dir_okay=False),
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            "--dataset", metavar="NAME", help="Whose contract is meant. \\[default: by the file's path]"
        ),
    ] = None,
    most: Annotated[
        int, typer.Option("--bad", metavar="N", min=0, help="How many bad rows of a file are shown.")
    ] = 10,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read files under a contract, without a warehouse: what would become of each row. Nothing is loaded or written."""
    from data_ingestion.contract import read_folder
    from data_ingestion.trial import find_contract, key_under, try_file

    folder = contracts_folder(contracts)
    chosen = choose(read_folder(folder), [dataset] if dataset else None, folder)
    tried, faults = [], []
    for file in files:
        contract, key = (chosen[0], key_under(chosen[0], file)) if dataset else find_contract(chosen, file)
        try:
            trial = try_file(file, contract, key, most)
        except DropFault as fault:
            faults.append(fault)
            continue
        tried.append(trial)
        if trial.refused:
            faults.append(DropFault(trial.refused))
        if not as_json:
            say_trial(trial)
    if as_json:
        output.say_json(tried)
    raise_all(faults)


def _compare(contracts: tuple[Contract, ...], url: str | None) -> dict[str, TableFit]:
    """How each contract's table stands to it; nothing is changed."""
    with open_ledger(url, writes=False) as warehouse:
        return {one.dataset: warehouse.fit(one) for one in contracts}


def _as_json(contract: Contract, fit: TableFit | None) -> dict[str, object]:
    checked: dict[str, object] = {
        "dataset": contract.dataset,
        "domain": contract.domain,
        "path": str(contract.path),
        "fingerprints": {
            source.pattern.text: contract.fingerprint_under(source) for source in contract.sources
        },
    }
    return checked if fit is None else {**checked, "changes": fit.changes, "faults": fit.faults}
