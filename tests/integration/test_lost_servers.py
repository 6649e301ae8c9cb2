"""Servers that fail under a load: it ends with a message, nothing is half done, and the next run goes on."""

import io
import signal
import subprocess
import sys

import psycopg
import pytest
from botocore.response import StreamingBody

from data_ingestion import quarantine
from data_ingestion.discovery import discover
from data_ingestion.errors import OperatorFault, WarehouseLost
from data_ingestion.landing import S3Landing
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from data_ingestion.merge.fates import Stage
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.copy_stage import PostgresStage
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, put, raw


def before(monkeypatch, owner, name, act, times=1):
    """Acts before the first calls of a method: the first of two drops is met twice, in the batch and alone."""
    original, left = getattr(owner, name), [act] * times

    def wrapper(self, *arguments, **named):
        if left:
            left.pop()()
        return original(self, *arguments, **named)

    monkeypatch.setattr(owner, name, wrapper)


def ask_server(url, question, warehouse):
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(question, [warehouse.connection.info.backend_pid])


@pytest.mark.parametrize(
    ("owner", "name", "first", "lost"),
    [
        (PostgresStage, "write", b"id,amount,note\n1,1,a\n", 2),
        (PostgresStage, "finish", b"id,amount,note\n1,1,a\n", 2),
        (Stage, "run", b"id,amount,note\n1,1,a\n", 2),
        (PostgresWarehouse, "record_failure", b"id\n", 1),
    ],
)
def test_a_lost_session_is_told_its_attempts_abandoned_and_the_next_run_loads(
    things, landing, warehouse, warehouse_url, load, monkeypatch, owner, name, first, lost
):
    landing.write(JANUARY, first)
    put(landing, FEBRUARY, "2,2,b")
    kill = "select pg_terminate_backend(%s, 5000)"
    before(monkeypatch, owner, name, lambda: ask_server(warehouse_url, kill, warehouse))
    with pytest.raises(WarehouseLost, match="nothing was committed"):
        load(things)
    put(landing, JANUARY, "1,1,a")
    again = PostgresWarehouse.connect(warehouse_url)
    assert again.abandon_lost_attempts() == lost
    (plan,) = discover([things], landing, again).plans
    assert [report.state for report in load_drops(things, landing, again, plan.drops)] == [
        LoadState.LOADED
    ] * lost
    assert [row[0] for row in raw(again)] == [1, 2]
    again.close()


def test_a_cancelled_statement_fails_its_drop_and_no_other(
    things, landing, warehouse, warehouse_url, load, monkeypatch
):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "2,2,b")

    def cancel():
        warehouse.connection.execute("set local statement_timeout = 1")
        warehouse.connection.execute("select pg_sleep(5)")

    before(monkeypatch, Stage, "run", cancel, times=2)
    failed, loaded = sorted(load(things), key=lambda report: report.object_key)
    assert "statement timeout\n  see the server's log" in failed.error
    assert loaded.state is LoadState.LOADED


def test_an_error_that_nobody_foresaw_is_raised_when_the_other_drops_are_in(
    things, landing, warehouse, load, monkeypatch
):
    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "2,2,b")

    def fail():
        raise ZeroDivisionError("a bug")

    before(monkeypatch, Stage, "run", fail, times=2)
    with pytest.raises(ZeroDivisionError):
        load(things)
    assert [row[0] for row in raw(warehouse)] == [2]
    assert "ZeroDivisionError: a bug" in [row["error"] for row in warehouse.loads("things")]


def test_a_row_wider_than_a_page_fails_its_drop_and_says_the_limit(
    things, landing, load, monkeypatch, warehouse
):
    put(landing, JANUARY, "1,1,a")

    def widen():
        columns = ", ".join(f"repeat('x', 15) || g as c{number}" for number in range(1000))
        warehouse.connection.execute(
            f"create temporary table wide as select {columns} from generate_series(1, 2) g"
        )

    before(monkeypatch, Stage, "run", widen)
    (failed,) = load(things)
    assert "row is too big" in failed.error
    assert "have fewer columns in the contract" in failed.error


def test_a_full_disk_for_bad_rows_is_the_operators(things, landing, load, monkeypatch):
    put(landing, JANUARY, "1,1,a", "2,two,b")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quarantine.pickle, "dump", full)
    (failed,) = load(things)
    assert "No space left on device\n  make room, or set TMPDIR" in failed.error


def test_an_interrupted_load_ends_quietly_and_is_abandoned(
    things, landing, warehouse, warehouse_url, tmp_path
):
    put(landing, JANUARY, "1,1,a")
    warehouse.prepare(things)
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    write_things(contracts)
    with warehouse.transaction():
        warehouse.connection.execute("lock table raw.things")
        arguments = ["--warehouse", warehouse_url, "--landing", landing.url, "--contracts", str(contracts)]
        loading = subprocess.Popen(
            [sys.executable, "-m", "data_ingestion", "load", *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # where this suite runs in a shell's background, its children would inherit that it ignores interrupts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        waits = "select count(*) from pg_locks where not granted"
        while not warehouse.connection.execute(waits).fetchone()[0]:
            assert loading.poll() is None
        loading.send_signal(signal.SIGINT)
        _, told = loading.communicate(timeout=30)
    assert loading.returncode != 0
    assert "Traceback" not in told
    assert warehouse.abandon_lost_attempts() == 1
    assert raw(warehouse) == []


class CutShort:
    """An S3 client whose objects end before they should."""

    def __init__(self, body, size):
        self.body, self.size = body, size

    def get_object(self, **_):
        return {"ETag": '"e"', "Body": StreamingBody(io.BytesIO(self.body), self.size)}


def test_an_object_that_breaks_off_on_the_way_fails_its_drop_and_names_it(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a")
    bucket = S3Landing("landing", client=CutShort(b"id,amount,note\n1,1,a\n", 999))
    (plan,) = discover([things], landing, warehouse).plans
    (planned,) = plan.drops
    object.__setattr__(planned.object, "etag", "e")
    (failed,) = load_drops(things, bucket, warehouse, [planned])
    assert failed.state is LoadState.FAILED
    assert failed.error.startswith(f"s3://landing/{JANUARY}: ")
    assert "\n  " in failed.error


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:se/cret@h/x",
        "postgresql://u:p@h:se/cret",
        "host=h password=secret",
        "postgresql://u:[secret@h/x",
    ],
)
def test_a_warehouse_url_that_cannot_be_read_is_refused_without_showing_it(url):
    with pytest.raises(OperatorFault) as refused:
        open_warehouse(url)
    assert "se/cret" not in str(refused.value)
    assert "secret" not in str(refused.value)
