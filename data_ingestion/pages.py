"""Pages: reports and profiles for a browser, read from the place they were written to. Nothing can be written by it."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from data_ingestion.errors import GoldworksError, OperatorFault
from data_ingestion.landing import Landing

TYPES = {".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8"}
OWN_NAMES = ("127.0.0.1", "localhost")
# A page of ours needs its own styles and drawings, and nothing of another address.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'"


class PageServer(ThreadingHTTPServer):
    """Serves a store by GET and HEAD. Raises `OperatorFault` where the port is taken."""

    daemon_threads = True

    def __init__(self, store: Landing, host: str, port: int) -> None:
        self.store = store
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise OperatorFault(
                f"{host}:{port}: {error.strerror}\n  choose another port by --port or GOLDWORKS_PAGES_PORT"
            ) from error


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "goldworks", ""

    def do_GET(self) -> None:
        """Answers with the index, or with one file."""
        self._answer()

    def do_HEAD(self) -> None:
        """The same without the file."""
        self._answer()

    def log_message(self, *_: object) -> None:
        """Who reads which page is not recorded."""

    def _answer(self) -> None:
        # A page of another site may not read ours under a name that it points to this machine.
        if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in OWN_NAMES:
            self.send_error(HTTPStatus.FORBIDDEN, "open it as http://127.0.0.1")
            return
        key = unquote(urlsplit(self.path).path).removeprefix("/")
        try:
            found = index_of(self.server.store).encode() if not key else read(self.server.store, key)
        except GoldworksError as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, explain=str(error))
            return
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", TYPES[PurePosixPath(key or "index.html").suffix])
        self.send_header("Content-Length", str(len(found)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(found)


def read(store: Landing, key: str) -> bytes | None:
    """A page or a CSV file; None where there is none of that key, or it is neither."""
    if PurePosixPath(key).suffix not in TYPES or not set(key.split("/")).isdisjoint({"", ".", ".."}):
        return None
    if (seen := store.look(key)) is None:
        return None
    with closing(store.open(seen)) as file:
        return file.read()


def index_of(store: Landing) -> str:
    """A page that leads to all others."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Goldworks: reports and profiles</title>"
        "<style>body{font:16px system-ui;margin:3rem auto;max-width:44rem}li{margin:.3rem 0}</style>"
        f"<h1>Reports and profiles</h1><ul>{''.join(_entries(store))}</ul>"
    )


def _entries(store: Landing) -> Iterator[str]:
    keys = sorted(item.key for item in store.list_objects() if PurePosixPath(item.key).suffix in TYPES)
    if not keys:
        yield "<li>None have been written yet. Each domain's DAG writes them, or <code>goldworks report</code>.</li>"
    for key in keys:
        yield f'<li><a href="/{html.escape(quote(key))}">{html.escape(key)}</a></li>'
