"""Dashboard: the first charts of a new dataset as Superset's files, which are the user's to change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from data_ingestion.yaml_text import yaml_text
from onboarding.models import MartColumn, Place

DATABASE = "6f868587-53c5-4c47-a575-1d243652c075"
MOST_HEADLINES = 4
WHOLE, EXACT = ",d", ",.2f"
TYPES = {
    "date": "DATE",
    "text": "TEXT",
    "boolean": "BOOLEAN",
    "bigint": "BIGINT",
    "double precision": "DOUBLE PRECISION",
}


def dashboard_of(columns: Sequence[MartColumn], place: Place) -> dict[PurePosixPath, str]:
    """Every file by its path among the assets: a dataset, its charts, and a dashboard that shows them."""
    charts = charts_of(columns, place)
    files = {PurePosixPath("datasets/warehouse", f"{place.mart}.yaml"): dataset_of(columns, place)}
    for name, chart in charts.items():
        files[PurePosixPath("charts", place.domain, f"{place.name}_{name}.yaml")] = chart
    files[PurePosixPath("dashboards", f"{place.slug}.yaml")] = layout_of(charts, place)
    return {path: yaml_text(file) for path, file in files.items()}


def dataset_of(columns: Sequence[MartColumn], place: Place) -> dict[str, Any]:
    """The mart as Superset reads it, with a metric for each of its numbers."""
    described = [
        {"column_name": column.name, "type": TYPES.get(column.type, "NUMERIC")}
        | ({"is_dttm": True} if column.type == "date" else {})
        | {"groupby": True, "filterable": True}
        for column in columns
    ]
    metrics = [
        {
            "metric_name": _metric(column),
            "verbose_name": _label(column),
            "expression": f"SUM({column.name})",
            "d3format": _format(column),
        }
        for column in _numbers(columns)
    ]
    days = {"main_dttm_col": "day"} if _has_day(columns) else {}
    return {
        "table_name": place.mart,
        "schema": "gold",
        "uuid": uuid_of("dataset", place),
        "database_uuid": DATABASE,
        **days,
        "is_managed_externally": True,
        "version": "1.0.0",
        "columns": described,
        "metrics": metrics,
    }


def charts_of(columns: Sequence[MartColumn], place: Place) -> dict[str, dict[str, Any]]:
    """The charts by their short names: headlines, one by day, one a category, and all rows as a table."""
    numbers = list(_numbers(columns))
    categories = [column for column in columns if column.is_grouped and column.type != "date"]
    charts: dict[str, dict[str, Any]] = {}

    def add(name: str, title: str, kind: str, **params: Any) -> None:
        charts[name] = {
            "slice_name": f"{place.title}: {title}",
            "viz_type": kind,
            "uuid": uuid_of("chart", place, name),
            "dataset_uuid": uuid_of("dataset", place),
            "is_managed_externally": True,
            "version": "1.0.0",
            "params": {"viz_type": kind, "adhoc_filters": [], **params},
        }

    for column in numbers[:MOST_HEADLINES]:
        title = _label(column).lower()
        add(
            f"headline_{column.name}",
            title,
            "big_number_total",
            metric=_metric(column),
            y_axis_format=_format(column),
        )
    first = numbers[1] if len(numbers) > 1 else numbers[0]
    drawn = {
        "groupby": [],
        "row_limit": 50000,
        "show_legend": False,
        "rich_tooltip": True,
        "color_scheme": "goldworks",
    }
    if _has_day(columns):
        add(
            "by_day",
            f"{_label(first).lower()} by day",
            "echarts_timeseries_line",
            x_axis="day",
            time_grain_sqla="P1D",
            metrics=[_metric(first)],
            y_axis_format=_format(first),
            **drawn,
        )
    for category in categories:
        add(
            f"by_{category.name}",
            f"{_label(first).lower()} by {_words(category.name)}",
            "echarts_timeseries_bar",
            x_axis=category.name,
            metrics=[_metric(first)],
            orientation="horizontal",
            show_value=True,
            y_axis_format=_format(first),
            **drawn,
        )
    add(
        "table",
        "all numbers",
        "table",
        query_mode="aggregate",
        groupby=[column.name for column in columns if column.is_grouped],
        metrics=[_metric(column) for column in numbers],
        timeseries_limit_metric=_metric(numbers[0]),
        order_desc=True,
        server_pagination=True,
        server_page_length=20,
        row_limit=500000,
        table_timestamp_format="%Y-%m-%d",
    )
    return charts


def layout_of(charts: Mapping[str, Mapping[str, Any]], place: Place) -> dict[str, Any]:
    """Headlines in one row, categories beside each other, and each other chart in a row of its own."""
    headlines = [name for name in charts if name.startswith("headline_")]
    bars = [name for name in charts if charts[name]["viz_type"] == "echarts_timeseries_bar"]
    pairs = [bars[at : at + 2] for at in range(0, len(bars), 2)]
    rows = [headlines, *([name] for name in charts if name == "by_day"), *pairs, ["table"]]
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": place.title}},
    }
    row_ids = []
    for names in rows:
        row = f"ROW-{names[0]}"
        row_ids.append(row)
        position[row] = {
            "type": "ROW",
            "id": row,
            "parents": ["ROOT_ID", "GRID_ID"],
            "children": [f"CHART-{name}" for name in names],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for name in names:
            position[f"CHART-{name}"] = {
                "type": "CHART",
                "id": f"CHART-{name}",
                "parents": ["ROOT_ID", "GRID_ID", row],
                "children": [],
                "meta": {
                    "chartId": 1 + list(charts).index(name),
                    "uuid": charts[name]["uuid"],
                    "width": 12 // len(names),
                    "height": 16 if names is headlines else 50,
                },
            }
    position["GRID_ID"] = {"type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"], "children": row_ids}
    return {
        "dashboard_title": place.title,
        "slug": place.slug,
        "published": True,
        "uuid": uuid_of("dashboard", place),
        "is_managed_externally": True,
        "version": "1.0.0",
        "metadata": {"color_scheme": "goldworks"},
        "position": position,
    }


def _numbers(columns: Sequence[MartColumn]) -> list[MartColumn]:
    return [column for column in columns if not column.is_grouped]


def _has_day(columns: Sequence[MartColumn]) -> bool:
    return any(column.is_grouped and column.type == "date" for column in columns)


def _metric(column: MartColumn) -> str:
    return "rows_total" if column.name == "row_count" else column.name


def _label(column: MartColumn) -> str:
    return "Rows" if column.name == "row_count" else _words(column.name.removesuffix("_total")).capitalize()


def _words(name: str) -> str:
    return name.replace("_", " ")


def _format(column: MartColumn) -> str:
    return WHOLE if column.type in ("bigint", "numeric(38, 0)") else EXACT


def uuid_of(kind: str, place: Place, name: str = "") -> str:
    """The same for the same place, so that a second run makes the same files."""
    return str(uuid5(NAMESPACE_URL, f"goldworks:{kind}:{place.domain}:{place.dataset}:{name}"))
