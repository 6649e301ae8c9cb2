"""Loaders of one dataset at once: each drop is brought in exactly once, whoever gets there first."""

import threading
from collections import Counter
from contextlib import suppress

import pytest

from data_ingestion.discovery import discover
from data_ingestion.ledger import LoadState, quarantine
from data_ingestion.load import load_drops
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits

LOADERS, DROPS, ROWS = 3, 6, 400
ROUNDS = 4
PLANS = {
    "copy": PlanLimits(copy_bytes=0),
    "difference": PlanLimits(large_bytes=0, known_share=0, least_of_raw=0),
    "merge": PlanLimits(known_share=2),
}


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
    original = warehouse.load_batch

    def look_before_the_commit(*arguments):
        report = original(*arguments)
        seen.extend(reader.connection.execute("select id, amount::int from raw.things order by 1").fetchall())
        return report

    warehouse.load_batch = look_before_the_commit
    list(load_drops(things, landing, warehouse, plan.drops))
    assert seen == [(1, 1), (2, 2)]
    assert reader.connection.execute("select id, amount::int from raw.things order by 1").fetchall() == [
        (1, 10),
        (3, 30),
    ]
    reader.close()


def deliver_round(landing, number):
    """Every drop in another version, all its rows changed."""
    for drop in range(DROPS):
        lines = [f"{drop * ROWS + row},{number},d{drop}" for row in range(ROWS)]
        landing.write(f"things/2026-0{drop + 1}/a.csv", "\n".join(["id,amount,note", *lines]).encode())


class Together:
    """Threads that work at once; the first error of one ends the waiting of the others."""

    def __init__(self):
        self.barriers, self.errors = [], []

    def barrier(self, action=None):
        self.barriers.append(threading.Barrier(2, action=action))
        return self.barriers[-1]

    def start(self, work):
        thread = threading.Thread(target=self._told, args=[work])
        thread.start()
        return thread

    def _told(self, work):
        try:
            work()
        except Exception as error:
            self.errors.append(error)
            for barrier in self.barriers:
                barrier.abort()


@pytest.mark.parametrize("plan", PLANS)
def test_two_loaders_and_a_reader_from_the_first_load_on(things, landing, warehouse, warehouse_url, plan):
    """Each round corrects every drop whole, so a reader that sees two versions of one has seen half a load."""
    warehouse.prepare(things)
    rounds, done, reports, seen, together = iter(range(ROUNDS)), threading.Event(), [], [], Together()
    begins = together.barrier(lambda: deliver_round(landing, next(rounds)))
    ends = together.barrier()

    def load():
        session = PostgresWarehouse.connect(warehouse_url)
        session.plan_limits = PLANS[plan]
        for _ in range(ROUNDS):
            begins.wait()
            (planned,) = discover([things], landing, session).plans
            alone = [[drop] for drop in planned.drops]  # a first drop is copied when it comes alone
            for drops in alone if plan == "copy" else [planned.drops]:
                reports.extend(load_drops(things, landing, session, drops))
            ends.wait()
        session.close()

    def read():
        session = PostgresWarehouse.connect(warehouse_url)
        versions = "select note, amount::int, count(*) from raw.things group by 1, 2"
        while not done.is_set():
            seen.append(session.connection.execute(versions).fetchall())
        session.close()

    reader = together.start(read)
    for loader in [together.start(load) for _ in range(2)]:
        loader.join()
    done.set()
    reader.join()

    assert together.errors == []
    assert {report.state for report in reports} == {LoadState.LOADED}
    effective = [report for report in reports if report.fates.read]
    assert len(effective) == ROUNDS * DROPS
    assert plan in {report.plan for report in effective}
    assert seen
    for rows in seen:
        assert {count for _, _, count in rows} <= {ROWS}
        assert len({note for note, _, _ in rows}) == len(rows)
    whole = "select count(*), min(amount)::int, max(amount)::int from raw.things"
    assert warehouse.connection.execute(whole).fetchone() == (DROPS * ROWS, ROUNDS - 1, ROUNDS - 1)


def test_loaders_that_fail_on_the_same_drop_at_once_leave_its_rows_open_once(
    things, landing, warehouse, warehouse_url, monkeypatch
):
    lines = ["id,amount,note", *(f"{number},bad,x" for number in range(9))]
    landing.write("things/2026-01/a.csv", "\n".join(lines).encode())
    (plan,) = discover([things], landing, warehouse).plans
    warehouse.prepare(things)
    closed, original = threading.Barrier(2), quarantine.close_quarantine

    def close_and_wait(*arguments, **named):
        """As late as may be: each has closed what it sees before the other has written anything."""
        original(*arguments, **named)
        with suppress(threading.BrokenBarrierError):
            closed.wait(timeout=2)

    monkeypatch.setattr(quarantine, "close_quarantine", close_and_wait)
    reports = []

    def run():
        session = PostgresWarehouse.connect(warehouse_url)
        reports.extend(load_drops(things, landing, session, plan.drops))
        session.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.state for report in reports] == [LoadState.FAILED] * 2
    assert len(warehouse.quarantined("things")) == 9
