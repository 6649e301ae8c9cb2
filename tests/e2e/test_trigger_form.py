"""Airflow's page as a person starts runs from it: the form of every DAG as it opens, and with a choice."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome

from tests.e2e.browser import browser, log_in_to_airflow, missing_parts
from tests.e2e.test_pipeline import Dag
from tests.e2e.trigger_form import can_be_sent, fields, fill_in, open_form, send

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(missing_parts()), reason=missing_parts())]
DAGS = ("bank", "fleet", "orders", "sales", "web", "platform")


@pytest.fixture
def page(platform: Any) -> Iterator[Chrome]:
    with browser() as driver:
        log_in_to_airflow(driver, platform.airflow_url, platform.airflow_user, platform.airflow_password)
        yield driver


def newest_run(platform: Any, dag: str) -> str:
    found = platform.airflow("GET", f"dags/{dag}/dagRuns?limit=1&order_by=-run_after")["dag_runs"]
    return str(found[0]["dag_run_id"]) if found else ""


def started_by(platform: Any, driver: Chrome, dag: str) -> str:
    """Sends the open form; the run that it started."""
    before = newest_run(platform, dag)
    send(driver)
    deadline = time.monotonic() + 60
    while (run := newest_run(platform, dag)) == before:
        assert time.monotonic() < deadline, f"the form of {dag} has started no run"
        time.sleep(1)
    return run


def test_a_choice_that_can_match_nothing_is_not_offered_and_refused_from_elsewhere(
    platform: Any, page: Chrome
) -> None:
    open_form(page, platform.airflow_url, "bank")
    assert fields(page) == ["datasets", "full_listing", "full_refresh", "accept"]
    state, tasks = Dag(platform, "bank", "").trigger(first_period="2026-01")
    assert (state, tasks["discover"]["state"], tasks["discover"]["try_number"]) == ("failed", "failed", 1)
    assert (tasks["gate"]["state"], tasks["verdict"]["state"]) == ("failed", "upstream_failed")


def test_a_dataset_and_a_range_of_hours_are_taken_and_what_they_leave_out_is_noted(
    platform: Any, page: Chrome
) -> None:
    open_form(page, platform.airflow_url, "fleet")
    assert fields(page) == [
        "datasets",
        "first_period",
        "last_period",
        "full_listing",
        "full_refresh",
        "accept",
    ]
    fill_in(page, "datasets", "vehicle_events")
    fill_in(page, "first_period", "2001-01-01T05")
    fill_in(page, "last_period", "2001-01-01T06")
    fleet, run = Dag(platform, "fleet", ""), started_by(platform, page, "fleet")
    state, tasks = fleet.ended(run)
    assert (state, tasks["load"]["state"]) == ("success", "skipped")
    told = fleet.run(run)
    assert "files are outside the chosen periods (2001-01-01T05 to 2001-01-01T06)" in told["note"]
    conf = told["conf"]
    assert (conf["datasets"], conf["first_period"], conf["last_period"]) == (
        ["vehicle_events"],
        "2001-01-01T05",
        "2001-01-01T06",
    )


def test_the_form_of_every_dag_starts_a_run_as_it_opens(platform: Any, page: Chrome) -> None:
    runs = {}
    for dag in DAGS:
        open_form(page, platform.airflow_url, dag)
        assert can_be_sent(page), f"{dag} can't be started as its form opens"
        runs[dag] = started_by(platform, page, dag)
    assert {dag: Dag(platform, dag, "").ended(run)[0] for dag, run in runs.items()} == dict.fromkeys(
        DAGS, "success"
    )
