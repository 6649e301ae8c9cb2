"""What a load tells of its drops: a line each, and of many a line for those that came in alike."""

import pytest

from data_ingestion.cli.lines import MOST_LINES, LoadLines
from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState, MergePlan
from data_ingestion.report_lines import MOST_IN_A_LINE


def report(number, kind=Kind.NEW, plan=MergePlan.MERGE, state=LoadState.LOADED, error="is bad"):
    fates = Fates(read=2, inserted=1, quarantined=1)
    return LoadReport(
        "d",
        f"{number}.csv",
        kind,
        state,
        fates=fates,
        attempt_id=number,
        load_id=number,
        plan=plan,
        error=error,
    )


@pytest.fixture
def told(capsys):
    def tell(reports, drops=MOST_LINES + 1):
        lines = LoadLines(drops, 8)
        for each in reports:
            lines.add(each)
        lines.end()
        return lines, capsys.readouterr().out.splitlines()

    return tell


def test_few_drops_have_a_line_each(told):
    _, out = told([report(1), report(2)], drops=2)
    assert [line.split()[1] for line in out] == ["1.csv", "2.csv"]


def test_many_drops_that_came_in_alike_share_lines_whose_numbers_add_up(told):
    lines, out = told([report(number) for number in range(1, MOST_IN_A_LINE + 2)])
    assert out[0].startswith(
        f"load        1.csv and {MOST_IN_A_LINE - 1:,} more  1,000 read = 500 quarantined + 500 ins"
    )
    assert out[0].endswith(f"merge  loads 1 to {MOST_IN_A_LINE}")
    assert out[1].split()[1] == f"{MOST_IN_A_LINE + 1}.csv"
    assert len(out) == 2
    assert (lines.loads, lines.fates.read) == (MOST_IN_A_LINE + 1, 2 * (MOST_IN_A_LINE + 1))


def test_a_drop_that_failed_has_its_own_line_in_its_place(told):
    lines, out = told([report(1), report(2), report(3, state=LoadState.FAILED), report(4)])
    assert [line.split()[0:2] for line in out] == [["load", "1.csv"], ["failed", "3.csv:"], ["load", "4.csv"]]
    assert [each.object_key for each in lines.failed] == ["3.csv"]


def test_drops_that_failed_alike_are_told_once_and_counted_at_the_end(told):
    bad = [report(number, state=LoadState.FAILED) for number in range(1, 13)]
    other = report(13, state=LoadState.FAILED, error="is worse")
    lines, out = told([*bad[:6], other, *bad[6:], report(14)], drops=14)
    assert out == [
        "failed      1.csv: is bad",
        "failed      13.csv: is worse",
        "load        14.csv   2 read = 1 quarantined + 1 inserted  0.0 s  merge  load 14",
        "failed      2.csv and 10 more: same error as 1.csv",
    ]
    assert (len(lines.failed), lines.loads) == (13, 14)


def test_what_failed_is_not_in_the_sum_of_what_came_in(told):
    lines, _ = told([report(1), report(2, state=LoadState.FAILED)])
    assert lines.fates == report(1).fates


def test_what_came_in_otherwise_is_told_apart(told):
    known = {"kind": Kind.DUPLICATE, "plan": MergePlan.NOTHING}
    _, out = told([report(1), report(2), report(3, **known), report(4, **known), report(5, kind=Kind.LATE)])
    assert out[0].startswith("load        1.csv and 1 more")
    assert out[1] == "duplicate   3.csv and 1 more; nothing to do"
    assert "late: " in out[2]


def test_a_machines_document_has_no_lines(capsys):
    lines = LoadLines(1, 8, shown=False)
    lines.add(report(1))
    lines.end()
    assert capsys.readouterr().out == ""
    assert lines.loads == 1
