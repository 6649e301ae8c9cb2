"""Retry: a transaction that met another one is tried again, a stated number of times."""

import pytest

from data_ingestion.engine import retry
from data_ingestion.engine.retry import TRIES, until_committed, whole_transaction
from data_ingestion.errors import OperatorFault, TransactionConflict


class Session:
    in_transaction = False


class Act:
    """Meets another transaction so many times, then returns 7."""

    def __init__(self, conflicts, error=TransactionConflict):
        self.conflicts, self.error, self.calls = conflicts, error, 0

    def __call__(self, *_):
        self.calls += 1
        if self.calls <= self.conflicts:
            raise self.error("in the way\n  run again")
        return 7


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    taken = []
    monkeypatch.setattr(retry.time, "sleep", taken.append)
    return taken


def test_a_conflict_is_followed_by_another_try_after_a_pause_and_told(pauses, caplog):
    act = Act(2)
    assert until_committed(Session(), act, "a.csv") == 7
    assert act.calls == 3
    assert len(pauses) == 2
    assert pauses[0] <= 2 and pauses[1] <= 4
    assert "a.csv: another transaction was in the way (in the way); try 2 of 6 follows in" in caplog.text


def test_the_last_conflict_is_raised(pauses):
    act = Act(TRIES)
    with pytest.raises(TransactionConflict):
        until_committed(Session(), act, "a.csv")
    assert (act.calls, len(pauses)) == (TRIES, TRIES - 1)


def test_another_fault_is_raised_at_once():
    act = Act(1, OperatorFault)
    with pytest.raises(OperatorFault):
        until_committed(Session(), act, "a.csv")
    assert act.calls == 1


def test_within_another_transaction_that_one_has_to_be_repeated():
    session, act = Session(), Act(1)
    session.in_transaction = True
    with pytest.raises(TransactionConflict):
        until_committed(session, act, "a.csv")
    assert act.calls == 1


def test_a_function_of_a_session_can_be_a_whole_transaction(caplog):
    act = Act(1)

    @whole_transaction
    def record_it(session, number):
        return act() + number

    assert record_it(Session(), number=1) == 8
    assert "record it: another transaction was in the way" in caplog.text
