"""Loads a landing in a process of its own, which another one kills: `killed_load.py ENGINE CONTRACT LANDING PLACE`.

It says `loading` when it begins, and `loaded` when all is in.
"""

import sys
from pathlib import Path

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from tests.conformance.engines import open_engine
from tests.integration.limits import without_limits


def main(name: str, contract_file: str, landing_folder: str, place: str, url: str) -> None:
    engine = open_engine(name, Path(place), url)
    contract = without_limits(read_contract(Path(contract_file)))
    landing = FolderLanding(Path(landing_folder))
    engine.warehouse.abandon_lost_attempts()
    print("loading", flush=True)
    (plan,) = discover([contract], landing, engine.warehouse).plans
    for _ in load_drops(contract, landing, engine.warehouse, plan.drops):
        pass
    print("loaded", flush=True)
    engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
