"""Results: what a dbt build says of itself when it has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS_WRITTEN = "rows_written"


def push_rows_written(project: str, context: Mapping[str, Any]) -> None:
    """Notes how many rows each model wrote, for the task that publishes them."""
    results = Path(project) / "target" / "run_results.json"
    if results.exists():
        context["ti"].xcom_push(key=ROWS_WRITTEN, value=rows_written(json.loads(results.read_text())))


def rows_written(results: Mapping[str, Any]) -> dict[str, int]:
    """Rows by model name; only models whose adapter counts them."""
    return {
        result["unique_id"].rsplit(".", 1)[-1]: rows
        for result in results["results"]
        if result["unique_id"].startswith("model.")
        and isinstance(rows := result["adapter_response"].get("rows_affected"), int)
        and rows >= 0
    }
