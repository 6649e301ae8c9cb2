"""Profile: what raw and the models of a domain hold, counted where it has changed, and its page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_ingestion.app.platform import Platform
from data_ingestion.contract import Contract
from data_ingestion.landing import open_store
from data_ingestion.profiles.ledger import ProfileLedger
from data_ingestion.profiles.masking import relations_of
from data_ingestion.profiles.profile import Profiled, profile, write_page


@dataclass(frozen=True)
class DomainProfile:
    """What became of a domain's relations, and where the page of their newest profiles is."""

    relations: tuple[Profiled, ...]
    page: str


def profile_domain(
    platform: Platform,
    contracts: Sequence[Contract],
    manifest: Mapping[str, Any] | None,
    *,
    only_raw_of: Collection[str] = (),
    everything: bool = False,
    on_done: Callable[[Profiled], None] = lambda _: None,
) -> DomainProfile | None:
    """Counts what has changed, and writes the page; None where the choice leaves nothing.

    `contracts` are all of the domain's. While one of them is faulty a domain must not be profiled: what it marks as
    personal isn't known, and any model of the domain may hold it.
    """
    relations = relations_of(contracts, manifest)
    chosen = [one for one in relations if not only_raw_of or (one.layer == "raw" and one.name in only_raw_of)]
    if not chosen:
        return None
    ledger = ProfileLedger(platform.warehouse.session)
    done = profile(chosen, ledger, everything=everything, on_done=on_done)
    page = write_page(contracts[0].domain, relations, ledger, open_store(platform.settings.reports))
    return DomainProfile(tuple(done), page)
