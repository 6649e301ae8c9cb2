"""Loads a landing in a process of its own that kills itself at a chosen instant: the crash of test_kills.

usage: killed_load.py INSTANT NTH PLAN CONTRACT LANDING WAREHOUSE_URL
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from data_ingestion import batch, reading
from data_ingestion.contract import Contract, read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger import LoadReport
from data_ingestion.load import load_drops
from data_ingestion.reading import CsvReader
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.copy_stage import BinaryCopy
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits

SMALL_CHUNKS = 4096
# The limits by which small drops take each plan. New ones go together unless they are loaded one by one.
LIMITS = {
    "copy": PlanLimits(copy_bytes=0),
    "difference": PlanLimits(large_bytes=0, known_share=0, least_of_raw=0),
    "merge": PlanLimits(known_share=2),
    "together": PlanLimits(known_share=2),
}


class Statements(psycopg.Cursor):
    """A cursor that tells of every statement."""

    begins: Callable[[], None] = staticmethod(lambda: None)

    def execute(self, *arguments: Any, **named: Any) -> Any:
        Statements.begins()
        return super().execute(*arguments, **named)

    def copy(self, *arguments: Any, **named: Any) -> Any:
        Statements.begins()
        return super().copy(*arguments, **named)


def load_landing(
    plan: str,
    contract: Contract,
    landing: FolderLanding,
    warehouse: PostgresWarehouse,
    arm: Callable[[], None],
) -> list[LoadReport]:
    """Loads what is due by a plan; `arm` is called between discovery and load."""
    warehouse.plan_limits = LIMITS[plan]
    warehouse.connection.cursor_factory = Statements
    warehouse.migrate()
    warehouse.abandon_lost_attempts()
    warehouse.prepare(contract)
    (found,) = discover([contract], landing, warehouse).plans
    batches = [found.drops] if plan == "together" else [[drop] for drop in found.drops]
    arm()
    return [report for drops in batches for report in load_drops(contract, landing, warehouse, drops)]


def arm(instant: str, nth: int) -> None:
    """Makes the process kill itself the `nth` time that it comes to the instant."""
    countdown = [nth]

    def die() -> None:
        countdown[0] -= 1
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(owner: Any, name: str) -> None:
        call = getattr(owner, name)

        def wrapper(*arguments: Any, **options: Any) -> Any:
            die()
            return call(*arguments, **options)

        setattr(owner, name, wrapper)

    @contextmanager
    def transaction(self: PostgresWarehouse) -> Iterator[None]:
        with undisturbed(self):
            yield
            if instant == "before_commit":
                die()
        if instant == "after_commit":
            die()

    undisturbed = PostgresWarehouse.transaction
    match instant:
        case "reading":
            dying(CsvReader, "_next_chunk")
        case "copy":
            dying(BinaryCopy, "write")
        case "statement":
            Statements.begins = staticmethod(die)
        case "before_commit" | "after_commit":
            PostgresWarehouse.transaction = transaction  # type: ignore[method-assign]


def main(instant: str, nth: str, plan: str, contract_file: str, folder: str, url: str) -> None:
    batch.PART_BYTES = SMALL_CHUNKS
    original = reading.open_reader
    reading.open_reader = lambda *drop: original(*drop, SMALL_CHUNKS)
    contract, landing = read_contract(Path(contract_file)), FolderLanding(Path(folder))
    warehouse = PostgresWarehouse.connect(url)
    for report in load_landing(plan, contract, landing, warehouse, lambda: arm(instant, int(nth))):
        print(report.object_key, report.state)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except psycopg.Error as error:
        sys.exit(f"{type(error).__name__}: {error}")
