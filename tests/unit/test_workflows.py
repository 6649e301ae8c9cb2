"""The workflows of GitHub, held against what they call; that they are well-formed, actionlint says in `make lint`."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.environments import SUITABLE

ROOT = Path(__file__).resolve().parents[2]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]


def commands() -> list[str]:
    """Every line that a job runs."""
    return [
        line for job in JOBS.values() for step in job["steps"] for line in step.get("run", "").splitlines()
    ]


@pytest.mark.parametrize(
    "target", sorted({line.split()[1] for line in commands() if line.startswith("make ")})
)
def test_a_make_target_of_the_workflow_is_in_the_makefile(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_suite_runs_on_every_python_that_the_project_says_it_needs():
    pythons = JOBS["test"]["strategy"]["matrix"]["python"]
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]

    assert sorted(pythons) == sorted(f"{major}.{minor}" for major, minor in SUITABLE)
    assert supported == f">={pythons[0]},<3.{int(pythons[-1].split('.')[1]) + 1}"


def test_the_dbt_job_sets_every_variable_that_its_target_reads():
    job = JOBS["dbt"]["env"]
    outputs = yaml.safe_load((ROOT / "dbt/profiles.yml").read_text())["goldworks"]["outputs"]
    needed = set(re.findall(r"env_var\('(\w+)'\)", " ".join(map(str, outputs[job["DBT_TARGET"]].values()))))

    assert needed
    assert needed <= job.keys()
