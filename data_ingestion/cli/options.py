"""Options that commands share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

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
        help="postgresql://USER:PASSWORD@HOST:PORT/DATABASE, duckdb:///FILE, ducklake:…, redshift://… "
        "or snowflake://…. "
        "\\[env: GOLDWORKS_WAREHOUSE_URL]",
    ),
]
DatasetOption = Annotated[
    list[str] | None, typer.Option("--dataset", metavar="NAME", help="Only this dataset; may be given again.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
FirstOption = Annotated[
    str, typer.Option("--from", metavar="PERIOD", help="Only periods from this one on, e.g. 2026-01.")
]
LastOption = Annotated[
    str, typer.Option("--to", metavar="PERIOD", help="Only periods up to and including this one.")
]
ListAllOption = Annotated[bool, typer.Option("--full", help="Also list periods outside the recheck window.")]
FullOption = Annotated[bool, typer.Option("--full-refresh", help="Also load again what is loaded already.")]
TodayOption = Annotated[
    datetime | None,
    typer.Option(
        "--today",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="The samples end on the day before. \\[default: today, UTC]",
    ),
]


def day_of(today: datetime | None) -> date:
    """The day that `--today` names, or the one that it is now."""
    return (today or datetime.now(UTC)).date()
