"""`python -m bench.small_files`: a day of a source with a file a second, and the next minute of it.

Held against two limits of the same machine: COPY of the same records from one file into an unlogged table of text
without an index, and reading the files at all (open, hash, the standard library's JSON).
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.loaders import OWN
from bench.process import Cost, Spent, Wrong, run
from bench.server import PROFILES, ROOT, Server, running

DATASET, FIRST = "vehicle_events", datetime(2026, 3, 2)
BAD_EVERY = 30  # in every so-manieth file one record is bad
READ_ALL = """
import hashlib, json, os, sys
records = 0
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        hashlib.sha256(data).digest()
        records += len([json.loads(line) for line in data.splitlines()])
print(records)
"""


@dataclass(frozen=True)
class Day:
    """What was written: so many files from a second on, with so many records each."""

    folder: Path
    records: int

    def write(self, first: int, files: int) -> None:
        """Adds files to the landing, and their records to the one file of the limit."""
        with (self.folder / "records.csv").open("a", encoding="utf-8") as together:
            for second in range(first, first + files):
                path = self.folder / "landing" / key_of(second)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("w", encoding="utf-8") as file:
                    for cells in records_of(second, self.records):
                        file.write(line_of(cells))
                        together.write(",".join(cells) + "\n")


def key_of(second: int) -> str:
    """The file of a second, its seconds unpadded."""
    moment = FIRST + timedelta(seconds=second)
    return f"data/{moment:%Y/%m/%d/%H/%M}/{moment:%Y-%m-%d-%H-%M}-{moment.second}-events.txt"


def records_of(second: int, records: int) -> Iterator[tuple[str, str, str, str]]:
    """When, which vehicle, and where: each of its own moment, none twice; one of every BAD_EVERY files is nowhere."""
    chance = random.Random(second)
    moment = f"{FIRST + timedelta(seconds=second, hours=3):%Y-%m-%dT%H:%M:%S}"
    for number in range(records):
        latitude = 43.6 + chance.randrange(10**5) / 10**6
        if number == records - 1 and second % BAD_EVERY == BAD_EVERY - 1:
            latitude += 100
        vehicle = f"{number * 2654435761 % 2**32:08x}-{number:04x}-4000-8000-{number:012x}"
        at = f"{moment}.{number * 1000 // records:03d}Z"
        yield at, vehicle, f"{latitude:.5f}", f"{1.44 + chance.randrange(10**5) / 10**6:.5f}"


def line_of(cells: tuple[str, str, str, str]) -> str:
    """The record as the source writes it."""
    at, vehicle, latitude, longitude = cells
    return (
        f'{{"event":"update","on":"vehicle","at":"{at}","data":{{"id":"{vehicle}","location":{{"lat":{latitude},'
        f'"lng":{longitude},"at":"{at}"}}}},"organization_id":"ring-line"}}\n'
    )


def main() -> int:
    """Writes the day, measures, and prints a line a step; 1 when something is not in the warehouse as it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.small_files", description=__doc__)
    parser.add_argument("--files", type=int, default=86_400)
    parser.add_argument("--records", type=int, default=30, help="in each file")
    parser.add_argument("--new", type=int, default=60, help="files that the next load finds")
    parser.add_argument("--profile", choices=PROFILES, default="shipped")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="goldworks-small-files-"))
    try:
        day = Day(home, options.records)
        day.write(0, options.files)
        with running(options.profile) as server:
            records = options.files * options.records
            _print_step("copy limit", records, "records", _copy(server, home, records))
            _print_step("reading alone", options.files, "files", _read(home, records))
            _print_step("first load", options.files, "files", _load(server, home))
            _check(server, options.files, options.records)
            day.write(options.files, options.new)
            _print_step("next load", options.new, "files", _load(server, home))
            _check(server, options.files + options.new, options.records)
            _print_step("nothing new", options.files + options.new, "files", _load(server, home))
            again = options.files + options.new
            _print_step("all read again", again, "files", _load(server, home, "--full-refresh"))
            _check(server, again, options.records, readings=2)
    except Wrong as wrong:
        print(f"WRONG, no figure: {wrong}")
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


def _copy(server: Server, home: Path, records: int) -> Cost:
    with server.connect("postgres") as connection:
        connection.execute(
            "create unlogged table copied (at text, vehicle text, latitude text, longitude text)"
        )
        server.checkpoint()
        copy = f"\\copy copied from '{home / 'records.csv'}' with (format csv)"
        cost, _ = run(
            [server.cluster.binaries / "psql", "-X", "-q", "-c", copy],
            {**server.cluster.connection("limit"), "PGDATABASE": "postgres"}, ROOT, _spent(server, "nobody is here"),
        )  # fmt: skip
        if connection.execute("select count(*) from copied").fetchone() != (records,):
            raise Wrong("the copy limit has not copied all records")
        connection.execute("drop table copied")
    return cost


def _read(home: Path, records: int) -> Cost:
    cost, said = run([sys.executable, "-c", READ_ALL, home / "landing"], {}, ROOT)
    if said.strip() != str(records):
        raise Wrong(f"{said} records were read, {records} written")
    return cost


def _load(server: Server, home: Path, *options: str) -> Cost:
    server.checkpoint()
    environment = {
        "GOLDWORKS_WAREHOUSE_URL": server.url("warehouse"),
        "GOLDWORKS_LANDING_URL": str(home / "landing"),
        "GOLDWORKS_CONTRACTS": str(ROOT / "contracts"),
    }
    return run([*OWN.command, "load", *options], environment, ROOT, _spent(server, "warehouse"))[0]


def _check(server: Server, files: int, records: int, readings: int = 1) -> None:
    """Every file has its loads, and every record its place."""
    bad = files // BAD_EVERY
    asked = f"""select (select count(*) from raw.{DATASET}),
                       (select count(*) from ops.quarantine where closed_by_load_id is null),
                       (select count(*) from ops.loads where state = 'loaded'), (select count(*) from ops.loads),
                       (select sum(rows_read) from ops.loads)"""
    with server.connect("warehouse") as connection:
        found = connection.execute(asked).fetchone()
    loads = files * readings
    if found != (files * records - bad, bad, loads, loads, loads * records):
        raise Wrong(f"{files} files of {records} records, one bad in {bad} of them, became {found}")


def _spent(server: Server, database: str) -> Spent:
    return Spent(server.cpu_seconds, server.wal_bytes, lambda: server.wait_for_the_session_to_end(database))


def _print_step(step: str, count: int, noun: str, cost: Cost) -> None:
    print(
        f"{step:<14} {cost.wall:>7.2f} s  {count / cost.wall:>9,.0f} {noun}/s  client {cost.client_cpu:>6.2f} s  "
        f"server {cost.server_cpu:>6.2f} s  RSS {cost.rss_mb:>4.0f} MB  WAL {cost.wal_mb:>5.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
