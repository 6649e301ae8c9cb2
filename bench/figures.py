"""Figures: many runs made into medians, spreads and ratios, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median

from bench.process import Cost


@dataclass(frozen=True)
class Run:
    """One run and its cost: of a scenario in a round, under a profile, by a loader ('': this checkout's)."""

    profile: str
    scenario: str
    round: int
    cost: Cost
    plan: str = ""
    loader: str = ""


@dataclass(frozen=True)
class Figure:
    """A scenario under one profile by one loader: medians of its runs, and how far they lie apart."""

    profile: str
    scenario: str
    loader: str
    runs: int
    cost: Cost
    least_wall: float
    most_wall: float
    times_limit: float | None
    times_limit_cpu: float | None
    times_own: float | None
    times_own_cpu: float | None
    plan: str


def figures(runs: Sequence[Run], limits: Mapping[str, str]) -> list[Figure]:
    """A figure a profile, scenario and loader, in the order of the first runs.

    `limits` names the scenario that another is held against; another loader is held against this checkout's. The ratio
    is taken pair by pair, to the run of the same profile and round: what slows a whole round down falls out of it.
    """
    chosen: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        chosen.setdefault((run.profile, run.scenario, run.loader), []).append(run)
    found = []
    for (profile, scenario, loader), those in chosen.items():
        limit = _pairs(those, chosen.get((profile, limits.get(scenario, ""), ""), []))
        own = _pairs(those, chosen.get((profile, scenario, ""), [])) if loader else []
        walls = [run.cost.wall for run in those]
        found.append(
            Figure(
                profile, scenario, loader, len(those), median_cost([run.cost for run in those]),
                min(walls), max(walls), *_ratios(limit), *_ratios(own),
                " + ".join(dict.fromkeys(run.plan for run in those if run.plan)),
            )
        )  # fmt: skip
    return found


def _pairs(runs: Sequence[Run], others: Sequence[Run]) -> list[tuple[Cost, Cost]]:
    """Costs of the same round."""
    by_round = {run.round: run.cost for run in others}
    return [(run.cost, by_round[run.round]) for run in runs if run.round in by_round]


def _ratios(pairs: Sequence[tuple[Cost, Cost]]) -> tuple[float | None, float | None]:
    """Of the clock, and of the processor time of both sides."""
    return (
        median_ratio([(cost.wall, other.wall) for cost, other in pairs]),
        median_ratio([(cpu(cost), cpu(other)) for cost, other in pairs]),
    )


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
        "scenario", "server", "loader", "runs", "wall s", "from – to", "× limit", "× limit CPU",
        "× own", "× own CPU", "client CPU s", "server CPU s", "RSS MB", "WAL MB", "plan",
    )  # fmt: skip
    order = list(dict.fromkeys(figure.scenario for figure in found))
    rows = [_cells(figure) for figure in sorted(found, key=lambda figure: order.index(figure.scenario))]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [heads, *rows]
    text_columns = (0, 1, 2, len(heads) - 1)
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
        figure.scenario, figure.profile, figure.loader or "own", str(figure.runs), f"{cost.wall:.2f}",
        f"{figure.least_wall:.2f} – {figure.most_wall:.2f}", _ratio(figure.times_limit),
        _ratio(figure.times_limit_cpu), _ratio(figure.times_own), _ratio(figure.times_own_cpu),
        f"{cost.client_cpu:.2f}", f"{cost.server_cpu:.2f}", f"{cost.rss_mb:.0f}", f"{cost.wal_mb:.0f}", figure.plan,
    )  # fmt: skip


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
