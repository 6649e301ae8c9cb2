"""Rebuilds a dataset in a process of its own that kills itself at a chosen instant: the crash of test_rebuild_kills.

usage: killed_rebuild.py INSTANT NTH CONTRACT LANDING WAREHOUSE_URL
"""

import sys
from collections.abc import Callable
from pathlib import Path

import psycopg

from data_ingestion import batch, reading
from data_ingestion.contract import Contract, read_contract
from data_ingestion.landing import FolderLanding
from data_ingestion.rebuild import RebuildReport, rebuild
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.killed_load import SMALL_CHUNKS, Statements, arm


def make_again(
    contract: Contract, landing: FolderLanding, warehouse: PostgresWarehouse, begins: Callable[[], None]
) -> RebuildReport:
    """What `goldworks rebuild` does; `begins` is called when the ledger is ready."""
    warehouse.connection.cursor_factory = Statements
    warehouse.migrate()
    warehouse.abandon_lost_attempts()
    begins()
    return rebuild(contract, landing, warehouse)


def main(instant: str, nth: str, contract_file: str, folder: str, url: str) -> None:
    batch.PART_BYTES = SMALL_CHUNKS
    original = reading.open_reader
    reading.open_reader = lambda *drop: original(*drop, SMALL_CHUNKS)
    contract, landing = read_contract(Path(contract_file)), FolderLanding(Path(folder))
    make_again(contract, landing, PostgresWarehouse.connect(url), lambda: arm(instant, int(nth)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except psycopg.Error as error:
        sys.exit(f"{type(error).__name__}: {error}")
