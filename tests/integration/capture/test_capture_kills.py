"""Capture: killed again and again under traffic, it tells what the source itself notes, each change once."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source
from data_ingestion.contract import Contract, read_contract
from data_ingestion.landing import FolderLanding
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.capture.source_log import FOLDER, disturb, held, records, replay, replayed
from tests.integration.conftest import Load

KILLS = 50
# Between transactions: the readers keep pace with them, so that they are killed at every kind of work.
PAUSE_SECONDS = 0.005
READ = """
import sys, time
from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source
from data_ingestion.landing import open_landing
print("ready", flush=True)
while True:
    source = Source(sys.argv[1], "shop", ("items", "notes"))
    capture(source, open_landing(sys.argv[2]), "orders/changes", 20)
    source.close()
"""
# What happens to every row, noted by the source in the very transaction that does it.
NOTE = """
create table noted (number bigserial, source_table text, op text, before text, after text);
create function note() returns trigger language plpgsql as $$
begin
    insert into noted (source_table, op, before, after)
    values (tg_table_name, case tg_op when 'INSERT' then 'c' when 'UPDATE' then 'u' else 'd' end,
        to_json(old)::text, to_json(new)::text);
    return null;
end $$;
create trigger note after insert or update or delete on items for each row execute function note();
create trigger note after insert or update or delete on notes for each row execute function note();
"""
FORGET = "drop table noted; drop function note cascade"

Said = tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]


def test_a_reader_killed_again_and_again_loses_and_doubles_nothing(
    url: str, source: Source, landing: FolderLanding, load: Load, warehouse: PostgresWarehouse, tmp_path: Path
) -> None:
    chance = random.Random(11)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(NOTE)
        for _ in range(30):
            disturb(session, chance)
        for _ in range(KILLS):
            reader = subprocess.Popen(
                [sys.executable, "-c", READ, url, str(landing.root)], stdout=subprocess.PIPE, text=True
            )
            assert reader.stdout and reader.stdout.readline() == "ready\n"
            until = time.monotonic() + chance.random() * 0.6
            while time.monotonic() < until:
                disturb(session, chance)
                time.sleep(PAUSE_SECONDS)
            reader.send_signal(signal.SIGKILL)
            reader.communicate()
            wait_until_free(url)
        last = capture(source, landing, FOLDER)
        noted = [
            said(row)
            for row in session.execute("select source_table, op, before, after from noted order by number")
        ]
        session.execute(FORGET)
    log = records(landing)
    in_drops = [(r["source_table"], r["op"], r["before"], r["after"]) for r in log]
    assert_the_whole_history(in_drops, noted)
    assert last.alarms == ()
    assert len({record["lsn"] for record in log if record["op"] == "r"}) == 1
    assert replayed(landing) == held(url)

    reports = load(contract_of_two_tables(tmp_path))
    assert sum(report.fates.quarantined for report in reports) == 0
    in_raw = warehouse.connection.execute(
        "select source_table, op, before, after from raw.order_changes order by lsn, ordinal, _occurrence"
    )
    assert_the_whole_history([said(row) for row in in_raw], noted)


def assert_the_whole_history(log: list[Said], noted: list[Said]) -> None:
    """One snapshot, which is what the earlier changes had made, and then every later change once, in its order."""
    snapshot = [one for one in log if one[1] == "r"]
    changes = log[len(snapshot) :]
    assert snapshot and {"c", "u", "d"} == {op for _, op, _, _ in changes}, "a gap or a second snapshot"
    before, since = noted[: -len(changes)], noted[-len(changes) :]
    assert changes == since
    assert replay(snapshot) == replay(before)


def said(row: tuple[str, str, str | None, str | None]) -> Said:
    table, op, *objects = row
    before, after = (json.loads(told, parse_float=str) if told else None for told in objects)
    return table, op, before, after


def contract_of_two_tables(folder: Path) -> Contract:
    """The contract of the shop's changes, for the tables of these tests."""
    text = Path("contracts/orders/order_changes.odcs.yaml").read_text()
    shop = (
        "{value: customers}, {value: products}, {value: orders}, {value: order_items}",
        "customers, products, orders, order_items",
    )
    for theirs, ours in zip(shop, ("{value: items}, {value: notes}", "items, notes"), strict=True):
        assert theirs in text
        text = text.replace(theirs, ours)
    path = folder / "orders" / "order_changes.odcs.yaml"
    path.parent.mkdir()
    path.write_text(text)
    return read_contract(path)


def wait_until_free(url: str) -> None:
    """The server notices the death of a session when it next speaks to it."""
    with psycopg.connect(url, autocommit=True) as session:
        while session.execute("select 1 from pg_replication_slots where active").fetchone():
            time.sleep(0.05)
