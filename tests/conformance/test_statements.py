"""What the loader says to a warehouse is SQL of that warehouse: sqlglot parses every statement in its dialect."""

import re

import pytest
import sqlglot

from data_ingestion.contract import read_contract
from data_ingestion.decisions import accept, load_accepted
from data_ingestion.discovery import discover
from data_ingestion.engine.session import Session
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.rebuild import rebuild
from data_ingestion.warehouses.snowflake.session import SnowflakeSession
from data_ingestion.warehouses.snowflake.statements import translated
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.conformance.engines import ENGINES, open_engine
from tests.conformance.snowflake_limits import broken_limits
from tests.conformance.world import DATASETS, Terms, write_contract

# What sqlglot does not know, of statements that only Postgres is given.
BEYOND_SQLGLOT = re.compile(r"tablesample system|overriding system value|^set local|^call ")

# Of a table made from a query, sqlglot reads the query.
SCRATCH = re.compile(r"^create (or replace )?temporary table \w+( on commit drop)? as ")


@pytest.fixture
def said(monkeypatch):
    """Every statement that is put together, once."""
    statements, original = {}, Session._bind

    def bind(self, *arguments):
        statement, values = original(self, *arguments)
        statements[statement] = self.dialect.name
        return statement, values

    monkeypatch.setattr(Session, "_bind", bind)
    return statements


@pytest.fixture
def sent(monkeypatch):
    """Every statement that Snowflake is sent, as it is sent, by session."""
    statements, original = {}, SnowflakeSession._ask_server

    def ask(self, statement, values):
        statements.setdefault(id(self), []).append(translated(statement, values)[0].strip())
        return original(self, statement, values)

    monkeypatch.setattr(SnowflakeSession, "_ask_server", ask)
    return statements


@pytest.mark.parametrize("occurrence", [False, True])
@pytest.mark.parametrize("name", ENGINES)
def test_every_statement_is_of_its_dialect(name, occurrence, tmp_path, engine_url, said, sent):
    engine = open_engine(name, tmp_path, engine_url)
    (tmp_path / "landing").mkdir()
    landing = FolderLanding(tmp_path / "landing")
    contract = read_contract(write_contract(tmp_path / "contracts", Terms(occurrence=occurrence)))
    dataset = DATASETS[occurrence]
    try:
        go_through_everything(engine.warehouse, contract, landing, dataset, can_rebuild=engine.can_rebuild)
    finally:
        engine.close()
    assert len(said) > 60
    for statement, dialect in said.items():
        if not BEYOND_SQLGLOT.search(statement.strip()):
            parsed = sqlglot.parse_one(SCRATCH.sub("", statement.strip()), read=dialect)
            assert not isinstance(parsed, sqlglot.exp.Command), statement  # taken as it is, not read
    assert bool(sent) == (name == "snowflake")
    for statements in sent.values():
        assert list(broken_limits(statements)) == []


def go_through_everything(warehouse, contract, landing, dataset, *, can_rebuild=True):
    """New, corrected, equal, late and held drops, many at once; withdrawn, brought back, replayed, rebuilt."""

    def put(name, *lines):
        landing.write(f"{dataset}/{name}.csv", "\n".join(["id,amount,note", *lines, ""]).encode())

    def load(choice=Choice()):
        (plan,) = discover([contract], landing, warehouse, choice).plans
        return list(load_drops(contract, landing, warehouse, plan.drops))

    many = [f"{number},1,n{number}" for number in range(30)]
    put("2026-02/a", *many, "1,2,n1", "x,1,bad")
    load()
    put("2026-02/a", *many[:20], *(f"{number},3,n{number}" for number in range(20, 40)))
    put("2026-01/b", *many[5:15])
    load()
    put("2026-03/c", *many[:10])
    put("2026-03/d", *many[5:12])
    load()
    put("2026-03/e", *many[:10])
    load()
    put("2026-03/c", *many[:9], "77,1,n")
    put("2026-01/b", *many[5:14])
    load()
    put("2026-02/a", *many[:2])
    load()
    key = f"{dataset}/2026-02/a.csv"
    accept([contract], warehouse, key)
    load_accepted([contract], landing, warehouse, key)
    withdraw([contract], landing, warehouse, f"{dataset}/2026-03/e.csv")
    load()
    undo_withdrawal([contract], landing, warehouse, f"{dataset}/2026-03/e.csv")
    load(Choice(full_refresh=True))
    if can_rebuild:
        rebuild(contract, landing, warehouse)
        (landing.root / dataset / "2026-03" / "e.csv").unlink()
        rebuild(contract, landing, warehouse)
    warehouse.summary()
    warehouse.record_build("store", {dataset: 1})
    warehouse.unbuilt_datasets("store", [dataset])
