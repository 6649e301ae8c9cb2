"""Files of the lake: what a round takes, and what is worth putting together."""

from datetime import UTC, date, datetime

from data_ingestion.lake import files
from data_ingestion.lake.files import LARGE_BYTES, DropVersion, LakeFile, by_date, cut_round, worth_compacting

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def version(load, period="2026-03-02T07:05:04", size=10):
    return DropVersion(load, load, b"", size, "", "new", period, NOW, 1, False, ())


def file(number, day=2, size=10):
    return LakeFile(number, "events", date(2026, 3, day), number, number, 1, 1, size)


def ids(groups):
    return [[each.file_id for each in group] for group in groups]


def test_a_drop_is_filed_under_the_first_day_of_its_period():
    periods = ("2026-03-02T07:05:04", "2026-03-02", "2026-03", "2026")
    days = [version(1, period).date for period in periods]
    assert days == [date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 1), date(2026, 1, 1)]


def test_a_file_is_named_by_its_loads_and_by_who_writes_it():
    named = LakeFile(17, "events", date(2026, 3, 2), 5, 9)
    assert named.path == "dataset=events/date=2026-03-02/loads-5-9-17.parquet"


def test_a_round_ends_where_it_grows_too_large(monkeypatch):
    monkeypatch.setattr(files, "ROUND_BYTES", 25)
    monkeypatch.setattr(files, "ROUND_DROPS", 3)
    assert [each.load_id for each in cut_round(map(version, range(1, 9)))] == [1, 2]
    assert [each.load_id for each in cut_round(version(load, size=1) for load in range(1, 9))] == [1, 2, 3]
    assert [each.load_id for each in cut_round([version(1, size=99), version(2)])] == [1]
    assert cut_round([]) == []


def test_the_drops_of_a_day_make_a_file_in_the_order_of_their_loads():
    grouped = by_date([version(3), version(1, "2026-03-04"), version(2)])
    assert [(day.day, [each.load_id for each in group]) for day, group in grouped] == [(2, [2, 3]), (4, [1])]


def test_all_small_files_of_a_day_go_together_and_none_across_days():
    assert ids(worth_compacting([file(1), file(2), file(3, day=3), file(4)], patient=False)) == [[1, 2, 4]]


def test_a_file_that_is_large_enough_is_not_written_again():
    found = [file(1, size=LARGE_BYTES), file(2), file(3, size=LARGE_BYTES - 5), file(4), file(5)]
    assert ids(worth_compacting(found, patient=False)) == [[4, 5]]


def test_patience_waits_for_the_newest_day_until_it_has_many():
    growing = [file(number, day=3) for number in range(3, 3 + files.MOST_OF_TODAY - 1)]
    assert ids(worth_compacting([file(1), file(2), *growing], patient=True)) == [[1, 2]]
    full = [*growing, file(99, day=3)]
    assert len(ids(worth_compacting(full, patient=True))[0]) == files.MOST_OF_TODAY
