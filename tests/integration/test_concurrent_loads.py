"""Loaders of one dataset at once: each drop is brought in exactly once, whoever gets there first."""

import threading
from collections import Counter

from data_ingestion.discovery import discover
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse

LOADERS, DROPS, ROWS = 3, 6, 400


def test_loaders_with_the_same_plan_bring_each_drop_in_once(things, landing, warehouse, warehouse_url):
    for drop in range(DROPS):
        lines = ["id,amount,note", *(f"{id_},{drop},d{drop}" for id_ in range(drop * 50, drop * 50 + ROWS))]
        landing.write(f"things/2026-0{drop + 1}/a.csv", "\n".join(lines).encode())
    (plan,) = discover([things], landing, warehouse).plans
    warehouse.prepare(things)
    start, reports, errors = threading.Barrier(LOADERS), [], []

    def run():
        try:
            session = PostgresWarehouse.connect(warehouse_url)
            start.wait()
            reports.extend(load_drops(things, landing, session, plan.drops))
            session.close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(LOADERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert {report.state for report in reports} == {LoadState.LOADED}
    merged = Counter(report.object_key for report in reports if report.plan != "nothing")
    assert merged == {drop.object.key: 1 for drop in plan.drops}
    expected = [(id_, min(id_ // 50, DROPS - 1)) for id_ in range((DROPS - 1) * 50 + ROWS)]
    assert (
        warehouse.connection.execute("select id, amount::int from raw.things order by id").fetchall()
        == expected
    )
    assert warehouse.connection.execute(
        "select count(*) from ops.loads where state = 'started'"
    ).fetchone() == (0,)


def test_a_reader_of_raw_never_waits_and_never_sees_half_a_drop(things, landing, warehouse, warehouse_url):
    reader = PostgresWarehouse.connect(warehouse_url)
    reader.connection.execute("set lock_timeout = '1s'")
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1,a\n2,2,b\n")
    (plan,) = discover([things], landing, warehouse).plans
    list(load_drops(things, landing, warehouse, plan.drops))
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,10,a\n3,30,c\n")
    (plan,) = discover([things], landing, warehouse).plans
    seen = []
    original = warehouse.bring_in

    def look_before_the_commit(*arguments):
        report = original(*arguments)
        seen.extend(reader.connection.execute("select id, amount::int from raw.things order by 1").fetchall())
        return report

    warehouse.bring_in = look_before_the_commit
    list(load_drops(things, landing, warehouse, plan.drops))
    assert seen == [(1, 1), (2, 2)]
    assert reader.connection.execute("select id, amount::int from raw.things order by 1").fetchall() == [
        (1, 10),
        (3, 30),
    ]
    reader.close()
