"""Discovery: the landing listed, the ledger asked, and both brought together as plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_ingestion.contract import Contract
from data_ingestion.landing import Landing, LandingObject
from data_ingestion.ledger import KnownObject, ObjectState
from data_ingestion.plan import Choice, Plan, PlannedDrop, plan_drops, sort_objects
from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Discovery:
    """What lies on the landing, by what has to be done with it."""

    plans: tuple[Plan, ...]
    unresolved: tuple[LandingObject, ...]

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
    record: bool = True,
) -> Discovery:
    """Lists the landing and plans what to load.

    Every object seen gets its ledger row, unless `record` is off (a dry run). With `whole_landing` also what no
    contract claims is listed; without, only the folders that the contracts name. What `neighbours` claim is
    neither planned nor unresolved.
    """
    prefixes = (
        {""}
        if whole_landing
        else _outermost({source.pattern.prefix for contract in contracts for source in contract.sources})
    )
    seen = (item for prefix in sorted(prefixes) for item in landing.list_objects(prefix))
    claimed, unclaimed = sort_objects([*contracts, *neighbours], seen)
    unresolved = tuple(unclaimed) if whole_landing else ()
    plans = []
    for contract in contracts:
        objects = claimed[contract.dataset]
        known = warehouse.known_objects(contract.dataset, objects)
        plans.append(plan_drops(contract, objects, known, choice))
        if record:
            warehouse.record_seen(
                contract.dataset, [item for item in objects if _is_news(known.objects.get(item.key), item)]
            )
    if record:
        warehouse.record_seen(None, unresolved)
    return Discovery(tuple(plans), unresolved)


def plan_again(
    contract: Contract, landing: Landing, warehouse: Warehouse, planned: PlannedDrop
) -> PlannedDrop | None:
    """The object as it lies there now, against the ledger as it is now; None if there is nothing left to do."""
    seen = landing.look(planned.object.key)
    if seen is None:
        return None
    plan = plan_drops(contract, [seen], warehouse.known_objects(contract.dataset, [seen]))
    return plan.drops[0] if plan.drops else None


def _is_news(held: KnownObject | None, item: LandingObject) -> bool:
    """Whether the ledger knows nothing of an object yet, or of an object not loaded another version or no contract."""
    if held is None or held.state is ObjectState.UNRESOLVED:
        return True
    return held.state is ObjectState.SEEN and held.etag != item.etag


def _outermost(prefixes: set[str]) -> set[str]:
    """Prefixes without those that lie in another."""
    return {
        prefix
        for prefix in prefixes
        if not any(prefix != other and prefix.startswith(other) for other in prefixes)
    }
