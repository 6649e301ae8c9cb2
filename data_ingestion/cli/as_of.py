"""As of: the warehouse as it was right after a load, where it is a lake that keeps its snapshots."""

from __future__ import annotations

from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import JsonOption, WarehouseOption
from data_ingestion.settings import Settings

SHOWN = "select dataset, raw_rows from ops.datasets order by dataset"


def as_of(
    load_id: Annotated[
        int, typer.Argument(metavar="LOAD", help="A load, by its number in `goldworks status`.")
    ],
    query: Annotated[
        str, typer.Argument(metavar="SQL", help="What to ask. \\[default: the rows of each dataset]")
    ] = SHOWN,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Query a DuckLake as it was right after a load; nothing is changed."""
    from data_ingestion.warehouses import open_warehouse

    opened = open_warehouse(
        Settings.from_environment(warehouse_url=warehouse, landing_url="unused").warehouse_url
    )
    try:
        rows = opened.query_as_of(load_id, query)
    finally:
        opened.close()
    if as_json:
        output.say_json(rows)
        return
    output.say_table(rows, {name: name for name in rows[0]} if rows else {}, "no rows")
