import json
from datetime import UTC, datetime

import pytest
from goldworks_dags.batches import BYTES_A_BATCH, DROPS_A_BATCH, cut, pack, unpack

from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind
from data_ingestion.plan import PlannedDrop


def drop(number: int, size: int = 1000, ledger_etag: str | None = None) -> PlannedDrop:
    seen = LandingObject(f"2026/{number:06}.csv", size, f"etag{number}", datetime(2026, 3, 1, tzinfo=UTC))
    return PlannedDrop("events", seen, Kind.NEW, "2026-03", "not in the ledger", ledger_etag)


def test_batches_come_back_as_they_were_after_a_journey_as_json() -> None:
    batches = [[drop(1), drop(2, ledger_etag="old")], [drop(3)]]
    there = json.loads(json.dumps(pack(batches)))
    assert [unpack(batch) for batch in there] == batches


def test_what_is_null_does_not_travel() -> None:
    [[plain]] = pack([[drop(1)]])
    assert "ledger_etag" not in plain
    assert "version_id" not in plain["object"]


@pytest.mark.parametrize(
    ("drops", "size", "tasks"),
    [
        (1, 10, 1),
        (50, 1000, 1),
        (DROPS_A_BATCH + 1, 10, 2),
        (2, BYTES_A_BATCH, 2),
        (86_400, 10, 64),
        (500, BYTES_A_BATCH, 64),
    ],
)
def test_small_drops_share_a_task_and_no_run_has_more_than_64(drops: int, size: int, tasks: int) -> None:
    planned = [drop(number, size) for number in range(drops)]
    batches = cut(planned)
    assert len(batches) == tasks
    assert [one for batch in batches for one in batch] == planned


def test_nothing_to_load_is_no_batch() -> None:
    assert cut([]) == []
