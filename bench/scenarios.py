"""Scenarios: what is loaded onto what, and whether raw is right afterwards."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.files import Truth, bad_rows
from bench.process import Cost, Spent, Wrong, run
from bench.server import ROOT, Server

FIRST_MONTH, NEXT_MONTH, BANK_KEY = "2026/01/events.csv", "2026/02/events.csv", "bank_transactions/export.csv"
LOADER = (sys.executable, "-m", "data_ingestion")
# Sums need no order, and are the same in bench/files.py: seven bytes of the MD5 of a row's values, nulls left out.
DIGEST = "sum(('x' || left(md5(concat_ws('|', {columns})), 14))::bit(56)::bigint)"
COLUMNS = {
    "events": "event_id, event_date, email, country, ip, uri, action, tags",
    "bank_transactions": (
        "account_no, booking_date, value_date, details, cheque_no, withdrawal_inr, deposit_inr, balance_inr"
    ),
}


@dataclass(frozen=True)
class Load:
    """A run of `goldworks load` on a landing made for it.

    `files` are the landing's objects by key, each a file of bench/files.py; `base` is the load that the warehouse
    holds already, none for an empty one. `truth` names what raw must hold then, `limit` the copy limit of the same
    bytes. A `fresh` landing has copies: the same bytes, but none of the versions that the ledger knows.
    """

    name: str
    files: dict[str, str]
    truth: str
    base: str = ""
    table: str = "events"
    limit: str = ""
    bad: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class CopyLimit:
    """COPY of the same bytes into a table of text without index or log: what no loader of this server can beat."""

    name: str
    file: str
    columns: int
    limit: str = ""


@dataclass(frozen=True)
class Command:
    """A command that touches nothing: what a process costs by itself."""

    name: str
    arguments: tuple[str, ...]
    limit: str = ""


Scenario = Load | CopyLimit | Command

COPY, COPY_QUOTED, COPY_BANK = "copy limit", "copy limit, quoted", "copy limit, bank"
MONTH = {FIRST_MONTH: "month.csv"}

SCENARIOS: tuple[Scenario, ...] = (
    CopyLimit(COPY, "month.csv", 8),
    Load("first load", MONTH, "month", limit=COPY),
    Load("reload, one row corrected", {FIRST_MONTH: "corrected.csv"}, "corrected", base="month", limit=COPY),
    Load("same bytes, touched", MONTH, "month", base="month", limit=COPY, fresh=True),
    Load("nothing new", MONTH, "month", base="month", limit=COPY),
    Load("next month, a tenth known", {**MONTH, NEXT_MONTH: "next.csv"}, "next", base="month", limit=COPY),
    Load("first load, 1 % bad", {FIRST_MONTH: "bad.csv"}, "bad", limit=COPY, bad=True),
    CopyLimit(COPY_QUOTED, "quoted.csv", 8),
    Load("first load, quoted", {FIRST_MONTH: "quoted.csv"}, "quoted", limit=COPY_QUOTED),
    CopyLimit(COPY_BANK, "bank.csv", 9),
    Load("first load, bank", {BANK_KEY: "bank.csv"}, "bank", table="bank_transactions", limit=COPY_BANK),
    Load("small files", {"": "small"}, "small"),
    Load("small files, nothing new", {"": "small"}, "small", base="small"),
    Command("goldworks --help", ("--help",)),
)  # fmt: skip
BASES = {"month": MONTH, "small": {"": "small"}}


@dataclass
class Place:
    """Where scenarios run: a server, the generated files and their truths, and a folder for landings."""

    server: Server
    files: Path
    truths: dict[str, Truth]
    folder: Path
    rows: int
    _made: int = field(default=0, init=False)

    def prepare(self, scenarios: tuple[Scenario, ...]) -> None:
        """Makes the databases that the scenarios start from: empty, and each base once, unmeasured."""
        run([*LOADER, "status"], {"GOLDWORKS_WAREHOUSE_URL": self.server.url("warehouse")}, ROOT)
        self.server.wait_for_the_session_to_end("warehouse")
        for base in dict.fromkeys(one.base for one in scenarios if isinstance(one, Load) and one.base):
            self.server.copy_database("warehouse", f"base_{base}")
            self._load(f"base_{base}", self._landing(BASES[base], fresh=False))
            self.server.vacuum(f"base_{base}")
            self.server.wait_for_the_session_to_end(f"base_{base}")

    def measure(self, scenario: Scenario) -> tuple[Cost, str]:
        """Runs a scenario; its cost and the merge plan that was taken. Raises `Wrong` where raw is not the truth."""
        if isinstance(scenario, Command):
            return run([*LOADER, *scenario.arguments], {}, ROOT)[0], ""
        if isinstance(scenario, CopyLimit):
            return self._copy(scenario), ""
        self.server.copy_database(f"base_{scenario.base}" if scenario.base else "warehouse", "run")
        landing = self._landing(scenario.files, fresh=scenario.fresh)
        self.server.checkpoint()
        cost, report = self._load("run", landing)
        self._check(scenario)
        self.server.drop_database("run")
        shutil.rmtree(landing)
        return cost, " + ".join(sorted({load["plan"] for load in report["loads"] if load["plan"]}))

    def _load(self, database: str, landing: Path) -> tuple[Cost, dict]:  # type: ignore[type-arg]
        environment = {
            "GOLDWORKS_WAREHOUSE_URL": self.server.url(database),
            "GOLDWORKS_LANDING_URL": str(landing),
            "GOLDWORKS_CONTRACTS": str(ROOT / "contracts"),
        }
        cost, said = run([*LOADER, "load", "--json"], environment, ROOT, self._spent(database))
        return cost, json.loads(said)

    def _copy(self, scenario: CopyLimit) -> Cost:
        columns = ", ".join(f"c{number} text" for number in range(scenario.columns))
        with self.server.connect("postgres") as connection:
            connection.execute("drop table if exists copied")
            connection.execute(f"create unlogged table copied ({columns})")
            self.server.checkpoint()
            copy = f"\\copy copied from '{self.files / scenario.file}' with (format csv, header)"
            environment = self.server.cluster.connection("limit")
            cost, _ = run(
                [self.server.cluster.binaries / "psql", "-X", "-q", "-c", copy],
                {**environment, "PGDATABASE": "postgres"}, ROOT, self._spent("nobody is here"),
            )  # fmt: skip
            row = connection.execute("select count(*) from copied").fetchone()
            connection.execute("drop table copied")
        wanted = self.rows if scenario.columns == 8 else self.truths["bank"].rows
        if row != (wanted,):
            raise Wrong(f"{scenario.name}: {row} rows were copied, not {wanted}")
        return cost

    def _check(self, scenario: Load) -> None:
        truth = self.truths[scenario.truth]
        digest = DIGEST.format(columns=COLUMNS[scenario.table])
        quarantined = "(select count(*) from ops.quarantine)"
        asked = f"select count(*), coalesce({digest}, 0)::text, {quarantined} from raw.{scenario.table}"
        with self.server.connect("run") as connection:
            row = connection.execute(asked).fetchone()
        bad = bad_rows(self.rows) if scenario.bad else 0
        if row != (truth.rows, str(truth.digest), bad):
            raise Wrong(
                f"{scenario.name}: raw.{scenario.table} is wrong: {row}\n"
                f"  wanted {truth.rows} rows, digest {truth.digest}, {bad} in quarantine"
            )

    def _spent(self, database: str) -> Spent:
        server = self.server
        return Spent(
            server.cpu_seconds, server.wal_bytes, lambda: server.wait_for_the_session_to_end(database)
        )

    def _landing(self, files: dict[str, str], *, fresh: bool) -> Path:
        """A folder with links to the files: a link has the version of what it leads to, wherever it lies."""
        self._made += 1
        landing = self.folder / f"landing-{self._made}"
        for key, name in self._objects(files):
            target = landing / key
            target.parent.mkdir(parents=True, exist_ok=True)
            if fresh:
                shutil.copyfile(self.files / name, target)
            else:
                target.symlink_to(self.files / name)
        return landing

    def _objects(self, files: dict[str, str]) -> Iterator[tuple[str, str]]:
        for key, name in files.items():
            if key:
                yield key, name
                continue
            for path in sorted((self.files / name).rglob("*.csv")):
                yield path.relative_to(self.files / name).as_posix(), path.relative_to(self.files).as_posix()
