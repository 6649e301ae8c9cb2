"""Preflight: what would stop the platform half-way, found before anything is started, with the way out."""

import errno
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from runtime import Fault
from runtime.settings import PORTS, Settings

# Measured: 1.9 GB of environments, 0.5 GB of uv's cache, and room for data and logs.
FIRST_RUN_BYTES = 4 << 30
LATER_RUN_BYTES = 1 << 29


def check_ports(
    settings: Settings, running: Mapping[str, int | None], names: Iterable[str] = tuple(PORTS)
) -> None:
    """Every port is free or already ours; `running` maps port settings to the process id of our service."""
    taken = []
    seen: dict[int, str] = {}
    for name in names:
        port = settings.port(name)
        if port in seen:
            raise Fault(f"{settings.file}: {name} and {seen[port]} are both {port}\n  give each its own port")
        seen[port] = name
        if running.get(name) is None and not port_is_free(port):
            holder = port_holder(port) or "another program"
            taken.append(
                f"127.0.0.1:{port} is taken by {holder}\n  set {name} in {settings.file} to a free port"
            )
    if taken:
        raise Fault("\n".join(taken))


def check_disk(home: Path, *, first_run: bool) -> None:
    """Enough room below `home`."""
    needed = FIRST_RUN_BYTES if first_run else LATER_RUN_BYTES
    free = shutil.disk_usage(home).free
    if free < needed:
        raise Fault(
            f"{home}: {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB needed\n"
            "  make room, or let GOLDWORKS_HOME name a directory on a larger disk"
        )


def explain(error: OSError, home: Path) -> Fault | None:
    """What the system refused and the way out; None where that is no matter of disks and owners."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = (
            "make room, then the same command again: it goes on from there;"
            " or let GOLDWORKS_HOME name a directory on a larger disk"
        )
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = (
            "was an earlier run another user's, by sudo perhaps? Run as that user, or give yourself the files"
            " with chown; or let GOLDWORKS_HOME name a directory of yours"
        )
    else:
        return None
    return Fault(f"{error.filename or home}: {error.strerror}\n  {remedy}")


def check_docker(is_up: Callable[[], bool]) -> None:
    """Containers hold the same ports: one runtime at a time. `is_up` asks whether those of this home run."""
    if is_up():
        raise Fault(
            "the platform already runs in Docker\n  `make down` first: one runtime at a time owns the ports"
        )


def check_embedded(running: Iterable[str]) -> None:
    """The other way round; `running` are the servers of this home that run without Docker."""
    if names := ", ".join(running):
        raise Fault(
            f"the platform already runs without Docker: {names}\n"
            "  `make stop` first: one runtime at a time owns the ports"
        )


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # connections that just ended do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_holder(port: int) -> str | None:
    """`process 4711 (nginx)`, where the system lets us know."""
    sockets = set(_listening_inodes(port))
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for link in (process / "fd").iterdir():
                if os.readlink(link) in sockets:  # noqa: PTH115  (targets like socket:[1234] are no paths)
                    return f"process {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:
            continue
    return None


def _listening_inodes(port: int) -> list[str]:
    found = []
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            listening = fields[3] == "0A"
            if listening and int(fields[1].rpartition(":")[2], 16) == port:
                found.append(f"socket:[{fields[9]}]")
    return found
