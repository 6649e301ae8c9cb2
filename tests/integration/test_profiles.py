"""Profiles: counts by two statements equal those of plain Python, and no value of a masked column is ever kept."""

import json
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from data_ingestion.contract import read_contracts
from data_ingestion.profiles import count, ledger
from data_ingestion.profiles.facts import Relation
from data_ingestion.profiles.ledger import ProfileLedger
from data_ingestion.profiles.masking import relations_of
from data_ingestion.profiles.profile import profile, write_page
from data_ingestion.warehouses.postgres import PostgresWarehouse
from tests.integration.airflow_session import make_manifest
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, put

ROOT = Path(__file__).resolve().parents[2]
SECRET = "zanzibar"


def marked(contract, **marks):
    """The contract with classifications of columns."""
    columns = (replace(column, classification=marks.get(column.name)) for column in contract.columns)
    return replace(contract, columns=tuple(columns))


def flushed(warehouse):
    """Its counts of written rows are what a session of its own would see."""
    warehouse.connection.execute("select pg_stat_force_next_flush()")
    warehouse.connection.execute("select 1")


def columns_of(done):
    return {column.name: column for column in done.profile.columns}


def kept(warehouse):
    rows = warehouse.connection.execute("select * from ops.profile_columns").fetchall()
    return json.dumps(rows, default=str)


def test_counts_and_values_are_those_of_the_rows(things, landing, load, warehouse):
    chance = random.Random(7)
    rows = [
        (number, chance.choice(["", "1.00", "2.50", "7.00"]), chance.choice("äbc")) for number in range(300)
    ]
    put(landing, JANUARY, *(f"{number},{amount},{note}" for number, amount, note in rows))
    load(things)
    (done,) = profile(relations_of([things], None), ProfileLedger(warehouse.session))
    found = columns_of(done)
    amounts = [Decimal(amount) for _, amount, _ in rows if amount]
    notes = Counter(note for _, _, note in rows)
    assert (done.is_new, done.profile.rows, done.profile.sampled) == (True, 300, None)
    assert (found["id"].minimum, found["id"].maximum, found["id"].distinct_values) == ("0", "299", 300)
    assert found["id"].top_values == (), "what occurs once is no frequent value"
    assert (found["amount"].nulls, found["amount"].distinct_values) == (300 - len(amounts), 3)
    assert (Decimal(found["amount"].minimum), Decimal(found["amount"].maximum)) == (1, 7)
    assert dict(found["note"].top_values) == notes
    assert [count for _, count in found["note"].top_values] == sorted(notes.values(), reverse=True)
    assert (found["note"].minimum, found["note"].maximum) == ("b", "ä")
    assert found["_line"].minimum == "2"


def test_of_an_empty_table_all_counts_are_zero(things, warehouse):
    warehouse.prepare(things)
    (done,) = profile(relations_of([things], None), ProfileLedger(warehouse.session))
    assert done.profile.rows == 0
    assert {(c.nulls, c.distinct_values, c.minimum, c.top_values) for c in done.profile.columns} == {
        (0, 0, None, ())
    }


def test_what_is_not_there_has_no_profile(things, warehouse):
    (done,) = profile(relations_of([things], None), ProfileLedger(warehouse.session))
    assert done.profile is None


def test_values_of_a_marked_column_are_kept_nowhere(things, landing, load, warehouse, tmp_path):
    things = marked(things, note="personal", amount="confidential")
    put(landing, JANUARY, f"1,431.99,{SECRET}", f"2,431.99,{SECRET}", "3,,other")
    load(things)
    (done,) = profile(relations_of([things], None), ProfileLedger(warehouse.session))
    note, amount = columns_of(done)["note"], columns_of(done)["amount"]
    assert (note.is_masked, note.nulls, note.distinct_values, note.classification) == (True, 0, 2, "personal")
    assert (amount.is_masked, amount.nulls, amount.distinct_values) == (True, 1, 1)
    place = write_page("store", relations_of([things], None), ProfileLedger(warehouse.session), landing)
    told = (landing.root / "profiles/store.html").read_text()
    assert place.endswith("profiles/store.html")
    for text in (kept(warehouse), told):
        assert SECRET not in text
        assert "431.99" not in text
    assert "masked: personal" in told


def test_what_is_marked_later_loses_the_values_of_earlier_profiles(things, landing, load, warehouse):
    put(landing, JANUARY, f"1,1,{SECRET}", f"2,1,{SECRET}")
    load(things)
    profile(relations_of([things], None), ProfileLedger(warehouse.session))
    assert SECRET in kept(warehouse)
    (again,) = profile(
        relations_of([marked(things, note="personal")], None), ProfileLedger(warehouse.session)
    )
    assert again.is_new, "the marks are part of what a profile is of"
    assert SECRET not in kept(warehouse)


def test_a_relation_whose_data_has_not_changed_is_left_alone(things, landing, load, warehouse):
    relations = relations_of([things], None)
    put(landing, JANUARY, "1,1,a")
    load(things)
    flushed(warehouse)
    assert [one.is_new for one in profile(relations, ProfileLedger(warehouse.session))] == [True]
    assert [one.is_new for one in profile(relations, ProfileLedger(warehouse.session))] == [False]
    assert [one.is_new for one in profile(relations, ProfileLedger(warehouse.session), everything=True)] == [
        True
    ]
    put(landing, FEBRUARY, "2,1,b")
    load(things)
    flushed(warehouse)
    (changed,) = profile(relations, ProfileLedger(warehouse.session))
    assert (changed.is_new, changed.profile.rows) == (True, 2)


def test_a_view_is_profiled_again_when_a_table_below_it_changes(
    things, landing, load, warehouse, transformer_url
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    with psycopg.connect(transformer_url) as dbt:
        dbt.execute("create view bronze.inner as select id, note from raw.things")
        dbt.execute("create view bronze.outer as select id from bronze.inner")
    outer = Relation("store", "bronze", "bronze", "outer", frozenset({"id"}))
    flushed(warehouse)
    assert [one.is_new for one in profile([outer], ProfileLedger(warehouse.session))] == [True]
    assert [one.is_new for one in profile([outer], ProfileLedger(warehouse.session))] == [False]
    put(landing, FEBRUARY, "2,1,b")
    load(things)
    flushed(warehouse)
    assert [one.profile.rows for one in profile([outer], ProfileLedger(warehouse.session))] == [2]


def test_tables_of_every_type_are_profiled(warehouse, transformer_url):
    with psycopg.connect(transformer_url) as dbt:
        dbt.execute(
            """create table gold.types as
               select i as a_bigint, i::numeric(12,2) as a_numeric, i::double precision as a_double, i = 1 as a_boolean,
                      date '2026-03-02' + i::int as a_date, timestamptz '2026-03-02 07:05Z' as a_moment,
                      gen_random_uuid() as a_uuid, jsonb_build_object('i', i) as a_jsonb,
                      json_build_object('i', i) as a_json,
                      array[i] as an_array, int8range(0, i) as a_range, inet '127.0.0.1' as an_inet,
                      interval '1 day' as an_interval, 'x'::char(3) as a_char, null::text as a_text,
                      repeat('ü', 500) as a_long_text, 'q"uote %s'::text as "odd "" % name"
               from generate_series(1::bigint, 3) i"""
        )
    names = warehouse.connection.execute(
        "select attname from pg_attribute where attrelid = 'gold.types'::regclass and attnum > 0"
    ).fetchall()
    relation = Relation("web", "gold", "gold", "types", frozenset(name for (name,) in names))
    (done,) = profile([relation], ProfileLedger(warehouse.session))
    found = columns_of(done)
    assert len(found) == 17
    assert (found["a_boolean"].minimum, found["a_boolean"].maximum) == ("false", "true")
    assert found["a_moment"].top_values == (("2026-03-02 07:05:00+00", 3),)
    assert found["a_json"].distinct_values == found["a_jsonb"].distinct_values == 3
    assert (found["a_text"].nulls, found["a_text"].distinct_values) == (3, 0)
    assert found["a_long_text"].minimum == "ü" * count.LONGEST_VALUE
    assert found['odd " % name'].top_values == (('q"uote %s', 3),)


def test_more_columns_than_a_statement_takes_are_told_each(warehouse, transformer_url):
    names = [f"c{number:02}" for number in range(70)]
    with psycopg.connect(transformer_url) as dbt:
        dbt.execute(
            f"create table gold.wide as select {', '.join(f'{i} as {n}' for i, n in enumerate(names))}"
        )
        dbt.execute("insert into gold.wide select * from gold.wide")
    (done,) = profile(
        [Relation("web", "gold", "gold", "wide", frozenset(names))], ProfileLedger(warehouse.session)
    )
    assert {name: column.top_values for name, column in columns_of(done).items()} == {
        name: ((str(index), 2),) for index, name in enumerate(names)
    }


def test_a_large_relation_is_sampled_and_says_so(things, landing, load, warehouse, monkeypatch):
    monkeypatch.setattr(count, "MOST_GROUPED", 100)
    put(landing, JANUARY, *(f"{number},1,a" for number in range(1000)))
    load(things)
    (done,) = profile(relations_of([things], None), ProfileLedger(warehouse.session))
    assert done.profile.rows == 1000
    assert 40 < done.profile.sampled < 200
    found = columns_of(done)
    assert (found["id"].minimum, found["id"].maximum, found["id"].nulls) == ("0", "999", 0), "of all rows"
    assert found["id"].distinct_values == done.profile.sampled
    assert found["note"].top_values == (("a", done.profile.sampled),)


def test_old_profiles_go(things, landing, load, warehouse, monkeypatch):
    monkeypatch.setattr(ledger, "KEPT", 2)
    put(landing, JANUARY, "1,1,a")
    load(things)
    for _ in range(4):
        profile(relations_of([things], None), ProfileLedger(warehouse.session), everything=True)
    assert warehouse.connection.execute("select count(*) from ops.profiles").fetchone() == (2,)


def test_who_may_not_read_a_relation_is_told_that_it_is_not_there(warehouse, postgres, warehouse_database):
    with psycopg.connect(postgres.url("transformer", "transformer-test", warehouse_database)) as dbt:
        dbt.execute("create schema ann_gold")
        dbt.execute("create table ann_gold.mart as select 1 as one")
    (done,) = profile(
        [Relation("web", "gold", "ann_gold", "mart", frozenset())], ProfileLedger(warehouse.session)
    )
    assert done.profile is None


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return json.loads(make_manifest(ROOT / "dbt", tmp_path_factory.mktemp("dbt")).read_text())


def test_no_column_that_anybody_marked_is_shown_in_any_domain(manifest):
    everyone = read_contracts(ROOT / "contracts")
    for domain in {contract.domain for contract in everyone}:
        relations = relations_of([one for one in everyone if one.domain == domain], manifest)
        for relation in relations:
            for name, mark in relation.marks:
                assert mark == "public" or not relation.may_show(name, "bigint"), (
                    f"{relation.qualified_name}.{name}"
                )
    fleet = {
        one.name: one for one in relations_of([one for one in everyone if one.domain == "fleet"], manifest)
    }
    assert not fleet["int_fleet_positions"].may_show("latitude", "double precision")
    assert fleet["mart_fleet_average_distance"].layer == "gold"
    assert any(fleet["mart_fleet_average_distance"].may_show(name, "bigint") for name in
               fleet["mart_fleet_average_distance"].shown_if_nameless)  # fmt: skip


def test_the_command_tells_relations_and_writes_a_page_a_domain(
    things, landing, load, warehouse, warehouse_url, tmp_path, monkeypatch, capsys
):
    from data_ingestion.cli.commands import main

    put(landing, JANUARY, "1,1,a")
    load(things)
    (tmp_path / "contracts").mkdir()
    write_things(tmp_path / "contracts")
    monkeypatch.chdir(tmp_path)
    asked = ["--landing", str(landing.root), "--contracts", "contracts", "--warehouse", warehouse_url]

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["profile", *asked, *arguments])
        return end.value.code, capsys.readouterr()

    code, said = run("--domain", "store")
    assert code == 0
    assert "raw.things  1 row, 6 columns, 0 masked" in said.out
    assert "so dbt's models are unknown" in said.out
    database = warehouse_url.rsplit("/", 1)[1]
    assert (
        (landing.root / "reports" / database / "profiles/store.html")
        .read_text()
        .startswith("<!doctype html>")
    )
    code, said = run("--json", "--dataset", "things", "--full")
    assert (code, json.loads(said.out)["relations"][0]["rows"]) == (0, 1)
    code, said = run("--domain", "shop")
    assert (code, "known: store" in said.err) == (3, True)


def test_two_sessions_may_profile_at_once(things, landing, load, warehouse, warehouse_url):
    put(landing, JANUARY, "1,1,a")
    load(things)
    other = PostgresWarehouse.connect(warehouse_url)
    for each in (warehouse, other):
        profile(relations_of([things], None), ProfileLedger(each.session), everything=True)
    other.close()
    assert warehouse.connection.execute("select count(*) from ops.profiles").fetchone() == (2,)
