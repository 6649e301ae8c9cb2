"""`make test-live TARGET=redshift`: the conformance suite on a warehouse of yours, in a database made for it.

The database is also the claim: while it is there, no second run begins. It is dropped at the end, whatever happens; the
loader removes what it stages by itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from data_ingestion.warehouses.redshift.place import Place as RedshiftPlace
from data_ingestion.warehouses.snowflake.place import Place as SnowflakePlace

DATABASE = "goldworks_live"
TESTS = ("test_types.py", "test_readers.py", "test_histories.py")
# Of the random histories, a warehouse that takes files has a tenth or less (`test_histories.SHARE`).
RUNS = 50
# Statements as counted on the stand-ins; the minutes are a guess, at some tenths of a second for each.
COSTS = {
    "redshift": "some 5,000 statements, 1 MB of staged files: a cluster or workgroup is busy for 20 to 40 minutes",
    "snowflake": "some 3,000 statements, 1 MB of staged files: the smallest warehouse is up for 20 to 40 minutes",
}


def connect(target: str, url: str) -> Any:
    """A connection of the warehouse's driver, each statement by itself."""
    if target == "redshift":
        connection = RedshiftPlace.of(url).connect()
        connection.autocommit = True
        return connection
    return SnowflakePlace.of(url).connect()


@contextmanager
def claimed(execute: Callable[[str], object]) -> Iterator[None]:
    """The database, for as long as the block lasts."""
    try:
        execute(f"create database {DATABASE}")
    except Exception as error:
        raise SystemExit(
            f"{DATABASE}: the database for this run could not be made: {error}\n"
            f"  if it is there, another run is under way, or one was cut off: then `drop database {DATABASE}`, "
            "and run again"
        ) from error
    try:
        yield
    finally:
        execute(f"drop database {DATABASE}")


def main() -> int:
    """Runs the suite; its exit code."""
    parser = argparse.ArgumentParser(prog="make test-live", description=__doc__)
    parser.add_argument("target", choices=tuple(COSTS), help="TARGET=")
    parser.add_argument("--yes", action="store_true", help="do not ask (YES=1)")
    options = parser.parse_args()
    url = os.environ.get("GOLDWORKS_WAREHOUSE_URL", "")
    if not url.startswith(f"{options.target}://"):
        raise SystemExit(
            f"GOLDWORKS_WAREHOUSE_URL is not of a {options.target}\n"
            f"  see docs/guides/{options.target}.md; the login has to be allowed to make databases"
        )
    print(
        f"{options.target}: {COSTS[options.target]}.\nIn the database {DATABASE}, made now and dropped at the end."
    )
    if not options.yes and input("Go on? [y/N] ").strip().lower() != "y":
        return 1
    connection = connect(options.target, url)
    try:
        with claimed(lambda statement: connection.cursor().execute(statement)):
            return _run(options.target, urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}")))
    finally:
        connection.close()


def _run(target: str, url: str) -> int:
    environment = {
        "GOLDWORKS_STATE_MACHINE_RUNS": str(RUNS), **os.environ,
        "GOLDWORKS_LIVE": target, "GOLDWORKS_WAREHOUSE_URL": url,
    }  # fmt: skip
    tests = [f"tests/conformance/{name}" for name in TESTS]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", *tests], env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
