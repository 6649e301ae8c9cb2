"""Lanes: a large drop is staged by several sessions, merged by one transaction, and leaves no stage behind."""

import gzip
import threading

import pytest

from data_ingestion import reading
from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import LawBroken, OperatorFault
from data_ingestion.ledger import Fates, LoadState
from data_ingestion.load import load_drops
from data_ingestion.merge.fates import Stage
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.copy_stage import BinaryCopy
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.warehouses.postgres.parallel_copy import ParallelCopyStage
from data_ingestion.warehouses.postgres.session import PostgresSession, open_session
from tests.conformance.world import Terms, write_contract
from tests.integration.test_load import FEBRUARY, JANUARY, put, raw
from tests.integration.test_lost_servers import before

SESSIONS = 3
IDS = range(4000)
STAGES = "select relname from pg_class where relnamespace = 'ops'::regnamespace and relname ~ '^_stage'"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    original = reading.open_reader
    monkeypatch.setattr(reading, "open_reader", lambda *drop: original(*drop, 4096))


@pytest.fixture
def in_parallel(warehouse, monkeypatch):
    """Every drop is loaded alone, and counts as a large one."""
    monkeypatch.setattr("data_ingestion.grouping.MOST_TOGETHER", 1)
    warehouse.plan_limits = PlanLimits(large_bytes=0, copy_sessions=SESSIONS)
    return warehouse


@pytest.fixture
def chunks_by_thread(monkeypatch):
    """How many chunks each thread has copied. The first ones wait for each other, so that no session does all of it."""
    counts, met = {}, threading.Barrier(SESSIONS)
    original = BinaryCopy.write

    def write(self, batch):
        name = threading.current_thread().name
        if name not in counts:
            met.wait(timeout=30)
        counts[name] = counts.get(name, 0) + 1
        original(self, batch)

    monkeypatch.setattr(BinaryCopy, "write", write)
    return counts


def rows(ids, amount="1.00"):
    return [f"{id_},{amount},n{id_}" for id_ in ids]


def stages(warehouse):
    return [name for (name,) in warehouse.connection.execute(STAGES)]


def test_chunks_of_one_drop_are_copied_at_the_same_time_and_merged_once(
    things, landing, in_parallel, load, chunks_by_thread
):
    put(landing, JANUARY, *rows(IDS))
    (report,) = load(things)
    assert report.fates == Fates(read=len(IDS), inserted=len(IDS))
    assert raw(in_parallel) == [(id_, "1.00", f"n{id_}") for id_ in IDS]
    assert len(chunks_by_thread) == SESSIONS
    assert sum(chunks_by_thread.values()) > 10
    assert stages(in_parallel) == []


def test_a_drop_of_one_chunk_leaves_sessions_without_work(things, landing, in_parallel, load):
    put(landing, JANUARY, *rows(range(3)))
    (report,) = load(things)
    assert report.fates.inserted == 3


def test_the_last_row_of_a_key_stays_whichever_lane_brought_it(
    things, landing, in_parallel, load, chunks_by_thread
):
    put(landing, JANUARY, *rows(IDS), *rows(IDS, "2.00"))
    (report,) = load(things)
    assert report.fates == Fates(read=2 * len(IDS), repeated=len(IDS), inserted=len(IDS))
    assert {amount for _, amount, _ in raw(in_parallel)} == {"2.00"}


def test_rows_told_apart_by_occurrence_get_the_keys_of_a_stage_of_one_session(
    landing, warehouse, load, tmp_path
):
    contract = read_contract(write_contract(tmp_path / "moves", Terms(occurrence=True)))
    keys = []
    for limits in (PlanLimits(), PlanLimits(large_bytes=0, copy_sessions=SESSIONS)):
        warehouse.plan_limits = limits
        put(landing, "moves/2026-01/a.csv", *rows(IDS), *rows(IDS))
        load(contract)
        keys.append(raw(warehouse, "moves", "_key, _occurrence, _line"))
        warehouse.connection.execute("truncate raw.moves; delete from ops.objects; delete from ops.drops")
        warehouse.connection.execute("update ops.datasets set raw_rows = 0")
    assert len(keys[0]) == 2 * len(IDS)
    assert keys[0] == keys[1]


def test_a_lost_session_fails_its_drop_and_no_other(things, landing, in_parallel, load, monkeypatch):
    put(landing, JANUARY, *rows(IDS))
    put(landing, FEBRUARY, *rows(range(9000, 9010)))
    load(things)
    put(landing, JANUARY, *rows(IDS, "2.00"))
    put(landing, FEBRUARY, *rows(range(9000, 9010), "3.00"))
    kill = """select pg_terminate_backend(pid, 5000) from pg_stat_progress_copy
              where relid::regclass::text ~ '_stage' limit 1"""
    before(monkeypatch, ParallelCopyStage, "finish", lambda: in_parallel.connection.execute(kill))
    failed, loaded = sorted(load(things), key=lambda report: report.object_key)
    assert failed.state is LoadState.FAILED
    assert "warehouse: " in failed.error
    assert loaded.fates.updated == 10
    assert stages(in_parallel) == []
    (again,) = load(things)
    assert again.fates.updated == len(IDS)


def test_a_merge_that_fails_leaves_no_stage(things, landing, in_parallel, load, monkeypatch):
    put(landing, JANUARY, *rows(IDS))

    def fail():
        raise LawBroken("what was staged is not what was read")

    before(monkeypatch, Stage, "run", fail)
    with pytest.raises(LawBroken):
        load(things)
    assert stages(in_parallel) == []


def test_a_file_that_fails_midway_leaves_no_stage(things, landing, in_parallel, load):
    whole = gzip.compress("\n".join(["id,amount,note", *rows(IDS)]).encode())
    landing.write(JANUARY, whole[:-100])
    (failed,) = load(things)
    assert failed.fates.read > 0
    assert "end" in failed.error
    assert stages(in_parallel) == []


def test_the_next_command_removes_what_a_lost_load_left_and_nothing_that_is_in_use(
    things, landing, in_parallel, warehouse_url, load, monkeypatch
):
    other = PostgresWarehouse.connect(warehouse_url)
    other.connection.execute("create unlogged table ops._stage_1 (id int)")
    seen = []
    before(monkeypatch, Stage, "run", lambda: (other.abandon_lost_attempts(), seen.extend(stages(other))))
    put(landing, JANUARY, *rows(IDS))
    (report,) = load(things)
    assert seen == [f"_stage_{in_parallel.connection.info.backend_pid}"]
    assert report.fates.inserted == len(IDS)
    assert stages(other) == []
    other.close()


def test_what_an_earlier_session_of_the_same_number_left_is_no_part_of_a_stage(
    things, landing, in_parallel, load
):
    number = in_parallel.connection.info.backend_pid
    in_parallel.connection.execute(f"create unlogged table ops._stage_{number} as select 1 as id")
    put(landing, JANUARY, *rows(IDS))
    (report,) = load(things)
    assert report.fates.inserted == len(IDS)


def test_a_server_with_no_room_for_more_sessions_has_fewer_copies(things, landing, warehouse_url, warehouse):
    opened = []

    def open_one():
        if opened:
            raise OperatorFault("warehouse: too many clients already")
        opened.append(open_session(warehouse_url))
        return opened[0]

    warehouse.prepare(things)
    crowded = PostgresWarehouse(PostgresSession(open_session(warehouse_url), open_one))
    crowded.plan_limits = PlanLimits(large_bytes=0, copy_sessions=SESSIONS)
    put(landing, JANUARY, *rows(IDS))
    (plan,) = discover([things], landing, crowded).plans
    (report,) = load_drops(things, landing, crowded, plan.drops)
    crowded.close()
    assert report.fates.inserted == len(IDS)
    assert len(opened) == 1
    assert opened[0].closed
