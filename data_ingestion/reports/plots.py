"""Plots: bars of a table as SVG, to stand within a page."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd

from data_ingestion.reports.definition import ReportTable

mpl.use("svg")  # no screen is there

from matplotlib.figure import Figure

# Those of the dashboards; gold is kept for what needs attention.
COLOURS = ("#33506B", "#8FA9C0", "#B5654A", "#6B7A5E", "#5B8A8A", "#7E6A8A")
LOOK: dict[Any, Any] = {
    "svg.hashsalt": "goldworks",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,  # a name with two $ is not a formula
}
LONGEST_LABEL = 28
MOST_BARS = 60  # more can't be distinguished
NOTHING = "(none)"


def as_svg(table: ReportTable, rows: pd.DataFrame) -> str:
    """The plot of a table; the same rows give the same text. `rows` have the columns under their own names.

    A row is a bar of its own, however much its label is like another's; where bars are stacked, rows of one `x` (and
    `key`) stand on each other. Of more than `MOST_BARS` the first are drawn, and it is said of how many.
    """
    plot = table.plot
    assert plot
    drawn = rows.head(plot.most) if plot.most else rows
    heights = [float(height) for height in pd.to_numeric(drawn[plot.y]).fillna(0)]
    names = [_label(value) for value in drawn[plot.x]]
    keys = [_label(value) for value in drawn[plot.key]] if plot.key else [""] * len(names)
    kinds = [_label(value) for value in drawn[plot.by]] if plot.by else [""] * len(names)
    bars: list[Hashable] = list(zip(names, keys, strict=True)) if plot.by else list(range(len(names)))
    each = list(dict.fromkeys(bars))
    places = {bar: place for place, bar in enumerate(each[:MOST_BARS])}
    first = [bars.index(bar) for bar in places]
    labels = distinct([names[row] for row in first], [keys[row] for row in first])
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        below = [0.0] * len(places)
        groups = sorted(set(kinds))
        for number, kind in enumerate(groups):
            sums = [0.0] * len(places)
            for bar, its, height in zip(bars, kinds, heights, strict=True):
                if bar in places and its == kind:
                    sums[places[bar]] += height
            axes.bar(
                range(len(sums)), sums, bottom=below, color=COLOURS[number % len(COLOURS)], label=str(number)
            )
            below = [low + more for low, more in zip(below, sums, strict=True)]
        axes.set_ylabel(table.columns[plot.y])
        slanted = len(labels) > 8 or max(map(len, labels), default=0) >= 14
        axes.set_xticks(
            range(len(labels)), labels, rotation=40 if slanted else 0, ha="right" if slanted else "center"
        )
        if len(each) > MOST_BARS:
            axes.set_xlabel(f"the first {MOST_BARS} of {len(each):,}")
        axes.spines[["top", "right"]].set_visible(False)
        if plot.by is not None:
            legend = axes.legend(frameon=False, ncols=len(groups), loc="lower left", bbox_to_anchor=(0, 1))
            # Afterwards: matplotlib leaves a name that begins with _ out of its legend.
            for text, name in zip(legend.get_texts(), distinct(groups, groups), strict=True):
                text.set_text(name)
        image = io.StringIO()
        figure.savefig(image, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", image.getvalue(), flags=re.DOTALL)  # a page has a head of its own


def distinct(names: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Short labels, no two alike: where names are, their keys are added; where these are too, a number."""
    labels = [_short(name) for name in names]
    added = [_short(key) for key in keys]
    while len(set(labels)) < len(labels):
        times = Counter(labels)
        labels = [
            f"{label} ({more})" if times[label] > 1 and more else label
            for label, more in zip(labels, added, strict=True)
        ]
        added = list(map(str, range(1, len(labels) + 1)))
    return labels


def _label(value: Any) -> str:
    return NOTHING if pd.isna(value) else " ".join(str(value).split()) or NOTHING


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
