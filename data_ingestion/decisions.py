"""Decisions: what waits for a person's yes, and the yes: a held correction is right, texts that fail are known.

What loads is imported when something was accepted: each run asks what waits.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_ingestion.contract import Contract
from data_ingestion.drop_limits import Shape, shapes_known
from data_ingestion.errors import OperatorFault
from data_ingestion.events import write_event
from data_ingestion.landing import Landing
from data_ingestion.ledger import Decision, LoadReport, LoadState
from data_ingestion.warehouses.base import Warehouse


@dataclass(frozen=True)
class Accepted:
    """What was accepted of an object: its held correction, or the shapes of text found in it."""

    dataset: str
    object_key: str
    correction: bool
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """Something that a person has to decide: a correction that is `held`, or a `finding` in what came in."""

    kind: str
    dataset: str
    object_key: str
    message: str


def find_waiting(contracts: Sequence[Contract], warehouse: Warehouse) -> list[Waiting]:
    """What waits for a person in the contracts' datasets. While anything does, a run of them is not green.

    Findings that a contract knows by now are closed.
    """
    by_dataset = {contract.dataset: contract for contract in contracts}
    waiting = [
        Waiting("held", row["dataset"], row["object_key"], _describe_held(row))
        for row in warehouse.held()
        if row["decision"] == Decision.NONE and row["dataset"] in by_dataset
    ]
    for row in warehouse.open_findings():
        contract = by_dataset.get(row["dataset"])
        if contract is None:
            continue
        if Shape(row["column_name"], row["shape"]) in shapes_known(contract):
            warehouse.close_finding(row["finding_id"])
        elif row["state"] == LoadState.LOADED:
            waiting.append(Waiting("finding", row["dataset"], row["object_key"], row["message"]))
    return waiting


def _describe_held(row: Mapping[str, Any]) -> str:
    key = shlex.quote(row["object_key"])
    return (
        f"{row['object_key']}: held since {row['held_at']:%Y-%m-%d %H:%M}: its correction would withdraw "
        f"{row['rows_withdrawn']:,} of {row['rows_held']:,} rows\n"
        f"  `goldworks accept {key}` accepts it, `goldworks withdraw {key}` rejects it"
    )


def accept(contracts: Sequence[Contract], warehouse: Warehouse, key: str) -> Accepted:
    """Notes a person's yes. The next load of the object brings the correction in.

    Shapes of text are accepted in the whole dataset, also under any later contract. Raises `OperatorFault` where
    nothing of the object waits for a person.
    """
    from data_ingestion.withdraw import contract_of, find_known

    known = find_known(warehouse, key)
    contract = contract_of(contracts, known)
    found = [row for row in warehouse.open_findings(contract.dataset) if row["object_key"] == key]
    is_held = known.held is not None and known.held.decision is not Decision.ACCEPTED
    if not warehouse.accept(contract.dataset, key):
        raise OperatorFault(f"{key}: nothing of it is held\n  `goldworks status` lists what needs a decision")
    write_event("accept", dataset=contract.dataset, shapes=len(found), corrections=int(is_held))
    shapes = tuple(f"{row['column_name']}: {row['shape'] or '(empty)'}" for row in found)
    return Accepted(contract.dataset, key, known.held is not None, shapes)


def load_accepted(
    contracts: Sequence[Contract], landing: Landing, warehouse: Warehouse, key: str
) -> list[LoadReport]:
    """Loads an object whose correction was accepted, as it lies on the landing now; nothing if it is in force."""
    from data_ingestion.discovery import plan_again
    from data_ingestion.load import load_drops
    from data_ingestion.withdraw import contract_of, find_known

    contract = contract_of(contracts, find_known(warehouse, key))
    planned = plan_again(contract, landing, warehouse, key)
    return list(load_drops(contract, landing, warehouse, [planned])) if planned else []
