"""Plots: bars of a table as SVG, to stand within a page."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib as mpl
import pandas as pd

from data_ingestion.reports.definition import ReportTable

mpl.use("svg")  # no screen is there

from matplotlib.figure import Figure

COLOURS = ("#C28A0E", "#33506B", "#8FA9C0", "#7A9A5B", "#A2544A", "#6B5B95")
LOOK: dict[Any, Any] = {
    "svg.hashsalt": "goldworks",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
}
LONGEST_LABEL = 28


def as_svg(table: ReportTable, rows: pd.DataFrame) -> str:
    """The plot of a table; the same rows give the same text. `rows` have the columns under their own names."""
    plot = table.plot
    assert plot
    drawn = rows.head(plot.most) if plot.most else rows
    labels = drawn[plot.x].map(lambda value: _short(str(value)))
    heights = pd.to_numeric(drawn[plot.y])
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        axes = figure.subplots()
        order = list(dict.fromkeys(labels))
        groups = [("", drawn.index)] if plot.by is None else [
            (str(name), members) for name, members in drawn.groupby(plot.by, sort=True).groups.items()
        ]  # fmt: skip
        below = pd.Series(0.0, index=order)
        for number, (name, members) in enumerate(groups):
            sums = heights[members].groupby(labels[members]).sum().reindex(order, fill_value=0)
            axes.bar(order, sums, bottom=below, color=COLOURS[number % len(COLOURS)], label=name)
            below = below + sums
        axes.set_ylabel(table.columns[plot.y])
        axes.tick_params(
            axis="x", rotation=0 if len(order) <= 8 and max(map(len, order), default=0) < 14 else 40
        )
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right" if label.get_rotation() else "center")
        axes.spines[["top", "right"]].set_visible(False)
        if plot.by is not None:
            axes.legend(frameon=False, ncols=len(groups), loc="lower left", bbox_to_anchor=(0, 1))
        image = io.StringIO()
        figure.savefig(image, format="svg", metadata={"Date": None})
    return re.sub(r"^.*?(?=<svg)", "", image.getvalue(), flags=re.DOTALL)  # a page has a head of its own


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
