"""The modules that the DAGs are made of, as Airflow finds them: from the folder of the DAGs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "airflow/dags"))
