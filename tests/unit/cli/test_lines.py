"""What a load tells of its drops: a line each, and of many a line for those that came in alike."""

import pytest

from data_ingestion.cli.lines import MOST_IN_A_LINE, MOST_LINES, LoadLines
from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState, MergePlan


def report(number, kind=Kind.NEW, plan=MergePlan.MERGE, state=LoadState.LOADED):
    fates = Fates(read=2, inserted=1, quarantined=1)
    return LoadReport(
        "d", f"{number}.csv", kind, state, fates, number, number, plan=plan, error=f"{number} is bad"
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
