"""Withdraw: a person says that an object, or a held correction of it, should not be loaded, or takes that back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from data_ingestion.contract import Contract, FaultyContract
from data_ingestion.engine.retry import until_committed
from data_ingestion.errors import DropFault, GoldworksError, ObjectChanged, OperatorFault, WarehouseLost
from data_ingestion.events import write_event
from data_ingestion.landing import Landing, LandingObject, hash_object
from data_ingestion.ledger import Kind, KnownObject, LoadReport, LoadState, MergePlan, ObjectState
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.base import Warehouse


def withdraw(
    contracts: Sequence[Contract],
    landing: Landing,
    warehouse: Warehouse,
    key: str,
    *,
    faulty: Sequence[FaultyContract] = (),
) -> LoadReport:
    """Takes an object out of force, as a load of its own that has read no row.

    Rows that only this object's drop holds leave raw, and what waited behind them comes back. No run loads the
    object again until its bytes change, or `undo_withdrawal`. Of an object that is not in force the version that
    lies there is withdrawn: its bytes are hashed, so that a touch or a copy of them is known. Nothing is changed where
    it is withdrawn already. Where a correction of the object is held, that is rejected, and its rows stay.
    """
    started = time.monotonic()
    known = find_known(warehouse, key)
    contract = contract_of(contracts, known, faulty)
    seen, sha256 = LandingObject(key, known.size, known.etag, known.last_modified), None
    if known.state is not ObjectState.IN_FORCE:
        lying = landing.look(key)
        is_new = lying is not None and (lying.etag, lying.size) != (known.etag, known.size)
        if known.state is ObjectState.WITHDRAWN and not is_new:
            return LoadReport(
                contract.dataset, key, Kind.WITHDRAWAL, LoadState.LOADED,
                plan=MergePlan.NOTHING, plan_reason="withdrawn already",
            )  # fmt: skip
        if lying is not None:
            seen, sha256 = lying, _hash_of(landing, lying)
    warehouse.prepare(contract)
    planned = PlannedDrop(
        contract.dataset, seen, Kind.WITHDRAWAL, known.period, "a person asked for it", known.etag
    )
    with warehouse.attempts([planned]) as (attempt_id,):
        try:
            report = until_committed(
                warehouse.session,
                lambda: _withdraw(contract, warehouse, planned, attempt_id, sha256),
                f"withdrawing {key}",
            )
        except WarehouseLost:  # the next command finds the attempt abandoned
            raise
        except BaseException:  # reported to the caller; nothing is retried by itself
            warehouse.forget_attempts([attempt_id])
            raise
    report = replace(report, seconds=time.monotonic() - started)
    write_event(
        "withdraw",
        dataset=contract.dataset,
        load=report.load_id,
        **vars(report.fates),
        seconds=report.seconds,
    )
    return report


def _withdraw(
    contract: Contract, warehouse: Warehouse, planned: PlannedDrop, attempt_id: int, sha256: bytes | None
) -> LoadReport:
    with warehouse.transaction():
        return warehouse.withdraw(contract, planned, attempt_id, sha256)


def undo_withdrawal(
    contracts: Sequence[Contract],
    landing: Landing,
    warehouse: Warehouse,
    key: str,
    *,
    faulty: Sequence[FaultyContract] = (),
) -> KnownObject:
    """Has the next run load a withdrawn object again, in the rank that it had, or judge a rejected correction again."""
    known = find_known(warehouse, key)
    contract = contract_of(contracts, known, faulty)
    if warehouse.forget_rejection(contract.dataset, key):
        return known
    if known.state is not ObjectState.WITHDRAWN:
        raise OperatorFault(f"{key}: is not withdrawn, there is nothing to undo\n  see `goldworks status`")
    if landing.look(key) is None:
        raise DropFault(
            f"{key}: was not found on {landing.url}, or is not a file\n  deliver it again, then undo"
        )
    warehouse.undo_withdrawal(contract.dataset, key)
    return known


def _hash_of(landing: Landing, seen: LandingObject) -> bytes | None:
    """The hash of the bytes of the version seen; None where they can't be read, which must not stop the withdrawal.

    Raises `ObjectChanged` if another version lies there by now.
    """
    try:
        return hash_object(landing, seen)
    except ObjectChanged:
        raise
    except GoldworksError:
        return None


def find_known(warehouse: Warehouse, key: str) -> KnownObject:
    """The object as the ledger has it. Raises `OperatorFault` for a key that it does not know."""
    if known := warehouse.find_object(key):
        return known
    similar = warehouse.similar_objects(key)
    remedy = (
        f"did you mean {' or '.join(similar)}?"
        if similar
        else "give the key as `goldworks status` shows it, relative to the landing"
    )
    raise OperatorFault(f"{key}: no such object in the ledger\n  {remedy}")


def contract_of(
    contracts: Sequence[Contract], known: KnownObject, faulty: Sequence[FaultyContract] = ()
) -> Contract:
    """The contract of the dataset that the object belongs to. Raises `OperatorFault` where there is none."""
    if known.dataset is None:
        raise OperatorFault(
            f"{known.key}: no contract matches it, so nothing of it was loaded\n  remove it from the landing"
        )
    for contract in contracts:
        if contract.dataset == known.dataset:
            return contract
    for one in faulty:
        if one.dataset == known.dataset:
            raise one.error
    raise OperatorFault(
        f"{known.key}: its rows are in raw.{known.dataset}, which has no contract\n"
        f"  restore the contract of '{known.dataset}' for as long as this takes"
    )
