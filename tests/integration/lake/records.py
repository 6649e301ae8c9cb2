"""What the lake's tests deliver, and what they find in a lake that they know nothing of but its folder."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import duckdb

from data_ingestion.lake.ledger import LakeLedger

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("killed.py")
EVENTS = ROOT / "contracts/fleet/vehicle_events.odcs.yaml"
DAYS = (2, 3)


def key(day: int, second: int) -> str:
    return f"data/2026/03/{day:02}/07/05/2026-03-{day:02}-07-05-{second}-events.txt"


def event(number: int) -> str:
    return json.dumps({
        "event": "register", "on": "vehicle", "at": "2026-03-02T10:05:03.087Z", "organization_id": "ünter-line",
        "data": {"id": f"v{number}"},
    }, ensure_ascii=False)  # fmt: skip


def deliver(landing, day, second, *records):
    landing.write(key(day, second), "".join(f"{record}\n" for record in records).encode())


def deliver_some(landing, first=0, files=6):
    """Files of two records, on two days in turn."""
    for number in range(first, first + files):
        deliver(landing, DAYS[number % 2], number, event(2 * number), event(2 * number + 1))


def rows(lake, columns="object_key, line, record"):
    """What any reader finds who knows nothing but the folder."""
    if not list(lake.root.rglob("*.parquet")):
        return []
    found = f"read_parquet('{lake.root}/**/*.parquet', hive_partitioning = true)"
    return duckdb.sql(f"select {columns} from {found} order by all").fetchall()


def delivered(landing):
    found = []
    for item in landing.list_objects():
        with landing.open(item) as stream:
            lines = stream.read().decode().splitlines()
        found += [(item.key, line, record) for line, record in enumerate(lines, 1)]
    return sorted(found)


def files(lake):
    return sorted(path.relative_to(lake.root).as_posix() for path in lake.root.rglob("*") if path.is_file())


def in_lake(warehouse):
    """The files that the ledger says are the lake, with their records."""
    return {file.path: file.records for file in LakeLedger(warehouse.session).files("vehicle_events")}


def killed(what, instant, nth, when, landing, lake, url):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), what, instant, str(nth), when, str(EVENTS), str(landing.root),
         str(lake.root), url],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
