"""Replays: drops that are read again under another contract come in many at once, and end as they end one by one."""

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from tests.integration.conftest import write_things
from tests.integration.test_small_drops import content, key_of

MANY = 30
STATE = {
    "raw": """select id, amount::text, note, rank_object_key, _line from raw.things
              left join ops.drops on drop_id = _drop_id order by 1""",
    "history": """select id, amount::text, note, rank_object_key, _fate from raw.things__history
                  left join ops.drops on drop_id = _drop_id order by 1, 2, 3, 4, 5""",
    "quarantine": """select object_key, line, column_name, reason, raw_text from ops.quarantine
                     where closed_by_load_id is null order by 1, 2""",
    "objects": """select object_key, state, etag, delivered_at, rank_object_key, gone_at from ops.objects
                  left join ops.drops using (drop_id) order by 1""",
    "drops": """select encode(sha256, 'hex'), size_bytes, fingerprint, rank_period, rank_delivered_at, rank_object_key
                from ops.drops order by 1""",
    "fates": """select object_key, kind, rows_read, quarantined, repeated, superseded, inserted, updated, unchanged,
                       restored, withdrawn from ops.loads where kind = 'replay' order by 1""",
}
# By number; all others have two rows that both contracts take as they are.
ODD = {
    3: content("3,500,a", "1003,5,b"),  # too large at first
    4: content("4,1,a", "1004,5,b"),  # too small later
    5: content("5,5, padded ", "1005,5,b"),  # trimmed later
    6: content("6,x,a", "1006,5,b"),  # never a number
    7: content("7,5,a", "7,6,b", "1007,5,c"),  # a key twice
    8: content("3,5,other", "1008,5,b"),  # a key of another drop, that was too large there at first
    9: content("1010,5,older or newer", "9,5,a"),  # a key of the next one
    11: content("4,5,before another that waits"),
    12: content(),
    13: content("13,1,a"),  # nothing left of it later
}


def state(warehouse, of=STATE):
    return {name: warehouse.connection.execute(query).fetchall() for name, query in of.items()}


@pytest.fixture
def before(tmp_path):
    return read_contract(write_things(tmp_path, logicalTypeOptions={"maximum": 100}))


@pytest.fixture
def after(tmp_path):
    path = write_things(tmp_path, logicalTypeOptions={"minimum": 2})
    written = yaml.safe_load(path.read_text())
    note = written["schema"][0]["properties"][2]
    note["customProperties"] = [{"property": "cleaning", "value": ["trim"]}]
    path.write_text(yaml.safe_dump(written))
    return read_contract(path)


@pytest.fixture
def landed(before, landing, warehouse):
    """Drops in force, one of them held by two objects."""
    for number in range(MANY):
        landing.write(key_of(number), ODD.get(number, content(f"{number},5,a", f"{1000 + number},2.5,b")))
    landing.write("things/2026-12/copy.csv", content("20,5,a", "1020,2.5,b"))
    load_due(before, landing, warehouse)
    return landing


def load_due(contract, landing, warehouse, choice=Choice()):
    (plan,) = discover([contract], landing, warehouse, choice).plans
    return list(load_drops(contract, landing, warehouse, plan.drops))


def forget_all(warehouse):
    for table in ("quarantine", "conflicts", "objects", "loads", "drops"):
        warehouse.connection.execute(f"delete from ops.{table}")
    warehouse.connection.execute("truncate raw.things, raw.things__history")
    warehouse.connection.execute("update ops.datasets set raw_rows = 0")


def at_once(reports):
    return [report for report in reports if " drops at once" in (report.plan_reason or "")]


def test_drops_are_read_again_together_as_they_are_one_by_one(before, after, landed, warehouse, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("data_ingestion.grouping.MOST_TOGETHER", 1)
        assert not at_once(load_due(after, landed, warehouse))
    one_by_one = state(warehouse)
    forget_all(warehouse)
    load_due(before, landed, warehouse)
    reports = load_due(after, landed, warehouse)
    assert {report.state for report in reports} == {LoadState.LOADED}
    together = state(warehouse)
    for name in STATE:
        assert together[name] == one_by_one[name], name
    told = {report.object_key: report for report in at_once(reports)}
    # Those that share a key, and the one with two objects, stand alone.
    odd = {key_of(number) for number in (3, 4, 8, 9, 10, 11, 20)}
    assert set(told) == {key_of(number) for number in range(MANY)} - odd
    padded = told[key_of(5)].fates
    assert (padded.updated, padded.unchanged) == (1, 1)
    assert load_due(after, landed, warehouse) == []


def test_a_row_that_the_contract_takes_now_comes_in_and_leaves_the_quarantine(
    before, landing, warehouse, tmp_path
):
    for number in range(6):
        landing.write(
            key_of(number), content(f"{number},5,a", f"{1000 + number},{98 + number},b", f"{number}0,x,c")
        )
    load_due(before, landing, warehouse)
    wider = read_contract(write_things(tmp_path, logicalTypeOptions={"maximum": 101}))
    reports = load_due(wider, landing, warehouse)
    assert len(at_once(reports)) == 6
    assert [report.fates.inserted for report in reports] == [0, 0, 0, 1, 0, 0]
    waiting = {(row[0], row[3]) for row in state(warehouse)["quarantine"]}
    numbers = {(key_of(number), "not_a_number") for number in range(6)}
    assert waiting == numbers | {(key_of(number), "out_of_bounds") for number in (4, 5)}
    closed = warehouse.connection.execute(
        """select distinct q.closed_by_load_id = l.load_id from ops.quarantine q
           join ops.loads l on l.object_key = q.object_key and l.kind = 'replay'
           where q.closed_by_load_id is not null"""
    )
    assert closed.fetchall() == [(True,)]


def test_a_full_refresh_of_what_nothing_has_changed_in_rewrites_no_row(before, landed, warehouse):
    rows = "select ctid::text, * from raw.things order by id"
    there = warehouse.connection.execute(rows).fetchall()
    reports = load_due(before, landed, warehouse, Choice(full_refresh=True))
    assert len(at_once(reports)) > MANY / 2
    assert warehouse.connection.execute(rows).fetchall() == there


def test_an_object_that_has_changed_since_is_not_read_again_as_it_was(after, landed, warehouse):
    (plan,) = discover([after], landed, warehouse).plans
    landed.write(key_of(15), content("15,7,corrected"))
    reports = {r.object_key: r for r in load_drops(after, landed, warehouse, plan.drops)}
    assert reports[key_of(15)].kind == "corrected"
    assert len(at_once(reports.values())) > MANY / 2
    assert warehouse.connection.execute("select amount from raw.things where id = 15").fetchone() == (7,)


def test_two_loaders_that_read_the_same_drops_again_leave_them_as_one_does(after, landed, warehouse):
    (plan,) = discover([after], landed, warehouse).plans
    list(load_drops(after, landed, warehouse, plan.drops))
    there = state(
        warehouse, {name: STATE[name] for name in ("raw", "history", "objects", "drops", "quarantine")}
    )
    list(load_drops(after, landed, warehouse, plan.drops))
    assert state(warehouse, {name: STATE[name] for name in there}) == there
