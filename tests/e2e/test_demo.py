"""`make demo` as a newcomer meets it: what it tells, what it leaves, and that a second one changes nothing."""

import re
import stat
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

pytestmark = pytest.mark.e2e

DATASETS = (
    "bank_transactions",
    "customer_transactions",
    "events",
    "order_changes",
    "transaction_restatements",
    "vehicle_events",
)


def rows_and_versions(url):
    """Each table's rows, with the transaction that wrote each: a row rewritten as it was shows, too."""
    tables = "select schemaname, tablename from pg_tables where schemaname in ('raw', 'silver', 'gold')"
    query = sql.SQL(
        "select count(*), md5(string_agg(t::text || t.xmin::text, '' order by t::text)) from {} t"
    )
    with psycopg.connect(url) as connection:
        names = connection.execute(tables).fetchall()
        return {name: connection.execute(query.format(sql.Identifier(*name))).fetchone() for name in names}


def one(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()


def test_the_demo_ends_with_what_each_dataset_holds_the_addresses_and_both_times(platform):
    assert "rows in raw" in platform.told
    for dataset in DATASETS:
        assert len(re.findall(rf"^{dataset} +[\d,]+ ", platform.told, re.MULTILINE)) == 1
    assert "read = " not in platform.told
    assert platform.airflow_url in platform.told
    for dashboard in ("bank", "fleet", "home", "orders", "sales", "web"):
        assert f"{platform.superset_url}/superset/dashboard/{dashboard}/" in platform.told
    assert re.search(r"ready in .*: .* to download and install, .* from then on", platform.told)


def test_no_login_is_told_to_a_log(platform):
    for secret in ("airflow_password", "superset_password"):
        assert getattr(platform, secret) not in platform.told
    assert stat.S_IMODE((platform.home / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_row_read_has_its_fate_and_raw_holds_what_the_fates_say(platform, dataset):
    totals = one(
        platform.warehouse_url,
        f"""select sum(rows_read), sum(quarantined + repeated + superseded + inserted + updated + unchanged),
                   sum(inserted + restored - withdrawn), (select count(*) from raw.{dataset})
            from ops.loads where dataset = '{dataset}' and state = 'loaded'""",
    )
    assert totals[0] == totals[1] > 0
    assert totals[2] == totals[3] > 0


def test_the_banks_gold_adds_up_to_raw(platform):
    raw = "select count(*), sum(withdrawal_inr), sum(deposit_inr) from raw.bank_transactions"
    with_accounts = "select sum(movements), sum(withdrawals_inr), sum(deposits_inr) from gold."
    expected = one(platform.transformer_url, raw)
    for mart in ("dim_bank_account", "mart_bank_daily_balance", "mart_bank_monthly_flow"):
        assert one(platform.transformer_url, with_accounts + mart) == expected


def test_the_webs_gold_adds_up_to_raw(platform):
    expected = one(platform.transformer_url, "select count(*) from raw.events")
    assert expected[0] > 100_000
    for mart in ("daily", "monthly", "yearly"):
        assert (
            one(platform.transformer_url, f"select sum(events) from gold.mart_web_events_{mart}") == expected
        )


def test_the_sales_gold_adds_up_to_raw(platform):
    keys = """select transaction_id from raw.customer_transactions
              union select transaction_id from raw.transaction_restatements"""
    expected = one(platform.transformer_url, f"select count(*) from ({keys}) as sold")
    assert expected[0] > 4_000
    assert one(platform.transformer_url, "select count(*) from gold.fct_sales_transaction") == expected
    for mart in ("month", "country", "product", "customer"):
        counted = f"select sum(transactions) from gold.mart_sales_by_{mart}"
        assert one(platform.transformer_url, counted) == expected


def test_a_second_demo_loads_nothing_again_and_rewrites_no_row(platform):
    before = rows_and_versions(platform.transformer_url)
    done = platform.runtime("demo")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert rows_and_versions(platform.transformer_url) == before


def test_what_landed_outlives_a_restart(platform):
    before = platform.run("goldworks", "plan", "--json").stdout
    assert platform.runtime("stop").returncode == 0
    assert "down" in platform.runtime("status").stdout
    assert platform.runtime("start").returncode == 0
    assert platform.run("goldworks", "plan", "--json").stdout == before
    assert platform.run("goldworks", "discover").stdout.count("known")


def test_dbt_works_in_a_shell_after_make_env(platform):
    built = platform.run("dbt", "build", check=False)
    assert built.returncode == 0, built.stdout[-3000:]
    tested = platform.run("dbt", "test", check=False)
    assert tested.returncode == 0, tested.stdout[-3000:]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", tested.stdout)
    warnings = re.findall(r"WARN \d+ (\w+) \.", plain)
    assert sorted(warnings) == [
        "bank_movement_is_backdated", "fleet_event_has_fields_of_another_kind", "sales_revenue_is_unknown",
        "web_action_is_unknown", "web_actions_are_known", "web_ip_is_no_address",
    ]  # fmt: skip


def test_servers_listen_on_this_machine_only(platform):
    listening = platform.run("ss", "-ltnpH", check=False)
    if listening.returncode != 0:
        pytest.skip("ss is not on this machine")
    services = {int(pid) for pid in re.findall(r" up +(\d+) ", platform.runtime("status").stdout)}
    assert services
    ours = [
        line.split()[3]
        for line in listening.stdout.splitlines()
        if services & {ancestor for pid in re.findall(r"pid=(\d+)", line) for ancestor in lineage(int(pid))}
    ]
    assert len(ours) >= len(services) - 2  # the scheduler and the DAG processor listen nowhere
    assert {address.rpartition(":")[0] for address in ours} <= {"127.0.0.1", "[::1]"}


def lineage(pid):
    """A process and its ancestors."""
    while pid > 1:
        yield pid
        try:
            pid = int(re.search(r"^PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))
        except FileNotFoundError:
            return
