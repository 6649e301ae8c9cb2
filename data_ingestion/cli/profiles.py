"""Profiles: what raw and the models hold, counted and told as a page."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

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
from data_ingestion.settings import manifest_file

if TYPE_CHECKING:
    from data_ingestion.profiles.profile import Profiled


def profile(
    domain: Annotated[
        list[str] | None, typer.Option("--domain", metavar="NAME", help="Only this domain; may be given again.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Profile what has not changed, too.")] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Count what raw and the models of each domain hold, and write a page of it; values only where nobody is named."""
    from data_ingestion.landing import open_store
    from data_ingestion.profiles.profile import profile as count
    from data_ingestion.profiles.profile import read_manifest, write_page
    from data_ingestion.profiles.relations import relations_of

    manifest = read_manifest(manifest_file())
    with open_session(landing, contracts, warehouse, None) as session:
        domains = [
            (name, list(owned)) for name, owned in groupby(session.contracts, key=lambda one: one.domain)
        ]
        _refuse_unknown("domain", domain, {name for name, _ in domains})
        _refuse_unknown("dataset", dataset, {contract.dataset for contract in session.contracts})
        reports = open_store(session.settings.reports)
        pages: dict[str, str] = {}
        done: list[Profiled] = []
        for name, owned in domains:
            if domain and name not in domain:
                continue
            relations = relations_of(owned, manifest)
            chosen = [one for one in relations if not dataset or (one.layer == "raw" and one.name in dataset)]
            if not chosen:
                continue
            done += count(
                chosen, session.warehouse.profiles, everything=full,
                tell=lambda one: None if as_json else output.say_profile(one),
            )  # fmt: skip
            pages[name] = write_page(name, relations, session.warehouse.profiles, reports)
            if not as_json:
                output.say("page", pages[name])
    if as_json:
        output.say_json({"relations": [_plain(one) for one in done], "pages": pages})
    elif manifest is None:
        output.say(
            "profile", f"raw alone: {manifest_file()} is not there, so nobody knows of models", "yellow"
        )


def _plain(one: Profiled) -> dict[str, Any]:
    """A relation with its counts; values are in the tables and on the page."""
    found = one.profile
    return {
        "relation": one.relation.told, "layer": one.relation.layer, "is_new": one.is_new,
        "rows": found and found.rows, "columns": found and len(found.columns), "masked": found and found.masked,
        "sampled": found and found.sampled,
    }  # fmt: skip


def _refuse_unknown(what: str, given: list[str] | None, known: set[str]) -> None:
    for name in given or ():
        if name not in known:
            raise ContractFault(f"no contract of {what} '{name}'\n  there are {', '.join(sorted(known))}")
