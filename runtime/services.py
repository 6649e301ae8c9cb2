"""Services: processes of ours that outlive the command that started them, each known by a file with its process id.

The file also holds when the process began, so that an id which the system has given to somebody else since is
never taken for ours, let alone stopped.
"""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime import Fault


@dataclass(frozen=True)
class Service:
    """A server: how it is started and when it counts as up. `patience` is how long it may take to stop."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    healthy: Callable[[], bool]
    address: str = ""
    patience: float = 20.0


@dataclass(frozen=True)
class Keeper:
    """Starts, finds and stops services; `directory` holds their process files, `logs` their output."""

    directory: Path
    logs: Path

    def start(self, service: Service) -> bool:
        """Whether the service had to be started. It need not be up yet: see `wait_healthy`."""
        if self.pid(service.name) is not None:
            return False
        self._end_orphans(service.name)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log_file(service.name).open("ab") as log:
            process = subprocess.Popen(
                list(service.argv),
                env=dict(service.environment),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is not meant for servers
            )
        record = json.dumps({"pid": process.pid, "began": began(process.pid)})
        growing = self._file(service.name).with_suffix(".new")
        growing.write_text(record)
        growing.replace(self._file(service.name))
        return True

    def wait_healthy(self, service: Service, seconds: float) -> None:
        """Return when the service is up; fail at once when its process ends, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not service.healthy():
            if self.pid(service.name) is None:
                raise Fault(f"{service.name} ended while starting\n{self.tail(service.name)}")
            if time.monotonic() > deadline:
                raise Fault(
                    f"{service.name} is not up after {seconds:.0f} s at {service.address}\n{self.tail(service.name)}"
                )
            time.sleep(0.2)

    def pid(self, name: str) -> int | None:
        """The process id of a running service; None when it is not running, or the id is somebody else's now."""
        pid, since = self._record(name)
        if pid is None:
            return None
        _reap(pid)
        return pid if since and began(pid) == since else None

    def stop(self, name: str, patience: float = 20.0) -> bool:
        """Ask the service to end (TERM, twice), insist after `patience` seconds (KILL to its whole session).

        Returns whether it was running.
        """
        pid = self.pid(name)
        if pid is not None:
            _signal(os.kill, pid, signal.SIGTERM)
            if not self._gone(name, patience / 2):
                _signal(
                    os.kill, pid, signal.SIGTERM
                )  # to Airflow and uvicorn: no longer wait for work under way
            if not self._gone(name, patience / 2):
                _signal(os.killpg, pid, signal.SIGKILL)
                if not self._gone(name, 10):
                    raise Fault(f"{name} (process {pid}) does not end\n  look at it with `ps -fp {pid}`")
            else:
                _signal(os.killpg, pid, signal.SIGKILL)  # children it may have left behind
        self._end_orphans(name)
        self._file(name).unlink(missing_ok=True)
        return pid is not None

    def log_file(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tail(self, name: str, lines: int = 15) -> str:
        """The end of a service's log, indented, under the file's name."""
        file = self.log_file(name)
        return f"  {file}:\n" + "\n".join(f"    {line}" for line in last_lines(file, lines))

    def _end_orphans(self, name: str) -> None:
        """End what a service left behind that was itself killed: an Airflow scheduler's workers, say, would stay idle.

        They are in the process group of its id, and as long as one is, the system gives that id to nobody else.
        """
        pid, since = self._record(name)
        if pid is None or not since or began(pid) is not None:
            return
        with suppress(OSError):  # a system that does not tell its starts apart
            if since.startswith(_boot()):
                _signal(os.killpg, pid, signal.SIGKILL)

    def _record(self, name: str) -> tuple[int | None, str | None]:
        """The process id that was written down for a service, and when that process began."""
        try:
            record = json.loads(self._file(name).read_text())
            return int(record["pid"]), record.get("began")
        except (OSError, ValueError, KeyError, TypeError):
            return None, None

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.json"

    def _gone(self, name: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid(name) is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True


def began(pid: int) -> str | None:
    """When a living process began, in a form that no other process with its id shares; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"{_boot()} {fields[19]}"
    except OSError:
        if Path("/proc/self").exists():
            return None
    asked = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, since = asked.stdout.strip().partition(" ")
    return since.strip() if since and not state.startswith("Z") else None


def _boot() -> str:
    """Which start of the machine this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def answers(url: str, containing: str = "") -> bool:
    """Whether a GET is answered with a success whose body contains a text; never raises."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return containing in response.read().decode(errors="replace")
    except (OSError, ValueError, urllib.error.URLError):
        return False


def last_lines(file: Path, lines: int) -> list[str]:
    try:
        with file.open("rb") as handle:
            handle.seek(max(0, os.fstat(handle.fileno()).st_size - 400 * lines - 4096))
            return handle.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def run_program(argv: Sequence[str], environment: Mapping[str, str], cwd: Path, name: str) -> str:
    """The output of a program that ends by itself; a Fault with what it said last where it fails."""
    done = subprocess.run(argv, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0:
        tail = "\n".join(f"  {line}" for line in said.strip().splitlines()[-15:])
        raise Fault(f"{name} failed ({done.returncode})\n{tail}")
    return said


def inherited_environment(*, path_first: Path | None = None) -> dict[str, str]:
    """What a service gets from the caller's shell: who and where we are, certificates and proxies; nothing of Python's.

    A stray PYTHONPATH, AIRFLOW_HOME or AWS profile of the shell must not decide what the platform does.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.lower().endswith("_proxy") or name.startswith("LC_")
    }
    kept["PATH"] = os.pathsep.join([*([str(path_first)] if path_first else []), kept.get("PATH", os.defpath)])
    kept["no_proxy"] = kept["NO_PROXY"] = ",".join(
        filter(None, [kept.get("no_proxy"), "127.0.0.1,localhost"])
    )
    kept.setdefault("LANG", "C.UTF-8")
    kept["PYTHONUNBUFFERED"] = "1"
    kept["TZ"] = "UTC"
    return kept


_KEPT = {
    "HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "LANG", "SHELL",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "LD_LIBRARY_PATH",
}  # fmt: skip


def _reap(pid: int) -> None:
    """A child of this very process stays a zombie until it is waited for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _signal(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    try:
        send(pid, number)
    except (ProcessLookupError, PermissionError):
        return
