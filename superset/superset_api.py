"""Superset's REST API, as far as assets as code need it: one session, errors in words."""

import argparse
import os
from typing import Any

import requests
from variables import VariableMissing, variable

_PAGE_SIZE = 100


class SupersetError(Exception):
    """Superset cannot be reached, refuses the login, or refuses a request: for the operator.

    `details` is what it finds wrong at which place, where it says so.
    """

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details or {}


class SupersetApi:
    """A logged-in session."""

    def __init__(self, url: str, user: str, password: str, timeout_seconds: float = 120) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"  # else Superset explains faults in HTML
        # Superset closes a connection after two idle seconds, which on a busy machine is when the next request comes.
        self._session.headers["Connection"] = "close"
        login = {"username": user, "password": password, "provider": "db", "refresh": False}
        answer = self._send(
            "POST", "/api/v1/security/login", json=login, on_401=f"refuses the login of '{user}'"
        )
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._session.headers["Referer"] = self.url
        token = self._send("GET", "/api/v1/security/csrf_token/").json()["result"]
        self._session.headers["X-CSRFToken"] = token

    def get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._send("GET", path).json()
        return answer

    def download(self, path: str) -> bytes:
        return self._send("GET", path).content

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._send("POST", path, json=body).json()
        return answer

    def put(self, path: str, body: dict[str, Any]) -> None:
        self._send("PUT", path, json=body)

    def upload(self, path: str, field: str, content: bytes) -> None:
        self._send("POST", path, files={field: (f"{field}.zip", content, "application/zip")})

    def delete(self, path: str) -> None:
        self._send("DELETE", path)

    def all(self, resource: str, order_by: str) -> list[dict[str, Any]]:
        """Every row of a list endpoint such as `chart`, page by page in the order of a column."""
        rows: list[dict[str, Any]] = []
        while True:
            page = len(rows) // _PAGE_SIZE
            query = f"(order_column:{order_by},order_direction:asc,page:{page},page_size:{_PAGE_SIZE})"
            answer = self.get(f"/api/v1/{resource}/?q={query}")
            rows += answer["result"]
            if len(rows) >= answer["count"] or not answer["result"]:
                return rows

    def _send(self, method: str, path: str, on_401: str = "", **body: Any) -> requests.Response:
        try:
            answer = self._session.request(
                method, self.url + path, timeout=self._timeout, allow_redirects=False, **body
            )
        except requests.RequestException as error:
            raise SupersetError(
                f"{self.url}: does not answer ({type(error).__name__})\n"
                "  is Superset up? `make status` says; else name its address with --url"
            ) from error
        if answer.status_code == 401 and on_401:
            raise SupersetError(f"{self.url}: {on_401}\n  check --user and the password variable")
        # Behind TLS its cookies are secure, but between containers we speak to it without: the session that it gave us
        # there must go back there, for it is the one that the CSRF token belongs to.
        for cookie in self._session.cookies:
            cookie.secure = False
        if answer.is_redirect:  # how it answers those whom it does not know, or who lack its CSRF token
            raise SupersetError(f"{self.url}: {method} {path}: leads to {answer.headers['Location']}")
        if not answer.ok:
            said, details = _complaint(answer)
            raise SupersetError(f"{self.url}: {method} {path}: {answer.status_code}: {said}", details)
        return answer


def _complaint(answer: requests.Response) -> tuple[str, dict[str, Any]]:
    """What Superset says is wrong, and at which places."""
    try:
        body = answer.json()
    except ValueError:
        return str(answer.reason), {}
    errors = body.get("errors", [])
    said = "; ".join(str(error.get("message", "")) for error in errors) or str(body.get("message", body))
    details = {place: fault for error in errors for place, fault in (error.get("extra") or {}).items()}
    details.pop("issue_codes", None)
    return said, details


def add_login(parser: argparse.ArgumentParser) -> None:
    """Gives a command the options that say which Superset, and as whom."""
    parser.add_argument("--url", default=os.environ.get("SUPERSET_URL", "http://127.0.0.1:8088"))
    parser.add_argument("--user", default=os.environ.get("SUPERSET_USER", "admin"))
    parser.add_argument(
        "--password-env",
        default="SUPERSET_PASSWORD",
        help="variable that holds the password, or with _FILE behind it the file that does",
    )


def log_in(options: argparse.Namespace) -> SupersetApi:
    """The session that the options ask for. Raises SupersetError, also where the password they name is missing."""
    try:
        password = variable(options.password_env)
    except VariableMissing as error:
        raise SupersetError(f"the password of '{options.user}': {error}") from error
    return SupersetApi(options.url, options.user, password)
