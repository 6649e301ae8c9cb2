import hashlib
import json
from datetime import UTC, datetime

import pytest
from goldworks_dags.batches import BYTES_A_BATCH, DROPS_A_BATCH, cut, pack, ticket, unpack

from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Kind
from data_ingestion.plan import PlannedDrop


def drop(number: int, size: int = 1000, ledger_etag: str | None = None, etag: str = "etag") -> PlannedDrop:
    seen = LandingObject(f"2026/{number:06}.csv", size, etag, datetime(2026, 3, 1, tzinfo=UTC))
    return PlannedDrop("events", seen, Kind.NEW, "2026-03", "not in the ledger", ledger_etag)


def test_a_batch_comes_back_as_it_was_after_a_journey_as_json() -> None:
    batch = [drop(1), drop(2, ledger_etag="old"), drop(3)]
    assert unpack(json.loads(json.dumps(pack(batch)))) == batch


def test_a_batch_of_a_thousand_drops_is_a_short_message() -> None:
    batch = [drop(number, etag=hashlib.md5(str(number).encode()).hexdigest()) for number in range(1000)]
    assert len(pack(batch)) < 50_000


def test_a_task_is_told_the_name_of_its_batch_and_where_it_waits() -> None:
    assert ticket(0, [drop(1)]) == {"message": "batch_00", "name": "2026/000001.csv"}
    assert ticket(63, [drop(1), drop(2)]) == {"message": "batch_63", "name": "2026/000001.csv and 1 more"}


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
