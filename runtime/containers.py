"""Containers: what the parts are told when Compose runs them, one file of plain settings and one file a secret.

All of it is derived from the settings and written anew by each `make up`; nobody edits it.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from runtime import airflow
from runtime.settings import GENERATED, TELEMETRY_OFF, Addresses, Settings

# Names of services and their own ports, as they see each other on Compose's networks.
_S3_URL = "http://s3:9000"
_BROKER = "redis:6379/0"

DISTRIBUTED = "distributed"

# What every container may see; all else that the settings hold is a secret, or Airflow's alone.
_PLAIN = {
    *TELEMETRY_OFF,
    "AIRFLOW_URL",
    "AIRFLOW_USER",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "GOLDWORKS_DOCS_URL",
    "GOLDWORKS_LAKE_URL",
    "GOLDWORKS_LANDING_URL",
    "GOLDWORKS_LOG",
    "GOLDWORKS_REPORTS_URL",
    "PGSSLMODE",
    "REPORTER_USER",
    "SUPERSET_URL",
    "SUPERSET_USER",
    "TRANSFORMER_USER",
    "WAREHOUSE_DB",
    "WAREHOUSE_HOST",
    "WAREHOUSE_PORT",
    "WAREHOUSE_TYPE",
}


def profiles(settings: Settings, *, distributed: bool) -> list[str]:
    """Which of Compose's profiles are wanted: the local servers that the settings do not replace, and the workers."""
    wanted = {
        "local-postgres": settings.runs_own_postgres,
        "local-s3": settings.runs_own_s3,
        "shop": settings.has_shop,
        DISTRIBUTED: distributed,
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


def published_ports(settings: Settings) -> list[str]:
    """The port settings that containers take on this machine."""
    own = ["GOLDWORKS_PG_PORT"] if settings.runs_own_postgres else []
    return [*own, "GOLDWORKS_AIRFLOW_PORT", "GOLDWORKS_SUPERSET_PORT"]


def addresses(settings: Settings) -> Addresses:
    """Where containers find one another; people find the web pages on this machine."""
    here = Addresses.of_this_machine(settings)
    return Addresses(
        postgres_host="postgres" if settings.runs_own_postgres else here.postgres_host,
        postgres_port=5432 if settings.runs_own_postgres else here.postgres_port,
        s3_url=_S3_URL,
        airflow_url=here.airflow_url,
        superset_url=here.superset_url,
        contracts=Path("/opt/goldworks/contracts"),
        dbt_project=Path("/opt/goldworks/dbt"),
        home=Path("/var/lib/goldworks"),
    )


def plain_settings(settings: Settings, *, distributed: bool) -> dict[str, str]:
    """The variables that every container of ours gets."""
    variables = settings.environment(addresses(settings))
    return {
        **{name: value for name, value in variables.items() if name in _PLAIN},
        "AIRFLOW__API__BASE_URL": variables["AIRFLOW_URL"],
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor" if distributed else "LocalExecutor",
        "AIRFLOW__FAB__COOKIE_SECURE": str(variables["AIRFLOW_URL"].startswith("https://")),
        "MINISTACK_REGION": variables.get("AWS_DEFAULT_REGION", "us-east-1"),
        "POSTGRES_ADMIN": settings.postgres_admin,
    }


def secrets(settings: Settings) -> dict[str, str]:
    """Every secret of docker-compose.yaml by its name there."""
    place, values = addresses(settings), settings.values
    variables = settings.environment(place)

    def login(role: str, database: str, scheme: str = "postgresql") -> str:
        return settings.database_url(role, database, scheme, place)

    own = {name: values[name] for name in GENERATED if name.endswith("_PASSWORD")}
    return {
        **own,
        "CHOSEN_TRANSFORMER_PASSWORD": variables["TRANSFORMER_PASSWORD"],
        "CHOSEN_REPORTER_PASSWORD": variables["REPORTER_PASSWORD"],
        "GOLDWORKS_WAREHOUSE_URL": variables["GOLDWORKS_WAREHOUSE_URL"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": login("airflow", "airflow", "postgresql+psycopg2"),
        "AIRFLOW__CORE__FERNET_KEY": values["AIRFLOW_FERNET_KEY"],
        "AIRFLOW__API__SECRET_KEY": values["AIRFLOW_SECRET_KEY"],
        "AIRFLOW__API_AUTH__JWT_SECRET": values["AIRFLOW_JWT_SECRET"],
        "AIRFLOW__CELERY__BROKER_URL": f"redis://:{values['REDIS_PASSWORD']}@{_BROKER}",
        **airflow.connections(variables),
        "AWS_SECRET_ACCESS_KEY": values["AWS_SECRET_ACCESS_KEY"],
        "SUPERSET_SECRET_KEY": values["SUPERSET_SECRET_KEY"],
        "SUPERSET_METADATA_URI": variables.get("SUPERSET_METADATA_URI")
        or login("superset", "superset", "postgresql+psycopg2"),
        "GOLDWORKS_SHOP_URL": variables.get("GOLDWORKS_SHOP_URL", ""),
        "GOLDWORKS_SOURCE_SHOP_URL": variables.get("GOLDWORKS_SOURCE_SHOP_URL", ""),
        "more_settings": _lines(more_settings(settings)),
    }


def more_settings(settings: Settings) -> dict[str, str]:
    """What the file holds beyond our own settings: Airflow's by their own names, connections, keys of AWS; and the
    sources of captures, whose names the contracts choose.
    """
    ours = {*_PLAIN, *GENERATED, "SUPERSET_METADATA_URI"}
    variables = settings.environment(addresses(settings))
    sources = {name: url for name, url in variables.items() if name.startswith("GOLDWORKS_SOURCE_")}
    others = {
        name: value
        for name, value in settings.values.items()
        if value and name not in ours and not name.startswith(("GOLDWORKS_", "COMPOSE_"))
    }
    return {**sources, **airflow.source_connections(sources), **others}


def write(settings: Settings, *, distributed: bool) -> None:
    """Both kinds of files below `containers/` of the home, where docker-compose.yaml looks for them.

    Containers run as users of their own and must be able to read the secrets: the folder keeps everybody else out.
    """
    hidden = secrets(settings)
    plain = plain_settings(settings, distributed=distributed)
    # Compose starts a container anew when its variables change, but not when a mounted secret does.
    plain["GOLDWORKS_SECRETS"] = _fingerprint(hidden, settings.values["AIRFLOW_SECRET_KEY"])
    folder = settings.home / "containers"
    (folder / "secrets").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _replace(folder / "platform.env", _lines({name: _quoted(value) for name, value in plain.items()}))
    for name, value in hidden.items():
        _replace(folder / "secrets" / name, value)


def are_written(settings: Settings) -> bool:
    """Whether `write` was ever here."""
    return (settings.home / "containers" / "platform.env").exists()


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in sorted(values.items()))


def _quoted(value: str) -> str:
    """As Compose reads it literally. Between single quotes it could not end with a backslash."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", value) + '"'


def _fingerprint(values: Mapping[str, str], key: str) -> str:
    return hmac.new(key.encode(), _lines(values).encode(), hashlib.sha256).hexdigest()[:16]


def _replace(file: Path, text: str) -> None:
    """In place: what is mounted into a container that runs stays this file."""
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
        file.chmod(0o644)
