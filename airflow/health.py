"""Health: whether a part of Airflow is at work, as container health checks ask: one line, and 0 or 1.

`api`, `scheduler` and `dag_processor` ask the API server's health page, which needs no login: it shows what each part
has last written into the metadata. `worker` asks the Celery worker of this very container, over the broker that
Airflow's settings name.
"""

# ruff: noqa: T201 (a script speaks by printing)

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request

PAGE = "http://airflow-api:8080/api/v2/monitor/health"
# The API server is well when it reaches the metadata.
PARTS = {"api": "metadatabase", "scheduler": "scheduler", "dag_processor": "dag_processor"}
PATIENCE = 5  # seconds


def main(arguments: list[str]) -> int:
    """The exit code of a health check: 0 healthy, 1 not, 2 for a part that is none."""
    if arguments not in [[part] for part in (*PARTS, "worker")]:
        print(f"usage: health.py {'|'.join([*PARTS, 'worker'])}", file=sys.stderr)
        return 2
    [part] = arguments
    try:
        fault = worker(os.environ["AIRFLOW__CELERY__BROKER_URL"]) if part == "worker" else asked(part)
    except Exception as error:  # whatever it is, the part can't be called healthy
        print(f"{part}: {type(error).__name__}: {error}")
        return 1
    print(f"{part}: {fault or 'healthy'}")
    return 1 if fault else 0


def asked(part: str) -> str:
    """What the health page holds against a part; nothing when it is healthy."""
    page = os.environ.get("AIRFLOW_API_HEALTH_URL") or PAGE
    with urllib.request.urlopen(page, timeout=PATIENCE) as response:  # noqa: S310
        found = json.load(response)[PARTS[part]]
    if found["status"] == "healthy":
        return ""
    beats = [value for name, value in found.items() if name.startswith("latest_") and value]
    return f"{found['status'] or 'absent'}, last heard of {beats[0] if beats else 'never'}"


def worker(broker: str) -> str:
    """What is wrong with this container's worker; nothing when it answers. Airflow itself is not imported."""
    from celery import Celery

    name = f"celery@{socket.gethostname()}"
    app = Celery(broker=broker, set_as_current=False)
    app.conf.broker_connection_timeout = PATIENCE
    app.conf.broker_transport_options = {
        "socket_connect_timeout": PATIENCE,
        "socket_timeout": PATIENCE,
        "max_retries": 1,
    }
    answers = app.control.ping(destination=[name], timeout=PATIENCE)
    return "" if any(name in answer for answer in answers) else f"{name} does not answer"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
