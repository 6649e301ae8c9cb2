"""dbt for tests: a warehouse shared by a module's tests, and a dbt that has parsed the project already."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from runtime.postgres import SUPERUSER, Cluster

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = Path(os.environ.get("GOLDWORKS_HOME", ROOT / "var")) / "venvs" / "dbt"


class Dbt:
    """A running dbt. Call it with a command's words; it answers what became of each node."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.manifest = Path(environment["DBT_TARGET_PATH"]) / "manifest.json"
        self._process = subprocess.Popen(
            # -P: dbt takes every module named dbt_* on the path for a plugin of its own, this one too
            [ENVIRONMENT / "bin" / "python", "-P", Path(__file__).with_name("dbt_worker.py")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def __call__(self, *words: str) -> dict[str, dict[str, Any]]:
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return self._read()

    def models(self, domains: Sequence[str]) -> list[tuple[str, str]]:
        """Schema and name of every model of these domains."""
        nodes = json.loads(self.manifest.read_text())["nodes"].values()
        return [
            (node["schema"], node["name"])
            for node in nodes
            if node["resource_type"] == "model" and set(domains) & set(node["tags"])
        ]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)

    def _read(self) -> dict[str, dict[str, Any]]:
        line = self._process.stdout.readline()
        assert line, f"dbt ended with {self._process.wait(30)}"
        answer = json.loads(line)
        wrong = {
            name: node
            for name, node in answer.get("nodes", {}).items()
            if node["status"] in ("error", "fail")
        }
        assert answer["success"], wrong or answer["error"]
        return answer.get("nodes", {})


def dbt_environment(postgres: Cluster, database: str, folder: Path, target: str) -> dict[str, str]:
    """What `make env` gives a shell, for this warehouse and target; dbt writes into `folder` alone."""
    if not (ENVIRONMENT / "bin" / "dbt").exists():
        pytest.skip(f"{ENVIRONMENT}: no dbt there; `make setup` makes it")
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "WAREHOUSE_HOST": "127.0.0.1",
        "WAREHOUSE_PORT": str(postgres.port),
        "WAREHOUSE_DB": database,
        "TRANSFORMER_USER": "transformer",
        "TRANSFORMER_PASSWORD": "transformer-test",
        "DBT_PROJECT_DIR": str(ROOT / "dbt"),
        "DBT_PROFILES_DIR": str(ROOT / "dbt"),
        "DBT_TARGET": target,
        "DBT_SCHEMA": "ann",
        "DBT_TARGET_PATH": str(folder / f"target-{target}"),
        "DBT_LOG_PATH": str(folder / f"logs-{target}"),
    }


@contextmanager
def warehouse_copy(postgres: Cluster) -> Iterator[str]:
    """The name of a database like `warehouse`, dropped at the end."""
    name = f"warehouse_{uuid.uuid4().hex[:12]}"
    database = sql.Identifier(name)
    url = postgres.url(SUPERUSER, postgres.password, "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template warehouse").format(database))
        connection.execute(sql.SQL("grant create on database {} to transformer").format(database))
        try:
            yield name
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(database))
