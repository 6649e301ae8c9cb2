"""What the home dashboard says of each dataset, from the ledger."""

import pytest

from data_ingestion.discovery import discover
from data_ingestion.load import load_drops
from tests.integration.dbt_feeds import EVENTS, Bank, Web

BANK, WEB = Bank(), Web()
FEEDS = (BANK, WEB)
BROKEN = b"id,timestamp\n"
EVENT = (EVENTS[0], "2024-01-05", "ann@harbour.example", "Peru", "192.0.2.7", "visit")


@pytest.fixture(scope="module")
def built(dbt, world):
    return dbt("run", "--select", "mart_platform_datasets")


def load(world, key, content):
    """Delivers a file and loads what lies there, be it sound or not."""
    world.deliver(key, content)
    plans = discover(world.contracts, world.landing, world.warehouse).plans
    for contract, plan in zip(world.contracts, plans, strict=True):
        list(load_drops(contract, world.landing, world.warehouse, plan.drops))


def told(connection, feed):
    return connection.execute(
        "select standing, rows_in_raw, failed_since from gold.mart_platform_datasets where dataset = %s",
        [feed.contract.dataset],
    ).fetchone()


def test_failed_loads_are_counted_since_the_newest_good_one_or_from_the_first(built, world, reporter, dbt):
    load(world, WEB.keys[0], BROKEN)
    assert told(reporter, WEB) == ("never loaded", 0, 1)
    load(world, WEB.keys[0], WEB.drop([EVENT]))
    assert told(reporter, WEB) == ("on time", 1, 0)
    load(world, WEB.keys[1], BROKEN)
    assert told(reporter, WEB) == ("on time", 1, 1)
    load(world, BANK.keys[0], b"nothing of the bank\n")
    assert told(reporter, BANK) == ("never loaded", 0, 1)
    shown = dbt(
        "show", "--inline",
        """with promised as ({{ promised_datasets() }}),
        here as ({{ newest_loads('promised') }}),
        elsewhere as ({{ default__newest_loads('promised') }})
        select 1 / (case when count(*) = (select count(*) from promised) then 1 else 0 end) as fails_unless_all_agree
        from (select * from here intersect all select * from elsewhere) as agreed""",
    )  # fmt: skip
    assert shown["inline_query"]["status"] == "success"
