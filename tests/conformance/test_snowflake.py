"""Snowflake beyond the laws that all share, on its stand-in: what a batch costs, two writers, what is made in part."""

import threading

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.engine import retry
from data_ingestion.engine.session import Session
from data_ingestion.errors import LawBroken, TransactionConflict
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.merge.scratch import scratch_tables
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.snowflake.session import SnowflakeSession
from tests.conformance.engines import open_engine
from tests.conformance.snowflake_limits import SOURCES, broken_limits
from tests.conformance.test_statements import go_through_everything
from tests.conformance.world import DATASETS, Terms, write_contract


@pytest.mark.parametrize(
    ("statements", "limits"),
    [
        (["select a from b limit ?"], ["a limit is a number"]),
        (["select a from b limit 5", "select a from b limit null offset 5"], []),
        (
            ["select (select x.a from x where x.b = y.b) from y"],
            ["a query within an expression is of one row for sure"],
        ),
        (["select (select max(x.a) from x where x.b = y.b) from y", "select (select 1) from a"], []),
        (["select 1 from a join b on b.x = (select max(c) from d)"], ["a join's condition holds no query"]),
        (["select row_number() over (partition by b) from a"], ["a row's number has an order"]),
        (["select extract(epoch from a.c - a.b) from a"], ["moments are not subtracted"]),
        (["create table x (rows bigint)"], ["a reserved word is quoted"]),
        (["select f.rows from f"], ["a reserved word is quoted"]),
        ([f"select {'x' * 256} from a"], ["a name has at most 255 characters"]),
        (["copy into a from @b/c/ force = true"], ["COPY names up to 1000 files, and forces them"]),
        (["begin", "update ops.writer set one = 1", "drop table a"], ["DDL commits the transaction"]),
        (["begin", "update a set b = 1", "commit"], ["a writer's first statement is the lock"]),
    ],
)
def test_a_statement_beyond_a_documented_limit_is_found(statements, limits):
    assert [limit for limit, _ in broken_limits(statements)] == limits
    assert set(limits) <= set(SOURCES)


@pytest.fixture
def engine(tmp_path):
    opened = open_engine("snowflake", tmp_path, "")
    yield opened
    opened.close()


@pytest.fixture
def contract(tmp_path):
    return read_contract(write_contract(tmp_path / "contracts", Terms(occurrence=False)))


@pytest.fixture
def sent(monkeypatch):
    statements, original = [], SnowflakeSession._ask_server

    def ask(self, statement, values):
        statements.append(" ".join(statement.split()))
        return original(self, statement, values)

    monkeypatch.setattr(SnowflakeSession, "_ask_server", ask)
    return statements


def deliver(landing, name, ids):
    lines = ["id,amount,note", *(f"{number},1,a" for number in ids), ""]
    landing.write(f"things/{name}.csv", "\n".join(lines).encode())


def load(engine, contract, landing):
    (plan,) = discover([contract], landing, engine.warehouse).plans
    reports = list(load_drops(contract, landing, engine.warehouse, plan.drops))
    assert all(report.state == "loaded" for report in reports), reports
    return reports


def test_a_batch_is_one_copy_and_so_many_statements_however_many_drops_and_rows(
    engine, contract, landing, sent
):
    counts = []
    for month, drops, rows in ((1, 3, 10), (2, 3, 11), (3, 40, 200)):
        for number in range(drops):
            deliver(
                landing, f"2026-0{month}/{number:02}", range(number * rows // 2, number * rows // 2 + rows)
            )
        (plan,) = discover([contract], landing, engine.warehouse).plans
        sent.clear()
        reports = list(load_drops(contract, landing, engine.warehouse, plan.drops))
        assert [report.state for report in reports] == ["loaded"] * drops
        assert sum(one.startswith("copy into") for one in sent) == 1
        counts.append(len(sent))
    # The first load makes tables. Of a batch, 60 statements at most.
    assert counts[2] == counts[1] <= 60, counts


def test_a_writer_that_met_another_tries_again_with_nothing_done(engine, contract, landing, monkeypatch):
    monkeypatch.setattr(retry, "PAUSE_SECONDS", 0.3)
    deliver(landing, "2026-01/a", range(10))
    other = engine.connect()
    with other.session.transaction():
        other.session.lock("things")
        with pytest.raises(TransactionConflict):
            monkeypatch.setattr(retry, "TRIES", 1)
            engine.warehouse.session.run("update ops.counters set last = last")
        monkeypatch.setattr(retry, "TRIES", 40)
        done = []
        thread = threading.Thread(target=lambda: done.append(load(engine, contract, landing)))
        thread.start()
        thread.join(2)
        assert not done
    thread.join(60)
    assert [report.fates.inserted for report in done[0]] == [10]
    other.close()


def test_a_table_that_would_be_made_in_a_transaction_is_a_bug(engine):
    session = engine.warehouse.session
    with pytest.raises(LawBroken, match="would commit"), session.transaction():
        session.run("update ops.counters set last = last")
        session.run("create table raw.x (a integer)")
    assert session.describe("raw", "x") is None


@pytest.mark.parametrize("statements", [3, 6, 8, 9])
def test_tables_that_were_made_in_part_are_made_by_the_next_command(
    engine, contract, landing, statements, monkeypatch
):
    deliver(landing, "2026-01/a", range(3))
    engine.break_after(statements, lambda: engine.warehouse.prepare(contract), refuse=False)
    load(engine, contract, landing)
    assert engine.warehouse.session.one("select count(*) from raw.things") == 3


def test_the_scratch_tables_are_what_the_statements_fill_them_with(tmp_path, monkeypatch):
    """Found out on DuckDB, which makes each table from its query."""
    engine = open_engine("duckdb", tmp_path, "")
    (tmp_path / "landing").mkdir()
    found, original = {}, Session.scratch

    def scratch(self, name, query, *arguments, **named):
        done = original(self, name, query, *arguments, **named)
        columns = [row[0] for row in self.rows(f"select column_name from (describe {name})")]
        found.setdefault(name, []).append(columns)
        return done

    monkeypatch.setattr(Session, "scratch", scratch)
    for occurrence in (False, True):
        found.clear()
        contract = read_contract(
            write_contract(tmp_path / f"contracts{occurrence}", Terms(occurrence=occurrence))
        )
        go_through_everything(
            engine.warehouse, contract, FolderLanding(tmp_path / "landing"), DATASETS[occurrence],
            can_rebuild=False,
        )  # fmt: skip
        table = RawTable(contract)
        wanted = [scratch_tables(table, table.types, positions=positions) for positions in (False, True)]
        assert set(found) <= set(wanted[0])
        for name, shapes in found.items():
            allowed = [list(one[name]) for one in wanted]
            allowed += [[column for column in one if column != "_position"] for one in allowed]
            for shape in shapes:
                assert shape in allowed, name
    engine.close()
