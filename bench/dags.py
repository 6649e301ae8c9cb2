"""DAGs: how long Airflow's processor takes to read them, which it does again and again."""

import os
import tempfile
from pathlib import Path

from bench.process import Cost, Wrong, run
from bench.server import ROOT
from runtime.settings import home_directory

NAME = "DAGs read"
PROGRAM = """
import logging, os, sys, time
logging.disable(logging.WARNING)
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
began = time.perf_counter()
bag = BundleDagBag(str(folder), bundle_path=folder, bundle_name="dags-folder")
seconds = time.perf_counter() - began
assert bag.dags and not bag.import_errors, bag.import_errors
print(seconds, len(bag.dags))
"""


def measure(folder: Path, rounds: int) -> list[tuple[Cost, str]]:
    """The seconds of reading all DAGs, once a round, without the start of Airflow before it (`wall`); nothing where
    the environments of Airflow and dbt are not made."""
    venvs = home_directory() / "venvs"
    python, dbt = venvs / "airflow/bin/python", venvs / "dbt/bin/dbt"
    if not (python.exists() and dbt.exists()):
        return []
    project = ROOT / "dbt"
    nowhere = {
        "WAREHOUSE_HOST": "nowhere", "WAREHOUSE_PORT": "1", "WAREHOUSE_DB": "none",
        "TRANSFORMER_USER": "nobody", "TRANSFORMER_PASSWORD": "none",
        "DBT_PROJECT_DIR": str(project), "DBT_PROFILES_DIR": str(project), "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "target"),
    }  # fmt: skip
    run([dbt, "--quiet", "parse", "--target", "prod"], nowhere, ROOT)
    with tempfile.TemporaryDirectory(dir=folder) as home:
        settings = {
            "AIRFLOW_HOME": home, "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow/dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__COSMOS__CACHE_DIR": f"{home}/cosmos",
            "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False", "GOLDWORKS_CONTRACTS": str(ROOT / "contracts"),
            "GOLDWORKS_DBT_MANIFEST": str(folder / "target/manifest.json"), "DBT_EXECUTABLE": str(dbt),
            "DBT_PROJECT_DIR": str(project), "DBT_PROFILES_DIR": str(project), "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        found = []
        for _ in range(
            rounds + 1
        ):  # the first one fills Cosmos' cache, as the first one after a deployment does
            cost, said = run([python, "-c", PROGRAM], {**settings, "PATH": os.environ.get("PATH", "")}, ROOT)
            try:
                seconds, dags = said.split()[-2:]
            except ValueError:
                raise Wrong(f"{NAME}: no figure in what was printed: {said[-300:]}") from None
            found.append((Cost(float(seconds), cost.client_cpu, rss_mb=cost.rss_mb), f"{dags} DAGs"))
    return found[1:]
