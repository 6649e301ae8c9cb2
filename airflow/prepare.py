"""Prepare: Airflow's metadata at this version, its administrator, and the pool that the DAGs use.

Run by the python of Airflow's environment, once before Airflow's processes start, with their settings (AIRFLOW__…) and
AIRFLOW_USER and AIRFLOW_PASSWORD. May be run again at any time.

What was prepared is noted with the metadata itself; where nothing is to be done, Airflow is not even imported.
"""

# ruff: noqa: T201 (a script speaks by printing)

from __future__ import annotations

import os
import sys
from pathlib import Path

import psycopg

sys.path.append(str(Path(__file__).resolve().parents[1]))

from runtime.metadata import USERS, fingerprint, is_prepared, note_prepared, postgres_url

REQUIREMENTS = Path(__file__).with_name("requirements.txt")

# The pool of the tasks that watch dbt's models. It has fewer slots than tasks may run at once ([core] parallelism): the
# build that they watch must always find a place beside them.
POOL = "dbt"
SLOTS = 4
ABOUT = "watchers of dbt models; smaller than the executor's parallelism"


def main() -> int:
    """Does what is missing, and says it in a line."""
    user, password = os.environ.get("AIRFLOW_USER"), os.environ.get("AIRFLOW_PASSWORD")
    if not user or not password:
        return refuse("AIRFLOW_USER and AIRFLOW_PASSWORD are not set\n  they are the administrator's login")
    url = setting("database", "sql_alchemy_conn")
    wanted = fingerprint(REQUIREMENTS, user, password, setting("api", "secret_key"))
    try:
        with psycopg.connect(postgres_url(url), autocommit=True, connect_timeout=10) as metadata:
            if is_prepared(metadata, wanted) and pool_exists(metadata):
                print("nothing to do: metadata, administrator and pool exist")
                return 0
            done = prepare(metadata, user, password)
            note_prepared(metadata, wanted)
    except psycopg.OperationalError as error:
        return refuse(f"Airflow's metadata can't be reached: {error}")
    except MigrationIncomplete as error:
        return refuse(str(error))
    print(done)
    return 0


class MigrationIncomplete(Exception):
    """The migration reports success, but a table is missing."""


def setting(section: str, name: str) -> str:
    """A setting of Airflow's from the environment; Airflow, which knows more places, is asked only if it must be."""
    if value := os.environ.get(f"AIRFLOW__{section.upper()}__{name.upper()}"):
        return value
    from airflow.configuration import conf

    return str(conf.get_mandatory_value(section, name))


def prepare(metadata: psycopg.Connection, user: str, password: str) -> str:
    """Migrates, and makes what is missing. In this process: everybody can see a process' arguments."""
    from airflow.cli.cli_parser import get_parser

    migrate = get_parser().parse_args(["db", "migrate"])
    migrate.func(migrate)
    # With SQLAlchemy 2.1 the migration leaves the FAB tables out and still reports success.
    if metadata.execute("select to_regclass(%s)", [USERS]).fetchone() == (None,):
        raise MigrationIncomplete(
            f"`airflow db migrate` did not create the table {USERS}, so no one could log in\n"
            "  the locked SQLAlchemy does not work with the FAB provider; `make lock-check` shows what changed"
        )
    return f"metadata migrated, {administrator(user, password)}, {pool()}"


def administrator(user: str, password: str) -> str:
    """Makes the administrator, or gives the one of that name this password."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        security = builder.sm
        if known := security.find_user(username=user):
            done = security.reset_password(known.id, password)
            outcome = f"password of {user} updated"
        else:
            admin = security.find_role("Admin")
            done = security.add_user(user, "Gold", "Works", f"{user}@example.com", admin, password)
            outcome = f"administrator {user} created"
    if not done:
        raise SystemExit(f"airflow/prepare.py: the login {user} could not be created")
    return outcome


def pool_exists(metadata: psycopg.Connection) -> bool:
    """Whether the pool was not removed since."""
    return metadata.execute("select from slot_pool where pool = %s", [POOL]).fetchone() is not None


def pool() -> str:
    """Creates the pool; an existing one keeps its slots, which someone may have chosen."""
    from airflow.models.pool import Pool

    if known := Pool.get_pool(POOL):
        return f"pool {POOL} has {known.slots} slots"
    Pool.create_or_update_pool(POOL, SLOTS, ABOUT, include_deferred=False)
    return f"pool {POOL} created with {SLOTS} slots"


def refuse(why: str) -> int:
    print(f"airflow/prepare.py: {why.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
