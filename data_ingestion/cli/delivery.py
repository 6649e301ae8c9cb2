"""Delivery: put a file on the landing, where no S3 client is at hand."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import ContractsOption, JsonOption, LandingOption
from data_ingestion.cli.session import contracts_folder
from data_ingestion.errors import UsageFault
from data_ingestion.settings import Settings


def deliver(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to copy.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its name on the landing, folders included.")],
    landing: LandingOption = None,
    contracts: ContractsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a file to the landing, as a sender would."""
    from data_ingestion.contract import read_contracts
    from data_ingestion.landing import open_landing

    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or key.endswith("/") or {"..", "."} & set(key.split("/")):
        raise UsageFault(f"'{key}' is not a name on the landing\n  write it as FOLDER/FILE, without .. in it")
    if not file.is_file():
        raise UsageFault(f"{file}: not a file\n  name the file to copy")
    place = open_landing(Settings.from_environment(landing_url=landing, warehouse_url="unused").landing_url)
    datasets = [
        contract.dataset for contract in read_contracts(contracts_folder(contracts)) if contract.match(key)
    ]
    with file.open("rb") as stream:
        place.write(key, stream)
    size = file.stat().st_size
    if as_json:
        output.say_json({"key": key, "bytes": size, "datasets": datasets})
        return
    goes_to = f"for {', '.join(datasets)}" if datasets else "no contract matches"
    output.say("delivered", f"{key}  {size:,} bytes  {goes_to}", "" if datasets else "yellow")
