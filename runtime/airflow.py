"""Airflow: its metadata, its three processes, and its REST API as the demo speaks to it.

The three are the API server, the scheduler (LocalExecutor) and the DAG processor. No triggerer: nothing is deferrable,
because deferrable dbt sensors lose a race in 3.3 on busy machines. No log server: tasks write their logs where the
API server reads them, and the server would listen on every interface with no setting to stop it.
"""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runtime import Fault
from runtime.services import Service, answers, inherited_environment, run_program
from runtime.settings import ROOT, Settings

SERVICES = ("airflow-api", "airflow-scheduler", "airflow-dags")


def environment(settings: Settings) -> dict[str, str]:
    """What airflow/airflow.cfg leaves to the place; the `airflow` of a developer's shell gets the same (`make env`)."""
    known = settings.environment()
    url = known["AIRFLOW_URL"]
    home = settings.home / "airflow"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(ROOT / "airflow" / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow" / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "airflow" / "plugins"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",  # tasks report here; never start elsewhere
        "AIRFLOW__CORE__FERNET_KEY": settings.values["AIRFLOW_FERNET_KEY"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": settings.database_url(
            "airflow", "airflow", "postgresql+psycopg2"
        ),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(settings.port("GOLDWORKS_AIRFLOW_PORT")),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": settings.values["AIRFLOW_SECRET_KEY"],
        "AIRFLOW__API_AUTH__JWT_SECRET": settings.values["AIRFLOW_JWT_SECRET"],
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        # Its own default, /tmp/cosmos, belongs to whoever ran Cosmos on this machine first.
        "AIRFLOW__COSMOS__CACHE_DIR": str(home / "cosmos"),
        **connections(known),
        **source_connections(known),
        "GOLDWORKS_DBT_MANIFEST": str(manifest(settings)),
        "DBT_EXECUTABLE": str(settings.program("dbt", "dbt")),
    }


def connections(known: Mapping[str, str]) -> dict[str, str]:
    """The logins of the tasks as Airflow's connections, made of the shared settings (`Settings.environment`).

    Without keys the one to AWS leaves them to boto3, which finds a role of the machine's own.
    """
    names = ("TRANSFORMER_USER", "TRANSFORMER_PASSWORD", "WAREHOUSE_HOST", "WAREHOUSE_PORT", "WAREHOUSE_DB")
    user, password, host, port, database = (quote(known[name], "") for name in names)
    login = {"login": "AWS_ACCESS_KEY_ID", "password": "AWS_SECRET_ACCESS_KEY"}
    extra = {
        "region_name": "AWS_DEFAULT_REGION",
        "endpoint_url": "AWS_ENDPOINT_URL",
        "aws_session_token": "AWS_SESSION_TOKEN",
    }

    def present(fields: Mapping[str, str]) -> dict[str, str]:
        return {field: known[name] for field, name in fields.items() if known.get(name)}

    return {
        "AIRFLOW_CONN_WAREHOUSE": known["GOLDWORKS_WAREHOUSE_URL"],
        "AIRFLOW_CONN_TRANSFORMER": f"postgresql://{user}:{password}@{host}:{port}/{database}",
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(
            {"conn_type": "aws", **present(login), "extra": present(extra)}
        ),
    }


def source_connections(known: Mapping[str, str]) -> dict[str, str]:
    """The logins of captures as Airflow's connections: `source_erp` is what `GOLDWORKS_SOURCE_ERP_URL` says."""
    return {
        f"AIRFLOW_CONN_{name.removeprefix('GOLDWORKS_').removesuffix('_URL')}": url
        for name, url in known.items()
        if name.startswith("GOLDWORKS_SOURCE_") and name.endswith("_URL")
    }


def manifest(settings: Settings) -> Path:
    """dbt's manifest for the target that Airflow builds; dbt/target belongs to the developer's runs."""
    return settings.home / "dbt" / "manifest.json"


def process_environment(settings: Settings) -> dict[str, str]:
    """Everything an Airflow process is given, `goldworks` and `dbt` on its PATH."""
    inherited = inherited_environment(path_first=settings.home / "bin")
    return {**inherited, **environment(settings), "DBT_TARGET": "prod", **settings.environment()}


def services(settings: Settings) -> list[Service]:
    url = settings.environment()["AIRFLOW_URL"]
    health = f"{url}/api/v2/monitor/health"
    program = str(settings.program("airflow", "airflow"))
    given = process_environment(settings)

    def part_is_healthy(part: str) -> bool:
        try:
            with urllib.request.urlopen(health, timeout=5) as response:
                return bool(json.load(response)[part]["status"] == "healthy")
        except (OSError, ValueError, KeyError, TypeError):
            return False

    return [
        Service(
            "airflow-api",
            [program, "api-server"],
            given,
            lambda: answers(health, '"metadatabase"'),
            url,
        ),
        Service(
            "airflow-scheduler",
            [program, "scheduler", "--skip-serve-logs"],
            given,
            lambda: part_is_healthy("scheduler"),
            patience=30,  # it waits for its tasks; asked twice, no longer
        ),
        Service("airflow-dags", [program, "dag-processor"], given, lambda: part_is_healthy("dag_processor")),
    ]


def prepare(settings: Settings) -> None:
    """Metadata of this version, the administrator and the pool; costs little when all are there already."""
    home = settings.home / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    argv = [str(settings.program("airflow", "python")), str(ROOT / "airflow" / "prepare.py")]
    run_program(argv, process_environment(settings), home, "airflow/prepare.py")


@dataclass(frozen=True)
class TaskState:
    """One task of a run; a mapped task has one of these for each of its `map_index`es."""

    task_id: str
    state: str
    map_index: int
    try_number: int
    duration: float | None

    @property
    def label(self) -> str:
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"


class Api:
    """Airflow's REST API with the administrator's token, renewed when it expires."""

    def __init__(self, settings: Settings) -> None:
        # from this machine, whatever name a proxy in front gives it
        self.url = f"http://127.0.0.1:{settings.port('GOLDWORKS_AIRFLOW_PORT')}"
        self._login = {
            "username": settings.values["AIRFLOW_USER"],
            "password": settings.values["AIRFLOW_PASSWORD"],
        }
        self._token = ""

    def dags(self) -> dict[str, bool]:
        """Name of every DAG, and whether it is paused."""
        return {
            dag["dag_id"]: bool(dag["is_paused"])
            for dag in self.ask("GET", "/api/v2/dags?limit=1000")["dags"]
        }

    def task_ids(self, dag: str) -> list[str]:
        """The tasks of a DAG as it was read last; those of dbt's models are in the group `transform`."""
        return [str(task["task_id"]) for task in self.ask("GET", f"/api/v2/dags/{dag}/tasks")["tasks"]]

    def import_errors(self) -> list[str]:
        errors = self.ask("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}:\n{error['stack_trace']}" for error in errors]

    def unpause(self, dag: str) -> None:
        self.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def active_run(self, dag: str) -> str | None:
        """A run that is queued or running already, say of an interrupted demo."""
        runs = self.ask("GET", f"/api/v2/dags/{dag}/dagRuns?state=running&state=queued&limit=1")["dag_runs"]
        return str(runs[0]["dag_run_id"]) if runs else None

    def has_run(self, dag: str) -> bool:
        return bool(self.ask("GET", f"/api/v2/dags/{dag}/dagRuns?limit=1")["dag_runs"])

    def trigger(self, dag: str) -> str:
        """The id of the new run."""
        return str(self.ask("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"])

    def run_state(self, dag: str, run: str) -> str:
        return str(self.ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        found = self.ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=1000")[
            "task_instances"
        ]
        return [
            TaskState(t["task_id"], t["state"] or "waiting", t["map_index"], t["try_number"], t["duration"])
            for t in found
        ]

    def log(self, dag: str, run: str, task: TaskState) -> list[str]:
        """The lines that a task's last try wrote."""
        place = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task.task_id}/logs/{task.try_number}"
        content = self.ask("GET", f"{place}?full_content=true&map_index={task.map_index}")["content"]
        lines = []
        for entry in content if isinstance(content, list) else [content]:
            lines += [entry] if isinstance(entry, str) else _log_lines(entry)
        return lines

    def ask(self, method: str, path: str, body: object = None, *, again: bool = True) -> Any:
        """What an endpoint answers. Raises `Fault` with its own words where it refuses."""
        if not self._token:
            self._token = self._send("POST", "/auth/token", self._login)["access_token"]
        try:
            return self._send(method, path, body)
        except urllib.error.HTTPError as error:
            if error.code == 401 and again:
                self._token = ""
                return self.ask(method, path, body, again=False)
            said = error.read().decode(errors="replace")[:500]
            raise Fault(f"{method} {self.url}{path}: {error.code} {error.reason}: {said}") from error

    def _send(self, method: str, path: str, body: object) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        for attempt in range(5):
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return json.load(response)
            except urllib.error.HTTPError:
                raise
            except OSError as error:
                if attempt == 4:
                    raise Fault(
                        f"{self.url} does not answer: {error}\n"
                        "  is the platform up? `make status` says, and `make logs S=airflow-api` why not"
                    ) from error
                time.sleep(1)
        return None


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _log_lines(entry: dict[str, Any]) -> list[str]:
    event = str(entry.get("event", ""))
    lines = [] if event.startswith("::") else [_COLOUR.sub("", event)]
    for detail in entry.get("error_detail") or []:
        for frame in detail.get("frames", []):
            if "site-packages" in str(frame.get("filename")):
                continue
            lines.append(f"  {frame.get('filename')}:{frame.get('lineno')} in {frame.get('name')}")
        lines.append(f"{detail.get('exc_type')}: {detail.get('exc_value')}")
    return lines
