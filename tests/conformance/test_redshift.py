"""Redshift, by its own driver against a stand-in: what it does in its own way, and what it must not be asked."""

import re
import threading
import time
from contextlib import closing
from dataclasses import replace

import boto3
import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.engine import lease, retry
from data_ingestion.errors import TransactionConflict
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from tests.conformance.leased_engines import RedshiftEngine
from tests.conformance.test_kills import first_delivery, load, second_delivery, start_again, state
from tests.conformance.test_statements import go_through_everything
from tests.conformance.world import DATASETS, Terms, write_contract
from tests.integration.limits import without_limits
from tests.seed import SEED
from tests.stand_ins.redshift_rules import RULES, faults_of

# Of a batch, from BEGIN to COMMIT.
MOST_STATEMENTS = 60


@pytest.fixture
def engine(tmp_path, engine_url):
    with closing(RedshiftEngine(tmp_path, engine_url)) as engine:
        yield engine


def loaded_alone(engine, contract, landing):
    """The state after both deliveries, with no one in the way."""
    start_again(engine, contract)
    for deliver in (first_delivery, second_delivery):
        deliver(landing)
        load(engine, contract, landing)
    return state(engine)


def test_nothing_is_lost_or_doubled_where_one_of_five_transactions_meets_another(
    engine, contract, landing, monkeypatch, caplog
):
    print(f"seed {SEED}")
    monkeypatch.setattr(retry, "PAUSE_SECONDS", 0.01)
    expected = loaded_alone(engine, contract, landing)
    start_again(engine, contract)
    engine.stand_in.conflicts = 0.2
    engine.stand_in.chance.seed(SEED)
    while engine.stand_in.conflicted < 10:
        start_again(engine, contract)
        for deliver in (first_delivery, second_delivery):
            deliver(landing)
            assert {report.state for report in load(engine, contract, landing)} == {LoadState.LOADED}
        engine.warehouse.abandon_lost_attempts()
        assert state(engine) == expected, f"seed {SEED}"
    assert (
        "another transaction was in the way (warehouse: 1023 Serializable isolation violation" in caplog.text
    )
    assert "try 2 of 6 follows" in caplog.text


def test_a_transaction_that_always_meets_another_ends_after_so_many_tries(
    engine, contract, landing, monkeypatch
):
    monkeypatch.setattr(retry, "PAUSE_SECONDS", 0.01)
    start_again(engine, contract)
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1,a\n")
    (plan,) = discover([contract], landing, engine.warehouse).plans
    engine.stand_in.conflicts = 1.0
    with pytest.raises(TransactionConflict, match=r"1023 .*\n  run again"):
        list(load_drops(contract, landing, engine.warehouse, plan.drops))
    assert engine.stand_in.conflicted == retry.TRIES
    engine.stand_in.conflicts = 0.0
    (report,) = load(engine, contract, landing)
    assert report.fates.inserted == 1


def test_two_loaders_at_once_come_to_what_one_comes_to(engine, contract, landing):
    expected = loaded_alone(engine, contract, landing)
    start_again(engine, contract)
    faults = []

    def work():
        warehouse = engine.connect()
        try:
            (plan,) = discover([contract], landing, warehouse).plans
            faults.extend(
                report.error
                for report in load_drops(contract, landing, warehouse, plan.drops)
                if report.state is not LoadState.LOADED
            )
        except Exception as error:
            faults.append(error)
        finally:
            warehouse.close()

    for deliver in (first_delivery, second_delivery):
        deliver(landing)
        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert faults == []
    assert state(engine) == expected


def lease_of(engine):
    return engine.warehouse.session.one("select max(lease_until) from ops.loads where state = 'started'")


def test_an_attempt_is_alive_as_long_as_its_lease_is_renewed(engine, contract, landing, monkeypatch):
    monkeypatch.setattr(lease, "SECONDS", 2)
    monkeypatch.setattr(lease, "RENEWED_EVERY", 0.2)
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1,a\n")
    (plan,) = discover([contract], landing, engine.warehouse).plans
    with closing(engine.connect()) as other, closing(engine.connect()) as warehouse:
        with warehouse.attempts(plan.drops):
            first = lease_of(engine)
            while (lease_of(engine) - first).total_seconds() < 3:  # it would have ended by now
                assert other.abandon_lost_attempts() == 0
                time.sleep(0.1)
            warehouse.session.close()  # as if its process had been killed
        while not other.abandon_lost_attempts():
            time.sleep(0.1)
    assert [row["state"] for row in engine.warehouse.loads()] == ["abandoned"]


def said_for(engine, act):
    """The statements that something takes."""
    before = len(engine.stand_in.statements)
    act()
    return engine.stand_in.statements[before:]


def load_and_listen(engine, contract, landing):
    """The reports of a load, and the statements that it took."""
    (plan,) = discover([contract], landing, engine.warehouse).plans
    reports = []
    said = said_for(
        engine, lambda: reports.extend(load_drops(contract, landing, engine.warehouse, plan.drops))
    )
    return reports, said


def test_a_thousand_small_drops_travel_in_one_copy(engine, contract, landing):
    start_again(engine, contract)

    def deliver(amount):
        for number in range(1000):
            text = f"id,amount,note\n{number},{amount},a\nx,1,bad\n"
            landing.write(f"things/2026-01/{number:04}.csv", text.encode())

    for amount in (1, 2):
        deliver(amount)
        reports, said = load_and_listen(engine, contract, landing)
        assert len(reports) == 1000
        fate = "inserted" if amount == 1 else "updated"
        assert sum(getattr(report.fates, fate) for report in reports) == 1000
        of_rows = [one for one in said if one.startswith("copy ") and '"amount"' in one]
        batch = said[[place for place, one in enumerate(said) if one == "begin"][-1] :]
        copies = sum(one.startswith("copy ") for one in batch)
        print(
            f"{fate}: {len(said)} statements, {len(batch)} of them in the batch's transaction, {copies} of these COPY"
        )
        assert len(of_rows) == 1
        assert len(batch) <= MOST_STATEMENTS


def test_statements_are_as_many_for_a_large_drop_as_for_a_small_one(engine, contract, landing):
    counts = {}
    for rows in (1_000, 40_000):
        start_again(engine, contract)
        for amount in (1, 2):
            lines = [f"{number},{'x' if number % 3 == 0 else amount},a" for number in range(rows)]
            landing.write("things/2026-01/a.csv", "\n".join(["id,amount,note", *lines, ""]).encode())
            counts[rows, amount] = len(load_and_listen(engine, contract, landing)[1])
    print(counts)
    assert counts[1_000, 1] == counts[40_000, 1]
    assert counts[1_000, 2] == counts[40_000, 2]
    assert max(counts.values()) <= MOST_STATEMENTS


def test_what_is_staged_on_s3_is_gone_after_the_load(engine, contract, landing, aws_endpoint, monkeypatch):
    settings = {
        "AWS_ENDPOINT_URL": aws_endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="staging")
    engine.place = replace(engine.place, staging="s3://staging/goldworks")
    engine.warehouse.close()
    engine.warehouse = engine.connect()
    start_again(engine, contract)
    first_delivery(landing)
    said = said_for(engine, lambda: load(engine, contract, landing))
    copied = [re.search(r"from '(s3://staging/goldworks/stage=\w+/manifest)'", one) for one in said]
    assert any(copied)
    assert s3.list_objects_v2(Bucket="staging")["KeyCount"] == 0


def test_a_text_that_is_too_long_for_it_fails_the_drop_before_anything_is_copied(engine, contract, landing):
    start_again(engine, contract)
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1," + "é".encode() * 32_768 + b"\n")
    said = said_for(engine, lambda: load(engine, contract, landing))
    assert not any(one.startswith("copy ") for one in said)
    (row,) = engine.warehouse.loads()
    assert row["state"] == "failed"
    assert "note: a text has 65,536 bytes, the warehouse takes 65,535\n" in row["error"]
    assert "name the warehouse in the contract's `warehouses`" in row["error"]


def test_of_a_contract_that_names_it_a_text_that_is_too_long_is_a_bad_row(engine, landing, tmp_path):
    path = write_contract(tmp_path / "contracts", Terms())
    document = yaml.safe_load(path.read_text())
    document["schema"][0]["customProperties"].append({"property": "warehouses", "value": ["redshift"]})
    path.write_text(yaml.safe_dump(document))
    contract = without_limits(read_contract(path))
    start_again(engine, contract)
    landing.write(
        "things/2026-01/a.csv",
        b"id,amount,note\n1,1," + b"e" * 65_535 + b"\n2,1," + "é".encode() * 32_768 + b"\n3,1,\n",
    )
    (report,) = load(engine, contract, landing)
    assert (report.fates.inserted, report.fates.quarantined) == (2, 1)
    (row,) = engine.warehouse.quarantined()
    assert (row["line"], row["reason"]) == (3, "too_long")
    assert row["detail"] == "65,536 bytes, the warehouses of the contract take 65,535"


@pytest.mark.parametrize("occurrence", [False, True])
def test_nothing_is_said_that_redshift_documents_it_does_not_take(engine, landing, tmp_path, occurrence):
    contract = read_contract(write_contract(tmp_path / "contracts", Terms(occurrence=occurrence)))
    said = said_for(
        engine, lambda: go_through_everything(engine.warehouse, contract, landing, DATASETS[occurrence])
    )
    discover([contract], landing, engine.warehouse, Choice(full_refresh=True))
    assert len(said) > 100
    assert [fault for statement in said for fault in faults_of(statement)] == []


REFUSED = [
    "truncate raw.things", "vacuum raw.things", "create index i on raw.things (id)",
    "alter table raw.things alter column id type bigint", "create table t (id bigint primary key)",
    "create table t (id bigint check (id > 0))", "insert into t values (1) on conflict do nothing",
    "insert into t values (1) returning id", "select 1 where a is not distinct from b",
    "select distinct on (a) a from t", "select 1 from t, lateral (select 2) l", "select a[1] from t",
    "select cast(a as uuid) from t", "select nextval('s')", "select unnest(a) from t", "select now()",
    "select count(*) filter (where a) from t", "create temporary table t on commit drop as select 1",
    "set local statement_timeout = 0", "select pg_advisory_lock(1)", "select cast(a as text) from t",
    "delete from raw.things r using t where r.id = t.id", "delete from raw.things using (select 1) t",
    "update t set t.a = 1", "update t set a = 1 from b left join c on b.x = c.x where t.y = b.y",
    "select sum(a) over (partition by b order by c) from t",
    "merge into t using s on t.a = s.a when matched and s.b then delete",
    "merge into t x using s on x.a = s.a when matched then delete",
    "merge into t using (select 1) s on t.a = s.a when matched then delete", "create schema raw",
]  # fmt: skip


@pytest.mark.parametrize("statement", REFUSED)
def test_the_stand_in_refuses_what_redshift_does(statement, engine):
    assert faults_of(statement)
    with pytest.raises(Exception, match=re.escape(faults_of(statement)[0])):
        engine.warehouse.session.execute(statement, {})


def test_every_rule_has_a_statement_that_breaks_it():
    broken = {fault for statement in REFUSED for fault in faults_of(statement)}
    assert {f"{fault} ({page})" for _, fault, page in RULES} == broken


@pytest.mark.parametrize(
    "statement",
    [
        "select 'truncate t', \"on conflict\" from t",
        "delete from raw.things using t where raw.things.id = t.id",
        "update raw.things t set a = g.a from (select 1 as a) g where t.a = g.a",
        "select row_number() over (partition by b order by c) from t",
        "select sum(a) over (partition by b order by c rows unbounded preceding) from t",
        "merge into t using s on t.a = s.a when matched then delete when not matched then insert values (1)",
    ],
)
def test_the_rules_leave_alone_what_redshift_takes(statement):
    assert faults_of(statement) == []
