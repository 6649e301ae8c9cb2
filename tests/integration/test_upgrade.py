"""Upgrades: a warehouse that an earlier version made, with loads in it, goes on as if this version had made it.

`dumps/step_NNNN.sql` is what the version whose ledger was at that step left of the deliveries below.
"""

import os
from pathlib import Path

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.load import load_drops
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.integration.conftest import write_things
from tests.integration.limits import without_limits

DUMPS = sorted((Path(__file__).parent / "dumps").glob("step_*.sql"))
CORRECTED = "things/2026-02/b.csv"
WITHDRAWN = "things/2026-04/d.csv"


def put(landing, key, *lines, at):
    landing.write(key, "\n".join(["id,amount,note", *lines, ""]).encode())
    moment = 1_700_000_000 + at
    os.utime(landing.root / key, (moment, moment))


def lay_out(landing):
    """The landing as the dump knows it."""
    put(landing, "things/2026-01/a.csv", "1,1,a", at=500)
    put(landing, CORRECTED, *(f"{number},2,b" for number in range(5, 12)), "98,x,bad", at=100)
    put(landing, "things/2026-03/c.csv", *(f"{number},3,c" for number in range(1, 4)), at=200)
    put(landing, "things/2026-03/copy.csv", *(f"{number},3,c" for number in range(1, 4)), at=300)
    put(landing, WITHDRAWN, *(f"{number},4,d" for number in range(20, 24)), at=400)


@pytest.fixture
def contract(tmp_path):
    return without_limits(read_contract(write_things(tmp_path)))


def load(contract, landing, warehouse):
    (plan,) = discover([contract], landing, warehouse).plans
    return {report.object_key: report for report in load_drops(contract, landing, warehouse, plan.drops)}


def state(warehouse):
    return [
        warehouse.session.rows(query)
        for query in (
            "select id, amount, note from raw.things order by 1",
            "select id, amount, note from raw.things__history where _fate = 'waiting' order by 1, 2",
            "select object_key, line, reason from ops.quarantine where closed_by_load_id is null order by 1, 2",
            """select o.object_key, o.state, o.rank, d.rank
               from ops.objects o left join ops.drops d using (drop_id) order by 1""",
            "select raw_rows from ops.datasets",
        )
    ]


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_warehouse_of_an_earlier_version_goes_on(
    dump, contract, landing, warehouse, warehouse_url, postgres, warehouse_database
):
    lay_out(landing)
    load(contract, landing, warehouse)
    withdraw([contract], landing, warehouse, WITHDRAWN)
    fresh = state(warehouse)
    warehouse.connection.execute("drop schema raw, ops cascade")
    postgres.psql("-f", str(dump), database=warehouse_database)
    give_to_loader(postgres, warehouse_database)

    warehouse.migrate()
    again = load(contract, landing, warehouse)
    assert {report.kind for report in again.values()} <= {"known"}, "nothing is read again"
    assert state(warehouse) == fresh
    put(landing, CORRECTED, "5,9,b", "30,9,b", at=900)
    after = [load(contract, landing, warehouse), undo_withdrawal([contract], landing, warehouse, WITHDRAWN)]
    load(contract, landing, warehouse)
    assert after[0][CORRECTED].fates.inserted == 1
    went_on = state(warehouse)

    owned = "create schema raw authorization loader; create schema ops authorization loader"
    emptied = f"drop schema raw, ops cascade; {owned}"
    postgres.psql("-c", emptied, database=warehouse_database)
    warehouse.migrate()
    load(contract, landing, warehouse)
    assert state(warehouse) == went_on


def give_to_loader(postgres, database):
    """What the superuser has restored belongs to the loader, as it did where it was dumped."""
    postgres.psql(
        "-c",
        """do $$ declare t record; begin
             for t in select nspname from pg_namespace where nspname in ('raw', 'ops') loop
               execute format('alter schema %I owner to loader', t.nspname);
             end loop;
             for t in select c.oid::regclass::text as name, c.relkind from pg_class c
                      join pg_namespace n on n.oid = c.relnamespace
                      where n.nspname in ('raw', 'ops') and c.relkind in ('r', 'v')
                         or c.oid = 'ops.load_ids'::regclass loop
               execute format('alter table %s owner to loader', t.name);
             end loop;
           end $$""",
        database=database,
    )  # fmt: skip
