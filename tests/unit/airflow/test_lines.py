"""The log of a load: a line for each of the first drops and of those with something wrong, few for the others."""

import logging
import re
from collections.abc import Callable

import pytest
from goldworks_dags.lines import FIRST, LoadLines

from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState, MergePlan
from data_ingestion.report_lines import MOST_IN_A_LINE

GOOD = Fates(read=2, inserted=2)
Tell = Callable[[list[LoadReport]], list[str]]


def report(number: int, fates: Fates = GOOD, state: LoadState = LoadState.LOADED) -> LoadReport:
    return LoadReport(
        "d", f"{number}.csv", Kind.NEW, state, fates=fates, load_id=number, plan=MergePlan.MERGE, seconds=0.1,
        error="is bad",
    )  # fmt: skip


def known(number: int) -> LoadReport:
    return LoadReport(
        "d", f"{number}.csv", Kind.KNOWN, LoadState.LOADED, plan=MergePlan.NOTHING, plan_reason="the same"
    )


@pytest.fixture
def tell(caplog: pytest.LogCaptureFixture) -> Tell:
    caplog.set_level(logging.INFO)

    def tell(reports: list[LoadReport]) -> list[str]:
        lines = LoadLines(logging.getLogger("a.task"))
        for each in reports:
            lines.add(each)
        lines.end()
        return [record.getMessage() for record in caplog.records]

    return tell


def test_few_drops_have_a_line_each(tell: Tell) -> None:
    told = tell([report(1), report(2), known(3)])
    assert told == [
        "1.csv: 2 read = 2 inserted, 0.1 s, merge, load 1",
        "2.csv: 2 read = 2 inserted, 0.1 s, merge, load 2",
        "3.csv: the same; nothing to do",
    ]


def test_thousands_of_drops_have_few_lines_whose_numbers_add_up(tell: Tell) -> None:
    drops = FIRST + 3 * MOST_IN_A_LINE + 1
    told = tell([report(number) for number in range(1, drops + 1)])
    assert len(told) == FIRST + 4
    assert told[FIRST] == (
        f"{FIRST + 1}.csv and {MOST_IN_A_LINE - 1} more: 1,000 read = 1,000 inserted, 50.0 s, merge,"
        f" loads {FIRST + 1} to {FIRST + MOST_IN_A_LINE}"
    )
    assert told[-1] == f"{drops}.csv: 2 read = 2 inserted, 0.1 s, merge, load {drops}"
    assert (
        sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) read", "\n".join(told)))
        == 2 * drops
    )


def test_what_failed_or_has_quarantined_rows_has_a_line_in_its_place_however_late_it_comes(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    reports = [report(number) for number in range(1, 101)]
    reports[50] = report(51, Fates(), LoadState.FAILED)
    reports[60] = report(61, Fates(read=2, inserted=1, quarantined=1))
    told = tell(reports)
    assert told[FIRST:] == [
        f"{FIRST + 1}.csv and 29 more: 60 read = 60 inserted, 3.0 s, merge, loads {FIRST + 1} to 50",
        "failed: 51.csv: is bad",
        "52.csv and 8 more: 18 read = 18 inserted, 0.9 s, merge, loads 52 to 60",
        "61.csv: 2 read = 1 quarantined + 1 inserted, 0.1 s, merge, load 61",
        "62.csv and 38 more: 78 read = 78 inserted, 3.9 s, merge, loads 62 to 100",
    ]
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_drops_that_failed_alike_are_told_once_and_counted_at_the_end(tell: Tell) -> None:
    told = tell([report(number, Fates(), LoadState.FAILED) for number in range(1, 31)] + [report(31)])
    assert told == [
        "failed: 1.csv: is bad",
        "31.csv: 2 read = 2 inserted, 0.1 s, merge, load 31",
        "failed: 2.csv and 28 more: same error as 1.csv",
    ]


def test_what_was_there_already_is_told_apart(tell: Tell) -> None:
    told = tell([report(number) for number in range(1, 31)] + [known(number) for number in range(31, 41)])
    assert told[FIRST:] == [
        f"{FIRST + 1}.csv and 9 more: 20 read = 20 inserted, 1.0 s, merge, loads {FIRST + 1} to 30",
        "31.csv and 9 more: nothing to do",
    ]
