"""What the home dashboard says of each dataset, from the ledger."""

from dataclasses import replace

import psycopg
import pytest

from data_ingestion.discovery import discover
from data_ingestion.errors import ContractFault
from data_ingestion.faults import DatasetFault
from data_ingestion.load import load_drops
from data_ingestion.withdraw import withdraw
from tests.integration.dbt_feeds import EVENTS, Bank, Web

BANK, WEB = Bank(), Web()
FEEDS = (BANK, WEB)
BROKEN = b"id,timestamp\n"
EVENT = (EVENTS[0], "2024-01-05", "ann@harbour.example", "Peru", "192.0.2.7", "visit")
OTHER = (EVENTS[1], *EVENT[1:])


SAME = """with promised as ({{ promised_datasets() }}),
    here as ({{ newest_loads('promised') }}),
    elsewhere as ({{ default__newest_loads('promised') }})
    select 1 / (case when count(*) = (select count(*) from promised) then 1 else 0 end) as fails_unless_all_agree
    from (select * from here intersect all select * from elsewhere) as agreed"""


@pytest.fixture(scope="module")
def built(dbt, world):
    return dbt("run", "--select", "mart_platform_datasets", "mart_platform_quarantine")


def deliver(world, key, content):
    world.deliver(key, content)
    load(world)


def load(world):
    """Whatever lies there, be it sound or not."""
    plans = discover(world.contracts, world.landing, world.warehouse).plans
    for contract, plan in zip(world.contracts, plans, strict=True):
        list(load_drops(contract, world.landing, world.warehouse, plan.drops))


def told(connection, feed):
    return connection.execute(
        "select standing, rows_in_raw, failed_since from gold.mart_platform_datasets where dataset = %s",
        [feed.contract.dataset],
    ).fetchone()


def test_failed_loads_are_counted_since_the_newest_good_one_or_from_the_first(built, world, reporter, dbt):
    deliver(world, WEB.keys[0], BROKEN)
    assert told(reporter, WEB) == ("never loaded", 0, 1)
    deliver(world, WEB.keys[0], WEB.drop([EVENT]))
    assert told(reporter, WEB) == ("on time", 1, 0)
    deliver(world, WEB.keys[1], BROKEN)
    assert told(reporter, WEB) == ("on time", 1, 1)
    deliver(world, BANK.keys[0], b"nothing of the bank\n")
    assert told(reporter, BANK) == ("never loaded", 0, 1)
    assert dbt("show", "--inline", SAME)["inline_query"]["status"] == "success"


def test_every_row_read_is_accounted_for_and_the_quarantined_ones_by_reason(built, world, reporter):
    bad = (EVENTS[1], "2024-13-05", *EVENT[2:])
    deliver(world, WEB.keys[1], WEB.drop([EVENT, OTHER, bad]))
    fates = ("inserted", "updated", "unchanged", "superseded", "repeated", "quarantined")
    columns = ", ".join(f"last_rows_{fate}" for fate in fates)
    read, adds_up, *counted = reporter.execute(
        f"select last_rows_read, last_rows_add_up, {columns} from gold.mart_platform_datasets where dataset = %s",
        [WEB.contract.dataset],
    ).fetchone()
    assert (adds_up, sum(counted)) == (True, read)
    why = (
        "select domain, column_name, reason, open_rows from gold.mart_platform_quarantine where dataset = %s"
    )
    assert ("web", "event_date", "not_a_date", 1) in reporter.execute(why, [WEB.contract.dataset]).fetchall()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reporter.execute("select raw_text from ops.quarantine")


def test_what_is_withdrawn_or_read_anew_makes_no_late_dataset_punctual(built, world, reporter, dbt):
    deliver(world, WEB.keys[1], WEB.drop([EVENT]))
    deliver(world, WEB.keys[2], WEB.drop([OTHER]))
    ledger = world.warehouse.connection
    ledger.execute("update ops.loads set ended_at = ended_at - interval '40 days' where dataset = 'events'")
    assert told(reporter, WEB)[0] == "late"
    withdraw(world.contracts, world.landing, world.warehouse, WEB.keys[2])
    world.contracts[1] = replace(WEB.contract, ignored_headers=("note",))
    load(world)
    kinds = ledger.execute("select distinct kind from ops.loads where ended_at > now() - interval '1 day'")
    assert {"withdrawal", "replay"} <= {kind for (kind,) in kinds.fetchall()}
    assert told(reporter, WEB)[0] == "late"
    assert dbt("source", "freshness", "--select", "source:web.events")["events"]["status"] == "warn"
    assert dbt("show", "--inline", SAME)["inline_query"]["status"] == "success"
    deliver(world, WEB.keys[0], WEB.drop([OTHER]))
    assert told(reporter, WEB)[0] == "on time"


def test_a_dataset_that_runs_leave_out_is_faulty_with_its_fault_even_if_no_contract_promised_it(
    built, world, reporter
):
    deliver(world, WEB.keys[0], WEB.drop([EVENT]))
    fault = ContractFault("web/events.odcs.yaml:7: the first line\n  and the remedy")
    unknown = DatasetFault("web", "clicks", ContractFault("web/clicks.odcs.yaml: no YAML"))
    world.warehouse.record_faults("contract", None, [DatasetFault("web", "events", fault), unknown])
    query = "select dataset, standing, fault from gold.mart_platform_datasets where domain = 'web' order by 1"
    assert reporter.execute(query).fetchall() == [
        ("clicks", "faulty", "web/clicks.odcs.yaml: no YAML"),
        ("events", "faulty", "web/events.odcs.yaml:7: the first line"),
    ]
    world.warehouse.record_faults("contract", None, [])
    assert reporter.execute(query).fetchall() == [("events", "on time", None)]
