"""airflow/health.py as a container calls it: a process, one line, an exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "airflow/health.py"
WELL = {
    "metadatabase": {"status": "healthy"},
    "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-03-01T10:00:00Z"},
    "dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": "2026-03-01T10:00:00Z"},
    "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
}


class Page(BaseHTTPRequestHandler):
    """The health page of an API server; `told` is what it says."""

    told: ClassVar[Any] = WELL

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.told).encode())

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def page() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v2/monitor/health"
    server.shutdown()
    server.server_close()


def check(page: str, *arguments: str) -> tuple[int, str]:
    """Its exit code and what it says; run without any site packages: the standard library must do."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *arguments],
        env={"PATH": os.defpath, "AIRFLOW_API_HEALTH_URL": page},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("part", ["api", "scheduler", "dag_processor"])
def test_a_part_that_the_page_calls_healthy_is(page: str, part: str) -> None:
    assert check(page, part) == (0, f"{part}: healthy")


@pytest.mark.parametrize(
    ("part", "found", "line"),
    [
        ("api", {"metadatabase": {"status": "unhealthy"}}, "api: unhealthy, last heard of never"),
        (
            "scheduler",
            {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": "2026-03-01T09:00:00Z"}},
            "scheduler: unhealthy, last heard of 2026-03-01T09:00:00Z",
        ),
        (
            "dag_processor",
            {"dag_processor": {"status": None, "latest_dag_processor_heartbeat": None}},
            "dag_processor: absent, last heard of never",
        ),
        ("dag_processor", {}, "dag_processor: KeyError: 'dag_processor'"),
    ],
)
def test_a_part_that_is_ill_or_absent_is_told_with_its_last_sign_of_life(
    page: str, part: str, found: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Page, "told", found)
    assert check(page, part) == (1, line)


def test_an_api_server_that_does_not_answer_makes_every_part_ill() -> None:
    code, line = check("http://127.0.0.1:1/", "scheduler")
    assert code == 1
    assert line.startswith("scheduler: URLError: ")
    assert "\n" not in line


def test_a_part_that_is_none_is_refused(page: str) -> None:
    assert check(page, "triggerer") == (2, "usage: health.py api|scheduler|dag_processor|worker")
    assert check(page) == (2, "usage: health.py api|scheduler|dag_processor|worker")
