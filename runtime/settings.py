"""Settings: one `.env`, written once, from which every part of the platform is told where the others are.

The file holds ports, logins and secrets; addresses are derived from them, unless the file says otherwise. What a
person wrote into it is never changed; a setting that a newer version needs is appended.
"""

import base64
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from runtime import Fault
from runtime.postgres import SUPERUSER, free_port

ROOT = Path(__file__).resolve().parent.parent

PORTS = {
    "GOLDWORKS_PG_PORT": 54320,
    "GOLDWORKS_S3_PORT": 9000,
    "GOLDWORKS_AIRFLOW_PORT": 8080,
    "GOLDWORKS_SUPERSET_PORT": 8088,
}
# Of a server that only `make pages` starts.
PAGES_PORT = "GOLDWORKS_PAGES_PORT"
ALL_PORTS = {**PORTS, PAGES_PORT: 8090}


def _password() -> str:
    return secrets.token_urlsafe(18)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _signing_key() -> str:
    return secrets.token_urlsafe(66)  # Airflow's tokens are signed with SHA-512, which wants 64 bytes or more


# What the file is made of: (heading, {name: value or how to draw it}).
_SECTIONS: tuple[tuple[str, dict[str, str | Callable[[], str]]], ...] = (
    ("Ports on 127.0.0.1", {name: str(port) for name, port in ALL_PORTS.items()}),
    ("The warehouse that everything reads and writes: prod or dev", {"GOLDWORKS_WAREHOUSE": "prod"}),
    (
        "Logins of people",
        {
            "AIRFLOW_USER": "admin",
            "AIRFLOW_PASSWORD": _password,
            "SUPERSET_USER": "admin",
            "SUPERSET_PASSWORD": _password,
        },
    ),
    (
        "Logins of the parts: the server's superuser, and the roles of init_db.sql and init_source.sql",
        {
            "POSTGRES_PASSWORD": _password,
            "LOADER_PASSWORD": _password,
            "TRANSFORMER_PASSWORD": _password,
            "REPORTER_PASSWORD": _password,
            "DEV_LOADER_PASSWORD": _password,
            "DEV_TRANSFORMER_PASSWORD": _password,
            "DEV_REPORTER_PASSWORD": _password,
            "AIRFLOW_DB_PASSWORD": _password,
            "SUPERSET_DB_PASSWORD": _password,
            "SHOP_PASSWORD": _password,
            "CAPTURE_PASSWORD": _password,
            "REDIS_PASSWORD": _password,
        },
    ),
    (
        "The landing. For real S3: your keys, GOLDWORKS_LANDING_URL=s3://your-bucket and an empty AWS_ENDPOINT_URL",
        {
            "AWS_ACCESS_KEY_ID": "goldworks",
            "AWS_SECRET_ACCESS_KEY": _password,
            "AWS_DEFAULT_REGION": "eu-central-1",
        },
    ),
    (
        "Keys that sign and encrypt what Airflow and Superset store: losing them loses sessions and stored secrets",
        {
            "AIRFLOW_FERNET_KEY": _fernet_key,
            "AIRFLOW_SECRET_KEY": _signing_key,
            "AIRFLOW_JWT_SECRET": _signing_key,
            "SUPERSET_SECRET_KEY": _signing_key,
        },
    ),
)

GENERATED = frozenset(name for _, section in _SECTIONS for name in section)


@dataclass(frozen=True)
class Warehouse:
    """One of the two warehouses: a database, and roles of its own that can connect to no other (init_db.sql)."""

    name: str
    database: str
    prefix: str

    @property
    def loader(self) -> str:
        return f"{self.prefix}loader"

    @property
    def transformer(self) -> str:
        return f"{self.prefix}transformer"

    @property
    def reporter(self) -> str:
        return f"{self.prefix}reporter"


WAREHOUSES = {
    warehouse.name: warehouse
    for warehouse in (Warehouse("prod", "warehouse", ""), Warehouse("dev", "warehouse_dev", "dev_"))
}


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a platform find one another and their files, which depends on where they run."""

    postgres_host: str
    postgres_port: int
    s3_url: str
    airflow_url: str
    superset_url: str
    contracts: Path
    dbt_project: Path
    home: Path

    @classmethod
    def of_this_machine(cls, settings: "Settings") -> "Addresses":
        """Servers on the ports of the settings, files in this repository."""
        return cls(
            postgres_host=settings.values.get("GOLDWORKS_PG_HOST") or "127.0.0.1",
            postgres_port=settings.port("GOLDWORKS_PG_PORT"),
            s3_url=f"http://127.0.0.1:{settings.port('GOLDWORKS_S3_PORT')}",
            airflow_url=f"http://127.0.0.1:{settings.port('GOLDWORKS_AIRFLOW_PORT')}",
            superset_url=f"http://127.0.0.1:{settings.port('GOLDWORKS_SUPERSET_PORT')}",
            contracts=ROOT / "contracts",
            dbt_project=ROOT / "dbt",
            home=settings.home,
        )


@dataclass(frozen=True)
class Settings:
    """The platform of one home: `values` is what its file says, `environment()` what programs are told."""

    home: Path
    file: Path
    values: Mapping[str, str]

    def port(self, name: str) -> int:
        text = self.values[name]
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise Fault(f"{self.file}: {name}: {text!r} is not a port\n  write a number from 1024 to 65535")
        return int(text)

    @property
    def runs_own_s3(self) -> bool:
        """Whether the landing is on the local S3 server, not on one that the file names."""
        return "AWS_ENDPOINT_URL" not in self.values and self.landing.startswith("s3://")

    @property
    def runs_own_postgres(self) -> bool:
        """Whether the databases are on a server that the platform starts, not on one that the file names."""
        return not self.values.get("GOLDWORKS_PG_HOST")

    @property
    def has_shop(self) -> bool:
        """Whether there is the invented shop that changes are captured from: nobody's own bucket gets those."""
        return self.runs_own_postgres and self.runs_own_s3

    @property
    def postgres_admin(self) -> str:
        """The role that makes databases and roles; its password is POSTGRES_PASSWORD."""
        return (not self.runs_own_postgres and self.values.get("GOLDWORKS_PG_ADMIN")) or SUPERUSER

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse that everything reads and writes."""
        chosen = self.values["GOLDWORKS_WAREHOUSE"]
        if chosen not in WAREHOUSES:
            raise Fault(
                f"{self.file}: GOLDWORKS_WAREHOUSE: {chosen!r} is not a warehouse\n"
                f"  write {' or '.join(WAREHOUSES)}"
            )
        return WAREHOUSES[chosen]

    @property
    def landing(self) -> str:
        return self.values.get("GOLDWORKS_LANDING_URL") or "s3://landing"

    def venv(self, name: str) -> Path:
        return venvs_of(self.home) / name

    def program(self, venv: str, name: str) -> Path:
        return self.venv(venv) / "bin" / name

    def log(self, service: str) -> Path:
        return self.home / "logs" / f"{service}.log"

    def database_url(
        self, role: str, database: str, scheme: str = "postgresql", addresses: Addresses | None = None
    ) -> str:
        """A database as one of the roles of init_db.sql; not for people, for it holds the password."""
        place = addresses or Addresses.of_this_machine(self)
        login = f"{role}:{quote(self.password(role), '')}"
        return f"{scheme}://{login}@{place.postgres_host}:{place.postgres_port}/{database}"

    def password(self, role: str) -> str:
        variable = {"airflow": "AIRFLOW_DB", "superset": "SUPERSET_DB"}.get(role, role.upper())
        return self.values[f"{variable}_PASSWORD"]

    def environment(self, addresses: Addresses | None = None) -> dict[str, str]:
        """The variables that all parts share (docs/reference: settings); a value of the file wins.

        Told are the parts that run where `addresses` says, else on this machine.
        """
        place = addresses or Addresses.of_this_machine(self)
        warehouse = self.warehouse
        derived = {
            "GOLDWORKS_HOME": str(place.home),
            "GOLDWORKS_WAREHOUSE_URL": self.database_url(
                warehouse.loader, warehouse.database, addresses=place
            ),
            "GOLDWORKS_LANDING_URL": self.landing,
            "GOLDWORKS_CONTRACTS": str(place.contracts),
            "GOLDWORKS_REPORTS": str(place.contracts.parent / "reports"),
            "AIRFLOW_URL": place.airflow_url,
            "SUPERSET_URL": place.superset_url,
            "WAREHOUSE_HOST": place.postgres_host,
            "WAREHOUSE_PORT": str(place.postgres_port),
            "WAREHOUSE_DB": warehouse.database,
            "LOADER_PASSWORD": self.password(warehouse.loader),
            "TRANSFORMER_USER": warehouse.transformer,
            "TRANSFORMER_PASSWORD": self.password(warehouse.transformer),
            "REPORTER_USER": warehouse.reporter,
            "REPORTER_PASSWORD": self.password(warehouse.reporter),
            "DBT_PROJECT_DIR": str(place.dbt_project),
            "DBT_PROFILES_DIR": str(place.dbt_project),
            **TELEMETRY_OFF,
        }
        if self.has_shop:
            derived["GOLDWORKS_SHOP_URL"] = self.database_url("shop", "shop", addresses=place)
            derived["GOLDWORKS_SOURCE_SHOP_URL"] = self.database_url("capture", "shop", addresses=place)
        if self.runs_own_s3:
            derived["AWS_ENDPOINT_URL"] = place.s3_url
        shared = {name: value for name, value in self.values.items() if name not in _PRIVATE and value}
        return {**derived, **shared}


TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SCARF_ANALYTICS": "false",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
}

# Known to the service that needs it, not to every shell; of the warehouses, the chosen one's are derived.
_PRIVATE = {
    "LOADER_PASSWORD",
    "TRANSFORMER_PASSWORD",
    "REPORTER_PASSWORD",
    "DEV_LOADER_PASSWORD",
    "DEV_TRANSFORMER_PASSWORD",
    "DEV_REPORTER_PASSWORD",
    "POSTGRES_PASSWORD",
    "AIRFLOW_DB_PASSWORD",
    "SUPERSET_DB_PASSWORD",
    "SHOP_PASSWORD",
    "CAPTURE_PASSWORD",
    "REDIS_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_SECRET_KEY",
    "AIRFLOW_JWT_SECRET",
    "SUPERSET_SECRET_KEY",
}


def venvs_of(home: Path) -> Path:
    """Where a home keeps its environments; a link there shares those of another home, which then names them."""
    return (home / "venvs").resolve()


def home_directory(chosen: Path | None = None) -> Path:
    """Where a platform keeps everything: what was chosen, GOLDWORKS_HOME, or `var/` of this repository."""
    if chosen:
        return chosen.absolute()
    return Path(os.environ.get("GOLDWORKS_HOME") or ROOT / "var").absolute()


def settings_file(home: Path) -> Path:
    """`.env` of the repository belongs to its own home; any other home has its own file."""
    return ROOT / ".env" if home == ROOT / "var" else home / ".env"


def load_settings(home: Path | None = None, *, free_ports: bool = False) -> Settings:
    """The settings of `home`, written first where there are none.

    When the file is made, ports and logins that this shell names are taken over; later the file alone decides.
    `free_ports` draws ports that nobody uses instead of the usual ones, when the file is made.
    """
    place = home_directory(home)
    file = settings_file(place)
    place.mkdir(parents=True, exist_ok=True)
    with _locked(place / "settings.lock"):
        known = read_env_file(file) if file.exists() else {}
        missing = _missing_lines(known, free_ports=free_ports, fresh=not known)
        if missing:
            text = file.read_text() if file.exists() else _PREAMBLE
            _write_private(file, text + missing)
            known = read_env_file(file)
    return Settings(place, file, known)


def read_env_file(file: Path) -> dict[str, str]:
    """NAME=value lines; `#` begins a comment line; a value may be quoted with ' or "."""
    values = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            raise Fault(
                f"{file}:{number}: {line.strip()!r} is not a setting\n  write NAME=value, or # before a remark"
            )
        value = value.strip()
        if len(value) >= 2 and value[0] in "'\"" and value[-1] == value[0]:
            value = value[1:-1]
        values[name.strip()] = value
    return values


_PREAMBLE = """\
# Settings of this Goldworks, made by the first `make demo` or `make up`; later ones only append. Edit freely, then
# `make stop demo`, in containers `make up`. Keep this file to yourself. What each setting means: .env.example
"""


def _missing_lines(known: Mapping[str, str], *, free_ports: bool, fresh: bool) -> str:
    lines = []
    for heading, section in _SECTIONS:
        missing = {name: value for name, value in section.items() if name not in known}
        if not missing:
            continue
        lines.append(f"\n# {heading}\n")
        for name, value in missing.items():
            drawn = value if isinstance(value, str) else value()
            if fresh and free_ports and name in ALL_PORTS:
                drawn = str(free_port())
            elif fresh and (name in ALL_PORTS or name in _PEOPLE) and os.environ.get(name):
                drawn = os.environ[name]
            lines.append(f"{name}={drawn}\n")
    return "".join(lines)


_PEOPLE = {"AIRFLOW_USER", "AIRFLOW_PASSWORD", "SUPERSET_USER", "SUPERSET_PASSWORD"}


def _write_private(file: Path, text: str) -> None:
    """Replace `file` in one step, readable by its owner only at every moment."""
    growing = file.with_name(f"{file.name}.{os.getpid()}")
    growing.touch(mode=0o600, exist_ok=False)
    growing.write_text(text)
    growing.replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
