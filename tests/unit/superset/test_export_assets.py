"""A dashboard edited in Superset comes back into its files: only what differs, and nothing of Superset's own."""

from typing import Any

from asset_files import Asset, Assets, Kind, read_assets
from export_assets import changed_files

DATASET = {
    "table_name": "mart_prices", "uuid": "d", "version": "1.0.0", "schema": "gold", "is_managed_externally": True,
    "columns": [{"column_name": "sku", "type": "TEXT"}, {"column_name": "price", "type": "NUMERIC"}],
}  # fmt: skip
CHART = {
    "slice_name": "Prices", "viz_type": "table", "uuid": "c", "version": "1.0.0", "dataset_uuid": "d",
    "is_managed_externally": True, "params": {"viz_type": "table", "row_limit": 10},
}  # fmt: skip
DASHBOARD = {
    "dashboard_title": "Shop", "slug": "shop", "uuid": "b", "version": "1.0.0", "is_managed_externally": True,
    "metadata": {"color_scheme": "goldworks"},
    "position": {"CHART-a": {"type": "CHART", "id": "CHART-a", "meta": {"chartId": 101, "uuid": "c"}}},
}  # fmt: skip
FILES = Assets((
    Asset(Kind.DATASET, "datasets/warehouse/mart_prices.yaml", DATASET),
    Asset(Kind.CHART, "charts/shop/prices.yaml", CHART),
    Asset(Kind.DASHBOARD, "dashboards/shop.yaml", DASHBOARD),
))  # fmt: skip


def held(**changes: dict[str, Any]) -> Assets:
    """What Superset exports: the files with its own additions, and these changes by uuid."""
    dataset = {**DATASET, "offset": 0, "cache_timeout": None, "columns": list(reversed(DATASET["columns"]))}
    chart = {**CHART, "query_context": None, "params": {**CHART["params"], "datasource": "7__table"}}
    numbered = {"type": "CHART", "id": "CHART-a", "meta": {"chartId": 12, "uuid": "c"}}
    dashboard = {**DASHBOARD, "certified_by": None, "position": {"CHART-a": numbered}}
    for content in (dataset, chart, dashboard):
        content.pop("is_managed_externally")
        content.update(changes.get(str(content["uuid"]), {}))
    return Assets((
        Asset(Kind.DATASET, "datasets/Warehouse/mart_prices_7.yaml", dataset),
        Asset(Kind.CHART, "charts/Prices_3.yaml", chart),
        Asset(Kind.DASHBOARD, "dashboards/Shop_1.yaml", dashboard),
    ))  # fmt: skip


def test_what_the_files_say_already_is_not_written_again():
    assert changed_files(held(), FILES) == {}


def test_an_edited_chart_changes_its_own_file_and_only_there():
    edited = held(
        c={"params": {"viz_type": "table", "row_limit": 50, "datasource": "7__table", "slice_id": 3}}
    )
    files = changed_files(edited, FILES)
    assert files == {
        "charts/shop/prices.yaml": {**CHART, "params": {"viz_type": "table", "row_limit": 50}},
    }
    assert list(files["charts/shop/prices.yaml"]) == list(CHART)


def test_a_column_that_superset_gained_is_added_in_the_order_of_the_file():
    gained = [*DATASET["columns"], {"column_name": "net", "type": "NUMERIC", "extra": None}]
    written = changed_files(held(d={"columns": list(reversed(gained))}), FILES)
    columns = written["datasets/warehouse/mart_prices.yaml"]["columns"]
    assert columns == [*DATASET["columns"], {"column_name": "net", "type": "NUMERIC"}]


def test_what_was_made_by_hand_gets_files_of_its_own_and_is_managed_from_then_on():
    files = changed_files(held(), Assets(()))
    assert list(files) == [
        "datasets/warehouse/mart_prices.yaml",
        "charts/shop/prices.yaml",
        "dashboards/shop.yaml",
    ]
    assert all(content["is_managed_externally"] is True for content in files.values())
    assert "certified_by" not in files["dashboards/shop.yaml"]
    assert files["charts/shop/prices.yaml"]["params"] == CHART["params"]


def test_a_new_chart_does_not_take_the_file_of_another():
    files = changed_files(held(c={"uuid": "other"}), FILES)
    assert set(files) == {"charts/shop/prices_2.yaml"}


def test_what_was_written_for_a_chart_is_what_an_import_reads(tmp_path):
    import yaml

    (tmp_path / "metadata.yaml").write_text("version: 1.0.0\ntype: assets\n")
    files = changed_files(held(), Assets(()))
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(yaml.safe_dump(content))
    assert changed_files(held(), read_assets(tmp_path)) == {}
