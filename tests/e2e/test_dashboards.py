"""What a person sees: each dashboard shows the numbers of the warehouse, and Airflow shows the run that made them."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
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

OVER_LIMIT_TITLE = "Accounts with withdrawals over INR 1 billion (whole record)"


def whole(number: object) -> str:
    return f"{number:,}"


def hundredths(number: float | None) -> str:
    return f"{number or 0:,.2f}"


def four_digits(number: Decimal | None) -> str:
    """Four digits that say something: an account of thousands is not 0.00 billion."""
    return f"{float(number or 0):.4g}"


def tenths(number: float | None) -> str:
    return f"{number or 0:,.1f}"


def units(number: Decimal | None) -> str:
    """Without decimals, halves rounded up as browsers do."""
    return f"{(number or Decimal()).quantize(Decimal(1), ROUND_HALF_UP):,}"


def percent(share: float | None) -> str:
    return f"{share or 0:.2%}"


@dataclass(frozen=True)
class Expected:
    """A dashboard: what its headlines say of which rows, its table, its filter, and what the first screen shows."""

    slug: str
    headlines: dict[str, Callable[..., str]]
    numbers: str  # the numbers of the headlines, where the filter has these choices
    choices: str
    filter: tuple[str, str]  # its name, and the column it is on
    table: str
    cells: tuple[int, ...]
    rows: str  # what those cells of the table must say, in order
    first_screen: tuple[str, ...]


BANK = Expected(
    slug="bank",
    headlines={
        "Accounts": whole,
        "Movements": whole,
        "Money in": four_digits,
        "Money out": four_digits,
        "Backdated": whole,
        "Over the limit": whole,
    },
    numbers="""
        select count(distinct account_no), count(*), sum(deposit_inr) / 1e9, sum(withdrawal_inr) / 1e9,
            count(*) filter (where is_backdated),
            (select count(*) from gold.dim_bank_account
             where withdrawals_inr > 1000000000 and account_no = any(%(choices)s))
        from gold.fct_bank_movement where account_no = any(%(choices)s)
    """,
    choices="select account_no from gold.dim_bank_account order by 1",
    filter=("account", "account_no"),
    table=OVER_LIMIT_TITLE,
    cells=(0, 4),
    rows="""
        select account_no, to_char(withdrawals_inr, 'FM999,999,999,999,999') from gold.dim_bank_account
        where withdrawals_inr > 1000000000 order by withdrawals_inr desc
    """,
    first_screen=("Movements", "Over the limit", OVER_LIMIT_TITLE),
)
FLEET = Expected(
    slug="fleet",
    headlines={
        "Vehicles": whole,
        "Updates": whole,
        "Most updates": whole,
        "Periods": whole,
        "Average, km": hundredths,
        "Distance, km": tenths,
    },
    numbers="""
        select count(*), sum(updates), max(updates),
            (select count(*) from silver.int_fleet_operating_periods
             where took_place and organization_id = any(%(choices)s)),
            (select avg(distance_km) from gold.mart_fleet_vehicle_distances where organization_id = any(%(choices)s)),
            (select sum(distance_km) from gold.mart_fleet_vehicle_distances where organization_id = any(%(choices)s))
        from gold.mart_fleet_vehicle_updates where organization_id = any(%(choices)s)
    """,
    choices="select distinct organization_id from gold.mart_fleet_vehicle_updates order by 1",
    filter=("organization", "organization_id"),
    table="Operating periods and distances",
    cells=(0, 4, 5),
    rows="""
        select operating_period_id, to_char(vehicles, 'FM999,999'), to_char(distance_km, 'FM999,990.00')
        from gold.mart_fleet_operating_periods order by starts_at desc
    """,
    first_screen=(
        "Vehicles",
        "Path in the last hour, on a map",
        "Last position of every vehicle",
        "Top vehicle",
        "Top 10 vehicles by updates",
    ),
)
ORDERS = Expected(
    slug="orders",
    headlines={
        "Open orders": whole,
        "Overdue": whole,
        "Open value": units,
        "Pending orders": whole,
        "Pending items": whole,
        "Waiting": whole,
    },
    numbers="""
        select count(distinct order_id), count(distinct order_id) filter (where delivery_date < current_date),
            sum(quantity * unit_price), count(distinct order_id) filter (where status = 'PENDING'),
            count(order_item_id) filter (where status = 'PENDING'),
            count(distinct customer_id) filter (where status = 'PENDING')
        from silver.int_orders_orders
            join silver.int_orders_customers using (customer_id)
            left join silver.int_orders_order_items using (order_id)
            left join silver.int_orders_products using (product_id)
        where status <> 'COMPLETED' and customer_name = any(%(choices)s)
    """,
    choices="""
        select distinct customer_name from silver.int_orders_orders join silver.int_orders_customers using (customer_id)
        order by 1
    """,
    filter=("customer", "customer_name"),
    table="Top 3 customers by pending orders",
    cells=(0, 1, 2, 4),
    rows="""
        select row_number() over (order by orders desc, customer_name)::text, customer_name, orders::text,
            case when (count(*) over (partition by orders)) > 1 then 'yes' else 'no' end
        from (
            select customer_name, count(*) as orders
            from silver.int_orders_orders join silver.int_orders_customers using (customer_id)
            where status = 'PENDING' group by customer_id, customer_name
        ) as waiting
        order by waiting.orders desc, customer_name limit 3
    """,
    first_screen=(
        "Open orders", "Open orders by delivery date and status", "Top 3 delivery dates (all customers)",
        "Top 3 customers by pending orders", "Open pending items by product", "Source tables: freshness and gaps",
    ),
)  # fmt: skip
HOME = Expected(
    slug="home",
    headlines={
        "Datasets": whole,
        "Late or never loaded": whole,
        "Rows in raw": whole,
        "Rows in quarantine": whole,
        "Failed loads": whole,
    },
    numbers="""
        select count(*), count(*) filter (where hours_since_load is null or hours_since_load > late_after_hours),
            sum(raw_rows),
            (select coalesce(sum(open_rows), 0)
             from ops.quarantine_reasons join gold.mart_platform_datasets using (dataset)
             where domain = any(%(choices)s)),
            sum(failed_since)
        from gold.mart_platform_datasets left join ops.datasets using (dataset) where domain = any(%(choices)s)
    """,
    choices="select distinct domain from gold.mart_platform_datasets order by 1",
    filter=("domain", "domain"),
    table="Datasets and whether they are on time",
    cells=(0, 1, 6),
    rows="""
        select domain, dataset, to_char(raw_rows, 'FM999,999,990')
        from gold.mart_platform_datasets left join ops.datasets using (dataset) order by 1, 2
    """,
    first_screen=("Datasets", "Late or never loaded", "Datasets and whether they are on time"),
)
SALES = Expected(
    slug="sales",
    headlines={
        "Sales": whole,
        "Revenue": hundredths,
        "Tax": hundredths,
        "Customers": whole,
        "Not counted": whole,
        "Share": percent,
    },
    numbers="""
        select count(*), sum(quantity * price), sum(tax) filter (where quantity * price is not null),
            count(distinct nullif(customer_key, 'unknown')), count(*) filter (where quantity * price is null),
            avg(case when quantity * price is null then 1 else 0 end)
        from silver.int_sales_transactions
        where case when transaction_date = '1900-01-01' then 'Unknown' else to_char(transaction_date, 'YYYY-MM') end
            = any(%(choices)s)
    """,
    choices="select distinct month_name from gold.dim_sales_date order by 1",
    filter=("month", "month_name"),
    table="All countries by revenue",
    cells=(0, 1, 4, 5),
    rows="""
        select coalesce(customer_country, 'Unknown'), to_char(sum(quantity * price), 'FM999,999,990.00'),
            to_char(count(*), 'FM999,999,999'),
            to_char(count(*) filter (where quantity * price is null), 'FM999,999,990')
        from silver.int_sales_transactions
        group by 1 order by sum(quantity * price) desc nulls last limit 10
    """,
    first_screen=(
        "Sales", "Revenue", "Not counted", "Revenue and tax by month", "Sales by month, counted and not",
        "Revenue by country", "Revenue by product", "Revenue by customer",
    ),
)  # fmt: skip
WEB = Expected(
    slug="web",
    headlines={
        "Events": whole,
        "Users": whole,
        "Companies": whole,
        "Countries": whole,
        "Invalid IPs": percent,
        "Bad actions": percent,
    },
    numbers="""
        select count(*), count(distinct email), count(distinct nullif(company, 'unknown')),
            count(distinct nullif(country, 'Unknown')),
            avg(case when is_valid_ip then 0 else 1 end), avg(case when is_known_action then 0 else 1 end)
        from silver.int_web_events where to_char(event_date, 'YYYY-MM') = any(%(choices)s)
    """,
    choices="select distinct to_char(event_date, 'YYYY-MM') from gold.mart_web_events_daily order by 1",
    filter=("month", "calendar_month"),
    table="All users by events",
    cells=(0, 1, 2, 3),
    rows="""
        select email, company, to_char(count(*), 'FM999,999,999'), count(distinct event_date)::text
        from silver.int_web_events group by email, company order by count(*) desc limit 10
    """,
    first_screen=(
        "Events", "Events per day", "Events per month", "Events per year",
        "Most active users, events", "Most active companies, events", "Countries with most events",
    ),
)  # fmt: skip


DASHBOARDS = [BANK, FLEET, HOME, ORDERS, SALES, WEB]


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

    expected: Expected
    headlines: dict[str, str]
    table: list[list[str]]
    titles: set[str]
    places: dict[str, dict[str, float]]
    complaints: list[str]
    cut_off_titles: list[str]
    foreign_addresses: list[str]


@pytest.fixture(scope="module", params=DASHBOARDS, ids=lambda expected: expected.slug)
def seen(request, platform, superset: Chrome) -> Seen:
    expected = request.param
    pages.open_dashboard(superset, platform.superset_url, expected.slug)
    charts = pages.charts(superset)
    return Seen(
        expected=expected,
        headlines={title: pages.headline(superset, title) for title in expected.headlines},
        table=pages.table_rows(charts[expected.table]),
        titles=set(charts),
        places={title: chart.rect for title, chart in charts.items()},
        complaints=pages.complaints(superset),
        cut_off_titles=pages.cut_off_titles(superset),
        foreign_addresses=pages.foreign_addresses(superset),
    )


def choices(gold: psycopg.Connection, expected: Expected) -> list[str]:
    return [row[0] for row in gold.execute(expected.choices)]


def headlines(gold: psycopg.Connection, expected: Expected, of: list[str]) -> dict[str, str]:
    """What the headlines must say of these choices of the filter, from the rows themselves."""
    numbers = gold.execute(expected.numbers, {"choices": of}).fetchone()
    return {
        title: told(number) for (title, told), number in zip(expected.headlines.items(), numbers, strict=True)
    }


def test_the_headlines_are_the_sums_of_the_rows(seen: Seen, gold: psycopg.Connection) -> None:
    assert seen.headlines == headlines(gold, seen.expected, choices(gold, seen.expected))


def test_the_table_names_who_it_asks_for(seen: Seen, gold: psycopg.Connection) -> None:
    said = [tuple(row[cell] for cell in seen.expected.cells) for row in seen.table]
    assert said == gold.execute(seen.expected.rows).fetchall()


def test_every_chart_is_drawn_and_no_title_is_cut_off(seen: Seen) -> None:
    folder = f"charts/{seen.expected.slug}/"
    assert seen.titles == {
        chart.name for chart in read_assets().of(Kind.CHART) if chart.path.startswith(folder)
    }
    assert seen.complaints == []
    assert seen.cut_off_titles == []


def test_the_first_screen_answers_the_first_questions(seen: Seen) -> None:
    for title in seen.expected.first_screen:
        assert seen.places[title]["y"] + seen.places[title]["height"] < 900, f"{title} is below the fold"
    assert max(place["x"] + place["width"] for place in seen.places.values()) <= 1440


def test_pages_call_nobody_at_home(seen: Seen) -> None:
    """Superset's pages carry a telemetry pixel; the content security policy must stop it."""
    assert seen.foreign_addresses == []


@pytest.mark.parametrize("expected", DASHBOARDS, ids=lambda expected: expected.slug)
def test_the_filter_reaches_every_headline(
    expected: Expected, platform, superset: Chrome, gold: psycopg.Connection
) -> None:
    (name, column), choice = expected.filter, choices(gold, expected)[0]
    chosen = (
        f"(NATIVE_FILTER-{name}:(id:NATIVE_FILTER-{name},ownState:(),filterState:(value:!('{choice}')),"
        f"extraFormData:(filters:!((col:{column},op:IN,val:!('{choice}'))))))"
    )
    pages.open_dashboard(superset, platform.superset_url, f"{expected.slug}/?native_filters={chosen}")
    wanted = headlines(gold, expected, [choice])
    assert {title: pages.headline(superset, title) for title in wanted} == wanted


def test_the_path_is_at_first_that_of_the_vehicle_with_most_updates(
    platform, superset: Chrome, gold: psycopg.Connection
) -> None:
    pages.open_dashboard(superset, platform.superset_url, "fleet")
    top, positions = gold.execute(
        "select vehicle_label, count(*) from gold.mart_fleet_vehicle_paths where place = 1 group by 1"
    ).fetchone()
    rows = pages.table_rows(pages.charts(superset)["Path in the last hour"])
    assert {row[0] for row in rows} == {top}
    assert rows[0][1] == whole(positions)


def test_home_leads_to_every_other_dashboard(platform, superset: Chrome) -> None:
    pages.open_dashboard(superset, platform.superset_url, "home")
    links = {
        f"{platform.superset_url}/superset/dashboard/{one.slug}/" for one in DASHBOARDS if one is not HOME
    }
    assert pages.links_of_texts(superset) == links


@pytest.mark.parametrize("domain", ["bank", "fleet", "orders", "platform", "sales", "web"])
def test_airflow_shows_the_last_run_green(domain: str, platform, driver: Chrome) -> None:
    pages.log_in_to_airflow(driver, platform.airflow_url, platform.airflow_user, platform.airflow_password)
    assert pages.last_run_state(driver, platform.airflow_url, domain) == "Success"
