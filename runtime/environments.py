"""Environments: one locked Python environment a part (their dependencies conflict), made by `uv` from hashed files.

An environment is whole when its stamp says so: its place, the hash of its requirement file, and of what pyproject.toml
says of the project. Anything else, an interrupted run too, is made again; uv's cache makes that cheap.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runtime import Fault
from runtime.settings import ROOT, venvs_of
from runtime.terminal import say, step

SUITABLE = ((3, 12), (3, 11))


@dataclass(frozen=True)
class Environment:
    """`with_project` installs Goldworks itself, editable, so that DAGs and tests import what is in the tree."""

    name: str
    requirements: Path
    with_project: bool = False


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment("runtime", ROOT / "runtime/requirements.txt"),
        Environment("dbt", ROOT / "dbt/requirements.txt"),
        Environment("airflow", ROOT / "airflow/requirements.txt", with_project=True),
        Environment("superset", ROOT / "superset/requirements.txt"),
        Environment("stand-ins", ROOT / "tests/stand_ins/requirements.txt"),
        Environment("dev", ROOT / "requirements-dev.txt", with_project=True),
    )
}
UV_REQUIREMENTS = ROOT / "runtime/requirements-uv.txt"

# What a demo runs on; `dev` is for the tests.
PLATFORM = ("runtime", "dbt", "airflow", "superset")


def ensure_environments(home: Path, names: Iterable[str] = PLATFORM) -> None:
    """Make what is missing or outdated among `names`; says nothing when all is there."""
    wanted = [ENVIRONMENTS[name] for name in names]
    if all(_is_whole(home, environment) for environment in wanted):
        return
    home.mkdir(parents=True, exist_ok=True)
    with venvs_of(home).with_suffix(".lock").open("w") as lock:
        _wait_for(lock)
        wanted = [environment for environment in wanted if not _is_whole(home, environment)]
        uv = ensure_uv(home, lock.fileno())
        python = find_python(home) or _python_by_uv(home, uv, lock.fileno())
        # Two at a time: downloads wait for the network, compiling bytecode takes every core.
        with ThreadPoolExecutor(2) as pool:
            for done in [
                pool.submit(_make, home, environment, uv, python, lock.fileno()) for environment in wanted
            ]:
                done.result()


def find_python(home: Path) -> Path | None:
    """A Python 3.11 or 3.12: this one, another on PATH, or one that uv brought before; None when there is none."""
    if sys.version_info[:2] in SUITABLE:
        return Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    names = [f"python{major}.{minor}" for major, minor in SUITABLE]
    on_path = [Path(found) for name in names if (found := shutil.which(name))]
    for candidate in [*on_path, *sorted(home.glob("python/cpython-3.1[12]*/bin/python3"))]:
        if _version_of(candidate) in SUITABLE:
            return candidate
    return None


def ensure_uv(home: Path, *held: int) -> Path:
    """The pinned uv, in an environment of its own; `held` are open locks that its installation must keep."""
    place = home / "uv"
    for uv in (place / "bin" / "uv", place / "packages" / "bin" / "uv"):
        if (
            uv.exists()
            and _stamp_file(place).exists()
            and _stamp_file(place).read_text() == _hash(UV_REQUIREMENTS)
        ):
            return uv
    with step("uv", "the installer of the environments") as report:
        shutil.rmtree(place, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", place], capture_output=True, text=True, pass_fds=held
        )
        if made.returncode == 0:
            pip, uv = [str(place / "bin" / "python"), "-m", "pip"], place / "bin" / "uv"
            target: list[str] = []
        else:  # Debian's Python comes without ensurepip unless python3-venv is installed
            shutil.rmtree(place, ignore_errors=True)
            pip, uv = [sys.executable, "-m", "pip"], place / "packages" / "bin" / "uv"
            target = ["--target", str(place / "packages")]
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", *target]
        done = subprocess.run(
            [*pip, "install", *options, "-r", str(UV_REQUIREMENTS)],
            capture_output=True,
            text=True,
            pass_fds=held,
        )
        if done.returncode != 0:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            lines = (done.stderr or made.stderr or made.stdout).strip().splitlines()
            remedy = (
                "is the package index reachable? pip's own settings (PIP_INDEX_URL, …) are used"
                if made.returncode == 0
                else f"this Python can make no environment: install the package python{version}-venv (Debian, Ubuntu)"
            )
            raise Fault(
                f"uv could not be installed with {sys.executable}\n  {remedy}\n" + "\n".join(lines[-5:])
            )
        _stamp_file(place).write_text(_hash(UV_REQUIREMENTS))
        report.note = "uv installed"
    return uv


def _wait_for(lock: IO[str]) -> None:
    """Another command may be making the environments; then they are there afterwards."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with step("waiting", "another command is making the environments") as report:
            fcntl.flock(lock, fcntl.LOCK_EX)
            report.note = "the other command is done with the environments"


def _python_by_uv(home: Path, uv: Path, lock: int) -> Path:
    with step("python", "3.12, since this machine has neither 3.11 nor 3.12"):
        remedy = (
            "install Python 3.11 or 3.12, or let this machine reach uv's downloads, then `make demo` again"
        )
        _uv(uv, lock, "python", "install", "--install-dir", str(home / "python"), "3.12", remedy=remedy)
    found = find_python(home)
    if found is None:
        raise Fault(
            f"no Python 3.11 or 3.12 in {home / 'python'} after uv installed one\n  install one yourself"
        )
    return found


def _make(home: Path, environment: Environment, uv: Path, python: Path, lock: int) -> None:
    place = venvs_of(home) / environment.name
    with step(f"{environment.name} env", f"from {environment.requirements.relative_to(ROOT)}") as report:
        _stamp_file(place).unlink(missing_ok=True)
        _uv(uv, lock, "venv", "--quiet", "--clear", "--no-project", "--python", str(python), str(place))
        inside = ["--python", str(place / "bin" / "python"), "--no-deps", "--quiet"]
        locked = ["--require-hashes", "--compile-bytecode", "-r", str(environment.requirements)]
        _uv(uv, lock, "pip", "install", *inside, *locked)
        if environment.with_project:
            _uv(uv, lock, "pip", "install", *inside, "--no-build-isolation", "--editable", str(ROOT))
        _stamp_file(place).write_text(_stamp(home, environment))
        packages = sum(1 for _ in place.glob("lib/python*/site-packages/*.dist-info"))
        report.note = f"{packages} packages"


def _is_whole(home: Path, environment: Environment) -> bool:
    place = venvs_of(home) / environment.name
    stamp = _stamp_file(place)
    # its python is a link to the one it was made with, which may have been uninstalled since
    return (
        stamp.exists() and stamp.read_text() == _stamp(home, environment) and (place / "bin/python").exists()
    )


def _stamp(home: Path, environment: Environment) -> str:
    # programs in it name their place: it cannot be moved
    parts = [str(venvs_of(home)), _hash(environment.requirements)]
    if environment.with_project:
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
        installed = json.dumps([declared["project"], declared["build-system"]], sort_keys=True)
        parts += [str(ROOT), hashlib.sha256(installed.encode()).hexdigest()]
    return "\n".join(parts)


def _stamp_file(place: Path) -> Path:
    return place / "goldworks-stamp"


def _hash(file: Path) -> str:
    if not file.exists():
        raise Fault(
            f"{file}: missing\n  it belongs to the repository: `git checkout -- {file.name}`, or `make lock`"
        )
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _version_of(python: Path) -> tuple[int, int] | None:
    """The version that an interpreter really answers with; the shims of version managers may refuse."""
    if str(python) == os.path.realpath(getattr(sys, "_base_executable", sys.executable)):
        return sys.version_info[:2]
    asked = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    parts = asked.stdout.split()
    return (int(parts[0]), int(parts[1])) if asked.returncode == 0 and len(parts) == 2 else None


def _uv(uv: Path, lock: int, *arguments: str, remedy: str = "") -> None:
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    environment |= {"UV_PYTHON_DOWNLOADS": "manual", "UV_NO_PROGRESS": "1", **_package_index()}
    # not in the repository: uv would take our exclude-newer from there, which some mirrors cannot serve
    done = subprocess.run(
        [str(uv), *arguments],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        pass_fds=(lock,),  # held until uv itself has ended, even if we are killed before
    )
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-12:])
        raise Fault(
            f"uv {' '.join(arguments[:2])} failed ({done.returncode})\n{said}"
            + (f"\n  {remedy}" if remedy else "")
        )
    for line in done.stderr.splitlines():
        if line.startswith("warning:") and "hardlink" not in line:
            say(f"  {line}")


_MISLEADING = {
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONDONTWRITEBYTECODE",
    "UV_PROJECT_ENVIRONMENT",
}


def _package_index() -> dict[str, str]:
    """pip's index for uv too, which does not read pip's settings: a company's mirror is set once."""
    index = os.environ.get("PIP_INDEX_URL")
    own = any(
        name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE", "UV_NO_INDEX")
    )
    return {"UV_DEFAULT_INDEX": index} if index and not own else {}
