"""Figures: many runs made into medians, spreads and ratios, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median

from bench.process import Cost


@dataclass(frozen=True)
class Run:
    """One run: which scenario of which round, under which profile, and its cost."""

    profile: str
    scenario: str
    round: int
    cost: Cost
    plan: str = ""


@dataclass(frozen=True)
class Figure:
    """A scenario under one profile: medians of its runs, and how far they lie apart."""

    profile: str
    scenario: str
    runs: int
    cost: Cost
    least_wall: float
    most_wall: float
    times_limit: float | None
    times_limit_cpu: float | None
    plan: str


def figures(runs: Sequence[Run], limits: Mapping[str, str]) -> list[Figure]:
    """A figure a profile and scenario, in the order of the first runs.

    `limits` names the scenario that another is held against. The ratio is taken pair by pair, to the run of the same
    profile and round: what slows a whole round down falls out of it.
    """
    chosen: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        chosen.setdefault((run.profile, run.scenario), []).append(run)
    found = []
    for (profile, scenario), own in chosen.items():
        limit = {run.round: run.cost for run in chosen.get((profile, limits.get(scenario, "")), [])}
        pairs = [(run.cost, limit[run.round]) for run in own if run.round in limit]
        walls = [run.cost.wall for run in own]
        found.append(
            Figure(
                profile, scenario, len(own), median_cost([run.cost for run in own]), min(walls), max(walls),
                median_ratio([(cost.wall, least.wall) for cost, least in pairs]),
                median_ratio([(cpu(cost), cpu(least)) for cost, least in pairs]),
                " + ".join(dict.fromkeys(run.plan for run in own if run.plan)),
            )
        )  # fmt: skip
    return found


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The median of each part of the costs, by itself."""
    return Cost(**{part.name: median(getattr(cost, part.name) for cost in costs) for part in fields(Cost)})


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The median of the ratios of pairs, not the ratio of medians; None without a pair that has one."""
    ratios = [one / other for one, other in pairs if other]
    return median(ratios) if ratios else None


def cpu(cost: Cost) -> float:
    """Processor time of both sides."""
    return cost.client_cpu + cost.server_cpu


def table(found: Sequence[Figure]) -> str:
    """The figures as lines, a scenario's profiles one under the other."""
    heads = (
        "scenario", "server", "runs", "wall s", "from – to", "× limit", "× limit CPU",
        "client CPU s", "server CPU s", "RSS MB", "WAL MB", "plan",
    )  # fmt: skip
    order = list(dict.fromkeys(figure.scenario for figure in found))
    rows = [_cells(figure) for figure in sorted(found, key=lambda figure: order.index(figure.scenario))]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [heads, *rows]
    text_columns = (0, 1, len(heads) - 1)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in text_columns else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_json(found: Sequence[Figure], runs: Sequence[Run]) -> dict[str, object]:
    """The same for a machine, with every single run."""
    return {"figures": [asdict(figure) for figure in found], "runs": [asdict(run) for run in runs]}


def _cells(figure: Figure) -> tuple[str, ...]:
    cost = figure.cost
    return (
        figure.scenario, figure.profile, str(figure.runs), f"{cost.wall:.2f}",
        f"{figure.least_wall:.2f} – {figure.most_wall:.2f}", _ratio(figure.times_limit),
        _ratio(figure.times_limit_cpu), f"{cost.client_cpu:.2f}", f"{cost.server_cpu:.2f}",
        f"{cost.rss_mb:.0f}", f"{cost.wal_mb:.0f}", figure.plan,
    )  # fmt: skip


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
