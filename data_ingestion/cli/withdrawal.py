"""Withdrawal: a file that should never have been loaded, taken out again."""

from __future__ import annotations

from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import ContractsOption, JsonOption, LandingOption, WarehouseOption
from data_ingestion.cli.session import open_session


def withdraw(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The object's path on the landing, as `status` lists it.")
    ],
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo a withdrawal: the next load reads the object again.")
    ] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Remove an object's rows from raw, and do not load it again until its bytes change."""
    from data_ingestion.withdraw import undo_withdrawal
    from data_ingestion.withdraw import withdraw as take_out

    with open_session(landing, contracts, warehouse, None) as session:
        if undo:
            known = undo_withdrawal(
                session.contracts, session.landing, session.warehouse, key, faulty=session.faulty
            )
            if as_json:
                output.say_json({"object_key": key, "dataset": known.dataset, "undone": True})
            else:
                output.say("undone", f"{key}  the next `goldworks load` reads it")
            return
        report = take_out(session.contracts, session.landing, session.warehouse, key, faulty=session.faulty)
        if as_json:
            output.say_json(report)
            return
        output.say_withdrawal(report)
