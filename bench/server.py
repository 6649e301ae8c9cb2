"""Server: a Postgres of the bench's own, by one of two profiles, and what it spends."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from runtime.postgres import SUPERUSER, Cluster, find_binaries, read_profile
from runtime.settings import home_directory

ROOT = Path(__file__).resolve().parent.parent
PASSWORDS = {
    f"{name}_PASSWORD": f"{name.lower()}-bench"
    for name in ("LOADER", "TRANSFORMER", "REPORTER", "AIRFLOW_DB", "SUPERSET_DB")
}
# What a server gets that has nothing else to do; durability is nowhere touched.
BULK = {"shared_buffers": "2GB", "max_wal_size": "16GB", "min_wal_size": "4GB", "checkpoint_timeout": "30min"}
PROFILES = {"shipped": {}, "bulk": BULK}
# Its turns would fall into one scenario and not into the other; the bench vacuums between them.
ALWAYS = {"autovacuum": "off"}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """A running server, its profile, and a session on it that asks but does no work."""

    profile: str
    cluster: Cluster
    session: psycopg.Connection

    def url(self, database: str) -> str:
        """A database as the loader's role."""
        return self.cluster.url("loader", PASSWORDS["LOADER_PASSWORD"], database)

    def copy_database(self, source: str, target: str) -> None:
        """A database as another one is, its pages in memory, and the log written out."""
        self._ask(f"drop database if exists {target} with (force)")
        self._ask(f"create database {target} template {source} strategy file_copy")
        # what is granted on a database, unlike what is in it, does not come with the template
        self._ask(f"grant create on database {target} to loader, transformer")
        self._warm(target)

    def drop_database(self, name: str) -> None:
        """Gives its disk space back."""
        self._ask(f"drop database if exists {name} with (force)")

    def vacuum(self, database: str) -> None:
        """What autovacuum would have done by the next delivery."""
        with self.connect(database) as connection:
            connection.execute("vacuum (analyze)")

    def checkpoint(self) -> None:
        """Writes everything out, so that no scenario pays for the one before."""
        self._ask("checkpoint")

    def wal_bytes(self) -> int:
        """How much log the server has written since it was made."""
        row = self.session.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return int(row[0])

    def cpu_seconds(self) -> float:
        """Processor time of all its processes, of those that have ended, too."""
        return cpu_seconds(self.cluster.pid)

    def connect(self, database: str) -> psycopg.Connection:
        """A session as the superuser, for the bench's own questions."""
        return psycopg.connect(self.cluster.url(SUPERUSER, self.cluster.password, database), autocommit=True)

    def wait_for_the_session_to_end(self, database: str) -> None:
        """Returns when no session is left in a database: until then its processor time is not all counted."""
        asked = "select count(*) from pg_stat_activity where datname = %s"
        for _ in range(200):
            row = self.session.execute(asked, [database]).fetchone()
            if row == (0,):
                return
            time.sleep(0.01)

    def _ask(self, statement: str) -> None:
        self.session.execute(sql.SQL(statement))  # names are the bench's own

    def _warm(self, database: str) -> None:
        with self.connect(database) as connection:
            connection.execute("create extension if not exists pg_prewarm")
            connection.execute(
                "select pg_prewarm(c.oid::regclass) from pg_class c join pg_namespace n on n.oid = relnamespace "
                "where nspname in ('raw', 'ops') and relkind in ('r', 'i')"
            )


@contextmanager
def running(profile: str) -> Iterator[Server]:
    """A new server with the platform's roles and schemas; gone afterwards, whatever happens."""
    home = Path(tempfile.mkdtemp(prefix=f"goldworks-bench-{profile}-"))
    home.chmod(0o711)  # started by root, the server belongs to another account
    cluster = Cluster(
        home / "data", 0, "superuser-bench", {**PROFILES[profile], **ALWAYS},
        binaries=find_binaries(home_directory() / "venvs/runtime"),
    )  # fmt: skip
    try:
        cluster.start()
        cluster.psql("-f", str(ROOT / "init_db.sql"), variables=PASSWORDS)
        with psycopg.connect(
            cluster.url(SUPERUSER, cluster.password, "postgres"), autocommit=True
        ) as session:
            yield Server(profile, cluster, session)
    finally:
        cluster.remove()
        shutil.rmtree(home, ignore_errors=True)


def settings_of(profile: str) -> dict[str, str]:
    """The settings in which profiles differ, as they are in force."""
    return {name: {**read_profile(), **PROFILES[profile]}.get(name, "default") for name in BULK}


def cpu_seconds(pid: int | None) -> float:
    """Processor time of a process and its children, running or ended (Linux: /proc)."""
    if pid is None or not Path("/proc/self/stat").exists():
        return 0.0
    while True:
        children = _children(pid)
        try:
            ticks = sum(_ticks(process) for process in (pid, *children))
        except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
            # its parent has its ticks now, but was asked before
            _ticks(pid)  # says so if it is the process itself
            continue
        if _children(pid) == children:
            return ticks / TICKS


def _ticks(pid: int) -> int:
    """Of the process itself, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
