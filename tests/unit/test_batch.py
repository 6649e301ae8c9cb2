"""Batches ahead: the next is read whole while one is merged, never more than there is room for, and none is left."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from data_ingestion import batch as batches_of
from data_ingestion.batch import BatchPart, BatchPrefetcher
from data_ingestion.contract import Acceptance, Allowance
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind
from data_ingestion.plan import PlannedDrop
from data_ingestion.quarantine import BadRows
from tests.unit.test_kinds import CONTRACT

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)
RECORD = b'{"on":"car","event":"moved","lat":1}\n'
BEARING = replace(CONTRACT, acceptance=Acceptance(Allowance(0.5, 5)))


class Folder:
    """A landing of one record a file; `opened` are the files asked for, `reached` is set when the last of some is."""

    at_once = 1

    def __init__(self, wanted: str = "") -> None:
        self.opened: list[str] = []
        self.wanted, self.reached = wanted, Event()
        self.check = lambda: None

    def open(self, seen: LandingObject) -> io.BytesIO:
        self.check()
        self.opened.append(seen.key)
        if seen.key == self.wanted:
            self.reached.set()
        if "broken" in seen.key:
            raise OperatorFault(f"{seen.key}: can't be read")
        return io.BytesIO(b"{\n" + RECORD * 9 if "bad" in seen.key else RECORD)


def drops(*keys: str) -> list[PlannedDrop]:
    return [
        PlannedDrop(CONTRACT.dataset, LandingObject(key, 9, key, MOMENT), Kind.NEW, "", "") for key in keys
    ]


def keys_of(batch: list[PlannedDrop], parts: Iterator[BatchPart]) -> list[str]:
    return [batch[drop.position].object.key for part in parts for drop in part.drops]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file a part."""
    monkeypatch.setattr(batches_of, "PART_BYTES", 1)


def opened(folder: Any) -> BatchPrefetcher:
    return BatchPrefetcher(BEARING, folder, None)


def test_the_next_batch_is_read_to_its_end_while_one_is_used():
    first, following, folder = drops("1", "2"), drops("3", "4", "5"), Folder(wanted="5")
    ahead = opened(folder)
    with ahead.parts(first, following) as parts:
        assert keys_of(first, parts) == ["1", "2"]
        assert folder.reached.wait(30)
    with ahead.parts(following) as parts:
        assert keys_of(following, parts) == ["3", "4", "5"]
    ahead.close()
    assert folder.opened == ["1", "2", "3", "4", "5"]


def test_no_more_is_read_ahead_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch):
    with opened(Folder()).parts(drops("0")) as parts:
        (part,) = parts
    monkeypatch.setattr(batches_of, "PREFETCHED_BYTES", 3 * part.bytes)
    first, following, folder = drops(*"123456"), drops(*"abcdefgh"), Folder()
    taken: list[str] = []

    def check() -> None:
        # three are held, one is taken, and of one more it is known by now that it fits no more into a part
        assert len(folder.opened) - len(taken) <= 3 + 1 + 1

    folder.check = check
    ahead = opened(folder)
    for batch, after in ((first, following), (following, None)):
        with ahead.parts(batch, after) as parts:
            for part in parts:
                taken += [batch[drop.position].object.key for drop in part.drops]
    ahead.close()
    assert taken == list("123456abcdefgh")


def test_what_was_read_ahead_is_let_go_of_when_a_batch_fails(monkeypatch: pytest.MonkeyPatch):
    closed: list[int] = []
    close = BadRows.close
    monkeypatch.setattr(BadRows, "close", lambda self: (closed.append(self.count), close(self)))
    first, following, folder = drops("1", "2", "3"), drops("bad-4", "5", "6"), Folder(wanted="6")
    ahead = opened(folder)
    with pytest.raises(ZeroDivisionError), ahead.parts(first, following) as parts:
        assert next(parts)
        assert folder.reached.wait(30)
        raise ZeroDivisionError
    halves = [first[:1], first[1:]]
    with ahead.parts(halves[0], halves[1]) as parts:
        assert closed.count(1) == 1  # of the batch that was to follow
        assert keys_of(halves[0], parts) == ["1"]
    with ahead.parts(halves[1]) as parts:
        assert keys_of(halves[1], parts) == ["2", "3"]
    ahead.close()
    assert ahead._held == 0


def test_a_batch_that_waits_for_room_gives_up_when_nobody_wants_it_any_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batches_of, "PREFETCHED_BYTES", 1)
    first, following, folder = drops("1"), drops("2", "3", "4"), Folder(wanted="3")
    ahead = opened(folder)
    with ahead.parts(first, following) as parts:
        assert keys_of(first, parts) == ["1"]
        assert folder.reached.wait(30)
    ahead.close()  # comes back
    assert "4" not in folder.opened[:-1]


def test_what_reading_raises_is_raised_where_its_parts_would_be():
    batch = drops("1", "2", "broken", "4")
    ahead = opened(Folder())
    with pytest.raises(OperatorFault, match="broken"), ahead.parts(batch) as parts:
        assert next(parts).drops[0].position == 0
        list(parts)
    with ahead.parts(batch[:2]) as parts:
        assert keys_of(batch, parts) == ["1", "2"]
    ahead.close()


def test_threads_take_turns_as_before_once_no_batch_is_merged_whichever_loader_ends_first():
    before = sys.getswitchinterval()
    one, other = opened(Folder()), opened(Folder())
    assert sys.getswitchinterval() == before
    merging, also_merging = one.parts(drops("1")), other.parts(drops("2"))
    merging.__enter__()
    also_merging.__enter__()
    assert sys.getswitchinterval() < before
    merging.__exit__(None, None, None)
    assert sys.getswitchinterval() < before
    also_merging.__exit__(None, None, None)
    assert sys.getswitchinterval() == before
    for loader in (one, other):
        loader.close()
    assert sys.getswitchinterval() == before
