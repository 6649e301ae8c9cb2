"""Up: the platform in containers, from a fresh clone or from the volumes of the last time."""

import time

from runtime import airflow, compose, containers, preflight
from runtime.compose import Compose
from runtime.demo import find_dashboards, find_domains, one_at_a_time, show_addresses
from runtime.runs import run_to_the_end, wait_for_dags
from runtime.settings import Settings
from runtime.stack import Stack
from runtime.terminal import accent, say, seconds, step


def up(settings: Settings, *, distributed: bool = False, development: bool = False) -> None:
    """Settings, images, containers, dashboards; the first time, with sample drops, each DAG runs to its end."""
    began = time.monotonic()
    with one_at_a_time(settings):
        compose.check_engine()
        preflight.check_embedded(Stack.of(settings).running())
        wanted = containers.profiles(settings, distributed=distributed)
        project = Compose(settings, wanted, development)
        if not project.is_up():
            preflight.check_ports(settings, {}, containers.published_ports(settings))
        containers.write(settings, distributed=distributed)
        with step("images", "built from the locked requirements") as report:
            project.prepare_images()
            report.note = ", ".join(project.images())
        built = time.monotonic()
        with step("containers", "starting") as report:
            project.remove_unwanted()
            project.start(lambda note: setattr(report, "note", note))
            report.note = "all healthy"
        api = airflow.Api(settings)
        domains = find_domains()
        with step("dags", "Airflow reads them") as report:
            wait_for_dags(api, domains)
            report.note = ", ".join(domains)
        if settings.runs_own_s3 and not any(map(api.has_run, domains)):
            run_to_the_end(api, domains)
        show_addresses(settings, find_dashboards())
    ended = time.monotonic()
    say(
        f"\n{accent('ready', 'green')} in {seconds(ended - began)}: {seconds(built - began)} for the images,"
        f" {seconds(ended - built)} from then on"
    )
