"""What a person sees: the bank's dashboard shows the numbers of gold, and Airflow shows the run that made them."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from selenium.webdriver import Chrome

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2] / "superset")]

import browser as pages  # noqa: E402
from asset_files import Kind, read_assets  # noqa: E402

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(pages.missing_parts()), reason=pages.missing_parts() or "all parts are there"),
]

HEADLINES = """
    select count(distinct account_no), count(*), sum(deposit_inr) / 1e9, sum(withdrawal_inr) / 1e9,
        count(*) filter (where is_backdated)
    from gold.fct_bank_movement where account_no = any(%s)
"""
OVER_LIMIT = """
    select account_no, withdrawals_inr from gold.dim_bank_account
    where withdrawals_inr > 1000000000 order by withdrawals_inr desc
"""

OVER_LIMIT_TITLE = "Accounts whose withdrawals exceed INR 1,000,000,000 over their whole record"
HEADLINE_TITLES = (
    "Accounts",
    "Movements",
    "Money in, INR billion",
    "Money out, INR billion",
    "Accounts over limit",
    "Backdated movements",
)


@pytest.fixture(scope="module")
def gold(platform) -> Iterator[psycopg.Connection]:
    with psycopg.connect(platform.transformer_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    with pages.browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def superset(platform, driver: Chrome) -> Chrome:
    pages.log_in_to_superset(
        driver, platform.superset_url, platform.superset_user, platform.superset_password
    )
    return driver


@dataclass(frozen=True)
class Seen:
    """The open dashboard as read once: opening it takes the browser seconds."""

    headlines: dict[str, str]
    over_limit: list[list[str]]
    titles: set[str]
    places: dict[str, dict[str, float]]
    complaints: list[str]
    cut_off_titles: list[str]
    foreign_addresses: list[str]


@pytest.fixture(scope="module")
def seen(platform, superset: Chrome) -> Seen:
    pages.open_dashboard(superset, platform.superset_url, "bank")
    charts = pages.charts(superset)
    return Seen(
        headlines={title: pages.headline(superset, title) for title in HEADLINE_TITLES},
        over_limit=pages.table_rows(charts[OVER_LIMIT_TITLE]),
        titles=set(charts),
        places={title: chart.rect for title, chart in charts.items()},
        complaints=pages.complaints(superset),
        cut_off_titles=pages.cut_off_titles(superset),
        foreign_addresses=pages.foreign_addresses(superset),
    )


def accounts(gold: psycopg.Connection) -> list[str]:
    return [row[0] for row in gold.execute("select account_no from gold.dim_bank_account order by 1")]


def headlines(gold: psycopg.Connection, of: list[str]) -> dict[str, str]:
    """What the headlines of these accounts must say, from the movements themselves."""
    number, movements, money_in, money_out, backdated = gold.execute(HEADLINES, [of]).fetchone()
    return {
        "Accounts": f"{number:,}",
        "Movements": f"{movements:,}",
        "Money in, INR billion": f"{money_in or 0:,.2f}",
        "Money out, INR billion": f"{money_out or 0:,.2f}",
        "Backdated movements": f"{backdated:,}",
    }


def test_the_headlines_are_the_sums_of_gold(seen: Seen, gold: psycopg.Connection) -> None:
    wanted = headlines(gold, accounts(gold))
    assert {title: seen.headlines[title] for title in wanted} == wanted


def test_the_accounts_over_the_limit_are_named(seen: Seen, gold: psycopg.Connection) -> None:
    wanted = gold.execute(OVER_LIMIT).fetchall()
    assert seen.headlines["Accounts over limit"] == f"{len(wanted):,}"
    assert [(row[0], row[4]) for row in seen.over_limit] == [
        (name, f"{amount:,.0f}") for name, amount in wanted
    ]


def test_every_chart_is_drawn_and_no_title_is_cut_off(seen: Seen) -> None:
    assert seen.titles == {chart.name for chart in read_assets().of(Kind.CHART)}
    assert seen.complaints == []
    assert seen.cut_off_titles == []


def test_the_first_screen_answers_how_much_and_who_is_over_the_limit(seen: Seen) -> None:
    for title in ("Movements", "Accounts over limit", OVER_LIMIT_TITLE):
        assert seen.places[title]["y"] + seen.places[title]["height"] < 900, f"{title} is below the fold"
    assert max(place["x"] + place["width"] for place in seen.places.values()) <= 1440


def test_pages_call_nobody_at_home(seen: Seen) -> None:
    """Superset's pages carry a telemetry pixel; the content security policy must stop it."""
    assert seen.foreign_addresses == []


def test_the_account_filter_reaches_every_headline(
    platform, superset: Chrome, gold: psycopg.Connection
) -> None:
    account = accounts(gold)[0]
    chosen = (
        f"(NATIVE_FILTER-account:(id:NATIVE_FILTER-account,ownState:(),filterState:(value:!('{account}')),"
        f"extraFormData:(filters:!((col:account_no,op:IN,val:!('{account}'))))))"
    )
    pages.open_dashboard(superset, platform.superset_url, f"bank/?native_filters={chosen}")
    wanted = headlines(gold, [account])
    assert {title: pages.headline(superset, title) for title in wanted} == wanted


def test_airflow_shows_the_last_run_of_the_bank_green(platform, driver: Chrome) -> None:
    pages.log_in_to_airflow(driver, platform.airflow_url, platform.airflow_user, platform.airflow_password)
    assert pages.last_run_state(driver, platform.airflow_url, "bank") == "Success"
