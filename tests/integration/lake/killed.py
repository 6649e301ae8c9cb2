"""Archives, or compacts, in a process of its own that kills itself at a chosen instant: the crash of the lake's tests.

usage: killed.py archive|compact OWNER.METHOD NTH before|after CONTRACT LANDING LAKE WAREHOUSE_URL
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from data_ingestion.contract import read_contract
from data_ingestion.lake.archive import archive
from data_ingestion.lake.compaction import compact
from data_ingestion.lake.ledger import LakeLedger
from data_ingestion.landing import FolderLanding
from data_ingestion.warehouses.postgres import PostgresWarehouse

OWNERS: dict[str, Any] = {"lake": FolderLanding, "ledger": LakeLedger, "file": Path}


def arm(instant: str, nth: int, when: str) -> None:
    """Makes the process kill itself just before, or just after, the `nth` call of a method."""
    owner, name = instant.split(".")
    countdown, call = [nth], getattr(OWNERS[owner], name)

    def dying(*arguments: Any, **named: Any) -> Any:
        countdown[0] -= 1
        if countdown[0] == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = call(*arguments, **named)
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(OWNERS[owner], name, dying)


def main(
    what: str, instant: str, nth: str, when: str, contract: str, landing: str, lake: str, url: str
) -> None:
    archived, place = read_contract(Path(contract)), FolderLanding(Path(lake))
    warehouse = PostgresWarehouse.connect(url)
    arm(instant, int(nth), when)
    if what == "archive":
        archive(archived, FolderLanding(Path(landing)), place, LakeLedger(warehouse.session))
    else:
        compact(archived.dataset, place, LakeLedger(warehouse.session))


if __name__ == "__main__":
    main(*sys.argv[1:])
