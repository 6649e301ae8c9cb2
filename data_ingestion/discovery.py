"""Discovery: the landing listed, the ledger asked, and both brought together as plans."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from data_ingestion.contract import Contract, FaultyContract
from data_ingestion.errors import OperatorFault, UsageFault
from data_ingestion.events import write_discovery_events
from data_ingestion.faults import DatasetFault, DatasetFaults, faults_of_contracts
from data_ingestion.landing import Landing, LandingObject, PassedOver
from data_ingestion.ledger import KnownObject, LedgerView, ObjectState
from data_ingestion.listing import Listing, window_start
from data_ingestion.plan import Choice, Plan, PlannedDrop, plan_drops, sort_objects
from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Discovery:
    """What lies on the landing, by what has to be done with it.

    A dataset with a fault has no plan. `set_aside` are objects that a faulty contract claims, or may claim where it
    does not say so; nothing was recorded of them. `passed_over` can't be objects.
    """

    plans: tuple[Plan, ...]
    unresolved: tuple[LandingObject, ...]
    ignored: tuple[LandingObject, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    set_aside: tuple[LandingObject, ...] = ()
    faults: tuple[DatasetFault, ...] = ()

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
    faulty: Sequence[FaultyContract] = (),
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

    What keeps one dataset from being planned is a fault of that dataset, and the others go on. Objects that `faulty`
    contracts claim stay as they are; while one of them does not say which, so does everything that no contract claims.
    """
    refuse_without_periods(contracts, choice)
    claims = [contract.claims for contract in faulty if contract.claims]
    notes = (note for contract in (*contracts, *neighbours, *claims) for note in contract.notes)
    started, now = time.monotonic(), datetime.now(UTC)
    faults = DatasetFaults()
    for contract in contracts:
        with faults.of(contract):
            _refuse_reserved(contract, reserved)
    windows = {} if full else _windows(contracts, warehouse, choice, now)
    pending = {contract.dataset: warehouse.pending_objects(contract) for contract in contracts}
    listing = Listing(
        contracts,
        () if full else (*neighbours, *claims),
        windows,
        {_folder_of(key) for keys in pending.values() for key in keys},
        whole_landing,
        (*reserved, *notes),
    )
    odd: list[PassedOver] = []
    walked = (item for start in listing.starts for item in landing.walk(listing.choose, start, odd.append))
    found = (item for item in walked if not listing.is_reserved(item.key))
    lying = sort_objects([*contracts, *neighbours], found, claims)
    if len(claims) < len(faulty):
        lying.set_aside.extend(lying.unresolved)
        lying.unresolved.clear()
    passed_over = tuple(entry for entry in odd if not listing.is_reserved(entry.key))
    unseen = {entry.key for entry in passed_over}
    unresolved = tuple(lying.unresolved) if whole_landing else ()
    plans: list[Plan] = []
    gone: set[str] = set()
    kept_out = faults.datasets
    for contract in (one for one in contracts if one.dataset not in kept_out):
        with faults.of(contract):
            if conflict := lying.conflicts.get(contract.dataset):
                raise conflict
            objects = lying.drops[contract.dataset]
            known = warehouse.known_objects(contract.dataset, objects)
            plan = plan_drops(contract, objects, known, choice, now, lying.markers[contract.dataset])
            missed = pending[contract.dataset].keys() - {item.key for item in objects}
            missed = {key for key in missed if listing.covers(key) and not _may_lie_in(unseen, key)}
            outdated = sorted(key for key in missed if pending[contract.dataset][key] is ObjectState.IN_FORCE)
            if record:
                warehouse.record_seen(contract.dataset, _to_record(objects, known))
            plans.append(replace(plan, outdated=tuple(outdated)))
            gone |= missed
    if record:
        warehouse.record_seen(None, unresolved)
        if whole_landing:
            there = {item.key for item in (*unresolved, *lying.set_aside)}
            missed = {key for key in warehouse.unresolved() if key not in there and listing.covers(key)}
            gone |= {key for key in missed if not _may_lie_in(unseen, key)}
        warehouse.record_gone(gone)
        warehouse.record_faults("contract", None, faults_of_contracts(faulty))
        warehouse.record_faults("discover", [contract.dataset for contract in contracts], faults.found)
    discovery = Discovery(
        tuple(plans),
        unresolved,
        tuple(lying.ignored),
        passed_over,
        tuple(lying.set_aside),
        tuple(faults.found),
    )
    write_discovery_events(discovery, time.monotonic() - started, dry=not record)
    return discovery


def refuse_without_periods(contracts: Sequence[Contract], choice: Choice) -> None:
    """Raises `UsageFault` where periods are asked for of datasets that have none: nothing could match."""
    if choice.is_range and contracts and not any(contract.has_periods for contract in contracts):
        names = ", ".join(contract.dataset for contract in contracts)
        raise UsageFault(
            f"{names}: periods were chosen, but the paths of these files have none, so nothing would match\n"
            "  choose no period to load everything that is new"
        )


def plan_again(contract: Contract, landing: Landing, warehouse: Warehouse, key: str) -> PlannedDrop | None:
    """The object as it lies there now, against the ledger as it is now; None if there is nothing left to do."""
    seen = landing.look(key)
    if seen is None:
        return None
    markers = {}
    if contract.done_marker and (marker := landing.look(contract.done_marker.of(seen.key))):
        markers[marker.key] = marker
    known = warehouse.known_objects(contract.dataset, [seen])
    plan = plan_drops(contract, [seen], known, markers=markers)
    return plan.drops[0] if plan.drops else None


def _refuse_reserved(contract: Contract, reserved: tuple[str, ...]) -> None:
    """Raises where what a contract waits for lies among what we write: it would never be seen."""
    for prefix in contract.prefixes:
        if reserved and prefix.startswith(reserved):
            raise OperatorFault(
                f"{contract.path}: its files are in '{prefix}', where the platform stores its lake or its reports\n"
                "  move those with GOLDWORKS_LAKE_URL and GOLDWORKS_REPORTS_URL"
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


def _may_lie_in(unseen: set[str], key: str) -> bool:
    """Whether an object, or a folder above it, was passed over: it may lie there all the same."""
    parts = key.split("/")
    return bool(unseen) and any("/".join(parts[:depth]) in unseen for depth in range(1, len(parts) + 1))


def _to_record(objects: Sequence[LandingObject], known: LedgerView) -> list[LandingObject]:
    """Objects of which the ledger knows nothing yet, or, while they are not loaded, another version or no contract."""
    return [item for item in objects if _is_news(known.objects.get(item.key), item)]


def _is_news(held: KnownObject | None, item: LandingObject) -> bool:
    if held is None or held.state is ObjectState.UNRESOLVED:
        return True
    return held.state is ObjectState.SEEN and (held.etag != item.etag or held.is_gone)


def _folder_of(key: str) -> str:
    return key[: key.rfind("/") + 1]
