"""Reading of a rebuild: every planned drop read once more into the tables aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from data_ingestion.errors import DropFault, ObjectChanged
from data_ingestion.grouping import group_drops
from data_ingestion.landing import Landing
from data_ingestion.load import Loader
from data_ingestion.plan import PlannedDrop
from data_ingestion.quarantine import BadRows
from data_ingestion.rebuild.aside import Aside, Holder, RebuiltDrop
from data_ingestion.rebuild.plan import RebuildPlan
from data_ingestion.warehouses.base import Warehouse

Progress = Callable[[str, int], None]


def read_drops(
    aside: Aside, landing: Landing, warehouse: Warehouse, plan: RebuildPlan, progress: Progress
) -> None:
    """Reads every planned drop; one that was changed meanwhile is left to the next round.

    Raises `DropFault` where the contract rejects any of them.
    """
    contract = aside.contract
    held = {holder.object.key: holder for holder in plan.held}
    failed: list[str] = []
    waiting = list(group_drops(plan.drops))
    with ExitStack() as opened:
        loader = Loader(contract, landing, warehouse, progress, opened)
        for number, batch in enumerate(waiting):
            alone: Sequence[PlannedDrop] = batch
            if len(batch) > 1:
                following = waiting[number + 1] if number + 1 < len(waiting) else ()
                taken = _take_together(loader, aside, batch, following, held)
                alone = [drop for position, drop in enumerate(batch) if position not in taken]
            for drop in alone:
                try:
                    _take_alone(loader, aside, drop, held[drop.object.key])
                except DropFault as error:
                    failed.append(str(error))
                except ObjectChanged:
                    continue
    if failed:
        others = f"\n  and {len(failed) - 1:,} more" if len(failed) > 1 else ""
        raise DropFault(
            f"raw.{contract.dataset} was not rebuilt, nothing has changed: the contract rejects "
            f"{len(failed):,} of {len(plan.drops):,} drops. The first: {failed[0]}{others}\n"
            "  correct the contract; or change it back, withdraw them, and run the rebuild with the new one again"
        )


def _take_together(
    loader: Loader,
    aside: Aside,
    batch: list[PlannedDrop],
    following: Sequence[PlannedDrop],
    held: dict[str, Holder],
) -> set[int]:
    """Reads small drops in one transaction; the positions of those that are in. One that is refused leaves all out."""
    try:
        with loader.warehouse.transaction(), loader.staged_again(batch, following or None) as (read, staged):
            drops = [
                RebuiltDrop(
                    held[each.planned.object.key], each.position, each.planned.object, each.read, each.bad
                )
                for each in read
            ]
            aside.take_in(drops, staged)
    except DropFault:
        return set()
    return {each.position for each in read}


def _take_alone(loader: Loader, aside: Aside, drop: PlannedDrop, holder: Holder) -> None:
    bad = BadRows()
    try:
        with loader.warehouse.transaction():
            read, findings = loader.stage_again(drop, bad)
            aside.take_in([RebuiltDrop(holder, 0, drop.object, read, bad, findings)], read.staged)
    finally:
        bad.close()
