"""Demo: from a fresh clone to a filled dashboard, and from a stopped platform back to a running one.

Every step looks first whether it is done already, so that an interrupted demo goes on where it was.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2

from runtime import Fault, airflow, object_store, preflight, superset
from runtime.compose import Compose
from runtime.environments import PLATFORM, ensure_environments
from runtime.runs import run_to_the_end, wait_for_dags
from runtime.settings import ROOT, Settings
from runtime.stack import Stack, tool_environment
from runtime.terminal import accent, is_terminal, say, seconds, step

HOME = "home"  # the dashboard that leads to the others
SHOP_MINUTES = (60, 600)  # of its life, before the first capture and after


def demo(settings: Settings) -> None:
    """Everything: environments, servers, sample drops, every domain's DAG, dashboards; then where to look."""
    began = time.monotonic()
    with one_at_a_time(settings):
        stack = Stack.of(settings)
        preflight.check_docker(Compose(settings).is_up)
        preflight.check_disk(settings.home, first_run=not settings.venv("superset").exists())
        preflight.check_ports(settings, stack.holders_of_ports())
        ensure_environments(settings.home, PLATFORM)
        downloaded = time.monotonic()
        start_platform(stack)
        api = airflow.Api(settings)
        domains = find_domains()
        with step("dags", "Airflow reads them") as report:
            wait_for_dags(api, domains, gold_models(settings))
            report.note = ", ".join(domains)
        run_to_the_end(api, domains)
        _show_datasets(stack)
        show_addresses(settings, find_dashboards())
    ended = time.monotonic()
    say(
        f"\n{accent('ready', 'green')} in {seconds(ended - began)}: {seconds(downloaded - began)} to download and"
        f" install, {seconds(ended - downloaded)} from then on"
    )


def start_platform(stack: Stack) -> None:
    """All servers up, the sample drops landed, the dashboards imported; no DAG is run."""
    settings = stack.settings
    with step("postgres", "roles, databases and schemas") as report:
        stack.start_postgres()
        report.note = f"127.0.0.1:{stack.cluster.port}"
    stack.link_programs()
    if settings.runs_own_s3:
        with step("s3", "the landing") as report:
            server = object_store.service(settings)
            stack.start([server])
            object_store.ensure_bucket(settings)
            report.note = f"{settings.landing} at {server.address}"
    # Superset needs nothing of the others but Postgres: it comes up beside them.
    with ThreadPoolExecutor(2) as pool:
        dashboards = pool.submit(_start_superset, stack)
        pipeline = pool.submit(_start_pipeline, stack)
        pipeline.result()
        dashboards.result()


def find_domains() -> list[str]:
    """The domains that have contracts, or models in gold: each is a DAG of that name."""
    contracts = (ROOT / "contracts").glob("*/*.odcs.yaml")
    models = (ROOT / "dbt" / "models" / "gold").glob("*/*.sql")
    return sorted({file.parent.name for file in (*contracts, *models)})


def gold_models(settings: Settings) -> dict[str, set[str]]:
    """The models of gold that dbt's manifest has, by their domain."""
    nodes = json.loads(airflow.manifest(settings).read_text(encoding="utf-8"))["nodes"].values()
    found: dict[str, set[str]] = {}
    for node in nodes:
        if node["resource_type"] == "model" and node["path"].startswith("gold/"):
            found.setdefault(node["path"].split("/")[1], set()).add(node["name"])
    return found


def has_samples(domain: str) -> bool:
    """Whether there are invented drops for a domain; one that was just added has none."""
    return (ROOT / "goldworks_samples" / f"{domain}.py").exists()


def find_dashboards() -> list[str]:
    """The slugs of the dashboards as code."""
    slugs = []
    for file in sorted((ROOT / "superset" / "assets" / "dashboards").rglob("*.yaml")):
        lines = [line for line in file.read_text().splitlines() if line.startswith("slug:")]
        slugs += [line.partition(":")[2].strip().strip("'\"") for line in lines]
    return slugs


def run_tool(stack: Stack, argv: list[str], *, quiet: bool = True, cwd: Path = ROOT) -> str:
    """The output of `goldworks` or `dbt`; their failure with what they said last."""
    done = subprocess.run(
        [str(stack.settings.home / "bin" / argv[0]), *argv[1:]],
        env=tool_environment(stack),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-15:])
        raise Fault(f"{' '.join(argv[:2])} failed ({done.returncode})\n{tail}")
    return done.stdout


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Two at once would start everything twice."""
    with (settings.home / "busy.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Fault(
                f"another `make demo` or `make up` is at work on {settings.home}"
                f" (process {lock.read().strip() or 'unknown'})\n"
                "  wait for it to end"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _start_pipeline(stack: Stack) -> None:
    _land_samples(stack)
    _open_shop(stack)
    with step("dbt parse", "the manifest that Airflow draws the models from") as report:
        report.note = str(write_manifest(stack))
    with step("airflow", "metadata, login and pool") as report:
        airflow.prepare(stack.settings)
        report.note = "starting"
        stack.start(airflow.services(stack.settings))
        report.note = stack.settings.environment()["AIRFLOW_URL"]


def _start_superset(stack: Stack) -> None:
    settings = stack.settings
    with step("superset", "metadata, login and roles") as report:
        superset.prepare(settings)
        report.note = "starting"
        stack.start([superset.service(settings)])
        report.note = "dashboards"
        superset.import_dashboards(settings)
        report.note = f"{settings.environment()['SUPERSET_URL']}, dashboards imported"


def write_manifest(stack: Stack) -> Path:
    """dbt's manifest, put in its place whole, as Airflow reads it at any moment; and what builds start with."""
    manifest = airflow.manifest(stack.settings)
    apart = manifest.parent / "parse"
    run_tool(stack, ["dbt", "--quiet", "parse", "--target", "prod", "--target-path", str(apart)])
    for made in (apart / "partial_parse.msgpack", apart / manifest.name):
        Path(copy2(made, made.with_suffix(".copy"))).replace(manifest.with_name(made.name))
    return manifest


def _land_samples(stack: Stack) -> None:
    """Sample drops of each domain once a home; a landing that the settings name is somebody's own and gets none."""
    if not stack.settings.runs_own_s3:
        return
    record = stack.settings.home / "samples"
    landed = record.read_text().split() if record.exists() else []
    if all(domain in landed for domain in find_domains() if has_samples(domain)):
        return
    with step("samples", "drops as they arrive in real life, faults included") as report:
        printed = run_tool(stack, ["goldworks", "samples", "--json", "--once", str(record)], quiet=False)
        drops = json.loads(printed)
        rows = sum(drop["rows"] for drop in drops)
        report.note = f"{len(drops)} objects, {rows:,} rows in {stack.settings.landing}"


def _open_shop(stack: Stack) -> None:
    """The first hours of the shop that the domain `orders` captures its changes from; later `make traffic` goes on."""
    if stack.settings.has_shop:
        with step("shop", "its first customers and orders") as report:
            for minutes in SHOP_MINUTES:
                printed = run_tool(stack, ["goldworks", "traffic", "--until", str(minutes)], quiet=False)
                report.note = printed.removeprefix("traffic").strip()
                if minutes < SHOP_MINUTES[-1]:  # a snapshot, so that what comes after it are changes
                    run_tool(stack, ["goldworks", "capture"], quiet=False)


def _show_datasets(stack: Stack) -> None:
    """A line each, not a line a load: had one failed, its DAG had said so."""
    say()
    say(run_tool(stack, ["goldworks", "status", "--loads", "0"], quiet=False).rstrip())


def show_addresses(settings: Settings, dashboards: list[str]) -> None:
    """Where people find the web pages and the warehouse, and by which logins."""
    known = settings.environment()
    say()
    say(f"Airflow     {known['AIRFLOW_URL']}")
    say(f"Superset    {known['SUPERSET_URL']}")
    for slug in sorted(dashboards, key=lambda slug: (slug != HOME, slug)):
        say(f"            {known['SUPERSET_URL']}/superset/dashboard/{slug}/")
    say("Reports     `make pages` opens them, and the profiles, for a browser on this machine")
    say(f"Warehouse   {known['WAREHOUSE_HOST']}:{known['WAREHOUSE_PORT']}, `make psql`")
    if is_terminal() and sys.stdout.isatty():
        say(f"Logins      Airflow {known['AIRFLOW_USER']} / {known['AIRFLOW_PASSWORD']}")
        say(f"            Superset {known['SUPERSET_USER']} / {known['SUPERSET_PASSWORD']}")
    else:
        say(
            f"Logins      in {settings.file}: AIRFLOW_USER, AIRFLOW_PASSWORD, SUPERSET_USER, SUPERSET_PASSWORD"
        )
