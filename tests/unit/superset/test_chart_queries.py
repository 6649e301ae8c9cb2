"""The queries are those that the browser would send."""

from dataclasses import replace
from pathlib import Path

import pytest
from asset_files import Asset, AssetError, Kind, read_assets
from chart_queries import Answer, query_context


@pytest.fixture
def charts(assets_copy: Path) -> dict[str, Asset]:
    return {Path(asset.path).stem: asset for asset in read_assets(assets_copy).of(Kind.CHART)}


def test_every_chart_of_the_assets_has_a_query(charts: dict[str, Asset]) -> None:
    for chart in charts.values():
        context = query_context(chart, 7)
        assert context["datasource"] == {"id": 7, "type": "table"}
        assert len(context["queries"]) == 1


def test_a_raw_table_groups_nothing(charts: dict[str, Asset]) -> None:
    query = query_context(charts["latest_movements"], 1)["queries"][0]
    assert "metrics" not in query
    assert query["orderby"][0] == ["booking_date", False]
    assert query["row_limit"] == 10, "one page, as the browser asks"


def test_a_table_of_groups_is_ordered_by_its_metric(charts: dict[str, Asset]) -> None:
    query = query_context(charts["users"], 1)["queries"][0]
    assert query["columns"] == ["email", "company"]
    assert query["metrics"][0] == "events_total"
    assert query["orderby"] == [["events_total", False]]


def test_a_condition_in_sql_goes_where_superset_expects_it(charts: dict[str, Asset]) -> None:
    query = query_context(charts["backdated_movements"], 1)["queries"][0]
    assert query["extras"]["where"] == "(is_backdated)"
    assert [f["op"] for f in query["filters"]] == ["TEMPORAL_RANGE"]


def test_daily_balances_keep_the_grain_of_a_day_and_are_not_cut_off(charts: dict[str, Asset]) -> None:
    query = query_context(charts["daily_balance"], 1)["queries"][0]
    assert query["columns"][0]["timeGrain"] == "P1D", "balances must not be summed over days"
    assert query["row_limit"] >= query["series_limit"] * 366 * 10, "ten years of every line"


def test_a_map_asks_for_its_points_by_name_and_kind_and_leaves_none_out(charts: dict[str, Asset]) -> None:
    query = query_context(charts["map"], 1)["queries"][0]
    assert query["columns"] == ["point_label", "point_series"]
    assert query["metrics"] == ["east", "north", "point_size"]
    assert query["row_limit"] >= 3_600, "a position a second"
    assert query["orderby"] == [["drawing_order", True]], "the ends of the path lie on top"


def test_ten_bars_are_those_that_come_first_by_number_and_name(charts: dict[str, Asset]) -> None:
    query = query_context(charts["pending_items"], 1)["queries"][0]
    assert query["metrics"] == ["items_total", "place"]
    assert (query["orderby"], query["row_limit"]) == ([["place", True]], 10)


def test_an_unknown_kind_of_chart_is_refused_with_the_way_out(charts: dict[str, Asset]) -> None:
    chart = charts["daily_balance"]
    with pytest.raises(AssetError, match="does not know how 'sunburst' asks"):
        query_context(replace(chart, content={**chart.content, "viz_type": "sunburst"}), 1)


@pytest.mark.parametrize(
    ("rows", "is_empty"),
    [
        ([], True),
        ([{"total": None}], True),
        ([{"total": 0}], False),
        ([{"total": None}, {"total": 1}], False),
    ],
)
def test_a_row_of_nothing_is_an_empty_box(rows: list[dict[str, object]], is_empty: bool) -> None:
    assert Answer("chart", rows).is_empty is is_empty
