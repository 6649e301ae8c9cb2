"""Chart queries: ask Superset for the data of every chart, as the browser would, and see that rows come.

    python superset/chart_queries.py

Superset keeps no query for charts that came from files (`GET /api/v1/chart/<id>/data` answers 400), so the
query is built here from the chart's `params`, for the kinds of chart that the assets use.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asset_files import Asset, AssetError, Assets, Kind, add_assets, read_assets
from superset_api import SupersetApi, SupersetError, add_login, log_in


@dataclass(frozen=True)
class Answer:
    """What the warehouse gave for one chart."""

    chart: str
    rows: list[dict[str, Any]]
    error: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether a user sees an empty box: no rows, or one row of nothing."""
        return not any(value is not None for row in self.rows for value in row.values())


def query_charts(api: SupersetApi, assets: Assets) -> Iterator[Answer]:
    """The answer for each chart of `assets`, freshly asked (no cache)."""
    ids = {row["uuid"]: row["id"] for row in api.all("dataset", "table_name")}
    for chart in assets.of(Kind.CHART):
        dataset = ids.get(str(chart.content["dataset_uuid"]))
        if dataset is None:
            yield Answer(chart.name, [], "its dataset is not in Superset; import the assets first")
            continue
        try:
            answer = api.post("/api/v1/chart/data", query_context(chart, dataset))
        except SupersetError as error:
            yield Answer(chart.name, [], str(error))
        else:
            result = answer["result"][0]
            yield Answer(chart.name, result.get("data") or [], result.get("error") or "")


def query_context(chart: Asset, dataset_id: int) -> dict[str, Any]:
    """The body of `POST /api/v1/chart/data` for a chart."""
    params = chart.content["params"]
    viz_type = chart.content["viz_type"]
    if viz_type not in _QUERIES:
        raise AssetError(
            f"{chart.path}: viz_type: chart_queries.py does not know how '{viz_type}' asks for its data\n"
            f"  teach it in _QUERIES, or use one of {', '.join(_QUERIES)}"
        )
    query = {
        "filters": [_filter(f) for f in params.get("adhoc_filters", []) if f["expressionType"] == "SIMPLE"],
        "extras": {"where": _where(params), "having": ""},
        "row_limit": params.get("row_limit", 1000),
        **_QUERIES[viz_type](params),
    }
    return {
        "datasource": {"id": dataset_id, "type": "table"},
        "force": True,
        "result_format": "json",
        "result_type": "full",
        "queries": [query],
    }


def _big_number(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"columns": [], "metrics": [params["metric"]]}


def _table(params: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any]
    if params["query_mode"] == "aggregate":
        ascending = not params["order_desc"]
        query = {
            "columns": params["groupby"],
            "metrics": params["metrics"],
            "orderby": [[params["timeseries_limit_metric"], ascending]],
        }
    else:  # no `metrics` at all, since an empty list would group
        query = {
            "columns": params["all_columns"],
            "orderby": [_order(text) for text in params["order_by_cols"]],
        }
    if params.get("server_pagination"):
        query["row_limit"] = params["server_page_length"]
    return query


def _time_series(params: Mapping[str, Any]) -> dict[str, Any]:
    axis = {
        "columnType": "BASE_AXIS",
        "expressionType": "SQL",
        "sqlExpression": params["x_axis"],
        "label": params["x_axis"],
    }
    if "time_grain_sqla" in params:
        axis["timeGrain"] = params["time_grain_sqla"]
    series = params.get("groupby", [])
    query = {"columns": [axis, *series], "series_columns": series, "metrics": params["metrics"]}
    if "limit" in params:
        query |= {"series_limit": params["limit"], "series_limit_metric": params["timeseries_limit_metric"]}
    elif order := params.get("timeseries_limit_metric"):
        query["metrics"] = list(dict.fromkeys([*query["metrics"], order]))
        query["orderby"] = [[order, not params["order_desc"]]]
    return query


def _bubble(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "columns": [params["entity"], params["series"]],
        "metrics": [params["x"], params["y"], params["size"]],
        "orderby": [[json.loads(params["orderby"]), not params["order_desc"]]],
        "row_limit": params["limit"],
    }


_QUERIES: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "big_number_total": _big_number,
    "bubble_v2": _bubble,
    "table": _table,
    "echarts_timeseries_line": _time_series,
    "echarts_timeseries_bar": _time_series,
}


def _filter(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {"col": condition["subject"], "op": condition["operator"], "val": condition["comparator"]}


def _where(params: Mapping[str, Any]) -> str:
    conditions = [f["sqlExpression"] for f in params.get("adhoc_filters", []) if f["expressionType"] == "SQL"]
    return " AND ".join(f"({condition})" for condition in conditions)


def _order(text: str) -> list[Any]:
    """Superset writes an order as JSON in a string: `["booking_date", false]`."""
    order: list[Any] = json.loads(text)
    return order


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the query of every chart and fail where no rows come.")
    add_login(parser)
    add_assets(parser)
    options = parser.parse_args(arguments)
    try:
        api = log_in(options)
        answers = list(query_charts(api, read_assets(options.assets)))
    except (AssetError, SupersetError) as error:
        print(error, file=sys.stderr)
        return 1
    for answer in answers:
        fault = answer.error or ("no rows" if answer.is_empty else "")
        print(f"{len(answer.rows):>7,} rows  {answer.chart}{'  ← ' + fault if fault else ''}")
    return 1 if any(answer.error or answer.is_empty for answer in answers) else 0


if __name__ == "__main__":
    sys.exit(main())
