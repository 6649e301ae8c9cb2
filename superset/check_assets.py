"""Check: walk dashboard → chart → dataset → dbt model → column from files alone, before anything runs.

    python superset/check_assets.py

A renamed column in dbt breaks a chart without any error but an empty box in front of a user; here it fails
with the file, the place and the way out.
"""

import argparse
import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asset_files import Asset, AssetError, Assets, Kind, NativeFilter, add_assets, read_assets
from dbt_project import MODELS, Project, project_from_manifest, project_from_yaml
from describe import drift


def check(assets: Assets, project: Project) -> list[str]:
    """Every fault of the assets, each as `file: place: fault` and a remedy; empty when all is well."""
    return [
        *_duplicates(assets),
        *_unmanaged(assets),
        *(fault for dataset in assets.of(Kind.DATASET) for fault in _dataset(dataset, assets, project)),
        *(fault for chart in assets.of(Kind.CHART) for fault in _chart(chart, assets)),
        *(fault for dashboard in assets.of(Kind.DASHBOARD) for fault in _dashboard(dashboard, assets)),
        *(
            fault
            for dashboard in assets.of(Kind.DASHBOARD)
            for fault in _exposure(dashboard, assets, project)
        ),
        *_unused(assets),
    ]


def _duplicates(assets: Assets) -> Iterator[str]:
    seen: dict[str, Asset] = {}
    for asset in assets.all:
        first = seen.setdefault(asset.uuid, asset)
        if first is not asset:
            yield (
                f"{asset.path}: uuid: {asset.uuid} is also that of {first.path}\n"
                "  a copied file needs a uuid of its own: python -c 'import uuid; print(uuid.uuid4())'"
            )
    for kind in Kind:
        for name, count in Counter(asset.name for asset in assets.of(kind)).items():
            if count > 1:
                paths = ", ".join(asset.path for asset in assets.of(kind) if asset.name == name)
                yield f"{paths}: {kind.name_field}: '{name}' names {count} {kind.folder}\n  give each its own"


def _unmanaged(assets: Assets) -> Iterator[str]:
    for asset in assets.all:
        if asset.content.get("is_managed_externally") is not True:
            yield (
                f"{asset.path}: is_managed_externally: is not true\n"
                "  set it: it is how an import knows what it may remove again"
            )


def _dataset(dataset: Asset, assets: Assets, project: Project) -> Iterator[str]:
    if str(dataset.content.get("database_uuid")) not in assets.by_uuid(Kind.DATABASE):
        yield (
            f"{dataset.path}: database_uuid: no file in databases/ has it\n"
            f"  use one of {_list(assets.by_uuid(Kind.DATABASE))}"
        )
    model = project.models.get(dataset.name)
    if model is None:
        yield (
            f"{dataset.path}: table_name: dbt documents no model '{dataset.name}'\n"
            f"  {_nearest(dataset.name, project.models)}"
        )
        return
    if dataset.content.get("schema") != model.layer:
        yield (
            f"{dataset.path}: schema: is '{dataset.content.get('schema')}', but dbt builds {model.name} in "
            f"'{model.layer}'\n  dashboards read gold: move the model or correct the schema"
        )
    for index, column in enumerate(dataset.columns):
        place = f"{dataset.path}: columns[{index}]"
        if expression := column.get("expression"):
            yield from _unknown_in_sql(expression, set(model.columns), f"{place}.expression", model.name)
        elif column["column_name"] not in model.columns:
            yield (
                f"{place}: dbt's {model.name} has no column '{column['column_name']}'\n"
                f"  {_nearest(column['column_name'], model.columns)}"
            )
    for index, metric in enumerate(dataset.metrics):
        place = f"{dataset.path}: metrics[{index}].expression"
        yield from _unknown_in_sql(metric["expression"], set(model.columns), place, model.name)
    yield from drift(dataset, model)
    time_column = dataset.content.get("main_dttm_col")
    if time_column and time_column not in _columns(dataset):
        yield f"{dataset.path}: main_dttm_col: '{time_column}' is not one of its columns"


def _chart(chart: Asset, assets: Assets) -> Iterator[str]:
    dataset = assets.by_uuid(Kind.DATASET).get(str(chart.content.get("dataset_uuid")))
    if dataset is None:
        yield (
            f"{chart.path}: dataset_uuid: no file in datasets/ has it\n"
            f"  use one of {_list(assets.by_uuid(Kind.DATASET))}"
        )
        return
    params = chart.content.get("params") or {}
    if params.get("viz_type") != chart.content.get("viz_type"):
        yield f"{chart.path}: params.viz_type: differs from viz_type\n  both must name the same chart"
    columns, metrics = _columns(dataset), _metrics(dataset)
    for place, name in _named_metrics(params):
        if name not in metrics:
            yield f"{chart.path}: {place}: {dataset.path} has no metric '{name}'\n  {_nearest(name, metrics)}"
    for place, name in _named_columns(params):
        if name not in columns and not (place.endswith("(or metric)") and name in metrics):
            yield f"{chart.path}: {place}: {dataset.path} has no column '{name}'\n  {_nearest(name, columns)}"
    for place, sql in _named_sql(params):
        yield from _unknown_in_sql(sql, columns, f"{chart.path}: {place}", dataset.path)


def _named_metrics(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("metric", "timeseries_limit_metric", "x", "y", "size"):
        if isinstance(params.get(field), str):
            yield f"params.{field}", params[field]
    for index, metric in enumerate(params.get("metrics") or []):
        if isinstance(metric, str):
            yield f"params.metrics[{index}]", metric


def _named_columns(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in ("x_axis", "entity", "series"):
        if params.get(field):
            yield f"params.{field}", params[field]
    if params.get("x_axis_sort") not in (None, "name", "sum", "min", "max", "avg"):
        yield "params.x_axis_sort (or metric)", params["x_axis_sort"]
    for field in ("all_columns", "groupby", "columns"):
        for index, name in enumerate(params.get(field) or []):
            yield f"params.{field}[{index}]", name
    for index, order in enumerate(params.get("order_by_cols") or []):
        yield f"params.order_by_cols[{index}]", json.loads(order)[0]
    for name in params.get("column_config") or {}:
        yield "params.column_config (or metric)", name
    for index, rule in enumerate(params.get("conditional_formatting") or []):
        yield f"params.conditional_formatting[{index}] (or metric)", rule["column"]
    for index, condition in enumerate(params.get("adhoc_filters") or []):
        if condition.get("expressionType") == "SIMPLE":
            yield f"params.adhoc_filters[{index}].subject", condition["subject"]


def _named_sql(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, condition in enumerate(params.get("adhoc_filters") or []):
        if condition.get("expressionType") == "SQL":
            yield f"params.adhoc_filters[{index}].sqlExpression", condition["sqlExpression"]


def _dashboard(dashboard: Asset, assets: Assets) -> Iterator[str]:
    layout, places = dashboard.layout, dashboard.chart_places
    charts = assets.by_uuid(Kind.CHART)
    for key, node in layout.items():
        for child in node.get("children") or []:
            if child not in layout:
                yield f"{dashboard.path}: position.{key}.children: there is no '{child}'\n  add or remove it"
    for key, meta in places.items():
        if meta.get("uuid") not in charts:
            yield (
                f"{dashboard.path}: position.{key}.meta.uuid: no file in charts/ has {meta.get('uuid')}\n"
                "  Superset would leave out this chart and all after it, and say nothing"
            )
    shown = {child for node in layout.values() for child in node.get("children") or []}
    for key in places:
        if key not in shown:
            yield f"{dashboard.path}: position.{key}: no row holds it\n  name it in the children of one"
    numbers = Counter(meta["chartId"] for meta in places.values())
    for number, count in numbers.items():
        if count > 1:
            yield f"{dashboard.path}: position: chartId {number} is used {count} times\n  number them apart"
    for index, native in enumerate(dashboard.filters):
        yield from _filter(
            f"{dashboard.path}: metadata.native_filter_configuration[{index}]", native, numbers, assets
        )


def _filter(place: str, native: NativeFilter, numbers: Mapping[int, int], assets: Assets) -> Iterator[str]:
    for excluded in native["scope"]["excluded"]:
        if excluded not in numbers:
            yield f"{place}.scope.excluded: no chart of this dashboard has the chartId {excluded}\n  remove it"
    for target in native["targets"]:
        if "datasetUuid" not in target:
            continue
        dataset = assets.by_uuid(Kind.DATASET).get(target["datasetUuid"])
        if dataset is None:
            yield f"{place}.targets: no file in datasets/ has the uuid {target['datasetUuid']}"
        elif target["column"]["name"] not in _columns(dataset):
            yield f"{place}.targets: {dataset.path} has no column '{target['column']['name']}'"


def _exposure(dashboard: Asset, assets: Assets, project: Project) -> Iterator[str]:
    slug = dashboard.content.get("slug")
    exposure = next((e for e in project.exposures if e.url.rstrip("/").endswith(f"/dashboard/{slug}")), None)
    if exposure is None:
        yield (
            f"{dashboard.path}: slug: no dbt exposure has a url that ends in /superset/dashboard/{slug}/\n"
            "  add one beside the gold models, so that dbt knows who is hurt by a change"
        )
        return
    shown = {dataset.name for dataset in _datasets_of(dashboard, assets)}
    for name in sorted(shown - exposure.models):
        yield (
            f"{dashboard.path}: shows {name}, which the dbt exposure '{exposure.name}' does not depend on\n"
            f"  add ref('{name}') to it"
        )


def _unused(assets: Assets) -> Iterator[str]:
    charts = {uuid for dashboard in assets.of(Kind.DASHBOARD) for uuid in _charts_of(dashboard)}
    for chart in assets.of(Kind.CHART):
        if chart.uuid not in charts:
            yield f"{chart.path}: is on no dashboard\n  put it on one, or delete the file"
    used = {dataset.uuid for d in assets.of(Kind.DASHBOARD) for dataset in _datasets_of(d, assets)}
    for dataset in assets.of(Kind.DATASET):
        if dataset.uuid not in used:
            yield f"{dataset.path}: no chart of a dashboard shows it\n  use it, or delete the file"


def _datasets_of(dashboard: Asset, assets: Assets) -> Iterator[Asset]:
    charts, datasets = assets.by_uuid(Kind.CHART), assets.by_uuid(Kind.DATASET)
    uuids = {
        str(charts[uuid].content.get("dataset_uuid")) for uuid in _charts_of(dashboard) if uuid in charts
    }
    targets = [target for native in dashboard.filters for target in native["targets"]]
    uuids |= {target["datasetUuid"] for target in targets if "datasetUuid" in target}
    yield from (datasets[uuid] for uuid in sorted(uuids) if uuid in datasets)


def _charts_of(dashboard: Asset) -> set[str]:
    return {str(meta.get("uuid")) for meta in dashboard.chart_places.values()}


def _columns(dataset: Asset) -> set[str]:
    return {column["column_name"] for column in dataset.columns}


def _metrics(dataset: Asset) -> set[str]:
    return {metric["metric_name"] for metric in dataset.metrics}


_WORD_OF_SQL = re.compile(
    "and|as|asc|at|between|by|case|cast|current_date|date|desc|distinct|else|end|false|filter|from|group|in|interval|is|like"
    "|not|null|numeric|or|order|over|partition|text|then|time|true|when|where|within|zone",
    re.IGNORECASE,
)


def _unknown_in_sql(sql: str, known: set[str] | frozenset[str], place: str, owner: str) -> Iterator[str]:
    """Names in an expression that are neither SQL, nor a function, nor a known column."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", sql)
    for name, call in re.findall(r"(?<![\w.])\"?([A-Za-z_]\w*)\"?\s*(\()?", bare):
        if not call and not _WORD_OF_SQL.fullmatch(name) and name not in known:
            yield f"{place}: {owner} has no column '{name}'\n  {_nearest(name, known)}"


def _nearest(name: str, known: Mapping[str, Any] | set[str] | frozenset[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"


def _list(assets: Mapping[str, Asset]) -> str:
    return ", ".join(f"{uuid} ({asset.name})" for uuid, asset in assets.items()) or "none: add a file"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check dashboard → chart → dataset → dbt model → column.")
    add_assets(parser)
    parser.add_argument("--models", type=Path, default=MODELS, help="dbt's models folder")
    parser.add_argument(
        "--manifest", type=Path, help="dbt's manifest.json, in place of the models' yml files"
    )
    options = parser.parse_args(arguments)
    try:
        assets = read_assets(options.assets)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 1
    project = (
        project_from_manifest(options.manifest) if options.manifest else project_from_yaml(options.models)
    )
    faults = check(assets, project)
    for fault in faults:
        print(fault, file=sys.stderr)
    counts = ", ".join(f"{len(assets.of(kind))} {kind.folder}" for kind in reversed(Kind))
    print(f"{counts}: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
