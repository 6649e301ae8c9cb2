"""Changelog: where a log stands is read off the names of its newest drops, however long it is."""

from pathlib import Path

import pytest

from data_ingestion.capture.changelog import Log, drop_key, read_log, snapshot_key, write_drops
from data_ingestion.capture.changes import Change, Committed
from data_ingestion.landing import FolderLanding

FOLDER = "orders/changes"
MARK = "5e0c1f7a92d4"
NOON = 1_794_052_800_000  # 2026-11-07 12:00 UTC
DAY = 24 * 60 * 60 * 1000


class ListedLanding(FolderLanding):
    """Counts what of it is listed."""

    listed = 0

    def _entries(self, folder, passed_over):
        found = super()._entries(folder, passed_over)
        self.listed += len(found)
        return found


@pytest.fixture
def landing(tmp_path: Path) -> ListedLanding:
    return ListedLanding(tmp_path)


def change(lsn: int, ordinal: int = 0, ts_ms: int = NOON) -> Change:
    return Change(lsn, ordinal, "c", "items", ts_ms, None, "{}")


def put(landing: FolderLanding, log: Log, lsn: int, ts_ms: int = NOON, *, is_cut: bool = False) -> str:
    key = drop_key(log, change(lsn, 0, ts_ms), change(lsn, 0, ts_ms), is_cut=is_cut)
    landing.write(key, b"")
    return key


def test_a_folder_without_drops_has_no_log(landing: ListedLanding) -> None:
    for name in ("2026/11/07/notes.txt", "archive/2027/01/01/0000000000000008-0000000000000008.jsonl"):
        landing.write(f"{FOLDER}/{name}", b"")
    assert read_log(landing, FOLDER) == Log(FOLDER)


def test_the_newest_drop_tells_place_publication_and_day(landing: ListedLanding) -> None:
    landing.write(snapshot_key(Log(FOLDER), 7, NOON - 40 * DAY, "01d"), b"")
    for day in range(3):
        put(landing, Log(FOLDER, mark=MARK), 8 * (day + 1), NOON + day * DAY)
    assert read_log(landing, FOLDER) == Log(FOLDER, 24, MARK, False, 16, "2026/11/09")


def test_a_log_that_ends_with_a_snapshot_tells_what_was_before_it(landing: ListedLanding) -> None:
    put(landing, Log(FOLDER, mark="01d"), 16, NOON - 40 * DAY)
    landing.write(snapshot_key(Log(FOLDER), 23, NOON, MARK), b"")
    assert read_log(landing, FOLDER) == Log(FOLDER, 23, MARK, True, 16, "2026/11/07")


def test_of_a_transaction_that_is_there_in_part_nothing_is_known(landing: ListedLanding) -> None:
    put(landing, Log(FOLDER, mark=MARK), 16, is_cut=True)
    assert read_log(landing, FOLDER).newest == 15


def test_a_clock_set_back_moves_no_drop_to_an_earlier_day(landing: ListedLanding) -> None:
    put(landing, Log(FOLDER, mark=MARK), 8, NOON + 30 * DAY)
    log = read_log(landing, FOLDER)
    assert log.day == "2026/12/07"
    assert put(landing, log, 16, NOON).startswith(f"{FOLDER}/2026/12/07/")
    assert snapshot_key(log, 23, NOON, MARK).startswith(f"{FOLDER}/2026/12/07/")
    assert read_log(landing, FOLDER).newest == 16


def test_a_clock_set_back_within_a_run_moves_no_drop_to_an_earlier_day_either(landing: ListedLanding) -> None:
    later, earlier = change(8, 0, NOON + 30 * DAY), [change(16, ordinal) for ordinal in range(3)]
    written = write_drops(landing, Log(FOLDER, mark=MARK), [later, Committed(16), *earlier, Committed(24)], 1)
    assert (written.drops, written.day) == (3, "2026/12/07")
    assert {item.key.rpartition("/")[0] for item in landing.list_objects()} == {f"{FOLDER}/2026/12/07"}


def test_what_a_run_lists_does_not_grow_with_the_log(landing: ListedLanding) -> None:
    listed = []
    for day in range(500):
        put(landing, Log(FOLDER, mark=MARK), 8 * (day + 1), NOON + day * DAY)
        if day in (100, 499):
            landing.listed = 0
            assert read_log(landing, FOLDER).newest == 8 * (day + 1)
            listed.append(landing.listed)
    assert max(listed) < 60
