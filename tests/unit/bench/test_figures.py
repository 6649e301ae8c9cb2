"""Figures: medians, ratios and spreads of runs whose result is known."""

import json
import sys
from dataclasses import replace

import pytest

from bench.figures import Run, as_json, figures, median_ratio, table
from bench.process import Cost, Spent, Wrong, run

LIMITS = {"load": "limit"}


def cost(wall: float, cpu: float = 1.0) -> Cost:
    return Cost(wall, client_cpu=cpu, server_cpu=cpu, rss_mb=100 * wall, wal_mb=0)


def test_a_ratio_is_taken_within_a_round():
    # the second round was slow as a whole: the ratio of the medians would be 4 : 1.5, and no round saw that
    runs = [
        Run("shipped", "limit", 1, cost(1)), Run("shipped", "load", 1, cost(2)),
        Run("shipped", "limit", 2, cost(2)), Run("shipped", "load", 2, cost(4)),
    ]  # fmt: skip
    assert [figure.times_limit for figure in figures(runs, LIMITS)] == [None, 2.0]


def test_a_round_without_its_limit_has_no_ratio():
    runs = [
        Run("shipped", "limit", 1, cost(1)),
        Run("shipped", "load", 1, cost(2)),
        Run("shipped", "load", 2, cost(9)),
    ]
    assert figures(runs, LIMITS)[1].times_limit == 2.0


def test_profiles_are_figures_of_their_own():
    runs = [
        Run(profile, name, 1, cost(wall))
        for profile, name, wall in (("a", "limit", 1), ("b", "limit", 2), ("a", "load", 3), ("b", "load", 8))
    ]
    assert [(one.profile, one.times_limit) for one in figures(runs, LIMITS)[2:]] == [("a", 3.0), ("b", 4.0)]


def test_a_figure_is_the_median_of_its_runs_with_their_spread():
    runs = [
        Run("shipped", "load", number, cost(wall), "merge") for number, wall in enumerate((5.0, 1.0, 2.0))
    ]
    (figure,) = figures(runs, LIMITS)
    assert (figure.cost.wall, figure.cost.rss_mb) == (2.0, 200.0)
    assert (figure.least_wall, figure.most_wall, figure.runs, figure.plan) == (1.0, 5.0, 3, "merge")


def test_plans_that_differ_between_rounds_are_all_told():
    runs = [Run("shipped", "load", 1, cost(1), "merge"), Run("shipped", "load", 2, cost(1), "difference")]
    assert figures(runs, LIMITS)[0].plan == "merge + difference"


def test_another_loader_is_held_against_this_one_within_a_round():
    runs = [
        Run("shipped", "load", 1, cost(1)), Run("shipped", "load", 1, cost(3), loader="before"),
        Run("shipped", "load", 2, cost(4, cpu=2)), Run("shipped", "load", 2, cost(4, cpu=8), loader="before"),
        Run("shipped", "load", 3, cost(9), loader="before"),  # whose own run was wrong
    ]  # fmt: skip
    own, before = figures(runs, {})
    assert (own.times_own, own.times_own_cpu) == (None, None)
    assert (before.loader, before.times_own, before.times_own_cpu) == ("before", 2.0, 2.5)


@pytest.mark.parametrize(
    ("pairs", "ratio"), [([], None), ([(1.0, 0.0)], None), ([(3.0, 1.0), (8.0, 2.0), (5.0, 1.0)], 4.0)]
)
def test_a_ratio_needs_something_to_be_held_against(pairs, ratio):
    assert median_ratio(pairs) == ratio


def test_the_table_has_a_line_a_figure_and_the_json_every_run():
    runs = [Run("shipped", "limit", 1, cost(1)), Run("shipped", "load", 1, replace(cost(2.5), wal_mb=172))]
    found = figures(runs, LIMITS)
    lines = table(found).splitlines()
    assert len(lines) == 3
    assert lines[2].split()[:10] == [
        "load",
        "shipped",
        "own",
        "1",
        "2.50",
        "2.50",
        "–",
        "2.50",
        "2.50",
        "1.00",
    ]
    assert len(json.loads(json.dumps(as_json(found, runs)))["runs"]) == 2


def test_a_run_counts_its_own_time_and_what_the_server_spent_meanwhile(tmp_path):
    cpu, wal = iter((10.0, 12.5)), iter((1_000_000, 4_000_000))
    server = Spent(lambda: next(cpu), lambda: next(wal), lambda: None)
    spent, said = run([sys.executable, "-c", "print(sum(range(10**6)))"], {}, tmp_path, server)
    assert said == "499999500000\n"
    assert (spent.server_cpu, spent.wal_mb) == (2.5, 3.0)
    assert 0 < spent.client_cpu < spent.wall * 4
    assert spent.rss_mb > 1


def test_a_run_that_fails_has_no_figure(tmp_path):
    with pytest.raises(Wrong, match="ended with 3"):
        run([sys.executable, "-c", "raise SystemExit(3)"], {}, tmp_path)
