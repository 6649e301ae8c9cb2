"""Prepare: Airflow's metadata at this version, its administrator, and the pool that the DAGs use.

Run by the python of Airflow's environment, once before Airflow's processes start, with their settings (AIRFLOW__…) and
AIRFLOW_USER and AIRFLOW_PASSWORD. May be run again at any time.

What was prepared is noted with the metadata itself, as a comment on the table of users, so that it is true after a
restore and on another machine too; where nothing is to be done, Airflow is not even imported.
"""

# ruff: noqa: T201 (a script speaks by printing)

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
from pathlib import Path

import psycopg
from psycopg import sql

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
USERS = "ab_user"

# The pool of the tasks that watch dbt's models. It has fewer slots than tasks may run at once ([core] parallelism): the
# build that they watch must always find a place beside them.
POOL = "dbt"
SLOTS = 4
ABOUT = "watchers of dbt models; smaller than the executor's parallelism"


def main() -> int:
    """Does what is missing, and tells it in a line."""
    user, password = os.environ.get("AIRFLOW_USER"), os.environ.get("AIRFLOW_PASSWORD")
    if not user or not password:
        return refuse("AIRFLOW_USER and AIRFLOW_PASSWORD are not set\n  they are the administrator's login")
    url = setting("database", "sql_alchemy_conn")
    wanted = fingerprint(REQUIREMENTS.read_bytes(), user, password, setting("api", "secret_key"))
    try:
        with psycopg.connect(plain(url), autocommit=True, connect_timeout=10) as metadata:
            if is_prepared(metadata, wanted):
                print("nothing to do: metadata, administrator and pool are there")
                return 0
            done = prepare(metadata, user, password)
            comment = sql.SQL("comment on table {} is {}").format(sql.Identifier(USERS), sql.Literal(wanted))
            metadata.execute(comment)
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


def plain(url: str) -> str:
    """SQLAlchemy's URL as Postgres itself reads it: without the name of a driver."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def fingerprint(requirements: bytes, user: str, password: str, key: str) -> str:
    """What metadata are prepared for: packages and login. Without the key it says nothing about the password."""
    facts = json.dumps([hashlib.sha256(requirements).hexdigest(), user, password])
    return f"prepared {hmac.new(key.encode(), facts.encode(), hashlib.sha256).hexdigest()}"


def is_prepared(metadata: psycopg.Connection, wanted: str) -> bool:
    """Whether this login, these packages and the pool were prepared before."""
    row = metadata.execute("select obj_description(to_regclass(%s), 'pg_class')", [USERS]).fetchone()
    if row != (wanted,):
        return False
    return metadata.execute("select from slot_pool where pool = %s", [POOL]).fetchone() is not None


def prepare(metadata: psycopg.Connection, user: str, password: str) -> str:
    """Migrates, and makes what is missing. In this process: everybody can see a process' arguments."""
    from airflow.cli.cli_parser import get_parser

    migrate = get_parser().parse_args(["db", "migrate"])
    migrate.func(migrate)
    # With SQLAlchemy 2.1 the migration leaves the FAB tables out and still reports success.
    if metadata.execute("select to_regclass(%s)", [USERS]).fetchone() == (None,):
        raise MigrationIncomplete(
            f"`airflow db migrate` made no table {USERS}: nobody could log in\n"
            "  the locked SQLAlchemy does not suit the FAB provider; `make lock-check` tells what changed"
        )
    return f"metadata migrated, {administrator(user, password)}, {pool()}"


def administrator(user: str, password: str) -> str:
    """Makes the administrator, or gives the one of that name this password."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        security = builder.sm
        if known := security.find_user(username=user):
            done = security.reset_password(known.id, password)
            told = f"password of {user} set anew"
        else:
            admin = security.find_role("Admin")
            done = security.add_user(user, "Gold", "Works", f"{user}@example.com", admin, password)
            told = f"administrator {user} made"
    if not done:
        raise SystemExit(f"airflow/prepare.py: the login {user} could not be made")
    return told


def pool() -> str:
    """Makes the pool; one that is there keeps the slots that somebody chose."""
    from airflow.models.pool import Pool

    if known := Pool.get_pool(POOL):
        return f"pool {POOL} has {known.slots} slots"
    Pool.create_or_update_pool(POOL, SLOTS, ABOUT, include_deferred=False)
    return f"pool {POOL} made with {SLOTS} slots"


def refuse(why: str) -> int:
    print(f"airflow/prepare.py: {why.strip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
