"""Import: bring a Superset to what the asset files say, remove what they no longer say, and read it back.

    python superset/import_assets.py --url http://127.0.0.1:8088 --user admin

Superset's other imports merge: `superset import-dashboards` leaves existing charts and datasets as they
are, and no import removes anything (apache/superset#22127). So this one uses `/api/v1/assets/import/`, which
replaces, and then removes by itself what is ours and gone from the files. Ours is what carries
`is_managed_externally` on our database; charts that users made on our datasets are never touched. No login is imported:
`superset_config.py` adds it to each connection.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asset_files import ASSETS, Asset, AssetError, Assets, Kind, add_assets, pack, read_assets, unpack
from superset_api import SupersetApi, SupersetError, add_login, log_in


class ReadBackError(Exception):
    """Superset took the import but does not hold what the files say."""


@dataclass(frozen=True)
class Change:
    """What the import did to one asset."""

    kind: Kind
    name: str
    fate: str  # created, changed, unchanged, removed, kept

    def __str__(self) -> str:
        return f"{self.kind.value:<10} {self.fate:<10} {self.name}"


def import_assets(api: SupersetApi, directory: Path = ASSETS) -> list[Change]:
    """Import the folder and return what changed; repeated, it changes nothing.

    Raises AssetError for the files' faults, SupersetError for Superset's, ReadBackError when what was
    imported is not what is there afterwards.
    """
    wanted = read_assets(directory)
    before = _exported(api)
    _refuse_namesakes(wanted, before)
    _upload(api, pack(directory))
    removed = _remove_orphans(api, wanted)
    after = _exported(api)
    if faults := [*read_back(wanted, after), *_wrong_links(api, wanted), *_stored_passwords(api, wanted)]:
        raise ReadBackError(
            "Superset does not hold what the files say:\n  " + "\n  ".join(faults) + "\n  import again; "
            "if it stays, someone changes these assets by hand or Superset's import has changed"
        )
    return [*_changes(wanted, before, after), *removed]


def read_back(wanted: Assets, actual: Assets) -> Iterator[str]:
    """Differences between the files and an export of Superset, one line each."""
    for kind in Kind:
        there = actual.by_uuid(kind)
        for asset in wanted.of(kind):
            if asset.uuid not in there:
                yield f"{asset.path}: is not in Superset"
            else:
                yield from _differences(_comparable(asset), _comparable(there[asset.uuid]), asset.path)


def _differences(wanted: Any, actual: Any, place: str) -> Iterator[str]:
    """Everything that `wanted` says and `actual` does not; Superset may add fields, never list entries."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        for key, value in wanted.items():
            yield from _differences(value, actual.get(key), f"{place}: {key}")
    elif isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        for index, (one, other) in enumerate(zip(wanted, actual, strict=True)):
            yield from _differences(one, other, f"{place}[{index}]")
    elif wanted != actual:
        yield f"{place}: is {actual!r}, not {wanted!r}"


def _comparable(asset: Asset) -> dict[str, Any]:
    """The content with all that may differ without meaning anything made equal.

    Superset orders columns and metrics as it likes, numbers charts by itself, and does not export
    `is_managed_externally`.
    """
    content = {k: v for k, v in asset.content.items() if k not in ("is_managed_externally", "version")}
    if asset.kind is Kind.DATASET:
        content["columns"] = sorted(asset.columns, key=lambda column: column["column_name"])
        content["metrics"] = sorted(asset.metrics, key=lambda metric: metric["metric_name"])
    if asset.kind is Kind.DASHBOARD:
        content |= _by_chart_uuid(asset)
    return content


def _by_chart_uuid(dashboard: Asset) -> dict[str, Any]:
    """A dashboard's layout and metadata with chart numbers replaced by the charts' uuids."""
    places = dashboard.chart_places
    uuids = {meta["chartId"]: meta["uuid"] for meta in places.values()}
    position = dict(dashboard.content["position"])
    for key, meta in places.items():
        position[key] = {**position[key], "meta": {**meta, "chartId": meta["uuid"]}}
    metadata = dict(dashboard.content.get("metadata") or {})
    metadata["native_filter_configuration"] = [
        {
            **f,
            "scope": {**f["scope"], "excluded": sorted(uuids.get(i, str(i)) for i in f["scope"]["excluded"])},
        }
        for f in dashboard.filters
    ]
    for key in _WRITTEN_BY_VIEWERS:
        metadata.pop(key, None)
    return {"position": position, "metadata": metadata}


# The browser of an owner who only looks at a dashboard saves these into it.
_WRITTEN_BY_VIEWERS = (
    "chart_configuration",
    "color_scheme_domain",
    "global_chart_configuration",
    "map_label_colors",
    "shared_label_colors",
)


def _upload(api: SupersetApi, archive: bytes) -> None:
    try:
        api.upload("/api/v1/assets/import/", "bundle", archive)
    except SupersetError as error:
        if faults := _faults_of_files(api, archive):
            raise AssetError(
                "Superset refuses these files, nothing was imported:\n  " + "\n  ".join(faults)
            ) from error
        raise


def _faults_of_files(api: SupersetApi, archive: bytes) -> list[str]:
    """What Superset finds wrong with the files.

    The import that replaces keeps this to itself ("failed for an unknown reason"). The one for dashboards
    says it, and can never import our archive, whose type is not its own.
    """
    try:
        api.upload("/api/v1/dashboard/import/", "formData", archive)
    except SupersetError as error:
        return [
            f"{path}: {fault}"
            for path, fault in error.details.items()
            if path != "metadata.yaml" and "already exists" not in str(fault)
        ]
    return []


def _exported(api: SupersetApi) -> Assets:
    return unpack(api.download("/api/v1/assets/export/"))


def _refuse_namesakes(wanted: Assets, actual: Assets) -> None:
    """Say which names clash, before Superset answers with a bare database error."""
    for kind, fields in _UNIQUE.items():
        taken = {tuple(a.content.get(f) for f in fields): a.uuid for a in actual.of(kind)}
        for asset in wanted.of(kind):
            name = tuple(asset.content.get(f) for f in fields)
            if taken.get(name, asset.uuid) != asset.uuid and None not in name:
                raise AssetError(
                    f"{asset.path}: {', '.join(fields)}: Superset already has a {kind.value} "
                    f"{'.'.join(map(str, name))} with the uuid {taken[name]}\n"
                    "  delete or rename that one in Superset, or give the file its uuid"
                )


_UNIQUE = {
    Kind.DATABASE: ("database_name",),
    Kind.DATASET: ("database_uuid", "schema", "table_name"),
    Kind.DASHBOARD: ("slug",),
}


def _remove_orphans(api: SupersetApi, wanted: Assets) -> list[Change]:
    """Delete what an earlier import made and the files no longer hold: dashboards, charts, then datasets."""
    databases = {
        row["id"]
        for row in api.all("database", "database_name")
        if row["uuid"] in wanted.by_uuid(Kind.DATABASE)
    }
    datasets = [row for row in api.all("dataset", "table_name") if row["database"]["id"] in databases]
    dataset_ids = {row["id"] for row in datasets}
    charts = [row for row in api.all("chart", "slice_name") if row["datasource_id"] in dataset_ids]
    dashboards_on_others = {
        dashboard["id"]
        for row in api.all("chart", "slice_name")
        if row["datasource_id"] not in dataset_ids
        for dashboard in row["dashboards"]
    }
    changes = []
    for row in api.all("dashboard", "dashboard_title"):
        ours = row["is_managed_externally"] and row["id"] not in dashboards_on_others
        if ours and row["uuid"] not in wanted.by_uuid(Kind.DASHBOARD):
            api.delete(f"/api/v1/dashboard/{row['id']}")
            changes.append(Change(Kind.DASHBOARD, row["dashboard_title"], "removed"))
    in_use = set()
    for row in charts:
        if row["is_managed_externally"] and row["uuid"] not in wanted.by_uuid(Kind.CHART):
            api.delete(f"/api/v1/chart/{row['id']}")
            changes.append(Change(Kind.CHART, row["slice_name"], "removed"))
        else:
            in_use.add(row["datasource_id"])
    for row in datasets:
        if row["uuid"] in wanted.by_uuid(Kind.DATASET):
            continue
        if not api.get(f"/api/v1/dataset/{row['id']}")["result"]["is_managed_externally"]:
            continue
        fate = "kept" if row["id"] in in_use else "removed"
        if fate == "removed":
            api.delete(f"/api/v1/dataset/{row['id']}")
        note = " (no longer in the files, but charts made by hand use it)" if fate == "kept" else ""
        changes.append(Change(Kind.DATASET, row["table_name"] + note, fate))
    return changes


def _wrong_links(api: SupersetApi, wanted: Assets) -> Iterator[str]:
    """Dashboards whose list of charts is not what their layout names (an export shows only the latter)."""
    rows = api.all("chart", "slice_name")
    for dashboard in wanted.of(Kind.DASHBOARD):
        named = {meta["uuid"] for meta in dashboard.chart_places.values()}
        held = {
            row["uuid"]: row["slice_name"]
            for row in rows
            if any(d["dashboard_title"] == dashboard.name for d in row["dashboards"])
        }
        yield from (f"{dashboard.path}: still holds the chart '{held[u]}'" for u in held.keys() - named)
        yield from (f"{dashboard.path}: position: does not hold the chart {u}" for u in named - held.keys())


def _stored_passwords(api: SupersetApi, wanted: Assets) -> Iterator[str]:
    for row in api.all("database", "database_name"):
        if row["uuid"] in (ours := wanted.by_uuid(Kind.DATABASE)):
            stored = api.get(f"/api/v1/database/{row['id']}/connection")["result"]
            if (stored.get("parameters") or {}).get("password"):
                yield (
                    f"{ours[row['uuid']].path}: Superset stores a password for it; it must come from "
                    "DB_CONNECTION_MUTATOR alone: delete the one typed in under Settings, Databases"
                )


def _changes(wanted: Assets, before: Assets, after: Assets) -> Iterator[Change]:
    for kind in Kind:
        then, now = before.by_uuid(kind), after.by_uuid(kind)
        for asset in wanted.of(kind):
            old = then.get(asset.uuid)
            same = old is not None and _comparable(old) == _comparable(now[asset.uuid])
            yield Change(kind, asset.name, "created" if old is None else "unchanged" if same else "changed")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Import superset/assets into a running Superset and read it back."
    )
    add_login(parser)
    add_assets(parser)
    options = parser.parse_args(arguments)
    try:
        api = log_in(options)
        changes = import_assets(api, options.assets)
        wanted = read_assets(options.assets)
    except (AssetError, SupersetError, ReadBackError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, AssetError) else 1
    for change in changes:
        print(change)
    counts = " → ".join(f"{len(wanted.of(kind))} {kind.folder}" for kind in reversed(Kind))
    print(f"read back  {counts}; no stored password")
    for dashboard in wanted.of(Kind.DASHBOARD):
        print(f"open       {api.url}/superset/dashboard/{dashboard.content.get('slug') or dashboard.uuid}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
