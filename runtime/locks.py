"""Locks: the hashed requirement files, made by uv from the pyproject.toml beside them.

uv.lock itself names package hosts and stays out of the repository; the exported files do not, and say the same.
"""

import subprocess
import tempfile
import tomllib
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
    Export(ROOT / "airflow", "requirements.txt"),
    Export(ROOT / "dbt", "requirements.txt"),
    Export(ROOT / "superset", "requirements.txt"),
    Export(ROOT / "runtime", "requirements.txt", ("--no-dev",)),
    Export(ROOT / "runtime", "requirements-uv.txt", ("--only-group", "uv")),
    Export(ROOT / "runtime", "requirements-s3.txt", ("--only-group", "s3")),
)


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
    """A Fault unless every requirement file is what its pyproject.toml resolves to.

    A fresh clone has no uv.lock: it resolves anew, to the same, because every pyproject.toml names a date.
    """
    _refuse_parting_dependencies()
    uv = ensure_uv(home)
    stale = []
    for export in EXPORTS:
        with (
            step("lock-check", str(export.path.relative_to(ROOT))) as report,
            tempfile.TemporaryDirectory() as scratch,
        ):
            project = Path(scratch) / "project"
            project.mkdir()
            for name in ("pyproject.toml", "uv.lock"):
                if (export.directory / name).exists():
                    (project / name).write_bytes((export.directory / name).read_bytes())
            _uv(uv, "lock", "--quiet", "--directory", str(project))
            again = Export(project, export.file, export.options)
            _export(uv, again, again.path)
            report.note = str(export.path.relative_to(ROOT))
            if again.path.read_bytes() != export.path.read_bytes():
                stale.append(report.note)
    if stale:
        raise Fault(
            f"not what pyproject.toml resolves to: {', '.join(stale)}\n  `make lock` writes them anew"
        )


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
