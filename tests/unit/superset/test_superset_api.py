"""Superset's REST API: a session that holds behind TLS, and answers that are no success."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from superset_api import SupersetApi, SupersetError

IMPORT = "/api/v1/assets/import/"


class Secure(BaseHTTPRequestHandler):
    """As Superset with `https://` in SUPERSET_URL: its cookies are secure; who posts without them is sent to log in."""

    def do_GET(self) -> None:
        self.answer(
            200, {"result": "token"}, {"Set-Cookie": "superset_session=known; Secure; HttpOnly; Path=/"}
        )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/v1/security/login":
            self.answer(200, {"access_token": "access"})
        elif "superset_session=known" in self.headers.get("Cookie", "") and self.path == IMPORT:
            self.answer(200, {"message": "OK"})
        else:
            self.answer(302, {}, {"Location": "/login/"})

    def answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def api() -> Iterator[SupersetApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Secure)
    Thread(target=server.serve_forever, daemon=True).start()
    yield SupersetApi(f"http://127.0.0.1:{server.server_port}", "admin", "password")
    server.shutdown()
    server.server_close()


def test_secure_cookies_are_sent_where_the_containers_speak_without_tls(api: SupersetApi) -> None:
    api.upload(IMPORT, "bundle", b"zip")


def test_who_is_sent_to_the_login_page_has_not_succeeded(api: SupersetApi) -> None:
    with pytest.raises(SupersetError, match="POST /api/v1/elsewhere/: leads to /login/"):
        api.post("/api/v1/elsewhere/", {})
