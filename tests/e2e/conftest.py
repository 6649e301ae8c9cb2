"""The whole platform, started once for all end-to-end tests on free ports in a home of its own."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runtime.compose import Compose
from runtime.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
STARTS_IN_SECONDS = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the platform, which beside other tests takes long to start."""
    for item in items:
        if "platform" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(STARTS_IN_SECONDS + 60))


@dataclass(frozen=True)
class Platform:
    """Where the platform is, and how its demo told of itself."""

    home: Path
    environment: dict[str, str]
    told: str
    tokens: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> str:
        """`airflow_url`, `superset_password`, …: the setting of that name."""
        try:
            return self.environment[name.upper()]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def warehouse_url(self) -> str:
        """The warehouse as the loader sees it: raw and ops."""
        return self.environment["GOLDWORKS_WAREHOUSE_URL"]

    @property
    def transformer_url(self) -> str:
        """The warehouse as dbt sees it: raw, bronze, silver and gold."""
        known = self.environment
        login = f"{known['TRANSFORMER_USER']}:{known['TRANSFORMER_PASSWORD']}"
        return f"postgresql://{login}@{known['WAREHOUSE_HOST']}:{known['WAREHOUSE_PORT']}/{known['WAREHOUSE_DB']}"

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a program in a shell that has evaluated `make env`."""
        return subprocess.run(
            command,
            env={**os.environ, **self.environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=check,
        )

    def runtime(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the runtime on this platform, as the Makefile does."""
        return run_runtime(self.home, *arguments)

    def airflow(self, method: str, path: str, body: Any = None) -> Any:
        """Calls Airflow's API, logged in."""
        if "airflow" not in self.tokens:
            login = {"username": self.airflow_user, "password": self.airflow_password}
            self.tokens["airflow"] = _call("POST", f"{self.airflow_url}/auth/token", login)["access_token"]
        return _call(method, f"{self.airflow_url}/api/v2/{path}", body, self.tokens["airflow"])


def _call(method: str, url: str, body: Any = None, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()[:500]}") from error


def run_runtime(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runtime", *arguments[:1], "--home", str(home), "--free-ports", *arguments[1:]],
        cwd=ROOT, capture_output=True, text=True, timeout=STARTS_IN_SECONDS, check=False,
    )  # fmt: skip


def read_exports(text: str) -> dict[str, str]:
    """The variables that `make env` prints, its addition to PATH resolved."""
    known = {}
    for words in map(shlex.split, text.splitlines()):
        name, _, value = words[1].partition("=")
        known[name] = value.replace("$PATH", os.environ["PATH"])
    return known


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """`make demo` in a temporary home; stopped and removed at the end, whatever happened.

    `GOLDWORKS_TEST_PLATFORM=DIR` tests the platform of that home instead, in containers if it runs there, and leaves
    it up: quicker while one works.
    """
    if kept := os.environ.get("GOLDWORKS_TEST_PLATFORM"):
        yield _started(Path(kept).absolute())
        return
    home = Path(tempfile.mkdtemp(prefix="goldworks-platform-"))
    home.chmod(0o711)  # started by root, Postgres runs as another account
    (home / "venvs").symlink_to(ROOT / "var" / "venvs")
    try:
        yield _started(home)
    finally:
        run_runtime(home, "stop")
        (home / "venvs").unlink()
        shutil.rmtree(home, ignore_errors=True)


def _started(home: Path) -> Platform:
    if Compose(load_settings(home, free_ports=True)).is_up():
        return Platform(home, read_exports(run_runtime(home, "env").stdout), "")
    done = run_runtime(home, "demo")
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return Platform(home, read_exports(run_runtime(home, "env").stdout), done.stdout)
