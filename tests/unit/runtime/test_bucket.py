"""Bucket: made once, there the second time, and a refusal is told with the server's words."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from runtime.bucket import ensure_bucket
from runtime.postgres import free_port
from runtime.settings import ROOT


class Server(ThreadingHTTPServer):
    """Keeps buckets as an S3 server does; `refuses` is a code that it answers instead."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.refuses = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_PUT(self) -> None:
        code = self.server.refuses or (409 if self.path in self.server.asked else 200)
        self.server.asked.append(self.path)
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("landing", ["s3://landing", "s3://landing/", "s3://landing/bank/2026"])
def test_the_bucket_of_a_landing_is_made_and_then_left(server: Server, landing: str) -> None:
    assert ensure_bucket(server.url, landing) == "landing"
    assert ensure_bucket(server.url, landing) == "landing"
    assert server.asked == ["/landing", "/landing"]


def test_a_refusal_names_the_bucket_the_server_and_its_answer(server: Server) -> None:
    server.refuses = 403
    with pytest.raises(OSError, match=rf"^bucket landing at {server.url}: 403 Forbidden$"):
        ensure_bucket(server.url, "s3://landing")


def test_a_server_that_is_not_there_is_told_as_such() -> None:
    with pytest.raises(OSError, match="refused"):
        ensure_bucket(f"http://127.0.0.1:{free_port()}", "s3://landing")


def run(server: str) -> subprocess.CompletedProcess[str]:
    """As the container runs it: a file alone, with no package around it."""
    given = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": server,
        "GOLDWORKS_LANDING_URL": "s3://theirs/in",
    }
    program = [sys.executable, "-I", str(ROOT / "runtime" / "bucket.py")]
    return subprocess.run(program, env=given, cwd="/", capture_output=True, text=True, check=False)


def test_alone_in_its_container_it_says_which_bucket_or_why_not(server: Server) -> None:
    done = run(server.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "theirs\n", "")
    server.refuses = 503
    done = run(server.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"bucket theirs at {server.url}: 503 ")
    assert "Traceback" not in done.stderr
