"""Where a person starts, what the line on top of a dashboard says, and that a month of the data can be chosen."""

import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from selenium.webdriver import Chrome

sys.path.insert(0, str(Path(__file__).parent))

import browser as pages

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(pages.missing_parts()), reason=pages.missing_parts() or "all parts are there"),
]


@pytest.fixture(scope="module")
def gold(platform) -> Iterator[psycopg.Connection]:
    with psycopg.connect(platform.transformer_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def superset(platform) -> Iterator[Chrome]:
    with pages.browser() as driver:
        pages.log_in_to_superset(
            driver, platform.superset_url, platform.superset_user, platform.superset_password
        )
        yield driver


@pytest.mark.parametrize(("slug", "what"), [("bank", "Bookings"), ("web", "Events")])
def test_a_line_on_top_says_which_days_are_shown_and_when_they_were_loaded(
    slug: str, what: str, platform, superset: Chrome, gold: psycopg.Connection
) -> None:
    said = gold.execute(
        f"""select to_char(data_from, 'DD Mon YYYY'), to_char(data_to, 'DD Mon YYYY'),
                to_char(loaded_at at time zone 'UTC', 'DD Mon YYYY HH24:MI') from gold.mart_{slug}_data_range"""
    ).fetchone()
    pages.open_dashboard(superset, platform.superset_url, slug)
    line = superset.find_element("css selector", ".data-range")
    assert line.is_displayed()
    assert line.text.startswith("{} from {} to {}, loaded at {} UTC.".format(what, *said))
    leads_to = line.find_element("css selector", "a").get_attribute("href")
    assert leads_to == f"{platform.superset_url}/superset/dashboard/home/"


def test_the_months_of_the_bank_are_those_of_its_bookings(
    platform, superset: Chrome, gold: psycopg.Connection
) -> None:
    months = "select distinct to_char(booking_date, 'YYYY-MM') from gold.fct_bank_movement order by 1"
    month = gold.execute(months).fetchall()[-1][0]
    chosen = (
        f"(NATIVE_FILTER-month:(id:NATIVE_FILTER-month,ownState:(),filterState:(value:!('{month}')),"
        f"extraFormData:(filters:!((col:calendar_month,op:IN,val:!('{month}'))))))"
    )
    pages.open_dashboard(superset, platform.superset_url, f"bank/?native_filters={chosen}")
    counted = gold.execute(
        """select count(*), count(*) filter (where is_backdated),
            (select count(*) from gold.mart_bank_withdrawals_over_limit)
           from gold.fct_bank_movement where to_char(booking_date, 'YYYY-MM') = %s""",
        [month],
    ).fetchone()
    titles = ("Movements", "Backdated", "Over the limit")  # the last is over the whole record, and says so
    assert tuple(pages.headline(superset, title) for title in titles) == tuple(
        f"{number:,}" for number in counted
    )


def test_a_country_of_the_sales_reaches_every_headline(
    platform, superset: Chrome, gold: psycopg.Connection
) -> None:
    country, sales, customers = gold.execute(
        """select country, sum(transactions), count(distinct nullif(customer_key, 'unknown'))
           from gold.mart_sales_by_customer group by country order by 2 desc limit 1"""
    ).fetchone()
    chosen = (
        f"(NATIVE_FILTER-country:(id:NATIVE_FILTER-country,ownState:(),filterState:(value:!('{country}')),"
        f"extraFormData:(filters:!((col:country,op:IN,val:!('{country}'))))))"
    )
    pages.open_dashboard(superset, platform.superset_url, f"sales/?native_filters={chosen}")
    said = {title: pages.headline(superset, title) for title in ("Sales", "Customers")}
    assert said == {"Sales": f"{sales:,}", "Customers": f"{customers:,}"}


def test_superset_opens_with_home(platform, superset: Chrome) -> None:
    superset.get(f"{platform.superset_url}/")
    assert superset.current_url.startswith(f"{platform.superset_url}/superset/dashboard/home/")
