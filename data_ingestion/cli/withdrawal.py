"""Withdrawal: a file that should never have been loaded, taken out again."""

from __future__ import annotations

from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import ContractsOption, JsonOption, LandingOption, WarehouseOption
from data_ingestion.cli.session import open_session


def withdraw(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The object's place on the landing, as `status` lists it.")
    ],
    undo: Annotated[
        bool, typer.Option("--undo", help="Take a withdrawal back: the next load reads the object.")
    ] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Take an object's rows out of raw, and load it no more until its bytes change."""
    from data_ingestion.withdraw import undo_withdrawal
    from data_ingestion.withdraw import withdraw as take_out

    with open_session(landing, contracts, warehouse, None) as session:
        if undo:
            known = undo_withdrawal(session.contracts, session.landing, session.warehouse, key)
            if as_json:
                output.say_json({"object_key": key, "dataset": known.dataset, "undone": True})
            else:
                output.say("undone", f"{key}  the next `goldworks load` reads it")
            return
        report = take_out(session.contracts, session.warehouse, key)
        if as_json:
            output.say_json(report)
            return
        output.say_withdrawal(report)
