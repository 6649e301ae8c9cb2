"""Onboard: files of a new dataset, from a folder of yours to a dashboard on the running platform."""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from runtime import Fault, airflow
from runtime.demo import gold_models, one_at_a_time, run_tool, start_platform
from runtime.environments import PLATFORM, ensure_environments
from runtime.runs import run_to_the_end, wait_for_dags
from runtime.settings import ROOT, Settings
from runtime.stack import Stack
from runtime.terminal import accent, say, seconds, step

# What `make generate` and `make lint` do for the files of a dataset.
DERIVED = (["dbt/generate.py"], ["superset/describe.py"], ["superset/check_assets.py"])

# Its models are about all datasets; Home shows them.
PLATFORM_DAG = "platform"


class Made(TypedDict):
    """What `python -m onboarding` wrote, and where the files go on the landing."""

    domain: str
    dataset: str
    slug: str
    keys: list[str]


def onboard(settings: Settings, options: argparse.Namespace) -> None:
    """Asks, writes contract, models and charts, and brings files and dashboard to the platform of `make demo`."""
    began = time.monotonic()
    files = [file.resolve() for file in options.files]
    if missing := [str(file) for file in files if not file.is_file()]:
        raise Fault(
            f"{', '.join(missing)}: not a file\n  name files of one dataset: make onboard FILES='a.csv b.csv'"
        )
    ensure_environments(settings.home, [*PLATFORM, "dev"])
    made = _write_files(settings, files, options)
    if made is None:
        return
    for script in DERIVED:
        _in_dev(settings, script)
    with one_at_a_time(settings):
        stack = Stack.of(settings)
        start_platform(stack)
        with step("deliver", "to the landing") as report:
            for file, key in zip(files, made["keys"], strict=True):
                run_tool(stack, ["goldworks", "deliver", str(file), key])
            report.note = ", ".join(made["keys"])
        say(run_tool(stack, ["goldworks", "load", "--dataset", made["dataset"]]).rstrip())
        api = airflow.Api(settings)
        with step("dags", "Airflow reads it") as report:
            wait_for_dags(api, [made["domain"], PLATFORM_DAG], gold_models(settings))
            report.note = made["domain"]
        run_to_the_end(api, [made["domain"]])
        run_to_the_end(api, [PLATFORM_DAG], join=False)
    address = f"{settings.environment()['SUPERSET_URL']}/superset/dashboard/{made['slug']}/"
    say(f"\n{accent('ready', 'green')} in {seconds(time.monotonic() - began)}: {address}")
    say("All files above are yours to change; commit them, and `make lint` checks that they fit.")


def _write_files(settings: Settings, files: list[Path], options: argparse.Namespace) -> Made | None:
    """What was made; None where the person stopped to look at the contract."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "result.json")
        named = [f"--{name}={value}" for name in ("domain", "dataset") if (value := getattr(options, name))]
        _in_dev(
            settings,
            ["-m", "onboarding", *map(str, files), *named, f"--result={result}", *["--yes"] * options.yes],
        )
        if not result.exists():
            return None
        made: Made = json.loads(result.read_text(encoding="utf-8"))
        return made


def _in_dev(settings: Settings, arguments: list[str]) -> None:
    done = subprocess.run([settings.program("dev", "python"), *arguments], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise Fault(
            f"{' '.join(arguments[:2])} failed ({done.returncode})\n"
            "  see above; correct it, and give the same command again"
        )
