"""Options that commands share."""

from __future__ import annotations

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
ListAllOption = Annotated[
    bool, typer.Option("--full", help="List every period, past those that contracts have listed again, too.")
]
FullOption = Annotated[bool, typer.Option("--full-refresh", help="Load what is in force again, too.")]
