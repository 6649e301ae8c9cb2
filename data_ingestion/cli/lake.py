"""Lake: the records of what was loaded, archived as Parquet, and its small files put together."""

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
from data_ingestion.cli.session import open_session
from data_ingestion.errors import ContractFault


def archive(
    compact: Annotated[
        bool, typer.Option("--compact", help="Put the small files of each day together instead.")
    ] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Archive the records of what was loaded in the lake, as Parquet; of the datasets whose contracts say so."""
    from data_ingestion.lake.archive import archive as copy
    from data_ingestion.lake.compaction import compact as join
    from data_ingestion.landing import open_store

    with open_session(landing, contracts, warehouse, dataset) as session:
        archived = [contract for contract in session.contracts if contract.archive]
        if dataset and len(archived) < len(dataset):
            kept_out = sorted(set(dataset) - {contract.dataset for contract in archived})
            raise ContractFault(
                f"{', '.join(kept_out)}: not archived\n  the contract has to say `archive: true`"
            )
        lake = open_store(session.settings.lake)
        for contract in archived:
            session.warehouse.prepare(contract)
        if compact:
            joined = [join(contract.dataset, lake, session.warehouse.lake) for contract in archived]
            told = [output.told_compaction(report) for report in joined]
        else:
            copied = [copy(contract, session.landing, lake, session.warehouse.lake) for contract in archived]
            told = [output.told_archive(report) for report in copied]
        if as_json:
            output.say_json({"lake": lake.url, "datasets": joined if compact else copied})
            return
        verb = "compact" if compact else "archive"
        output.say(verb, lake.url if archived else "no contract says `archive: true`")
        for contract, line in zip(archived, told, strict=True):
            output.say(verb, f"{contract.dataset}  {line}")
