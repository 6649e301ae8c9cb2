"""Superset's settings: everything that differs between machines comes from the environment.

| variable                                   | meaning                                                      |
|--------------------------------------------|--------------------------------------------------------------|
| SUPERSET_SECRET_KEY                        | required; signs sessions and encrypts what Superset stores   |
| SUPERSET_METADATA_URI                      | required; SQLAlchemy URI of Superset's own database          |
| REPORTER_PASSWORD                          | required; the warehouse login that may read gold and no more |
| REPORTER_USER                              | `reporter`                                                   |
| WAREHOUSE_HOST, WAREHOUSE_PORT, WAREHOUSE_DB | `127.0.0.1`, `54320`, `warehouse`                          |
| SUPERSET_URL                               | where users reach it; `https://` makes its cookies secure    |

Each required one may also be given as a file: `<NAME>_FILE` (Docker secrets).
"""

import copy
import os
import sys
from pathlib import Path
from typing import Any

from flask import Flask, redirect, request
from sqlalchemy.engine.url import URL
from superset.config import TALISMAN_CONFIG as STOCK_TALISMAN_CONFIG
from superset.config import THEME_DEFAULT as STOCK_THEME
from werkzeug.wrappers import Response

sys.path.append(str(Path(__file__).resolve().parent))  # Superset reads this file by its path

from variables import variable

WAREHOUSE_ALIAS = "warehouse"
"""The host that superset/assets/databases names; where it really is, the environment says."""


SECRET_KEY = variable("SUPERSET_SECRET_KEY")
SQLALCHEMY_DATABASE_URI = variable("SUPERSET_METADATA_URI")


_WAREHOUSE: dict[str, Any] = {
    "host": os.environ.get("WAREHOUSE_HOST", "127.0.0.1"),
    "port": int(os.environ.get("WAREHOUSE_PORT", "54320")),
    "database": os.environ.get("WAREHOUSE_DB", "warehouse"),
    "username": os.environ.get("REPORTER_USER", "reporter"),
    "password": variable("REPORTER_PASSWORD"),
}


def DB_CONNECTION_MUTATOR(  # noqa: N802  (Superset's name)
    uri: URL, params: dict[str, Any], username: str, security_manager: Any, source: Any
) -> tuple[URL, dict[str, Any]]:
    """Turn the alias of the assets into the real warehouse, so that no password is ever stored."""
    return (uri.set(**_WAREHOUSE) if uri.host == WAREHOUSE_ALIAS else uri), params


# Users open dashboards and expect today's load on them: five minutes is the longest they wait for it.
# No Redis: one process serves, its own memory is the cache. Filter state stays in the metadata database.
CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300}
DATA_CACHE_CONFIG = CACHE_CONFIG
RATELIMIT_STORAGE_URI = "memory://"

WTF_CSRF_ENABLED = True
# Cookies know no ports: as "session", Airflow on the same host would take it for its own and log people out.
SESSION_COOKIE_NAME = "superset_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ.get("SUPERSET_URL", "").startswith("https://")
ENABLE_PROXY_FIX = SESSION_COOKIE_SECURE

# Ours need nothing from other hosts, and this is what keeps Superset from calling home: its pages carry a
# telemetry pixel that SCARF_ANALYTICS only leaves out when the pages are built, long before the wheel is.
TALISMAN_ENABLED = True
TALISMAN_CONFIG: dict[str, Any] = copy.deepcopy(STOCK_TALISMAN_CONFIG)
TALISMAN_CONFIG["session_cookie_secure"] = SESSION_COOKIE_SECURE
TALISMAN_CONFIG["content_security_policy"] |= {
    "img-src": ["'self'", "blob:", "data:"],
    "connect-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "font-src": ["'self'", "data:"],
}

ENABLE_CORS = False  # stock Superset invites the pages of two map servers
SUPERSET_WEBSERVER_TIMEOUT = 120
SQLALCHEMY_TRACK_MODIFICATIONS = False
ROW_LIMIT = 10_000

APP_NAME = "Goldworks"
HOME_PAGE = "/superset/dashboard/home/"
LOGO_TARGET_PATH = HOME_PAGE


def FLASK_APP_MUTATOR(app: Flask) -> None:  # noqa: N802  (Superset's name)
    """Superset's own welcome page lists what one looked at last; here people start at the dashboard Home."""

    @app.before_request
    def start_at_home() -> Response | None:
        return redirect(HOME_PAGE) if request.path in ("/", "/superset/welcome/") else None


# A bar of gold and the name: an image file would need a place that Superset serves.
_LOGO = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='150' height='24'%3E"
    "%3Cpath d='M5 5h14l5 14H0z' fill='%23C28A0E'/%3E%3Cpath d='M5 5h14l1.4 4H3.6z' fill='%23D9B868'/%3E"
    "%3Ctext x='33' y='18.5' font-family='Inter,Helvetica,Arial,sans-serif' font-size='18' "
    "font-weight='600' fill='%231F2F3F'%3EGoldworks%3C/text%3E%3C/svg%3E"
)
_THEME_TOKENS = {
    "brandAppName": APP_NAME,
    "brandLogoAlt": APP_NAME,
    "brandLogoUrl": _LOGO,
    "colorPrimary": "#9A6B00",
    "colorLink": "#7A5500",
    "colorInfo": "#4E6E8E",
}
THEME_DEFAULT = {**STOCK_THEME, "token": {**STOCK_THEME["token"], **_THEME_TOKENS}}
THEME_DARK = None

# Quiet blues and greys; neighbours stay apart in lightness, for the colour-blind and for black-and-white prints. Gold
# (#C28A0E) is none of them: on a chart it marks what needs attention, and charts ask for it by name.
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "goldworks",
        "description": "Slate; gold is kept for what needs attention",
        "label": "Goldworks",
        "isDefault": True,
        "colors": [
            "#33506B",
            "#8FA9C0",
            "#6B7A5E",
            "#B5654A",
            "#5B8A8A",
            "#A79B8B",
            "#1F2F3F",
            "#7E6A8A",
        ],
    }
]
