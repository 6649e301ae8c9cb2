"""Files: the same bytes for the same size, and truths that another way of counting confirms."""

import csv
import hashlib

import pytest

from bench.files import Truth, bad_rows, main, read_truths

ROWS = 1000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("bench") / "files"
    main(place, ROWS)
    return place


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


def truth_of(rows):
    digests = [hashlib.md5("|".join(row).encode()).hexdigest()[:14] for row in rows]
    return Truth(len(rows), sum(int(digest, 16) for digest in digests))


@pytest.mark.parametrize("name", ["month", "corrected", "quoted"])
def test_a_truth_is_that_of_the_file_as_another_reader_reads_it(folder, name):
    assert read_truths(folder)[name] == truth_of(rows_of(folder / f"{name}.csv"))


def test_the_next_month_repeats_a_tenth_and_the_truth_has_each_event_once(folder):
    month, following = rows_of(folder / "month.csv"), rows_of(folder / "next.csv")
    assert len(following) == ROWS
    assert sum(row in month for row in following) == ROWS // 10
    assert read_truths(folder)["next"] == truth_of({row[0]: row for row in [*month, *following]}.values())


def test_a_correction_is_one_row(folder):
    pairs = zip(rows_of(folder / "month.csv"), rows_of(folder / "corrected.csv"), strict=True)
    assert sum(one != other for one, other in pairs) == 1


def test_a_hundredth_is_bad_and_not_in_the_truth(folder):
    good = {row[0] for row in rows_of(folder / "month.csv")}
    bad = [
        row
        for row in rows_of(folder / "bad.csv")
        if len(row) < 8 or row[0] not in good or row[1] == "2026-13-45"
    ]
    assert len(bad) == bad_rows(ROWS) == ROWS // 100
    assert read_truths(folder)["bad"].rows == ROWS - len(bad)


def test_the_same_size_gives_the_same_bytes(folder, tmp_path):
    main(tmp_path / "again", ROWS)
    for path in folder.rglob("*.csv"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()
