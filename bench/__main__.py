"""`python -m bench`: all scenarios, round by round, on a server of each profile; docs/reference/performance.md."""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench import dags
from bench.figures import Run, as_json, figures, table
from bench.files import VERSION, read_truths
from bench.loaders import OWN, Loader, of_checkout, without
from bench.process import Wrong
from bench.scenarios import SCENARIOS, CopyLimit, Landings, Load, Place, Scenario
from bench.server import PROFILES, ROOT, running, settings_of
from bench.without import TAKEN_AWAY
from runtime.settings import home_directory


def main() -> int:
    """Measures what is asked for, prints the table and writes the JSON. 1 when a result was wrong."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are stopped then, too
    chosen = _chosen(options.only)
    home = home_directory() / "bench"
    files = _files(home, options.rows)
    loaders = _loaders(options)
    runs: list[Run] = []
    wrong: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))  # beside the files, which landings link to
    try:
        landings = Landings(files, folder)
        landings.make(chosen)
        with ExitStack() as stack:
            places: dict[str, list[Place]] = {}
            for profile in options.profiles:
                server = stack.enter_context(running(profile))
                places[profile] = [
                    Place(server, loader, landings, read_truths(files), options.rows) for loader in loaders
                ]
            for profile, those in places.items():
                _say(f"{profile}: preparing")
                for place in those:
                    place.prepare(chosen)
            for number in range(1, options.rounds + 1):
                for profile, those in places.items():
                    _say(f"round {number} of {options.rounds}, {profile}")
                    _round(those, profile, number, chosen, runs, wrong)
        if any(word in dags.NAME for word in options.only):
            found = dags.measure(folder, options.rounds)
            runs += [
                Run("airflow", dags.NAME, number, cost, said) for number, (cost, said) in enumerate(found, 1)
            ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _report(options, runs, options.json or home / "latest.json")
    for fault in wrong:
        _say(f"WRONG, no figure: {fault}")
    return 1 if wrong else 0


def _round(
    places: list[Place],
    profile: str,
    number: int,
    chosen: tuple[Scenario, ...],
    runs: list[Run],
    wrong: list[str],
) -> None:
    """Each scenario by each loader, in turns: what slows the machine down meanwhile slows all of them down."""
    for scenario in chosen:
        those = places[:1] if isinstance(scenario, CopyLimit) else places[:: 1 if number % 2 else -1]
        for place in those:
            try:
                cost, plan = place.measure(scenario)
            except Wrong as fault:
                wrong.append(f"{profile}, round {number}, {place.loader.name or 'own'}: {fault}")
                _say(f"  {scenario.name:<28}   WRONG  {place.loader.name}")
                continue
            runs.append(Run(profile, scenario.name, number, cost, plan, place.loader.name))
            _say(f"  {scenario.name:<28} {cost.wall:>7.2f} s  {plan}  {place.loader.name}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the month's file (ROWS=)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each scenario runs (ROUNDS=)")
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES))
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="scenarios with one of these in their name"
    )
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="another checkout, in turns with this (AGAINST=)"
    )
    parser.add_argument(
        "--without", nargs="*", choices=TAKEN_AWAY, metavar="ACCELERATOR", default=[],
        help=f"this loader without each of these, in turns (WITHOUT=): {', '.join(TAKEN_AWAY)}",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, help="where the figures go (var/bench/latest.json)")
    return parser.parse_args()


def _loaders(options: argparse.Namespace) -> list[Loader]:
    """This checkout's first, which the others are held against."""
    others = [of_checkout(options.against)] if options.against else []
    return [OWN, *others, *map(without, options.without)]


def _chosen(words: list[str]) -> tuple[Scenario, ...]:
    """The scenarios asked for, and the copy limits that they are held against."""
    named = [one for one in SCENARIOS if any(word in one.name for word in words)]
    limits = {one.limit for one in named if isinstance(one, Load)}
    return tuple(one for one in SCENARIOS if one in named or one.name in limits)


def _files(home: Path, rows: int) -> Path:
    """The generated files of one size, written once and kept."""
    folder = home / f"files-{rows}-v{VERSION}"
    if not folder.exists():
        _say(f"writing files of {rows:,} rows to {folder}")
        shutil.rmtree(folder.with_name(f"{folder.name}.part"), ignore_errors=True)
        subprocess.run([sys.executable, "-m", "bench.files", str(folder), str(rows)], cwd=ROOT, check=True)
    return folder


def _report(options: argparse.Namespace, runs: list[Run], path: Path) -> None:
    found = figures(runs, {one.name: one.limit for one in SCENARIOS})
    profiles = {profile: settings_of(profile) for profile in options.profiles}
    _say()
    for profile, settings in profiles.items():
        _say(f"{profile}: {', '.join(f'{name}={value}' for name, value in settings.items())}")
    _say(f"{options.rows:,} rows a month, {os.cpu_count()} processors, {platform.machine()}\n")
    _say(table(found))
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "rows": options.rows, "profiles": profiles,
        "processors": os.cpu_count(), "python": platform.python_version(),
    }  # fmt: skip
    path.write_text(json.dumps({**about, **as_json(found, runs)}, indent=1) + "\n")
    _say(f"\n{path}")


def _say(text: str = "") -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
