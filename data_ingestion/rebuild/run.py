"""Run of a rebuild: plan, read, replace; once more where loads came meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from data_ingestion.contract import Contract
from data_ingestion.errors import PlanStale
from data_ingestion.events import write_event
from data_ingestion.landing import Landing, LandingObject
from data_ingestion.ledger import Fates, Kind
from data_ingestion.plan import PlannedDrop
from data_ingestion.rebuild.aside import Aside, Holder
from data_ingestion.rebuild.plan import LeftDrop, RebuildPlan, check_identities, check_left, plan_rebuild
from data_ingestion.rebuild.read import Progress, read_drops
from data_ingestion.rebuild.replace import Rebuilt, replace
from data_ingestion.warehouses.base import Warehouse

# Loads that come meanwhile are caught up with so many times.
ROUNDS = 3


@dataclass(frozen=True)
class RebuildReport:
    """What became of a dataset's rows. `kept` and `lost` are drops that could not be read again."""

    dataset: str
    load_id: int
    drops: int
    fates: Fates
    raw_before: int
    raw_after: int
    kept_rows: int
    kept: tuple[LeftDrop, ...]
    lost: tuple[LeftDrop, ...]
    is_other_key: bool
    notes: tuple[str, ...]
    seconds: float


def rebuild(
    contract: Contract,
    landing: Landing,
    warehouse: Warehouse,
    *,
    gives_up_rows: bool = False,
    planned: Callable[[RebuildPlan], Progress] = lambda plan: lambda key, size: None,
) -> RebuildReport:
    """Makes raw, history and quarantine again from the drops in force, each read once more.

    Readers see the old table until the new one takes its place, in one transaction with all that the ledger says.
    Killed at any moment, nothing has happened. Rows of drops that lie on the landing no more are kept where the
    contract as it is now takes them; where it does not, `OperatorFault` names them, unless `gives_up_rows`. Drops that
    the contract refuses raise `DropFault`, and nothing is changed. `planned` is called with what is going to be read,
    and returns what is called with the bytes as they are read.
    """
    started = time.monotonic()
    if not warehouse.fit(contract).faults:
        warehouse.prepare(contract)
    table = LandingObject(f"raw.{contract.dataset}", 0, "", datetime.now(UTC))
    itself = PlannedDrop(contract.dataset, table, Kind.REBUILD, "", "a person asked for it")
    with warehouse.rebuild(contract) as engine, warehouse.attempts([itself]) as (attempt_id,):
        try:
            aside = Aside(warehouse.session, contract, engine)
            plan, done = _rebuild(aside, landing, warehouse, attempt_id, gives_up_rows, planned)
        except Exception:
            warehouse.forget_attempts([attempt_id])
            raise
    seconds = time.monotonic() - started
    write_event(
        "rebuild",
        dataset=contract.dataset,
        load=done.load_id,
        drops=done.drops,
        **vars(done.fates),
        seconds=seconds,
    )
    return RebuildReport(
        contract.dataset, done.load_id, done.drops, done.fates, done.raw_before, done.raw_after, done.kept,
        () if plan.lost else plan.left, plan.lost, done.is_other_key, done.notes, seconds,
    )  # fmt: skip


def _rebuild(
    aside: Aside,
    landing: Landing,
    warehouse: Warehouse,
    attempt_id: int,
    gives_up_rows: bool,
    planned: Callable[[RebuildPlan], Progress],
) -> tuple[RebuildPlan, Rebuilt]:
    parted: list[Holder] = []
    for attempt in range(1, ROUNDS + 1):
        plan = plan_rebuild(aside, landing)
        check_identities(aside.contract, plan)
        parted += plan.parted
        check_left(plan, gives_up_rows=gives_up_rows)
        read_drops(aside, landing, warehouse, plan, planned(plan))
        left = [drop.drop_id for drop in plan.left]
        kept, lost = (left, []) if plan.keeps else ([], left)
        try:
            with warehouse.transaction():
                return plan, replace(aside, attempt_id, kept, lost, parted)
        except PlanStale:
            if attempt == ROUNDS:
                raise
    raise AssertionError("unreachable: the last round returns or raises")
