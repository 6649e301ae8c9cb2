"""DuckLake: tables as Parquet in a folder or on S3, with their catalogue in a Postgres; many read, one writes.

Every load is a snapshot, and the warehouse can be read as of any of them.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import duckdb
import psycopg

from data_ingestion.errors import OperatorFault
from data_ingestion.warehouses.duckdb.session import DuckdbSession

NAME = "lake"
CATALOGUE = "ducklake"  # the schema of the catalogue's tables
EXTENSIONS = ("ducklake", "postgres_scanner", "httpfs")
# The advisory lock of the one writer: "duck" in ASCII.
WRITER = 0x6475636B
USAGE = (
    "write ducklake:postgresql://USER:PASSWORD@HOST:PORT/DATABASE?data=FOLDER, or ?data=s3://BUCKET/FOLDER"
)


@dataclass(frozen=True)
class Place:
    """Where a lake lies: the URL of its catalogue's Postgres, and the folder of its data."""

    catalogue: str
    data: str

    @classmethod
    def of(cls, url: str) -> Place:
        """The place that a warehouse's URL names."""
        found = urlsplit(url.removeprefix("ducklake:"))
        data = parse_qs(found.query).get("data", [""])[0]
        if found.scheme not in ("postgresql", "postgres") or not data:
            raise OperatorFault(f"the URL of the lake can't be read\n  {USAGE}")
        return cls(found._replace(query="").geturl(), data if data.endswith("/") else f"{data}/")

    @property
    def as_libpq(self) -> str:
        """The catalogue as the extension asks for it."""
        found = urlsplit(self.catalogue)
        parts = {
            "host": found.hostname, "port": found.port, "dbname": found.path.lstrip("/"),
            "user": unquote(found.username or ""), "password": unquote(found.password or ""),
        }  # fmt: skip
        return " ".join(f"{name}={_quoted(str(value))}" for name, value in parts.items() if value)


class DucklakeSession(DuckdbSession):
    """A connection to a lake. What it writes is written under the lock of the one writer, held as long as it lives."""

    def __init__(self, place: Place) -> None:
        super().__init__(Path(NAME))
        self.place = place
        self._writer: psycopg.Connection | None = None
        self._loads: list[int] = []

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._writer = _lock_writer(self.place)
            self._connection = self._attach()
        return self._connection

    def open_read_only(self) -> None:
        self._connection = self._attach(", read_only")

    def open_as_of(self, load_id: int) -> None:
        """Has the session see the lake as it was right after a load. Raises `OperatorFault` for one it doesn't know."""
        self.open_read_only()
        rows = self.rows(
            "select snapshot_id, commit_extra_info from ducklake_snapshots('lake') where commit_extra_info is not null"
        )
        snapshots = {load: snapshot for snapshot, info in rows for load in json.loads(info).get("loads", ())}
        if load_id not in snapshots:
            raise OperatorFault(
                f"no snapshot of the lake is of load {load_id}\n  `goldworks status` lists the loads"
            )
        self._connection = self._attach(f", snapshot_version {snapshots[load_id]}")

    def remove_orphans(self) -> None:
        """Deletes the files of killed loads: with a single writer, a file in no snapshot is one of theirs."""
        self.run("call ducklake_delete_orphaned_files('lake', cleanup_all => true)")

    def draw(self, ids: str, count: int) -> list[int]:
        drawn = super().draw(ids, count)
        if ids == "loads":
            self._loads += drawn
        return drawn

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._in_transaction:
            yield
            return
        self._loads.clear()
        with super().transaction():
            yield
            if self._loads:
                # In the snapshot's own words which loads it is of.
                self.execute(
                    "call ducklake_set_commit_message('lake', 'goldworks', 'load', extra_info => $loads)",
                    {"loads": json.dumps({"loads": self._loads})},
                )

    def close(self) -> None:
        super().close()
        if self._writer is not None:
            with suppress(psycopg.Error):
                self._writer.close()
            self._writer = None

    def _attach(self, options: str = "") -> duckdb.DuckDBPyConnection:
        connection = self._open(":memory:", read_only=False)
        with self._faults():
            for extension in EXTENSIONS:
                connection.execute(f"load {_quoted(_find_extension(extension))}")
            if self.place.data.startswith("s3://"):
                connection.execute(_secret())
            connection.execute(
                f"attach {_quoted('ducklake:postgres:' + self.place.as_libpq)} as {NAME} "
                f"(data_path {_quoted(self.place.data)}, metadata_schema '{CATALOGUE}'{options})"
            )
            connection.execute(f"use {NAME}")
        return connection


def _lock_writer(place: Place) -> psycopg.Connection:
    """Waits until no other session writes."""
    try:
        session = psycopg.connect(place.catalogue, autocommit=True, application_name="goldworks")
    except psycopg.Error as error:
        raise OperatorFault(
            f"the lake's catalogue: {str(error).strip()}\n  see that its Postgres is up, and the login is right"
        ) from error
    session.execute("select pg_advisory_lock(%s)", [WRITER])
    return session


def _find_extension(name: str) -> str:
    """The file of an extension, in its wheel."""
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        for file in Path(folder).glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension"):
            return str(file)
    raise OperatorFault(
        f"DuckDB's extension {name} is not installed, or not for DuckDB {duckdb.__version__}\n"
        "  pip install 'goldworks[ducklake]'"
    )


def _secret() -> str:
    """What tells DuckDB how to reach S3: by the same settings as the landing."""
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    settings = {
        "key_id": os.environ.get("AWS_ACCESS_KEY_ID", ""),
        "secret": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        "session_token": os.environ.get("AWS_SESSION_TOKEN", ""),
        "region": os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION", "")),
        "endpoint": endpoint.netloc,
        "url_style": "path" if endpoint.netloc else "",
    }
    given = [f"{name} {_quoted(value)}" for name, value in settings.items() if value]
    if endpoint.netloc:
        given.append(f"use_ssl {'true' if endpoint.scheme == 'https' else 'false'}")
    return f"create secret ({', '.join(['type s3', *given])})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
