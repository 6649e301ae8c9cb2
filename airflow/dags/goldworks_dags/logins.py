"""Logins: who the tasks are to the warehouse, as Airflow's connections say.

A connection may be an environment variable, a row of Airflow's own, or a secret of AWS Secrets Manager: whichever of
Airflow's secrets backends has it. Nothing is looked up before a task needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from collections.abc import Mapping

WAREHOUSE = "warehouse"
TRANSFORMER = "transformer"

# What libpq, and so dbt, takes from its environment of what may stand behind the `?` of a URL.
OF_LIBPQ = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
# Redshift's driver reads no variables; dbt's profile does.
OF_REDSHIFT = {"sslmode": "WAREHOUSE_SSLMODE"}


class ConnectionMissing(Exception):
    """None of Airflow's secrets backends knows a connection, or it says too little."""


def warehouse_url() -> str:
    """Where the loader works, login included."""
    return str(connection(WAREHOUSE).get_uri())


def source_url(name: str) -> str | None:
    """Where an operational database is that a contract calls so, login included; None without a connection."""
    try:
        return str(connection(f"source_{name}").get_uri())
    except ConnectionMissing:
        return None


def dbt_login() -> dict[str, str]:
    """The variables from which dbt's profile takes where it works and as whom."""
    return as_variables(connection(TRANSFORMER))


def connection(name: str) -> Connection:
    """A connection by name. Raises `ConnectionMissing`, naming it and the remedy."""
    try:
        return Connection.get(name)
    except AirflowNotFoundException as error:
        raise ConnectionMissing(
            f"connection '{name}' is not defined, or its secrets backend can't be read\n  {remedy(name)}"
        ) from error


def as_variables(known: Connection) -> dict[str, str]:
    """dbt's variables for a Postgres or a Redshift. Raises `ConnectionMissing` where it lacks one of them."""
    port, names = (5439, OF_REDSHIFT) if known.conn_type == "redshift" else (5432, OF_LIBPQ)
    found = {
        "WAREHOUSE_HOST": known.host,
        "WAREHOUSE_PORT": str(known.port or port),
        "WAREHOUSE_DB": known.schema,
        "TRANSFORMER_USER": known.login,
        "TRANSFORMER_PASSWORD": known.password,
    }
    if lacking := [name for name, value in found.items() if not value]:
        raise ConnectionMissing(
            f"connection '{known.conn_id}' lacks {', '.join(lacking)}\n  {remedy(known.conn_id)}"
        )
    extra: Mapping[str, object] = known.extra_dejson
    options = {names[name]: str(value) for name, value in extra.items() if name in names}
    return {**{name: str(value) for name, value in found.items()}, **options}


def remedy(name: str) -> str:
    return (
        f"set AIRFLOW_CONN_{name.upper()}=postgresql://USER:PASSWORD@HOST:PORT/DATABASE for all of Airflow, "
        "or put that URL into the secrets backend"
    )
