"""Export: bring a dashboard that was edited in Superset back into superset/assets.

    python superset/export_assets.py bank --unlock     let people edit the dashboard and its charts in Superset
    python superset/export_assets.py bank              write what it is now into the files; look at the diff

What comes from files can't be edited in Superset's pages: it carries `is_managed_externally`, which `--unlock` takes
off until the next import. A dashboard made by hand is imported the same way. Files that already say what Superset
holds stay as they are, comments included; of the others, only what differs changes.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from typing import Any

from asset_files import Asset, AssetError, Assets, Kind, add_assets, as_yaml, read_assets, unpack
from import_assets import read_back
from superset_api import SupersetApi, SupersetError, add_login, log_in

# What an export adds and a file does not keep: Superset's own numbers of things, and what follows from the rest.
_DERIVED = {"query_context"}
_DERIVED_PARAMS = {"datasource", "slice_id", "dashboards", "url_params"}
_DERIVED_METADATA = {
    "chart_configuration", "global_chart_configuration", "chartsInScope", "tabsInScope", "shared_label_colors",
    "map_label_colors", "label_colors", "color_scheme_domain", "default_filters", "timed_refresh_immune_slices",
    "expanded_slices",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Bring a dashboard edited in Superset back into its files.")
    add_login(parser)
    parser.add_argument("dashboard", help="the dashboard: its slug, or its number in the address")
    parser.add_argument("--unlock", action="store_true", help="let it be edited in Superset; write nothing")
    add_assets(parser)
    options = parser.parse_args(arguments)
    try:
        api = log_in(options)
        if options.unlock:
            unlock(api, options.dashboard)
            print(
                f"unlocked   {api.url}/superset/dashboard/{options.dashboard}/; the next import locks it again"
            )
            return 0
        files = changed_files(exported(api, options.dashboard), read_assets(options.assets))
    except (AssetError, SupersetError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, AssetError) else 1
    for path, content in files.items():
        target = options.assets / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(as_yaml(content), encoding="utf-8")
        print(f"written    {target}")
    print("look at the diff, then `make lint` and import" if files else "unchanged  the files say the same")
    return 0


def unlock(api: SupersetApi, dashboard: str) -> None:
    """Lets people edit a dashboard and its charts until the next import."""
    found = api.get(f"/api/v1/dashboard/{dashboard}")["result"]
    for chart in api.get(f"/api/v1/dashboard/{dashboard}/charts")["result"]:
        api.put(f"/api/v1/chart/{chart['id']}", {"is_managed_externally": False})
    api.put(f"/api/v1/dashboard/{found['id']}", {"is_managed_externally": False})


def exported(api: SupersetApi, dashboard: str) -> Assets:
    """A dashboard with its charts and their datasets, as Superset holds them."""
    found = api.get(f"/api/v1/dashboard/{dashboard}")["result"]
    if not found.get("slug"):
        raise AssetError(
            f"dashboard '{found['dashboard_title']}' has no slug, the last word of its address\n"
            "  set one in Superset: Edit dashboard, Edit properties, URL slug"
        )
    assets = unpack(api.download(f"/api/v1/dashboard/export/?q=!({found['id']})"))
    return Assets(tuple(asset for asset in assets.all if asset.kind is not Kind.DATABASE))


def changed_files(held: Assets, files: Assets) -> dict[str, dict[str, Any]]:
    """The contents to write, by path below the folder of assets: what the files do not say yet."""
    slug = str(held.of(Kind.DASHBOARD)[0].content["slug"])
    found: dict[str, dict[str, Any]] = {}
    taken = {asset.path for asset in files.all}
    for asset in held.all:
        known = files.by_uuid(asset.kind).get(asset.uuid)
        if known and not list(read_back(Assets((known,)), Assets((asset,)))):
            continue
        path = known.path if known else _free(_path_of(asset, slug), taken | found.keys())
        found[path] = _merged(known.content if known else {}, _cleaned(asset))
    return found


def _path_of(asset: Asset, slug: str) -> str:
    if asset.kind is Kind.DATASET:
        return f"datasets/warehouse/{asset.name}.yaml"
    if asset.kind is Kind.DASHBOARD:
        return f"dashboards/{_file_name(slug)}.yaml"
    return f"charts/{_file_name(slug)}/{_file_name(asset.name)}.yaml"


def _file_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60] or "unnamed"


def _free(path: str, taken: set[str]) -> str:
    """The path, or the same with a number where it is another asset's."""
    number, free = 2, path
    while free in taken:
        free, number = f"{path.removesuffix('.yaml')}_{number}.yaml", number + 1
    return free


def _cleaned(asset: Asset) -> dict[str, Any]:
    """An export's content without Superset's own numbers and without what is not set."""
    content = {name: value for name, value in asset.content.items() if name not in _DERIVED}
    if asset.kind is Kind.CHART:
        content["params"] = _without(content.get("params") or {}, _DERIVED_PARAMS)
    if asset.kind is Kind.DASHBOARD:
        content["metadata"] = _without(content.get("metadata") or {}, _DERIVED_METADATA)
    cleaned: dict[str, Any] = _set(content)
    return {**cleaned, "is_managed_externally": True}


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(item, names) for name, item in value.items() if name not in names}
    return [_without(item, names) for item in value] if isinstance(value, list) else value


def _set(value: Any) -> Any:
    """A value without names that are null, at any depth."""
    if isinstance(value, dict):
        return {name: _set(item) for name, item in value.items() if item is not None}
    return [_set(item) for item in value] if isinstance(value, list) else value


def _merged(file: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """What Superset holds, in the file's order and without defaults that the file leaves out."""
    merged = {name: _merged_value(file[name], held[name]) for name in file if name in held}
    for name, value in held.items():
        if name not in file and (not file or value not in (False, "", [], {})):
            merged[name] = value
    return merged


def _merged_value(file: Any, held: Any) -> Any:
    if isinstance(file, dict) and isinstance(held, dict):
        return _merged(file, held)
    if isinstance(file, list) and isinstance(held, list):
        return _merged_list(file, held)
    return held


def _merged_list(file: list[Any], held: list[Any]) -> list[Any]:
    """Columns and metrics are known by their names, so they keep the file's order; other lists are as they are held."""
    for identity in ("column_name", "metric_name", "id"):
        if all(isinstance(item, dict) and identity in item for item in (*file, *held)):
            new = {item[identity]: item for item in held}
            kept = [_merged(item, new.pop(item[identity])) for item in file if item[identity] in new]
            return [*kept, *new.values()]
    return held


if __name__ == "__main__":
    sys.exit(main())
