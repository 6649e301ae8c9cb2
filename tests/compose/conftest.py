"""The whole platform in containers, a project of its own on free ports, from nothing; gone afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runtime.airflow import Api
from runtime.compose import Compose, Container
from runtime.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
BUILDS_IN_SECONDS = 1500
PATIENCE_IN_SECONDS = 600


@dataclass
class Stack:
    """The platform of a home, as its users reach it: by make's commands, by its pages, by docker."""

    home: Path

    @property
    def settings(self) -> Settings:
        return load_settings(self.home)

    @property
    def compose(self) -> Compose:
        return Compose(self.settings)

    @cached_property
    def api(self) -> Api:
        return Api(self.settings)

    def runtime(self, *arguments: str, root: Path = ROOT, check: bool = True) -> str:
        """What a command of the runtime prints, as the Makefile of a working copy calls it."""
        command, *rest = arguments
        done = subprocess.run(
            [sys.executable, "-m", "runtime", command, "--home", str(self.home), "--free-ports", *rest],
            cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=BUILDS_IN_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"{command}:\n{done.stdout[-6000:]}"
        return done.stdout

    def containers(self, service: str) -> list[Container]:
        return [one for one in self.compose.containers() if one.service == service]

    def inside(self, service: str, *command: str) -> str:
        """What a program of a service's container prints."""
        return self.compose.ask("exec", "--no-TTY", service, *command)

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, as its administrator."""
        settings = self.settings
        login = f"{settings.postgres_admin}:{settings.values['POSTGRES_PASSWORD']}"
        address = f"127.0.0.1:{settings.port('GOLDWORKS_PG_PORT')}"
        with psycopg.connect(f"postgresql://{login}@{address}/{settings.warehouse.database}") as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def tasks(self, dag: str, run: str, task: str) -> list[dict[str, Any]]:
        """The records of a task, mapped or not."""
        place = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.api.ask("GET", place)["task_instances"]
        return [one for one in found if one["task_id"] == task]

    def ended(self, dag: str, run: str) -> str:
        """The state in which a run ends."""
        self.wait_until(lambda: self.api.run_state(dag, run) in ("success", "failed"), f"the end of {run}")
        return self.api.run_state(dag, run)

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Ask until the answer is yes; servers that are down meanwhile have not answered yet."""
        deadline = time.monotonic() + PATIENCE_IN_SECONDS
        while True:
            fault = None
            try:
                if condition():
                    return
            except Exception as error:
                fault = error
            assert time.monotonic() < deadline, f"waited in vain for {what}: {fault}"
            time.sleep(1)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """`make up` in a temporary home, with images as they are here; everything of it is removed at the end.

    `GOLDWORKS_TEST_STACK=DIR` tests that of another home instead and leaves it: quicker while one works.
    """
    if kept := os.environ.get("GOLDWORKS_TEST_STACK"):
        yield Stack(Path(kept).absolute())
        return
    home = Path(tempfile.mkdtemp(prefix="goldworks-compose-"))
    stack = Stack(home)
    try:
        stack.runtime("up")
        yield stack
    finally:
        stack.runtime("down", "--volumes", check=False)
        shutil.rmtree(home, ignore_errors=True)
