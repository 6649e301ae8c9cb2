"""dbt on a real warehouse: from files that the loader brought in to gold that can be trusted."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.session import PostgresSession
from tests.integration.conftest import write_things
from tests.integration.dbt_feeds import Bank, Web
from tests.integration.dbt_fleet import MIDNIGHT, VEHICLES, Fleet, update
from tests.integration.dbt_orders import Orders, change, customer, item, order
from tests.integration.dbt_sales import Restatements, Sales
from tests.integration.dbt_session import ENVIRONMENT, ROOT

FEEDS = (Bank(), Web(), Fleet(), Orders(), Sales(), Restatements())
HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
)
MOVEMENTS = """\
1000001',29-Jan-24,SALARY OF A PERSON,,29-Jan-24,,"5,000.00","6,000.00",.
1000001',29-Jan-24,RENT,,29-Jan-24,"2,500.50",,"3,499.50",.
1000001',29-Jan-24,RENT,,29-Jan-24,"2,500.50",,999.00,.
1000001',2-Feb-24,CHEQUE,874525.0,31-Jan-24,1000,,-1.00,.
1000002',31-Jan-24,PLANT,,31-Jan-24,"1,000,000,000.00",,0.00,.
1000002',1-Feb-24,PLANT,,1-Feb-24,0.01,,-0.01,.
1000003',1-Feb-24,,,1-Feb-24,,7,7,.
"""
EVENTS = """\
id,timestamp,email,country,ip,uri,action,tags
"""
JANUARY = """\
00000000-0000-0000-0000-000000000001,2024-01-31,ann@harbour.example,Peru,192.0.2.7,index,visit,"['a', 'b']"
00000000-0000-0000-0000-000000000002,2024/01/30,Ann@Harbour.example,"Korea, Republic of",2001:db8::7,index,visit,[]
00000000-0000-0000-0000-000000000002,2024/01/30,Ann@Harbour.example,"Korea, Republic of",2001:db8::7,index,visit,[]
"""
FEBRUARY = """\
00000000-0000-0000-0000-000000000001,2024-01-31,ann@harbour.example,Peru,192.0.2.7,index,visit,"['a', 'b']"
00000000-0000-0000-0000-000000000003,2024-01-31,bo@harbour.example,Peru,192.0.2.256,index,visit,[]
00000000-0000-0000-0000-000000000004,2024-02-01,cy@mill.example,Peru,192.0.2.7,index,vsit,[]
"""
ANA = {
    "customer_first_name": "Ana", "customer_last_name": "Silva", "customer_email": "ana@harbour.example",
    "customer_phone": "+351-555-0107", "customer_country": "Portugal", "customer_city": "Porto",
}  # fmt: skip
KETTLE = {"product_id": "P40", "product_name": "Kettle", "price": "Two Hundred", "tax": "fifteen"}
SALES = (
    {"transaction_id": "T1", "customer_id": "61.0", "transaction_date": "31-01-2024", "quantity": "2.0"}
    | KETTLE | ANA,
    {"transaction_id": "2", "customer_id": "61.0", "transaction_date": "2024-02-01", "quantity": ""}
    | KETTLE | ANA | {"customer_email": "ana@mill.example"},
)  # fmt: skip
RESTATED = (
    {"transaction_id": "1", "transaction_date": "2024-02-03"},
    {"transaction_id": "3", "quantity": "1", "price": "0.5", "tax": "0.1"},
)

ORDERS = (
    change("c", "customers", None, customer(1), lsn=1),
    change("c", "orders", None, order(1), lsn=2),
    change("c", "order_items", None, item(11, 1), lsn=3),
)


@pytest.fixture(scope="module")
def loaded(world):
    """A file of each domain, of the web two, loaded; answers with the loader's connection."""
    world.deliver("bank_transactions/2024.csv", (HEADER + MOVEMENTS).encode())
    world.deliver("2024/01/events.csv", (EVENTS + JANUARY).encode())
    world.deliver("2024/02/events.csv", (EVENTS + FEBRUARY).encode())
    world.deliver(Fleet.keys[0], Fleet().drop([update("a", VEHICLES[0], MIDNIGHT, 52.5, 13.4)]))
    world.deliver(Orders.keys[0], Orders().drop(ORDERS))
    world.deliver(Sales.keys[0], Sales().drop(*SALES))
    world.deliver(Restatements.keys[0], Restatements().drop(*RESTATED))
    world.load()
    return world.warehouse.connection


@pytest.fixture(scope="module")
def built(dbt, loaded):
    """What became of each node in a whole build."""
    return dbt("build")


def test_a_build_runs_every_kind_of_check_and_passes(built):
    statuses = [node["status"] for node in built.values()]
    assert set(statuses) <= {"success", "pass", "warn", "no-op"}
    assert built["bank_movement_has_one_side"]["status"] == "pass"
    assert built["bank_quiet_days_carry_the_balance"]["status"] == "pass"
    assert built["bank_totals_reconcile"]["status"] == "pass"
    assert built["web_address_is_ipv4_or_ipv6"]["status"] == "pass"
    assert built["web_totals_reconcile"]["status"] == "pass"
    assert built["sales_restatement_wins_where_it_has_a_value"]["status"] == "pass"
    assert built["sales_totals_reconcile"]["status"] == "pass"
    assert built["orders_totals_reconcile"]["status"] == "pass"


def test_backdated_movements_warn_and_are_kept_for_a_look(built, loaded, postgres, database):
    assert built["bank_movement_is_backdated"]["status"] == "warn"
    with psycopg.connect(postgres.url("transformer", "transformer-test", database)) as connection:
        rows = connection.execute(
            "select booking_date, value_date from audit.bank_movement_is_backdated"
        ).fetchall()
    assert rows == [(date(2024, 2, 2), date(2024, 1, 31))]


def test_gold_is_what_the_reporter_reads(built, reporter):
    accounts = reporter.execute(
        """select account_no, first_booking_date, last_booking_date, movements, withdrawals_inr, deposits_inr,
                  opening_balance_inr, closing_balance_inr, is_over_withdrawal_limit
           from gold.dim_bank_account order by account_no"""
    ).fetchall()
    d, n = date, Decimal
    # fmt: off
    assert accounts == [
        ("1000001", d(2024, 1, 29), d(2024, 2, 2), 4, n("6001.00"), n("5000.00"), n("1000.00"), n("-1.00"), False),
        ("1000002", d(2024, 1, 31), d(2024, 2, 1), 2, n("1000000000.01"), n(0), n("1000000000"), n("-0.01"), True),
        ("1000003", d(2024, 2, 1), d(2024, 2, 1), 1, n(0), n(7), n(0), n(7), False),
    ]
    # fmt: on
    over = reporter.execute(
        """select account_no, withdrawals, withdrawals_inr, limit_inr, excess_inr
           from gold.mart_bank_withdrawals_over_limit"""
    ).fetchall()
    assert over == [("1000002", 2, n("1000000000.01"), n("1000000000"), n("0.01"))]


def test_each_domain_says_which_days_its_gold_covers_and_when_it_was_loaded(built, loaded, reporter):
    day = date
    covered = {
        "bank": (day(2024, 1, 29), day(2024, 2, 2)),
        "web": (day(2024, 1, 30), day(2024, 2, 1)),
        "fleet": (MIDNIGHT.date(), MIDNIGHT.date()),
        "sales": (day(2024, 2, 1), day(2024, 2, 3)),
    }
    for domain, days in covered.items():
        row = reporter.execute(f"select data_from, data_to from gold.mart_{domain}_data_range").fetchall()
        assert row == [days], domain
    ((loaded_at,),) = reporter.execute("select loaded_at from gold.mart_web_data_range").fetchall()
    newest = "select max(ended_at) from ops.loads where dataset = 'events'"
    assert loaded_at == loaded.execute(newest).fetchone()[0]


def test_a_quiet_day_has_the_balance_of_the_day_before(built, reporter):
    days = reporter.execute(
        """select balance_date, movements, closing_balance_inr from gold.mart_bank_daily_balance
           where account_no = '1000001' order by balance_date"""
    ).fetchall()
    first = date(2024, 1, 29)
    expected = [(3, "999.00"), (0, "999.00"), (0, "999.00"), (0, "999.00"), (1, "-1.00")]
    assert days == [(first + timedelta(days), n, Decimal(b)) for days, (n, b) in enumerate(expected)]
    months = reporter.execute(
        """select month_start, movements, net_flow_inr, closing_balance_inr from gold.mart_bank_monthly_flow
           where account_no = '1000001' order by month_start"""
    ).fetchall()
    assert months == [
        (date(2024, 1, 1), 3, Decimal("-1.00"), Decimal("999.00")),
        (date(2024, 2, 1), 1, Decimal("-1000.00"), Decimal("-1.00")),
    ]


def test_events_with_a_bad_address_or_action_warn_and_are_kept_for_a_look(built, postgres, database):
    assert built["web_ip_is_no_address"]["status"] == "warn"
    assert built["web_action_is_unknown"]["status"] == "warn"
    assert built["web_actions_are_known"]["status"] == "warn"
    with psycopg.connect(postgres.url("transformer", "transformer-test", database)) as connection:
        addresses = connection.execute("select event_date, ip from audit.web_ip_is_no_address").fetchall()
        actions = connection.execute("select event_date, action from audit.web_action_is_unknown").fetchall()
    assert addresses == [(date(2024, 1, 31), "192.0.2.256")]
    assert actions == [(date(2024, 2, 1), "vsit")]


def test_an_event_counts_once_and_on_its_own_day_whichever_drop_brought_it(built, reporter):
    columns = "events, active_users, active_companies, active_countries, invalid_ips, unknown_actions"
    days = reporter.execute(
        f"select event_date, {columns} from gold.mart_web_events_daily order by 1"
    ).fetchall()
    assert days == [
        (date(2024, 1, 30), 1, 1, 1, 1, 0, 0),
        (date(2024, 1, 31), 2, 2, 1, 1, 1, 0),
        (date(2024, 2, 1), 1, 1, 1, 1, 0, 1),
    ]
    months = reporter.execute(f"select {columns} from gold.mart_web_events_monthly order by month_start")
    assert months.fetchall() == [(3, 2, 1, 2, 1, 0), (1, 1, 1, 1, 0, 1)]
    years = reporter.execute(f"select year_start, {columns} from gold.mart_web_events_yearly").fetchall()
    assert years == [(date(2024, 1, 1), 4, 3, 2, 2, 1, 1)]


def test_the_most_active_are_first(built, reporter):
    users = reporter.execute(
        """select activity_rank, email, company, events, active_days
           from gold.mart_web_active_users order by activity_rank, email"""
    ).fetchall()
    assert users == [
        (1, "ann@harbour.example", "harbour.example", 2, 2),
        (2, "bo@harbour.example", "harbour.example", 1, 1),
        (2, "cy@mill.example", "mill.example", 1, 1),
    ]
    companies = reporter.execute(
        "select company, events, active_users from gold.mart_web_active_companies order by activity_rank"
    ).fetchall()
    assert companies == [("harbour.example", 3, 2), ("mill.example", 1, 1)]


def test_facts_name_neither_people_nor_addresses(built, reporter):
    described = reporter.execute("select * from gold.fct_web_event").description
    assert not {"email", "ip"} & {column.name for column in described}


def test_sales_that_can_not_be_counted_are_shown_beside_the_revenue(built, reporter, postgres, database):
    assert built["sales_revenue_is_unknown"]["status"] == "warn"
    months = reporter.execute(
        """select month_name, transactions, uncounted_transactions, revenue, tax, uncounted_tax
           from gold.mart_sales_by_month order by month_name"""
    ).fetchall()
    assert months == [
        ("2024-02", 2, 1, Decimal(400), Decimal(15), Decimal(15)),
        ("Unknown", 1, 0, Decimal("0.50"), Decimal("0.10"), 0),
    ]
    missing = reporter.execute("select transaction_id, product_name, city from gold.missing_quantity")
    assert missing.fetchall() == [(2, "Kettle", "Porto")]
    with psycopg.connect(postgres.url("transformer", "transformer-test", database)) as connection:
        kept = connection.execute("select transaction_id from audit.sales_revenue_is_unknown").fetchall()
    assert kept == [(2,)]


def test_two_people_of_one_number_are_two_and_a_sale_without_a_buyer_is_of_the_unknown(built, reporter):
    people = reporter.execute(
        """select customer_email, is_unknown, count(transaction_id)
           from gold.dim_sales_customer left join gold.fct_sales_transaction using (customer_key)
           group by 1, 2 order by 1"""
    ).fetchall()
    assert people == [("ana@harbour.example", False, 1), ("ana@mill.example", False, 1), (None, True, 1)]
    for dimension in ("customer", "product", "location", "date"):
        unknown = f"select count(*) from gold.dim_sales_{dimension} where is_unknown"
        assert reporter.execute(unknown).fetchone() == (1,)
    days = reporter.execute("select count(*), max(calendar_date) from gold.dim_sales_date").fetchone()
    assert days == (29 + 1, date(2024, 2, 29))


def test_sales_facts_name_nobody(built, reporter):
    for relation in ("fct_sales_transaction", "missing_quantity", "mart_sales_by_country"):
        described = reporter.execute(f"select * from gold.{relation}").description
        assert not [
            column.name for column in described if "name" in column.name and "customer" in column.name
        ]
        assert not {"customer_email", "customer_phone", "customer_id"} & {column.name for column in described}


def test_the_calendar_is_the_same_on_warehouses_without_series(built, dbt):
    shown = dbt(
        "show", "--inline",
        """{% set arguments = ['spans', 'account_no', 'first_booking_date', 'last_booking_date', 'day'] %}
        with spans as (select * from {{ ref('dim_bank_account') }}),
        here as (select * from {{ each_day(*arguments) }}),
        elsewhere as (select * from {{ default__each_day(*arguments) }})
        select 1 / (case when count(*) = 8 then 1 else 0 end) as fails_unless_the_8_days_agree from (
            (select * from here intersect all select * from elsewhere)
            union all (select * from here except all select * from elsewhere)
            union all (select * from elsewhere except all select * from here)
        ) as compared""",
    )  # fmt: skip
    assert shown["inline_query"]["status"] == "success"


def test_freshness_follows_the_last_load(built, dbt, loaded):
    assert dbt("source", "freshness")["bank_transactions"]["status"] == "pass"
    hourly = "dataset in ('customer_transactions', 'order_changes')"
    late = f"update ops.loads set ended_at = %s where ({hourly}) = %s"
    loaded.execute(late, [datetime.now(UTC) - timedelta(hours=30), False])
    loaded.execute(late, [datetime.now(UTC) - timedelta(hours=3), True])
    found = dbt("source", "freshness")
    assert found["bank_transactions"]["status"] == "warn"
    assert found["events"]["status"] == "pass"
    promised_by_the_hour = [found[name]["status"] for name in ("customer_transactions", "order_changes")]
    assert promised_by_the_hour == ["warn", "warn"]
    loaded.execute("update ops.loads set ended_at = now()")


def test_a_reader_never_finds_gold_missing_or_empty_while_it_is_rebuilt(built, dbt, reporter):
    rebuilt, waits = threading.Event(), []

    def read():
        while not rebuilt.is_set():
            began = time.monotonic()
            counts = [
                reporter.execute(f"select count(*) from gold.{table}").fetchone()[0]
                for table in (
                    "dim_bank_account",
                    "fct_bank_movement",
                    "mart_bank_daily_balance",
                    "fct_web_event",
                    "dim_sales_customer",
                )
            ]
            waits.append((counts, time.monotonic() - began))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        dbt("run", "--full-refresh")
    finally:
        rebuilt.set()
        reader.join()
    assert len(waits) > 10
    assert all(counts == [3, 7, 8, 4, 3] for counts, _ in waits)
    assert max(seconds for _, seconds in waits) < 5


@pytest.mark.parametrize(
    "wrong", ["withdrawal_inr = 1, deposit_inr = 1", "withdrawal_inr = null, deposit_inr = null"]
)
def test_a_movement_with_two_sides_or_none_stops_before_gold(built, dbt, loaded, reporter, wrong):
    loaded.execute("create table raw.kept as select * from raw.bank_transactions")
    shown = reporter.execute("select sum(amount_inr) from gold.fct_bank_movement").fetchone()
    try:
        loaded.execute(f"update raw.bank_transactions set {wrong} where account_no = '1000003'")
        with pytest.raises(AssertionError, match="bank_movement_has_one_side"):
            dbt("build", "--full-refresh")
        assert reporter.execute("select sum(amount_inr) from gold.fct_bank_movement").fetchone() == shown
    finally:
        loaded.execute("truncate raw.bank_transactions")
        loaded.execute("insert into raw.bank_transactions select * from raw.kept")
        loaded.execute("drop table raw.kept")
        dbt("run", "--full-refresh")


def test_plain_dbt_builds_for_a_developer_what_a_new_contract_brings(
    postgres, database, environment, loaded, tmp_path
):
    """Two contracts, the bronze layer generated, and `dbt build` in a shell: schemas of her own, no SQL written."""
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    things = read_contract(write_things(tmp_path / "contracts", note="order"))
    PostgresWarehouse(PostgresSession(loaded, lambda: loaded)).prepare(things)
    loaded.execute("""insert into raw.things values (1, 2.5, 'a', 1, 1, 2)""")
    shutil.copytree(ROOT / "dbt", tmp_path / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    generate = [sys.executable, ROOT / "dbt/generate.py", "--contracts", tmp_path / "contracts"]
    subprocess.run(
        [*generate, "--project", tmp_path / "dbt"], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    shell = {name: value for name, value in environment.items() if name != "DBT_TARGET"}
    done = subprocess.run(
        [ENVIRONMENT / "bin" / "dbt", "--warn-error-options", '{"error": ["Deprecations"]}', "build"],
        env={**shell, "DBT_SCHEMA": "Ann.Lee", "DBT_PROJECT_DIR": str(tmp_path / "dbt")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    with psycopg.connect(postgres.url("transformer", "transformer-test", database)) as connection:
        assert connection.execute("select count(*) from ann_lee_gold.fct_bank_movement").fetchone() == (7,)
        rows = connection.execute(
            'select id, amount, "order", _load_id from ann_lee_bronze.stg_things'
        ).fetchall()
        assert rows == [(1, Decimal("2.50"), "a", 1)]
        assert connection.execute("select * from ann_lee_bronze.stg_things__changes").fetchall() == [
            (1, 1, False)
        ]


def test_docs_describe_every_model_and_column(dbt, environment, built):
    dbt("docs", "generate")
    folder = Path(environment["DBT_TARGET_PATH"])
    manifest = json.loads((folder / "manifest.json").read_text())
    catalog = json.loads((folder / "catalog.json").read_text())
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    assert len(models) >= 70
    silent = [
        f"{node['name']}.{column}"
        for key, node in models.items()
        for column in catalog["nodes"][key]["columns"]
        if not node["columns"].get(column, {}).get("description")
    ]
    assert silent == []
    assert all(node["description"].startswith(("One row a", "One row per")) for node in models.values())
