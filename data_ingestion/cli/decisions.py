"""Decisions: a person's yes to a held correction, and the rows that contradict each other within a drop."""

from __future__ import annotations

from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import (
    ContractsOption,
    DatasetOption,
    JsonOption,
    LandingOption,
    WarehouseOption,
)
from data_ingestion.cli.session import open_ledger, open_session, or_all, refuse_unknown
from data_ingestion.errors import DropFault


def accept(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The object's path on the landing, as `status` lists it.")
    ],
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Accept a held correction and load it, or accept texts that a column can't read; their rows stay in quarantine."""
    from data_ingestion.cli.lines import say_load
    from data_ingestion.decisions import accept as say_yes
    from data_ingestion.decisions import load_accepted

    with open_session(landing, contracts, warehouse, None) as session:
        accepted = say_yes(session.contracts, session.warehouse, key)
        reports = load_accepted(session.contracts, session.landing, session.warehouse, key)
        if as_json:
            output.say_json({"accepted": accepted, "loads": reports})
        else:
            if accepted.correction:
                output.say("accepted", f"{key}  its correction")
            for shape in accepted.shapes:
                output.say("accepted", f"{key}  rows that fail in {shape}")
            for report in reports:
                say_load(report, len(key))
    failed = [report for report in reports if report.state == "failed"]
    if failed:
        raise DropFault(failed[0].failure_message())


def conflicts(
    warehouse: WarehouseOption = None, dataset: DatasetOption = None,
    load_id: Annotated[
        int | None, typer.Option("--load", metavar="LOAD", help="Only those of this load.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most this many rows.")] = 100,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List rows that were replaced by a later row with the same key in their file, newest loads first."""
    with open_ledger(warehouse) as opened:
        rows = [row for name in or_all(dataset) for row in opened.conflicts(name, load_id, limit=limit)]
        if dataset and not rows:
            refuse_unknown(dataset, opened.summary())
    if as_json:
        output.say_json(rows)
        return
    for row in rows:
        output.say_line(
            f"{row['object_key']}:{row['line']}: replaced by line {row['kept_line']} with the same key"
            f" → load {row['load_id']}"
        )
        values = ", ".join(f"{name}={value}" for name, value in row["content"].items())
        output.say_line(f"    {values}")
    if not rows:
        output.say("conflicts", "no row")
