"""Metadata: whether the own database of Airflow or Superset was prepared before, as a comment on its table of users.

Noted with what it is about, so that it is true after a restore and on another machine too. For `prepare.py` of both, in
environments of their own.
"""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

USERS = "ab_user"


def postgres_url(url: str) -> str:
    """SQLAlchemy's URL as Postgres itself reads it: without the name of a driver."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def fingerprint(requirements: Path, user: str, password: str, key: str) -> str:
    """What metadata are prepared for: packages and login. Without the key it says nothing about the password."""
    packages = hashlib.sha256(requirements.read_bytes()).hexdigest()
    facts = json.dumps([packages, user, password])
    return f"prepared {hmac.new(key.encode(), facts.encode(), hashlib.sha256).hexdigest()}"


def is_prepared(connection: Any, wanted: str) -> bool:
    """Whether these metadata were prepared before for this fingerprint; `connection` is of psycopg or of psycopg2."""
    with connection.cursor() as cursor:
        cursor.execute("select obj_description(to_regclass(%s), 'pg_class')", [USERS])
        return bool(cursor.fetchone() == (wanted,))


def note_prepared(connection: Any, done: str) -> None:
    """Notes for what these metadata are prepared now."""
    with connection.cursor() as cursor:
        # a comment takes no parameters
        cursor.execute("select format('comment on table %%I is %%L', %s::text, %s::text)", [USERS, done])
        [statement] = cursor.fetchone()
        cursor.execute(statement)
