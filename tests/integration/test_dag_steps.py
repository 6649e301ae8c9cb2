"""What the tasks of a domain log and fail with, each step by itself in Airflow's own environment."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.postgres import Cluster
from tests.integration.airflow_session import ROOT, VENVS, Settings, places, ran
from tests.integration.conftest import write_things

# Calls a step as its task does, with what was said to other tasks as the only stand-in.
STEP = """
import json, logging, sys
from pathlib import Path
from types import SimpleNamespace
sys.path[:0] = ["airflow/dags", "."]
from airflow.sdk.exceptions import AirflowFailException
from data_ingestion.contract import read_contracts
from goldworks_dags import steps
to_stderr = logging.StreamHandler()
to_stderr.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
steps.log.addHandler(to_stderr)  # Airflow has set up its own
steps.log.setLevel(logging.INFO)
steps.log.disabled = False
said = {}
task = SimpleNamespace(
    xcom_push=lambda key, value: said.update({key: value}), xcom_pull=lambda task_ids, key: said[key]
)
contracts = read_contracts(Path(sys.argv[1]))
domain = SimpleNamespace(
    name="store", contracts=contracts, datasets=tuple(one.dataset for one in contracts), faulty=()
)
params = {name: False for name in ("full_listing", "full_refresh")}
params |= {"datasets": [], "first_period": "", "last_period": ""}
failed = ""
for ticket in steps.discover(domain, {"params": params, "ti": task}):
    try:
        steps.load(domain, ticket, {"ti": task})
    except AirflowFailException as error:
        failed = str(error)
print(json.dumps(failed))
"""


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    folder = tmp_path / "landing/things/2026-01"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def run(tmp_path: Path, landed: Path, postgres: Cluster, warehouse_database: str) -> Any:
    """Runs `discover` and `load`; the lines of their log, and what the last load failed with."""
    (tmp_path / "contracts").mkdir()
    write_things(tmp_path / "contracts")
    (tmp_path / "step.py").write_text(STEP)
    settings: Settings = {
        **places(postgres, warehouse_database, landed.parents[1]),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "GOLDWORKS_CONTRACTS": str(tmp_path / "contracts"),
    }

    def run() -> tuple[list[str], str]:
        done = ran([VENVS / "airflow/bin/python", tmp_path / "step.py", tmp_path / "contracts"], settings)
        assert done.returncode == 0, done.stderr
        return done.stderr.splitlines(), json.loads(done.stdout.splitlines()[-1])

    return run


def test_a_link_that_leads_out_is_a_warning_in_the_log_of_discover_and_the_rest_is_loaded(
    run: Any, landed: Path
) -> None:
    (landed / "a.csv").write_text("id,amount,note\n1,1,x\n")
    (landed / "out.csv").symlink_to(ROOT / "README.md")
    log, failed = run()
    assert (
        "WARNING things/2026-01/out.csv: passed over: a link to a target outside the landing, which is not followed; "
        "copy or move its target into the landing, or mount it there"
    ) in log
    assert not failed


def test_drops_that_failed_alike_are_told_once_and_only_others_are_said_to_be_in(
    run: Any, landed: Path
) -> None:
    for number in range(3):
        (landed / f"{number}.csv").write_text("id,amount,colour\n1,1,x\n")
    log, failed = run()
    assert [line.startswith("ERROR failed: things/2026-01/0.csv:1: ") for line in log].count(True) == 1
    assert "ERROR failed: things/2026-01/1.csv and 1 more: same error as things/2026-01/0.csv" in log
    assert failed.startswith("3 of 3 drops failed. First: things/2026-01/0.csv:1: ")
    assert failed.endswith("`goldworks withdraw things/2026-01/0.csv` ends it")
    (landed / "good.csv").write_text("id,amount,note\n1,1,x\n")
    assert run()[1].startswith("3 of 4 drops failed; the others are loaded. First: ")
