"""`python -m bench.file_warehouses`: what loads say to a warehouse that takes files, on its stand-in.

Statements, COPYs and staged bytes: by these a load costs on Redshift or Snowflake, and a stand-in shows them. How long
it takes there, a stand-in can't show.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.scenarios import FIRST_MONTH, NEXT_MONTH
from bench.server import ROOT, running
from data_ingestion.contract import Contract, read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.staging.csv_parts import CsvFiles
from data_ingestion.warehouses.snowflake.session import SnowflakeSession
from tests.conformance.leased_engines import RedshiftEngine, SnowflakeEngine

HEADINGS = (
    "step",
    "warehouse",
    "drops",
    "rows",
    "statements",
    "in one transaction",
    "COPYs",
    "files",
    "MB",
)


@dataclass
class Heard:
    """What a load has said and staged."""

    statements: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0

    def most_in_a_transaction(self) -> int:
        """Statements from a BEGIN to the end of its transaction, both counted."""
        most = count = 0
        for statement in self.statements:
            count = 1 if statement.startswith("begin") else count + 1
            if statement.startswith(("commit", "rollback")):
                most, count = max(most, count), 0
        return most

    def copies(self) -> int:
        """How many COPYs."""
        return sum(one.startswith("copy ") for one in self.statements)


@contextmanager
def heard(engine: Any) -> Iterator[Heard]:
    """Listens to what is said and staged in the block."""
    found = Heard()
    put, ask = CsvFiles.put, SnowflakeSession._ask_server

    def count(files: CsvFiles, name: str, content: bytes) -> str:
        found.files, found.bytes = found.files + 1, found.bytes + len(content)
        return put(files, name, content)

    def note(session: SnowflakeSession, statement: str, values: Any) -> Any:
        found.statements.append(" ".join(statement.split()).lower())
        return ask(session, statement, values)

    before = len(engine.stand_in.statements) if isinstance(engine, RedshiftEngine) else 0
    CsvFiles.put, SnowflakeSession._ask_server = count, note  # type: ignore[method-assign, assignment]
    try:
        yield found
    finally:
        CsvFiles.put, SnowflakeSession._ask_server = put, ask  # type: ignore[method-assign]
    if isinstance(engine, RedshiftEngine):
        found.statements = [" ".join(one.split()).lower() for one in engine.stand_in.statements[before:]]


def steps(files: Path) -> dict[str, Callable[[FolderLanding], None]]:
    """What is delivered, one after the other."""
    small = [
        path
        for year in sorted((files / "small").iterdir())
        if year.name < "2026"
        for path in year.rglob("*.csv")
    ]

    def put(key: str, path: Path) -> Callable[[FolderLanding], None]:
        return lambda landing: landing.write(key, path.read_bytes())

    def put_small(landing: FolderLanding) -> None:
        for path in small:
            landing.write(path.relative_to(files / "small").as_posix(), path.read_bytes())

    def correct_small(landing: FolderLanding) -> None:
        for path in small:
            lines = path.read_bytes().splitlines(keepends=True)
            landing.write(path.relative_to(files / "small").as_posix(), b"".join(lines[:-1]))

    return {
        "first load": put(FIRST_MONTH, files / "month.csv"),
        "reload, one row corrected": put(FIRST_MONTH, files / "corrected.csv"),
        "next month, a tenth known": put(NEXT_MONTH, files / "next.csv"),
        f"{len(small):,} small files": put_small,
        f"{len(small):,} small files corrected": correct_small,
    }


def measure(engine: Any, contract: Contract, files: Path, folder: Path) -> Iterator[tuple[str, ...]]:
    """A row of the table for each step."""
    folder.mkdir()
    landing = FolderLanding(folder)
    engine.warehouse.prepare(contract)
    for name, deliver in steps(files).items():
        deliver(landing)
        (plan,) = discover([contract], landing, engine.warehouse).plans
        with heard(engine) as found:
            reports = list(load_drops(contract, landing, engine.warehouse, plan.drops))
        failed = [report.error for report in reports if report.state != "loaded"]
        if failed:
            raise SystemExit(f"{engine.name}, {name}: {len(failed)} drops failed: {failed[0]}")
        yield (
            name, engine.name, f"{len(reports):,}", f"{sum(report.fates.read for report in reports):,}",
            str(len(found.statements)), str(found.most_in_a_transaction()), str(found.copies()),
            str(found.files), f"{found.bytes / 1e6:.1f}",
        )  # fmt: skip


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.file_warehouses", description=__doc__)
    parser.add_argument("files", type=Path, help="a folder that `make bench` has made: var/bench/files-…")
    parser.add_argument("--only", choices=("redshift", "snowflake"))
    options = parser.parse_args()
    contract = read_contract(ROOT / "contracts/web/events.odcs.yaml")
    folder = Path(tempfile.mkdtemp(prefix="file-warehouses-"))
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    try:
        with running("shipped") as server:
            with server.connect("warehouse") as connection:
                connection.execute("grant create on database warehouse to loader")
                connection.execute((ROOT / "tests/stand_ins/redshift.sql").read_bytes())
            for name in (options.only,) if options.only else ("redshift", "snowflake"):
                engine: Any = (
                    RedshiftEngine(folder, server.url("warehouse"))
                    if name == "redshift"
                    else SnowflakeEngine(folder)
                )
                try:
                    for row in measure(engine, contract, options.files, folder / f"landing-{name}"):
                        print(f"| {' | '.join(row)} |", flush=True)
                finally:
                    engine.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    sys.exit(main())
