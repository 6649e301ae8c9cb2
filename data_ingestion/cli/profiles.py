"""Profiles: what raw and the models hold, counted and shown on a page."""

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
from data_ingestion.faults import raise_all
from data_ingestion.settings import manifest_file

if TYPE_CHECKING:
    from data_ingestion.profiles.profile import Profiled


def profile(
    domain: Annotated[
        list[str] | None, typer.Option("--domain", metavar="NAME", help="Only this domain; may be given again.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Also profile what has not changed.")] = False,
    landing: LandingOption = None, contracts: ContractsOption = None, warehouse: WarehouseOption = None,
    dataset: DatasetOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Count what raw and the models of each domain hold, and write a page; values only for columns marked public."""
    from data_ingestion.app.profile import profile_domain
    from data_ingestion.manifest import read_manifest

    manifest = read_manifest(manifest_file())
    with open_session(landing, contracts, warehouse, None) as session:
        domains = [
            (name, list(owned)) for name, owned in groupby(session.contracts, key=lambda one: one.domain)
        ]
        _refuse_unknown("domain", domain, {*dict(domains), *(one.domain for one in session.faulty)})
        known = {contract.dataset for contract in session.contracts}
        _refuse_unknown("dataset", dataset, {*known, *(one.dataset for one in session.faulty)})
        pages: dict[str, str] = {}
        done: list[Profiled] = []
        hiding = {one.domain for one in session.faulty}
        for name, owned in domains:
            if name in hiding or (domain and name not in domain):
                continue
            found = profile_domain(
                session, owned, manifest, only_raw_of=dataset or (), everything=full,
                on_done=lambda one: None if as_json else output.say_profile(one),
            )  # fmt: skip
            if found is None:
                continue
            done += found.relations
            pages[name] = found.page
            if not as_json:
                output.say("page", found.page)
    of_datasets = {
        one.domain
        for group in (session.contracts, session.faulty)
        for one in group
        if one.dataset in (dataset or ())
    }
    asked_for = [
        fault
        for fault in session.faults.found
        if (not domain or fault.domain in domain) and (not dataset or fault.domain in of_datasets)
    ]
    if as_json:
        output.say_json({
            "relations": [_plain(one) for one in done], "pages": pages, "faults": output.faults_as_json(asked_for),
        })  # fmt: skip
    elif manifest is None:
        output.say(
            "profile", f"only raw: {manifest_file()} does not exist, so dbt's models are unknown", "yellow"
        )
    raise_all([fault.error for fault in asked_for])


def _plain(one: Profiled) -> dict[str, Any]:
    """A relation with its counts; values are in the tables and on the page."""
    found = one.profile
    return {
        "relation": one.relation.qualified_name, "layer": one.relation.layer, "is_new": one.is_new,
        "rows": found and found.rows, "columns": found and len(found.columns), "masked": found and found.masked,
        "sampled": found and found.sampled,
    }  # fmt: skip


def _refuse_unknown(what: str, given: list[str] | None, known: set[str]) -> None:
    for name in given or ():
        if name not in known:
            raise ContractFault(f"no contract of {what} '{name}'\n  known: {', '.join(sorted(known))}")
