"""Compaction: a day's small files of the lake become one, and a reader misses nothing meanwhile."""

from pathlib import Path

import pytest

from data_ingestion.lake import compaction
from data_ingestion.lake.compaction import compact
from data_ingestion.lake.ledger import LakeLedger
from tests.integration.lake.records import deliver_some, delivered, files, in_lake, killed, rows


def test_small_files_of_a_day_become_one(landing, lake, events, load, keep, warehouse):
    for first in (0, 6, 12):
        deliver_some(landing, first)
        load(events)
        keep(events)
    before = rows(lake, "*")
    report = compact(events.dataset, lake, LakeLedger(warehouse.session))
    assert (report.files_before, report.files_after, report.records) == (6, 2, 36)
    assert files(lake) == sorted(in_lake(warehouse))
    assert rows(lake, "*") == before
    assert compact(events.dataset, lake, LakeLedger(warehouse.session)).files_after == 2


def test_of_files_that_are_put_together_one_is_open_at_a_time(
    landing, lake, events, load, keep, warehouse, monkeypatch
):
    """A day may have more of them than a process may have open."""
    for first in (0, 6, 12):
        deliver_some(landing, first)
        load(events)
        keep(events)
    fetched, fetch = [], compaction._fetch

    def watched(*asked):
        assert all(content.closed for content in fetched)
        fetched.append(fetch(*asked))
        return fetched[-1]

    monkeypatch.setattr(compaction, "_fetch", watched)
    assert compact(events.dataset, lake, LakeLedger(warehouse.session)).files_after == 2
    assert len(fetched) == 6
    assert rows(lake) == delivered(landing)


def test_patience_leaves_a_growing_day_alone(landing, lake, events, load, keep, warehouse):
    for first in (0, 6):
        deliver_some(landing, first)
        load(events)
        keep(events)
    assert compact(events.dataset, lake, LakeLedger(warehouse.session), patient=True).files_after == 3
    assert [Path(file).parent.name for file in files(lake)] == ["date=2026-03-02", *["date=2026-03-03"] * 2]


@pytest.mark.parametrize(
    ("instant", "nth", "when"),
    [
        ("ledger.announce", 1, "after"),
        ("file.replace", 1, "before"),
        ("lake.write", 1, "after"),
        ("ledger.record_joined", 1, "after"),
        ("lake.delete", 2, "before"),
        ("lake.delete", 3, "after"),
        ("ledger.record_deleted", 2, "before"),
        ("lake.write", 2, "after"),
    ],
)
@pytest.mark.parametrize("then", ["archive", "compact"])
def test_a_compaction_killed_at_any_instant_is_made_good_by_the_next_run(
    then, instant, nth, when, landing, lake, events, load, keep, warehouse, warehouse_url
):
    for first in (0, 6, 12):
        deliver_some(landing, first)
        load(events)
        keep(events)
    killed("compact", instant, nth, when, landing, lake, warehouse_url)
    assert set(rows(lake)) == set(delivered(landing)), "a reader misses rows"
    if then == "archive":
        keep(events)
    else:
        compact(events.dataset, lake, LakeLedger(warehouse.session))
    assert rows(lake) == delivered(landing)
    assert files(lake) == sorted(in_lake(warehouse))
