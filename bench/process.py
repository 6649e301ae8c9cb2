"""Process: a program run from its start to its end, and what it cost on both sides of the connection."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class Wrong(Exception):
    """A program failed, or did something else than it should: its figures mean nothing."""


@dataclass(frozen=True)
class Cost:
    """What one run cost: seconds of the wall clock and of processors, megabytes of memory and of log."""

    wall: float
    client_cpu: float
    server_cpu: float = 0.0
    rss_mb: float = 0.0
    wal_mb: float = 0.0


@dataclass(frozen=True)
class Spent:
    """Two counters of a server, read before and after."""

    cpu_seconds: Callable[[], float]
    wal_bytes: Callable[[], int]
    settle: Callable[[], None]


NOTHING = Spent(lambda: 0.0, lambda: 0, lambda: None)


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, server: Spent = NOTHING
) -> tuple[Cost, str]:
    """Runs a program; its cost, and what it printed. Raises `Wrong` when it fails."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        cpu, wal = server.cpu_seconds(), server.wal_bytes()
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, **environment}, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
        )  # fmt: skip
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        server.settle()
        cost = Cost(
            wall,
            usage.ru_utime + usage.ru_stime,
            server.cpu_seconds() - cpu,
            usage.ru_maxrss / 1024,
            (server.wal_bytes() - wal) / 1e6,
        )
        if process.returncode != 0:
            raise Wrong(
                f"{' '.join(map(str, command))} ended with {process.returncode}\n{_text(errors)[-3000:]}"
            )
        return cost, _text(output)


def _text(stream) -> str:  # type: ignore[no-untyped-def]
    stream.seek(0)
    return str(stream.read().decode(errors="replace"))
