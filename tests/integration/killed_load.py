"""Loads a landing in a process of its own that kills itself at a chosen instant: the crash of test_kills.

usage: killed_load.py INSTANT NTH CONTRACT LANDING WAREHOUSE_URL
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from data_ingestion import load, reading
from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.reading import CsvReader
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.merge import Merge
from data_ingestion.warehouses.postgres.stage import PostgresStage

SMALL_CHUNKS = 4096


def arm(instant: str, nth: int) -> None:
    """Makes the process kill itself the `nth` time that it comes to the instant."""
    countdown = [nth]

    def die() -> None:
        countdown[0] -= 1
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying(call: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:
            if not after:
                die()
            result = call(*args, **options)
            if after:
                die()
            return result

        return wrapper

    owner, name, after = {
        "reading": (CsvReader, "_next_chunk", False),
        "copy": (PostgresStage, "write", True),
        "merging": (Merge, "_run", True),
        "before_commit": (PostgresWarehouse, "bring_in", True),  # the last thing done in the transaction
        "after_commit": (load, "replace", False),  # the first thing done after it
    }[instant]
    setattr(owner, name, dying(getattr(owner, name), after=after))


def main(instant: str, nth: int, contract_file: str, folder: str, url: str) -> None:
    arm(instant, nth)
    original = reading.open_reader
    reading.open_reader = lambda *drop: original(*drop, SMALL_CHUNKS)
    warehouse = PostgresWarehouse.connect(url)
    warehouse.migrate()
    warehouse.abandon_lost_attempts()
    contract, landing = read_contract(Path(contract_file)), FolderLanding(Path(folder))
    (plan,) = discover([contract], landing, warehouse).plans
    for report in load.load_drops(contract, landing, warehouse, plan.drops):
        print(report.object_key, report.state)


try:
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
except psycopg.Error as error:
    sys.exit(f"{type(error).__name__}: {error}")
