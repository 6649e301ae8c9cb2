"""Discovery: the landing listed, the ledger asked, and both brought together as plans."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from data_ingestion.contract import Contract
from data_ingestion.errors import OperatorFault
from data_ingestion.events import tell_discovery
from data_ingestion.landing import Landing, LandingObject
from data_ingestion.ledger import KnownObject, LedgerView, ObjectState
from data_ingestion.listing import Listing, window_start
from data_ingestion.plan import Choice, Plan, PlannedDrop, plan_drops, sort_objects
from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Discovery:
    """What lies on the landing, by what has to be done with it."""

    plans: tuple[Plan, ...]
    unresolved: tuple[LandingObject, ...]
    ignored: tuple[LandingObject, ...] = ()

    @property
    def drops(self) -> tuple[PlannedDrop, ...]:
        """Every planned drop, dataset by dataset."""
        return tuple(drop for plan in self.plans for drop in plan.drops)


def discover(
    contracts: Sequence[Contract],
    landing: Landing,
    warehouse: Warehouse,
    choice: Choice = Choice(),
    *,
    neighbours: Sequence[Contract] = (),
    whole_landing: bool = True,
    full: bool = False,
    record: bool = True,
    reserved: tuple[str, ...] = (),
) -> Discovery:
    """Lists the landing and plans what to load.

    Every object seen gets its ledger row, unless `record` is off (a dry run, which writes nothing). With
    `whole_landing` also what no contract claims is listed; without, only the folders that the contracts name. What
    `neighbours` claim is neither planned nor unresolved. Periods that lie before a contract's window are listed only
    with `full`, where the choice asks for them, or where something of them is still to be done. What lies in a
    `reserved` folder was not delivered, but written by the platform, and so is a contract's note.
    """
    _refuse_reserved([*contracts, *neighbours], reserved)
    notes = (note for contract in (*contracts, *neighbours) for note in contract.notes)
    started, now = time.monotonic(), datetime.now(UTC)
    windows = {} if full else _windows(contracts, warehouse, choice, now)
    pending = {contract.dataset: warehouse.pending_objects(contract) for contract in contracts}
    listing = Listing(
        contracts,
        () if full else neighbours,
        windows,
        {_folder_of(key) for keys in pending.values() for key in keys},
        whole_landing,
        (*reserved, *notes),
    )
    walked = (item for start in listing.starts for item in landing.walk(listing.choose, start))
    found = (item for item in walked if not listing.is_reserved(item.key))
    lying = sort_objects([*contracts, *neighbours], found)
    unresolved = tuple(lying.unresolved) if whole_landing else ()
    plans, gone = [], set()
    for contract in contracts:
        objects = lying.drops[contract.dataset]
        known = warehouse.known_objects(contract.dataset, objects)
        plan = plan_drops(contract, objects, known, choice, now, lying.markers[contract.dataset])
        missed = pending[contract.dataset].keys() - {item.key for item in objects}
        missed = {key for key in missed if listing.covers(key)}
        outdated = sorted(key for key in missed if pending[contract.dataset][key] is ObjectState.IN_FORCE)
        plans.append(replace(plan, outdated=tuple(outdated)))
        gone |= missed
        if record:
            warehouse.record_seen(contract.dataset, _to_record(objects, known))
    if record:
        warehouse.record_seen(None, unresolved)
        if whole_landing:
            there = {item.key for item in unresolved}
            gone |= {key for key in warehouse.unresolved() if key not in there and listing.covers(key)}
        warehouse.record_gone(gone)
    discovery = Discovery(tuple(plans), unresolved, tuple(lying.ignored))
    tell_discovery(discovery, time.monotonic() - started, dry=not record)
    return discovery


def plan_again(
    contract: Contract, landing: Landing, warehouse: Warehouse, planned: PlannedDrop
) -> PlannedDrop | None:
    """The object as it lies there now, against the ledger as it is now; None if there is nothing left to do."""
    seen = landing.look(planned.object.key)
    if seen is None:
        return None
    markers = {}
    if contract.done_marker and (marker := landing.look(contract.done_marker.of(seen.key))):
        markers[marker.key] = marker
    known = warehouse.known_objects(contract.dataset, [seen])
    plan = plan_drops(contract, [seen], known, markers=markers)
    return plan.drops[0] if plan.drops else None


def _refuse_reserved(contracts: Sequence[Contract], reserved: tuple[str, ...]) -> None:
    """Raises where what a contract waits for lies among what we write: it would never be seen."""
    for contract in contracts:
        for prefix in contract.prefixes:
            if reserved and prefix.startswith(reserved):
                raise OperatorFault(
                    f"{contract.path}: its files lie in '{prefix}', where the platform keeps its lake or its reports\n"
                    "  give those another place by GOLDWORKS_LAKE_URL and GOLDWORKS_REPORTS_URL"
                )


def _windows(
    contracts: Sequence[Contract], warehouse: Warehouse, choice: Choice, now: datetime
) -> dict[str, str]:
    """From which moment on each dataset's periods are listed; '' for all of them."""
    windows = {}
    for contract in contracts:
        if contract.recheck is None or choice.full_refresh or choice.only_quarantined:
            windows[contract.dataset] = ""
        elif choice.first_period or choice.last_period:
            windows[contract.dataset] = choice.first_period
        else:
            windows[contract.dataset] = window_start(contract, now, warehouse.newest_begun(contract.dataset))
    return windows


def _to_record(objects: Sequence[LandingObject], known: LedgerView) -> list[LandingObject]:
    """Objects of which the ledger knows nothing yet, or, while they are not loaded, another version or no contract."""
    return [item for item in objects if _is_news(known.objects.get(item.key), item)]


def _is_news(held: KnownObject | None, item: LandingObject) -> bool:
    if held is None or held.state is ObjectState.UNRESOLVED:
        return True
    return held.state is ObjectState.SEEN and (held.etag != item.etag or held.is_gone)


def _folder_of(key: str) -> str:
    return key[: key.rfind("/") + 1]
