"""Lake: the records of what was loaded, archived as Parquet, and its small files put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from data_ingestion.lake.archive import ArchiveReport
    from data_ingestion.lake.compaction import CompactionReport


def archive(
    compact: Annotated[
        bool, typer.Option("--compact", help="Merge the small files of each day instead.")
    ] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Archive the records of loaded files in the lake, as Parquet, for datasets whose contracts say so."""
    from data_ingestion.app.archive import archive_datasets, compact_datasets
    from data_ingestion.landing import open_store

    with open_session(landing, contracts, warehouse, dataset) as session:
        archived = [contract for contract in session.contracts if contract.archive]
        if dataset and len(archived) < len(dataset):
            kept_out = sorted(set(dataset) - {contract.dataset for contract in archived})
            raise ContractFault(f"{', '.join(kept_out)}: not archived\n  set `archive: true` in its contract")
        done: Sequence[ArchiveReport | CompactionReport]
        if compact:
            done = compacted = list(compact_datasets(session, archived, session.faults))
            lines = [f"{one.dataset}  {output.describe_compaction(one)}" for one in compacted]
        else:
            done = copied = list(archive_datasets(session, archived, session.faults))
            lines = [f"{one.dataset}  {output.describe_archive(one)}" for one in copied]
        place = open_store(session.settings.lake).url
        if as_json:
            output.say_json(
                {"lake": place, "datasets": done, "faults": output.faults_as_json(session.faults.found)}
            )
        else:
            verb = "compact" if compact else "archive"
            output.say(verb, place if archived else "no contract says `archive: true`")
            for line in lines:
                output.say(verb, line)
        session.faults.raise_found()
