"""Builds that are broken off, where a model's hooks and rows share a transaction and where each statement is alone.

Postgres can be either: with `autocommit` in its profile it is like the warehouses that have no transaction around a
model (docs/decisions/0039-marks-come-after-rows.md).
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.integration.dbt_feeds import Web
from tests.integration.dbt_sales import Restatements, Sales
from tests.integration.dbt_session import ROOT, Dbt, dbt_environment
from tests.integration.incremental.two_ways import differences

WEB, SALES, RESTATEMENTS = Web(), Sales(), Restatements()
FEEDS = (WEB, SALES, RESTATEMENTS)
DOMAINS = ("sales", "web")
HISTORIES = range(3)
KILL = """select pg_terminate_backend(pid) from pg_stat_activity
          where usename = 'transformer' and application_name = 'dbt'"""
WAITS_FOR_EVENTS = (
    "select exists (select from pg_locks where relation = 'silver.int_web_events'::regclass and not granted)"
)
# Marts that a person builds after silver has failed, or silver alone.
PARTS = (
    ("mart_web_events_daily", "mart_web_active_users_monthly"),
    ("mart_sales_by_month", "fct_sales_transaction"),
    ("int_web_events",),
    ("int_sales_transactions",),
)


def write_profile(folder: Path, autocommit: bool) -> Path:
    """The project's profile, in which each statement commits alone or not."""
    profile = yaml.safe_load((ROOT / "dbt/profiles.yml").read_text())
    profile["goldworks"]["outputs"]["prod"]["autocommit"] = autocommit
    (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["one-transaction", "each-alone"])
def autocommit(request) -> bool:
    return request.param


@pytest.fixture(scope="module")
def builds(postgres, database, world, tmp_path_factory, autocommit) -> Iterator[list[Dbt]]:
    folder = tmp_path_factory.mktemp("dbt")
    profiles = {"DBT_PROFILES_DIR": str(write_profile(folder, autocommit))}
    stepwise = {**dbt_environment(postgres, database, folder, "prod"), **profiles}
    with ThreadPoolExecutor() as pool:
        running = list(pool.map(Dbt, [stepwise, dbt_environment(postgres, database, folder, "ci")]))
    yield running
    for dbt in running:
        dbt.close()


@pytest.fixture
def broken_off(builds, transformer) -> Callable[..., None]:
    """A command of dbt whose sessions the server ends as soon as `reached` has come back."""

    def build(words: tuple[str, ...]) -> None:
        with suppress(AssertionError):  # it may be quicker than its killer
            builds[0](*words)

    def run(*words: str, reached: Callable[[], object]) -> None:
        running = threading.Thread(target=build, args=[words])
        running.start()
        reached()
        while running.is_alive():
            transformer.execute(KILL)
            time.sleep(0.2)
        running.join()

    return run


def wait_until(connection, query: str) -> None:
    deadline = time.monotonic() + 60
    while not connection.execute(query).fetchone()[0]:
        assert time.monotonic() < deadline, query
        time.sleep(0.05)


def test_a_full_refresh_that_is_broken_off_is_made_up_for_by_the_next_build(
    world, builds, build_both, broken_off, transformer, relations, autocommit
):
    """It is broken off after its hooks and before its rows; one of the rows that were there is wrong."""
    event = "00000000-0000-0000-0000-00000000000{}"
    rows = [
        (event.format(n), f"2024-02-0{n}", "ann@harbour.example", "Peru", "192.0.2.7", "visit")
        for n in (1, 2)
    ]
    world.deliver(WEB.keys[0], WEB.drop(rows))
    world.load()
    build_both()
    transformer.execute(
        "update silver.int_web_events set event_id = gen_random_uuid(), event_date = '2020-02-02' where event_id = %s",
        [event.format(2)],
    )
    with transformer.transaction():
        transformer.execute("lock table silver.int_web_events in access share mode")
        broken_off(
            "run",
            "--select",
            "int_web_events",
            "--full-refresh",
            reached=lambda: wait_until(transformer, WAITS_FOR_EVENTS),
        )
    if not autocommit:  # nothing of it has happened
        builds[0]("run", "--select", "int_web_events", "--full-refresh")
    build_both()
    assert differences(transformer, relations) == {}


@pytest.mark.parametrize("seed", HISTORIES)
def test_builds_that_are_killed_leave_nothing_that_the_next_one_does_not_mend(
    seed, world, builds, build_both, broken_off, transformer, relations
):
    chance = random.Random(seed)
    build_both()
    for _ in range(4):
        for _ in range(3):
            world.random_step(chance)
        words = ["run", "--select", *(f"tag:{domain}" for domain in DOMAINS)]
        if chance.random() < 0.3:
            words.append("--full-refresh")
        after = chance.uniform(0.2, 4)
        broken_off(*words, reached=lambda seconds=after: time.sleep(seconds))
        if chance.random() < 0.5:
            with suppress(
                AssertionError
            ):  # where each statement is alone, a view that was being replaced is missing
                builds[0]("run", "--select", *chance.choice(PARTS))
    build_both()
    assert differences(transformer, relations) == {}
