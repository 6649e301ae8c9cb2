"""Preload: what every task imports, imported once by the scheduler, from which the local executor forks tasks.

A task parses its DAG before it runs, which is half of what a watcher of a model costs, and half of that is imports. Our
own modules are left out: a task sees them as they are when it starts.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

MODULES = (
    "cosmos.converter",
    "cosmos.airflow.task_group",
    "cosmos.listeners.dag_run_listener",
    "cosmos.operators.watcher",
    "open_data_contract_standard",
    "upath.implementations.local",
    "yaml",
)


@hookimpl
def on_starting(component: Any) -> None:
    """`component` is a process' job, which does not know its kind yet, or the marker of a task."""
    if type(component).__name__ == "Job" and sys.argv[1:2] == ["scheduler"]:
        for module in MODULES:
            import_module(module)


class Preload(AirflowPlugin):
    """Has Airflow listen to the scheduler's start."""

    name = "preload"
    listeners = (sys.modules[__name__],)
