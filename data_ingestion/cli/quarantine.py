"""Quarantine: the rows that break their contract."""

from __future__ import annotations

from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import DatasetOption, JsonOption, WarehouseOption
from data_ingestion.cli.session import open_ledger, or_all, refuse_unknown
from data_ingestion.excerpts import shorten_line

app = typer.Typer(help="Rows that violate their contract, with reason, place and text.")


@app.callback(invoke_without_command=True)
def quarantine(
    context: typer.Context, warehouse: WarehouseOption = None, dataset: DatasetOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also show closed rows.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most this many rows.")] = 100,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List open quarantined rows, or those of one load with `show LOAD`."""
    if context.invoked_subcommand is None:
        _quarantined(warehouse, dataset, None, everything, limit, as_json)


@app.command("show")
def quarantine_show(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="Number of a load, as `status` lists it.")],
    warehouse: WarehouseOption = None, as_json: JsonOption = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most this many rows.")] = 1000,
) -> None:  # fmt: skip
    """List the rows that one load quarantined, open or closed."""
    _quarantined(warehouse, None, load_id, True, limit, as_json)


def _quarantined(
    url: str | None,
    datasets: list[str] | None,
    load_id: int | None,
    everything: bool,
    limit: int,
    as_json: bool,
) -> None:
    with open_ledger(url) as opened:
        rows = [
            row
            for name in or_all(datasets)
            for row in opened.quarantined(name, load_id, everything=everything, limit=limit)
        ]
        if datasets and not rows:
            refuse_unknown(datasets, opened.summary())
    if as_json:
        output.say_json(rows)
        return
    for row in rows:
        column = f"{row['column_name']}: " if row["column_name"] else ""
        closed = f"  (closed by load {row['closed_by_load_id']})" if row["closed_by_load_id"] else ""
        place = f"{shorten_line(row['object_key'])}:{row['line']}: {column}"
        output.say_line(
            f"{place}{row['reason']}: {shorten_line(row['detail'])} → load {row['load_id']}{closed}"
        )
        output.say_line(f"    {shorten_line(row['raw_text'])}")
    if not rows:
        output.say(
            "quarantine", f"load {load_id} has none" if load_id else "no row" if everything else "no open row"
        )
