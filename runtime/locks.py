"""Locks: the hashed requirement files, made by uv from the pyproject.toml beside them.

uv.lock itself names package hosts and stays out of the repository; the exported files do not, and say the same.
"""

import json
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime import Fault
from runtime.environments import ensure_uv
from runtime.settings import ROOT
from runtime.terminal import say, step


@dataclass(frozen=True)
class Export:
    """One requirement file: of the project in `directory`, with the dependency groups that `options` choose."""

    directory: Path
    file: str
    options: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return self.directory / self.file


EXPORTS = (
    Export(ROOT, "requirements.txt", ("--no-dev",)),
    Export(ROOT, "requirements-dev.txt", ("--group", "dev")),
    Export(ROOT / "tests/stand_ins", "requirements.txt"),
    Export(ROOT / "airflow", "requirements.txt"),
    Export(ROOT / "dbt", "requirements.txt"),
    Export(ROOT / "superset", "requirements.txt"),
    Export(ROOT / "runtime", "requirements.txt", ("--no-dev",)),
    Export(ROOT / "runtime", "requirements-uv.txt", ("--only-group", "uv")),
    Export(ROOT / "runtime", "requirements-s3.txt", ("--only-group", "s3")),
)


_PIN = re.compile(r"(?m)^([^\s#-][^\\\n]*[^\s\\])")
_HASH = re.compile(r" \\\n    --hash=\S+")


def write_locks(home: Path) -> None:
    """Resolve every environment anew within the dates of its pyproject.toml, and export it."""
    _refuse_parting_dependencies()
    uv = ensure_uv(home)
    for directory in dict.fromkeys(export.directory for export in EXPORTS):
        with step("lock", _name(directory)) as report:
            _uv(uv, "lock", "--quiet", "--directory", str(directory))
            report.note = _name(directory)
    for export in EXPORTS:
        _export(uv, export, export.path)
        say(f"wrote  {export.path.relative_to(ROOT)}")


def check_locks(home: Path) -> None:
    """A Fault unless every requirement file is what its pyproject.toml resolves to, with the versions that it pins.

    A fresh clone has no uv.lock, and an index need not answer as on the day of the lock: releases, and more files of
    one, have appeared weeks after the date that they bear. So nothing newer is looked for.
    """
    _refuse_parting_dependencies()
    uv = ensure_uv(home)
    stale = []
    for directory in dict.fromkeys(export.directory for export in EXPORTS):
        with step("lock-check", _name(directory)) as report, tempfile.TemporaryDirectory() as scratch:
            exports = [export for export in EXPORTS if export.directory == directory]
            committed = {export.path: export.path.read_text() for export in exports}
            project = Path(scratch) / "project"
            project.mkdir()
            declared = (directory / "pyproject.toml").read_text()
            (project / "pyproject.toml").write_text(with_pins(declared, committed.values()))
            _uv(uv, "lock", "--quiet", "--directory", str(project))
            for export in exports:
                again = Export(project, export.file, export.options)
                _export(uv, again, again.path)
                if not is_same(committed[export.path], again.path.read_text()):
                    stale.append(str(export.path.relative_to(ROOT)))
            report.note = _name(directory)
    if stale:
        raise Fault(
            f"not what pyproject.toml resolves to: {', '.join(stale)}\n  `make lock` writes them again"
        )


def with_pins(declared: str, requirements: Iterable[str]) -> str:
    """A pyproject.toml that admits no other versions than those that requirement files pin."""
    own = tomllib.loads(declared)["tool"]["uv"].get("constraint-dependencies", [])
    pins = {pin for text in requirements for pin in _PIN.findall(text)}
    section = f"[tool.uv]\nconstraint-dependencies = {json.dumps([*own, *sorted(pins)])}\n"
    return re.sub(r"(?m)^constraint-dependencies = .*\n", "", declared).replace("[tool.uv]\n", section, 1)


def is_same(committed: str, again: str) -> bool:
    """Whether two requirement files name the same; of a release there may be more files by now, never fewer."""
    bare, hashes = [_HASH.sub("", text) for text in (committed, again)], _HASH.findall
    return bare[0] == bare[1] and set(hashes(committed)) <= set(hashes(again))


def _refuse_parting_dependencies() -> None:
    """Airflow's environment also holds the loader: it must ask for the very same packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    loader = {*project["dependencies"], *project["optional-dependencies"]["reports"]}
    airflow = set(tomllib.loads((ROOT / "airflow/pyproject.toml").read_text())["project"]["dependencies"])
    if missing := sorted(loader - airflow):
        raise Fault(
            f"airflow/pyproject.toml: dependencies: the loader's {', '.join(missing)} missing\n"
            "  write them there as they are in pyproject.toml"
        )


def _export(uv: Path, export: Export, file: Path) -> None:
    plain = ["--quiet", "--frozen", "--no-emit-project", "--no-header", "--directory", str(export.directory)]
    _uv(uv, "export", *plain, *export.options, "-o", str(file))


def _uv(uv: Path, *arguments: str) -> None:
    done = subprocess.run([str(uv), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-20:])
        raise Fault(f"uv {arguments[0]} failed ({done.returncode})\n{said}")


def _name(directory: Path) -> str:
    return "goldworks" if directory == ROOT else directory.name
