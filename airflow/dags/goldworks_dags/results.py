"""Results: what a dbt build says of itself when it has ended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS_WRITTEN = "rows_written"


def push_rows_written(project: str, context: Mapping[str, Any]) -> None:
    """Notes how many rows each model wrote, for the task that publishes them."""
    results = Path(project) / "target" / "run_results.json"
    if results.exists():
        run_results = json.loads(results.read_text())
        context["ti"].xcom_push(key=ROWS_WRITTEN, value=rows_written(run_results))
        write_build_event(context["ti"].dag_id, run_results)


def write_build_event(domain: str, results: Mapping[str, Any]) -> None:
    """Writes the build's event: how many models and tests ran, and how many of them failed."""
    from data_ingestion.events import send_to, write_event
    from data_ingestion.settings import log_target

    send_to(log_target(), into_log=True)
    kinds = Counter(result["unique_id"].partition(".")[0] for result in results["results"])
    failed = sum(result["status"] in ("error", "fail") for result in results["results"])
    write_event(
        "transform",
        "failed" if failed else "done",
        domain=domain,
        models=kinds["model"],
        tests=kinds["test"] + kinds["unit_test"],
        failures=failed,
        warnings=sum(result["status"] == "warn" for result in results["results"]),
        rows_written=sum(rows_written(results).values()),
        seconds=float(results.get("elapsed_time", 0)),
    )


def rows_written(results: Mapping[str, Any]) -> dict[str, int]:
    """Rows by model name; only models whose adapter counts them."""
    return {
        result["unique_id"].rsplit(".", 1)[-1]: rows
        for result in results["results"]
        if result["unique_id"].startswith("model.")
        and isinstance(rows := result["adapter_response"].get("rows_affected"), int)
        and rows >= 0
    }
