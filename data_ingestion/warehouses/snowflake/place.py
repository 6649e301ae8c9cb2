"""Place: which account and database of Snowflake, who logs in and how, and where files are staged for its COPY."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from data_ingestion.errors import OperatorFault

USAGE = "write snowflake://USER@ACCOUNT/DATABASE?warehouse=WAREHOUSE&role=ROLE"
LOGINS = (
    "set GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE to the file of the user's private key, or GOLDWORKS_SNOWFLAKE_TOKEN to a "
    "programmatic access token (with &authenticator=oauth in the URL: an OAuth token)"
)
OPTIONS = ("warehouse", "role", "authenticator", "host", "port", "protocol")
LOCK_SECONDS = 3600
# The moment that `current_timestamp` returns, and how long a writer waits for another, are the session's.
SESSION = {"TIMEZONE": "UTC", "LOCK_TIMEOUT": LOCK_SECONDS, "QUERY_TAG": "goldworks"}
LOGIN_SECONDS, NETWORK_SECONDS = 60, 900


@dataclass(frozen=True)
class Place:
    """A database of an account, the login, and the stage of which COPY reads.

    Without a `staging` folder files go to an internal stage, else to that folder, which the external `stage` is of.
    """

    user: str
    account: str
    database: str
    options: dict[str, str]
    login: dict[str, str] = field(repr=False)
    staging: str = ""
    stage: str = ""

    @classmethod
    def of(cls, url: str) -> Place:
        """The place that a warehouse's URL and the settings name. Raises `OperatorFault` where they don't suffice."""
        found = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(found.query).items()}
        if found.password is not None:
            raise OperatorFault(
                "the URL of the Snowflake has a password in it, and Snowflake ends logins by a password alone\n"
                f"  take it out; {LOGINS}"
            )
        unknown = [name for name in options if name not in OPTIONS]
        database = found.path.strip("/")
        if unknown or not (found.hostname and found.username and database) or "/" in database:
            raise OperatorFault(f"the URL of the Snowflake can't be read\n  {USAGE}")
        staging = os.environ.get("GOLDWORKS_STAGING_URL", "").rstrip("/")
        stage = os.environ.get("GOLDWORKS_SNOWFLAKE_STAGE", "")
        if bool(staging) != bool(stage):
            raise OperatorFault(
                "GOLDWORKS_STAGING_URL and GOLDWORKS_SNOWFLAKE_STAGE belong together: a folder, and the external stage "
                "of it\n  set both, or neither: then files go to an internal stage"
            )
        return cls(
            unquote(found.username), found.hostname, database, options, _login(options), staging, stage
        )

    def connect(self) -> Any:
        """A connection of the driver's."""
        import snowflake.connector

        return snowflake.connector.connect(
            user=self.user,
            account=self.account,
            database=self.database,
            paramstyle="qmark",
            session_parameters=SESSION,
            login_timeout=LOGIN_SECONDS,
            network_timeout=NETWORK_SECONDS,
            application="goldworks",
            **{name: value for name, value in self.options.items() if name != "authenticator"},
            **self.login,
        )


def _login(options: dict[str, str]) -> dict[str, str]:
    key_file = os.environ.get("GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE", "")
    token = os.environ.get("GOLDWORKS_SNOWFLAKE_TOKEN", "")
    if bool(key_file) == bool(token):
        raise OperatorFault(
            f"{'two ways' if key_file else 'no way'} to log in to Snowflake: by a key, or by a token\n  {LOGINS}"
        )
    if token:
        authenticator = options.get("authenticator", "programmatic_access_token")
        if authenticator not in ("programmatic_access_token", "oauth"):
            raise OperatorFault(
                f"the URL of the Snowflake: authenticator={authenticator} is not supported\n"
                "  a token is a programmatic_access_token or of oauth"
            )
        return {"authenticator": authenticator, "token": token}
    if not Path(key_file).is_file():
        raise OperatorFault(f"GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE: {key_file} is not a file\n  {LOGINS}")
    login = {"authenticator": "SNOWFLAKE_JWT", "private_key_file": key_file}
    passphrase = os.environ.get("GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
    return {**login, "private_key_file_pwd": passphrase} if passphrase else login
