"""Settings: where the loader finds its warehouse, its landing and its contracts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from data_ingestion.errors import OperatorFault

HERE = Path()


@dataclass(frozen=True)
class Settings:
    """What a load works on. An option on the command line wins over the environment.

    Lake and reports are what the platform itself writes, in a folder for each warehouse that is named like its
    database; by default they lie in folders of the landing.
    """

    warehouse_url: str
    landing_url: str
    contracts: Path
    lake_url: str = ""
    reports_url: str = ""

    def __post_init__(self) -> None:
        if _canonical(self.landing_url) in self._own_places:
            raise OperatorFault(
                f"{self.landing_url}: the landing can't also be the lake, or the folder of reports\n"
                "  set GOLDWORKS_LAKE_URL and GOLDWORKS_REPORTS_URL to other folders"
            )

    @property
    def lake(self) -> str:
        """Where this warehouse's lake is."""
        return f"{self.lake_url.rstrip('/')}/{self._warehouse}"

    @property
    def reports(self) -> str:
        """Where reports on this warehouse are written."""
        return f"{self.reports_url.rstrip('/')}/{self._warehouse}"

    @property
    def _warehouse(self) -> str:
        """A database by its name, a file by its own without its ending, wherever it lies."""
        url = self.warehouse_url.removeprefix("ducklake:")
        path = PurePosixPath(unquote(urlsplit(url).path))
        return (path.stem if url.startswith("duckdb:") else path.name) or "warehouse"

    @property
    def reserved(self) -> tuple[str, ...]:
        """The folders of the landing that hold lake and reports: nothing in them was delivered."""
        landing = _canonical(self.landing_url)
        return tuple(
            sorted(place.removeprefix(landing) for place in self._own_places if place.startswith(landing))
        )

    @property
    def _own_places(self) -> list[str]:
        return [_canonical(url) for url in (self.lake_url, self.reports_url) if url]

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        warehouse_url: str | None = None,
        landing_url: str | None = None,
        contracts: Path | None = None,
    ) -> Settings:
        """Settings from `GOLDWORKS_WAREHOUSE_URL`, `GOLDWORKS_LANDING_URL`, `GOLDWORKS_CONTRACTS` and so on.

        Each may come from a file instead, named by the same variable with `_FILE` added, as container
        secrets do. Raises `OperatorFault` where a setting is nowhere.
        """
        known = os.environ if environment is None else environment
        warehouse = warehouse_url or read_setting(known, "GOLDWORKS_WAREHOUSE_URL", "--warehouse")
        landing = landing_url or read_setting(known, "GOLDWORKS_LANDING_URL", "--landing")
        return cls(
            warehouse,
            landing,
            contracts or Path(read_setting(known, "GOLDWORKS_CONTRACTS", "--contracts", default="contracts")),
            read_setting(known, "GOLDWORKS_LAKE_URL", "", default=f"{landing.rstrip('/')}/lake"),
            read_setting(known, "GOLDWORKS_REPORTS_URL", "", default=f"{landing.rstrip('/')}/reports"),
        )


def contracts_folder(root: Path = HERE) -> Path:
    """Where the contracts lie: `GOLDWORKS_CONTRACTS`, or a folder of the checkout at `root`."""
    return Path(os.environ.get("GOLDWORKS_CONTRACTS") or root / "contracts")


def reports_folder(root: Path = HERE) -> Path:
    """Where it is said which reports there are: `GOLDWORKS_REPORTS`, or a folder of the checkout."""
    return Path(os.environ.get("GOLDWORKS_REPORTS") or root / "reports")


def dbt_project(root: Path = HERE) -> Path:
    """Where dbt's project lies: `DBT_PROJECT_DIR`, or a folder of the checkout."""
    return Path(os.environ.get("DBT_PROJECT_DIR") or root / "dbt")


def manifest_file(root: Path = HERE) -> Path:
    """Where dbt's manifest lies, which knows the models: `GOLDWORKS_DBT_MANIFEST`, or where dbt writes it."""
    return Path(os.environ.get("GOLDWORKS_DBT_MANIFEST") or dbt_project(root) / "target" / "manifest.json")


def log_target(environment: Mapping[str, str] | None = None) -> str | None:
    """Where the events of steps are written: a file, `-` for standard error, None for nowhere."""
    return (os.environ if environment is None else environment).get("GOLDWORKS_LOG") or None


def read_setting(environment: Mapping[str, str], name: str, option: str, default: str | None = None) -> str:
    """One setting, from the variable or from the file that `<name>_FILE` names."""
    if value := environment.get(name):
        return value
    if path := environment.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise OperatorFault(f"{name}_FILE: {path} can't be read: {error.strerror}") from error
    if default is not None:
        return default
    raise OperatorFault(f'{name} is not set\n  give {option}, or run `eval "$(make -s env)"` in this shell')


def source_url(environment: Mapping[str, str], name: str) -> str:
    """Where an operational database is that a contract calls `name`, login included."""
    variable = f"GOLDWORKS_SOURCE_{name.upper()}_URL"
    return readable(read_setting(environment, variable, "it in the environment"), variable)


def readable(url: str, variable: str) -> str:
    """The address of a Postgres, if it is one. Raises `OperatorFault` where it can't be read.

    The driver would say so as well, but it quotes what it can't parse, and that may be the password.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        port = str(conninfo_to_dict(url).get("port") or "")
    except ProgrammingError:
        port = "none"
    if not re.fullmatch(r"[0-9,]*", port):
        raise OperatorFault(
            f"{variable}: can't be read\n  write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "a password with characters such as / or % percent-encoded"
        )
    return url


def _canonical(url: str) -> str:
    """A place in one spelling, with a slash at its end: so two URLs of one folder are equal."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return f"s3://{parts.netloc}{parts.path.rstrip('/')}/"
    path = Path(unquote(parts.path) if parts.scheme == "file" else url)
    return f"{path.expanduser().resolve().as_posix().rstrip('/')}/"
