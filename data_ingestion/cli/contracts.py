"""Contracts: the agreements about datasets, judged."""

from __future__ import annotations

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import ContractsOption, JsonOption
from data_ingestion.cli.session import contracts_folder

app = typer.Typer(help="Contracts: what was agreed about each dataset.", no_args_is_help=True)


@app.command("check")
def contract_check(contracts: ContractsOption = None, as_json: JsonOption = False) -> None:
    """Judge every contract; each fault is told with its place and remedy."""
    from data_ingestion.contract import read_contracts

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
