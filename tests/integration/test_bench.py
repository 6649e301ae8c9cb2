"""Bench: a scenario of a few rows by two loaders in turns, whose results are checked before they are figures."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_scenarios_run_in_turns_with_another_checkout_and_without_an_accelerator(tmp_path):
    figures = tmp_path / "figures.json"
    command = [
        sys.executable, "-m", "bench", "--rows", "1000", "--rounds", "1", "--profiles", "shipped",
        "--only", "reload", "nothing new", "--against", str(ROOT), "--without", "difference-plan",
        "--json", str(figures),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = {
        (figure["scenario"], figure["loader"]): figure
        for figure in json.loads(figures.read_text())["figures"]
    }
    loaders = {loader for _, loader in found}
    assert loaders == {"", ROOT.name, "without difference-plan"}
    plans = {loader: found["reload, one row corrected", loader]["plan"] for loader in loaders}
    assert plans == {"": "difference", ROOT.name: "difference", "without difference-plan": "merge"}
    assert {found["nothing new", loader]["plan"] for loader in loaders} == {""}
    assert all(found["nothing new", loader]["times_own_cpu"] for loader in loaders if loader)
