"""Scenarios: what is loaded onto what, and whether raw is right afterwards."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench.files import Truth, bad_rows
from bench.loaders import Loader
from bench.process import Cost, Spent, Wrong, run
from bench.server import Server

FIRST_MONTH, NEXT_MONTH, BANK_KEY = "2026/01/events.csv", "2026/02/events.csv", "bank_transactions/export.csv"
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
ADDED = {**MONTH, "2026/03/events.csv": "small/2026/01/events.csv"}

SCENARIOS: tuple[Scenario, ...] = (
    CopyLimit(COPY, "month.csv", 8),
    Load("first load", MONTH, "month", limit=COPY),
    Load("reload, one row corrected", {FIRST_MONTH: "corrected.csv"}, "corrected", base="month", limit=COPY),
    Load("same bytes, touched", MONTH, "month", base="month", limit=COPY, fresh=True),
    Load("nothing new", MONTH, "month", base="month", limit=COPY),
    Load("one small file more", ADDED, "added", base="month", limit=COPY),
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


@dataclass(frozen=True)
class Landings:
    """Landings over the generated files: hard links, as a file has the version of its content under every name.

    A further link would change it, so all are made before the first load.
    """

    files: Path
    folder: Path
    made: dict[frozenset[tuple[str, str]], Path] = field(default_factory=dict)

    def make(self, scenarios: Sequence[Scenario]) -> None:
        """The landings of these scenarios and of what they start from."""
        loads = [one for one in scenarios if isinstance(one, Load)]
        for files in (*(load.files for load in loads), *(BASES[load.base] for load in loads if load.base)):
            if frozenset(files.items()) not in self.made:
                landing = self.folder / f"landing-{len(self.made)}"
                self.made[frozenset(files.items())] = landing
                self._fill(landing, files, os.link)

    def of(self, files: dict[str, str]) -> Path:
        """The landing with these files."""
        return self.made[frozenset(files.items())]

    @contextmanager
    def fresh(self, files: dict[str, str]) -> Iterator[Path]:
        """A landing with copies of them, for one load."""
        landing = self.folder / "fresh"
        try:
            self._fill(landing, files, shutil.copyfile)
            yield landing
        finally:
            shutil.rmtree(landing, ignore_errors=True)

    def _fill(self, landing: Path, files: dict[str, str], put: Callable[[Path, Path], object]) -> None:
        for key, name in self._objects(files):
            target = landing / key
            target.parent.mkdir(parents=True, exist_ok=True)
            put(self.files / name, target)

    def _objects(self, files: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Keys with the file of each; a key that is empty stands for a folder of files."""
        for key, name in files.items():
            if key:
                yield key, name
                continue
            for path in sorted((self.files / name).rglob("*.csv")):
                yield path.relative_to(self.files / name).as_posix(), path.relative_to(self.files).as_posix()


@dataclass(frozen=True)
class Place:
    """Where scenarios run: a server, a loader's databases on it, the landings, and what raw must hold in the end."""

    server: Server
    loader: Loader
    landings: Landings
    truths: dict[str, Truth]
    rows: int

    def prepare(self, scenarios: tuple[Scenario, ...]) -> None:
        """Makes the databases that the scenarios start from: empty, and each base once, unmeasured."""
        empty = self._base("")
        self.server.copy_database("warehouse", empty)
        run(
            [*self.loader.command, "status"],
            {"GOLDWORKS_WAREHOUSE_URL": self.server.url(empty)},
            self.loader.root,
        )
        self.server.wait_for_the_session_to_end(empty)
        for base in dict.fromkeys(one.base for one in scenarios if isinstance(one, Load) and one.base):
            database = self._base(base)
            self.server.copy_database(empty, database)
            self._load(database, self.landings.of(BASES[base]))
            self.server.vacuum(database)
            self.server.wait_for_the_session_to_end(database)

    def measure(self, scenario: Scenario) -> tuple[Cost, str]:
        """Runs a scenario; its cost and the merge plan that was taken. Raises `Wrong` where raw is not the truth."""
        if isinstance(scenario, Command):
            return run([*self.loader.command, *scenario.arguments], {}, self.loader.root)[0], ""
        if isinstance(scenario, CopyLimit):
            return self._copy(scenario), ""
        self.server.copy_database(self._base(scenario.base), "run")
        with (
            self.landings.fresh(scenario.files)
            if scenario.fresh
            else nullcontext(self.landings.of(scenario.files)) as landing
        ):
            self.server.checkpoint()
            cost, report = self._load("run", landing)
        self._check(scenario)
        self.server.drop_database("run")
        return cost, " + ".join(sorted({load["plan"] for load in report["loads"] if load["plan"]}))

    def _load(self, database: str, landing: Path) -> tuple[Cost, dict]:  # type: ignore[type-arg]
        environment = {
            "GOLDWORKS_WAREHOUSE_URL": self.server.url(database),
            "GOLDWORKS_LANDING_URL": str(landing),
            "GOLDWORKS_CONTRACTS": str(self.loader.root / "contracts"),
        }
        command = [*self.loader.command, "load", "--json"]
        cost, said = run(command, environment, self.loader.root, self._spent(database))
        return cost, json.loads(said)

    def _base(self, base: str) -> str:
        """The database from which a scenario starts, made by this loader."""
        return f"{base or 'empty'}_of_{self.loader.short_name}"

    def _copy(self, scenario: CopyLimit) -> Cost:
        columns = ", ".join(f"c{number} text" for number in range(scenario.columns))
        with self.server.connect("postgres") as connection:
            connection.execute("drop table if exists copied")
            connection.execute(f"create unlogged table copied ({columns})")
            self.server.checkpoint()
            copy = f"\\copy copied from '{self.landings.files / scenario.file}' with (format csv, header)"
            environment = self.server.cluster.connection("limit")
            cost, _ = run(
                [self.server.cluster.binaries / "psql", "-X", "-q", "-c", copy],
                {**environment, "PGDATABASE": "postgres"}, self.loader.root, self._spent("a database without sessions"),
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
