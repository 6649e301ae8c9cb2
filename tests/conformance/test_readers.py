"""What reads a warehouse beside the loads that fill it: the archive, profiles and reports, whichever it is."""

from dataclasses import replace

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import OperatorFault
from data_ingestion.lake.archive import archive
from data_ingestion.lake.compaction import compact
from data_ingestion.lake.ledger import LakeLedger
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.profiles import ledger as profile_ledger
from data_ingestion.profiles.facts import Relation
from data_ingestion.profiles.ledger import ProfileLedger
from data_ingestion.profiles.profile import profile
from data_ingestion.reports import gold
from tests.conformance.engines import ENGINES, open_engine
from tests.integration.lake.records import EVENTS, deliver_some, delivered, files, rows
from tests.integration.limits import without_limits

COLUMNS = "id bigint, name {text}, note {text}, amount numeric(10, 2), moment timestamptz"


@pytest.fixture(params=ENGINES)
def engine(request, tmp_path, engine_url):
    opened = open_engine(request.param, tmp_path, engine_url)
    yield opened
    session = opened.warehouse.session
    for table in (
        "raw.vehicle_events", "raw.vehicle_events__history", "raw.things",
        "ops.profile_columns", "ops.profiles", "ops.lake_drops", "ops.lake_marks", "ops.lake_files",
    ):  # fmt: skip
        session.run(f"drop table if exists {table}" if table.startswith("raw") else f"delete from {table}")
    opened.empty()
    opened.close()


@pytest.fixture
def session(engine):
    session = engine.warehouse.session
    columns = COLUMNS.format(text=session.dialect.type_of("text"))
    session.run(f"create table raw.things ({columns})")
    return session


def test_a_lake_holds_every_record_once_and_so_does_a_compacted_one(engine, tmp_path):
    for folder in ("landing", "lake"):
        (tmp_path / f"of_{folder}").mkdir()
    landing, lake = FolderLanding(tmp_path / "of_landing"), FolderLanding(tmp_path / "of_lake")
    contract = without_limits(replace(read_contract(EVENTS), recheck=None))
    ledger = LakeLedger(engine.warehouse.session)
    for first in (0, 6, 12):
        deliver_some(landing, first)
        (plan,) = discover([contract], landing, engine.warehouse).plans
        assert all(
            one.state == "loaded" for one in load_drops(contract, landing, engine.warehouse, plan.drops)
        )
        assert archive(contract, landing, lake, ledger).drops == 6
    assert rows(lake) == delivered(landing)
    assert archive(contract, landing, lake, ledger).drops == 0
    assert compact(contract.dataset, lake, ledger).files_after == 2
    assert (rows(lake), len(files(lake)), ledger.leftovers(contract.dataset)) == (delivered(landing), 2, [])


def test_a_profile_counts_every_column_and_shows_values_of_those_that_are_public(session, monkeypatch):
    session.run(
        """insert into raw.things values (1, 'Ann', 'a', 1.50, timestamptz '2026-01-02 00:00:00+00'),
           (2, 'Bo', 'a', 2.50, null), (3, null, 'Ö', -1.00, null), (4, 'Bo', null, 2.50, null)"""
    )
    shown = frozenset({"id", "note", "amount", "moment"})
    things, ledger = Relation("store", "raw", "raw", "things", shown), ProfileLedger(session)
    monkeypatch.setattr(profile_ledger, "KEPT", 2)
    for _ in range(3):
        (done,) = profile([things], ledger, everything=True)
    found = {column.name: column for column in done.profile.columns}
    assert (done.profile.rows, {name: column.nulls for name, column in found.items()}) == (
        4,
        {"id": 0, "name": 1, "note": 1, "amount": 0, "moment": 3},
    )
    assert {name: column.distinct_values for name, column in found.items()} == {
        "id": 4, "name": 2, "note": 2, "amount": 3, "moment": 1,
    }  # fmt: skip
    assert (found["name"].is_masked, found["name"].minimum, found["name"].top_values) == (True, None, ())
    assert (found["note"].minimum, found["note"].maximum, found["note"].top_values) == ("a", "Ö", (("a", 2),))
    assert (found["amount"].minimum, found["amount"].top_values) == ("-1.00", (("2.50", 2),))
    assert [one.columns for one in ledger.newest([things])] == [done.profile.columns]
    kept = session.row(
        "select count(*), (select count(distinct profile_id) from ops.profile_columns) from ops.profiles"
    )
    assert kept == (2, 2)
    # A column that is masked now also loses its values in earlier profiles.
    profile([replace(things, shown=shown - {"note"})], ledger, everything=True)
    assert session.rows("select distinct minimum from ops.profile_columns where column_name = 'note'") == [
        (None,)
    ]


def test_a_report_reads_gold_in_order_and_says_what_is_missing(session, monkeypatch):
    monkeypatch.setattr(gold, "SCHEMA", "raw")  # where a loader may make a table, on every engine
    session.run("insert into raw.things (id, note) values (1, 'b'), (2, null), (3, 'a')")
    assert gold.read_rows(session, "things", ["id", "note"], ["note"], None) == [
        (3, "a"),
        (1, "b"),
        (2, None),
    ]
    assert gold.read_rows(session, "things", ["id"], ["note"], 1) == [(3,)]
    with pytest.raises(OperatorFault, match='column "missing" does not exist'):
        gold.read_rows(session, "things", ["missing"], ["id"], None)
    with pytest.raises(OperatorFault, match="nothing does not exist"):
        gold.read_rows(session, "nothing", ["id"], ["id"], None)
