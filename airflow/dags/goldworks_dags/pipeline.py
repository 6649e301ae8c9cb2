"""Pipeline: the whole journey of a domain's drops in one graph."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, XComArg, get_current_context, task

from goldworks_dags import lake, steps
from goldworks_dags.assets import gold_of, raw_of, sources_of
from goldworks_dags.batches import Ticket
from goldworks_dags.domain import Domain
from goldworks_dags.form import form
from goldworks_dags.gate import VERDICT, Gate
from goldworks_dags.page import headline, page
from goldworks_dags.results import ROWS_WRITTEN
from goldworks_dags.transform import BUILD_TASK, transform

PATIENCE = {
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def pipeline(domain: Domain) -> DAG:
    """A domain's journey as a DAG; one without contracts has its models built, and that is all."""
    with DAG(
        domain.name,
        description=headline(domain),
        doc_md=page(domain),
        schedule=timetable(domain.schedules),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=12),
        params=form(domain),
        tags=["goldworks", *domain.all_datasets],
        default_args={"owner": domain.name, "execution_timeout": timedelta(minutes=10), **PATIENCE},
    ) as dag:

        @task(inlets=sources_of(domain), outlets=gold_of(domain))
        def publish(found: dict[str, Any]) -> None:
            context = get_current_context()
            written = context["ti"].xcom_pull(task_ids=BUILD_TASK, key=ROWS_WRITTEN) or {}
            steps.publish(domain, found["marks"], written, context["outlet_events"])

        if domain.has_landing:
            _journey(domain, publish)
        else:
            task(steps.make_ledger)() >> transform(domain) >> publish({"marks": {}})
    return dag


def timetable(schedules: tuple[str, ...]) -> Any:
    """The times of a DAG as Airflow takes them: each time that one of them names, in UTC."""
    if len(schedules) < 2:
        return next(iter(schedules), None)
    from airflow.sdk import MultipleCronTriggerTimetable  # an import that few domains have to pay for

    return MultipleCronTriggerTimetable(*schedules, timezone="UTC")


def _journey(domain: Domain, publish: Callable[[Any], XComArg]) -> None:
    """discover → load → gate → transform → publish → profile, and a verdict on all; before them, what is captured.

    The lake is kept beside the models, which do not wait for it.
    """

    # What has landed is loaded even if a source does not answer.
    @task(execution_timeout=timedelta(hours=1), trigger_rule="all_done")
    def discover() -> list[Ticket]:
        return steps.discover(domain, get_current_context())

    @task(execution_timeout=timedelta(hours=6), map_index_template="{{ batch }}")
    def load(batch: Ticket) -> dict[str, int]:
        return steps.load(domain, batch, get_current_context())

    def found() -> dict[str, Any]:
        return steps.gate(domain, get_current_context())

    # With nothing to build `publish` is skipped; the gate lets a profile run all the same that failed before.
    @task(execution_timeout=timedelta(hours=2), trigger_rule="none_failed")
    def profile(found: dict[str, Any]) -> dict[str, int]:
        return steps.profile(domain, found["behind"].get("profile", {}))

    tickets = discover()
    loaded = load.expand(batch=tickets)
    # Also after a failed load: what is loaded goes to gold, and the verdict makes the run fail
    # (docs/decisions/0006-what-a-run-does-after-a-failure.md).
    gate = Gate(task_id="gate", python_callable=found, trigger_rule="all_done", outlets=[raw_of(domain)])
    published = publish(gate.output)
    loaded >> gate
    if not domain.ends_in_raw:
        gate >> transform(domain) >> published
    profiled = profile(gate.output)
    published >> profiled
    ends = [loaded, published, profiled]
    if domain.has_reports:
        ends.append(_reports_after(domain, gate.output, published))
    if domain.captured:
        ends.append(_capture_before(domain, tickets))
    if domain.archived:
        ends.append(_lake_after(domain, loaded))

    # Skipping (nothing new) is not a failure; a failure before is one of the run, and so is a dataset left out,
    # or what waits for a person's decision.
    @task(task_id=VERDICT, trigger_rule="none_failed")
    def verdict() -> None:
        steps.verdict(get_current_context())

    ends >> verdict()


def _capture_before(domain: Domain, tickets: XComArg) -> XComArg:
    @task(execution_timeout=timedelta(hours=1))
    def capture() -> dict[str, int]:
        return steps.capture(domain, get_current_context())

    captured = capture()
    captured >> tickets
    return captured


def _reports_after(domain: Domain, found: Any, published: XComArg) -> XComArg:
    @task(trigger_rule="none_failed")  # as `profile` is
    def report(found: dict[str, Any]) -> list[str]:
        return steps.report(domain, found["behind"].get("report", {}))

    written = report(found)
    published >> written
    return written


def _lake_after(domain: Domain, loaded: XComArg) -> XComArg:
    @task(execution_timeout=timedelta(hours=6), trigger_rule="all_done")
    def archive() -> dict[str, int]:
        return lake.archive(domain)

    @task(execution_timeout=timedelta(hours=2))
    def compact() -> None:
        lake.compact(domain)

    compacted = compact()
    loaded >> archive() >> compacted
    return compacted
