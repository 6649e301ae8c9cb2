"""Withdraw: a person says that an object should never have been loaded, or takes that back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from data_ingestion.contract import Contract
from data_ingestion.errors import DropFault, OperatorFault, WarehouseLost
from data_ingestion.events import tell
from data_ingestion.landing import Landing, LandingObject
from data_ingestion.ledger import Kind, KnownObject, LoadReport, LoadState, MergePlan, ObjectState
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.base import Warehouse


def withdraw(contracts: Sequence[Contract], warehouse: Warehouse, key: str) -> LoadReport:
    """Takes an object out of force, as a load of its own that has read nothing.

    Rows that only this object's drop holds leave raw, and what waited behind them comes back. No run loads the
    object again until its bytes change, or `undo_withdrawal`. Nothing is changed where it is withdrawn already.
    """
    known = _find(warehouse, key)
    contract = _contract_of(contracts, known)
    if known.state is ObjectState.WITHDRAWN:
        return LoadReport(
            contract.dataset, key, Kind.WITHDRAWAL, LoadState.LOADED,
            plan=MergePlan.NOTHING, plan_reason="withdrawn already",
        )  # fmt: skip
    started = time.monotonic()
    warehouse.prepare(contract)
    seen = LandingObject(key, known.size, known.etag, known.last_modified)
    planned = PlannedDrop(
        contract.dataset, seen, Kind.WITHDRAWAL, known.period, "a person asked for it", known.etag
    )
    with warehouse.attempts([planned]) as (attempt_id,):
        try:
            with warehouse.transaction():
                report = warehouse.withdraw(contract, planned, attempt_id)
        except WarehouseLost:  # the next command finds the attempt abandoned
            raise
        except BaseException:  # told to whoever asked for it; there is nothing to try again by itself
            warehouse.forget_attempts([attempt_id])
            raise
    report = replace(report, seconds=time.monotonic() - started)
    tell(
        "withdraw",
        dataset=contract.dataset,
        load=report.load_id,
        **vars(report.fates),
        seconds=report.seconds,
    )
    return report


def undo_withdrawal(
    contracts: Sequence[Contract], landing: Landing, warehouse: Warehouse, key: str
) -> KnownObject:
    """Has the next run load a withdrawn object again, in the rank that it had."""
    known = _find(warehouse, key)
    contract = _contract_of(contracts, known)
    if known.state is not ObjectState.WITHDRAWN:
        raise OperatorFault(f"{key}: is not withdrawn, there is nothing to undo\n  see `goldworks status`")
    if landing.look(key) is None:
        raise DropFault(f"{key}: lies on {landing.url} no more\n  have it delivered again, then undo")
    warehouse.undo_withdrawal(contract.dataset, key)
    return known


def _find(warehouse: Warehouse, key: str) -> KnownObject:
    if known := warehouse.find_object(key):
        return known
    similar = warehouse.similar_objects(key)
    remedy = (
        f"did you mean {' or '.join(similar)}?"
        if similar
        else "give the key as `goldworks status` shows it, from the landing down"
    )
    raise OperatorFault(f"{key}: the ledger knows no such object\n  {remedy}")


def _contract_of(contracts: Sequence[Contract], known: KnownObject) -> Contract:
    if known.dataset is None:
        raise OperatorFault(
            f"{known.key}: no contract claims it, so nothing of it was loaded\n  remove it from the landing"
        )
    for contract in contracts:
        if contract.dataset == known.dataset:
            return contract
    raise OperatorFault(
        f"{known.key}: its rows are in raw.{known.dataset}, which has no contract\n"
        f"  put the contract of '{known.dataset}' back for as long as this takes"
    )
