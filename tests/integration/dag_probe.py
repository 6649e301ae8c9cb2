"""Imports the DAGs as Airflow's DAG processor does, without a network, and tells as JSON what it found.

Run by the interpreter of Airflow's environment.
"""

import json
import logging
import os
import socket
import sys
import time
from pathlib import Path

logging.disable(logging.WARNING)
HEAVY = ("boto3", "botocore", "openpyxl", "pandas", "pgpq", "psycopg", "psycopg2", "pyarrow", "dbt")
reached_for: list[str] = []


def refuse(_: object, address: object) -> None:
    reached_for.append(str(address))
    raise OSError(f"a DAG file reached for {address}")


def main() -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    before = set(sys.modules)
    socket.socket.connect = socket.socket.connect_ex = refuse  # type: ignore[assignment, method-assign]
    began = time.process_time()
    bag = BundleDagBag(str(folder), bundle_path=folder, bundle_name="dags-folder")
    seconds = time.process_time() - began
    found = {
        "errors": bag.import_errors,
        "cpu_seconds": seconds,
        "heavy": sorted(name for name in HEAVY if name in set(sys.modules) - before),
        "reached_for": reached_for,
        "dags": {dag_id: describe(dag) for dag_id, dag in bag.dags.items()},
    }
    sys.stdout.write("\n" + json.dumps(found, default=str) + "\n")


def describe(dag) -> dict:  # type: ignore[no-untyped-def, type-arg]
    dag.check_cycle()
    params = [(name, dag.params.get_param(name)) for name in dag.params]
    return {
        "schedule": dag.schedule,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags),
        "doc": dag.doc_md,
        "params": {
            name: {**param.schema, "description": param.description, "default": param.value}
            for name, param in params
        },
        "tasks": {task.task_id: task_of(task) for task in dag.tasks},
    }


def task_of(task) -> dict:  # type: ignore[no-untyped-def, type-arg]
    return {
        "owner": task.owner,
        "retries": task.retries,
        "timeout": task.execution_timeout.total_seconds() if task.execution_timeout else None,
        "pool": task.pool,
        "trigger_rule": task.trigger_rule.value,
        "upstream": sorted(task.upstream_task_ids),
        "inlets": sorted(inlet.name for inlet in task.inlets),
        "outlets": sorted(outlet.name for outlet in task.outlets),
        "deferrable": getattr(task, "deferrable", False),
    }


if __name__ == "__main__":
    main()
