"""Asset files: what `superset/assets` says should be in Superset, read and packed."""

import argparse
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypedDict

import yaml

ASSETS = Path(__file__).resolve().parent / "assets"


class AssetError(Exception):
    """An asset file is wrong: for whoever edited it."""


class Kind(StrEnum):
    """The kinds of asset, in the order in which one builds on the other."""

    DATABASE = "database"
    DATASET = "dataset"
    CHART = "chart"
    DASHBOARD = "dashboard"

    @property
    def folder(self) -> str:
        return f"{self.value}s"

    @property
    def name_field(self) -> str:
        return _NAME_FIELDS[self]


_NAME_FIELDS = {
    Kind.DATABASE: "database_name",
    Kind.DATASET: "table_name",
    Kind.CHART: "slice_name",
    Kind.DASHBOARD: "dashboard_title",
}


class DatasetColumn(TypedDict, total=False):
    """A column of a dataset; with an `expression`, one that Superset calculates."""

    column_name: str
    verbose_name: str | None
    description: str | None
    expression: str | None


class Metric(TypedDict):
    """A figure that charts of a dataset can show."""

    metric_name: str
    expression: str


class ChartMeta(TypedDict, total=False):
    """Which chart a place in a dashboard shows; `chartId` is Superset's number of it, and differs between machines."""

    uuid: str
    chartId: int


class LayoutNode(TypedDict, total=False):
    """A row, a tab or a place for a chart: what a dashboard's `position` holds under a key of its own."""

    type: str
    children: list[str]
    meta: ChartMeta


class FilterScope(TypedDict):
    """The charts, by their numbers, that a filter leaves alone."""

    excluded: list[int]


class TargetColumn(TypedDict):
    """A column by its name."""

    name: str


class FilterTarget(TypedDict, total=False):
    """The column that a filter takes its values from; a filter of time has none."""

    datasetUuid: str
    column: TargetColumn


class NativeFilter(TypedDict):
    """A filter of a dashboard, as far as it speaks of other assets."""

    scope: FilterScope
    targets: list[FilterTarget]


@dataclass(frozen=True)
class Asset:
    """One YAML file, or one entry of a Superset's export."""

    kind: Kind
    path: str
    content: dict[str, Any]

    @property
    def uuid(self) -> str:
        return str(self.content["uuid"])

    @property
    def name(self) -> str:
        return str(self.content[self.kind.name_field])

    @property
    def columns(self) -> list[DatasetColumn]:
        """Those of a dataset."""
        columns: list[DatasetColumn] = self.content.get("columns") or []
        return columns

    @property
    def metrics(self) -> list[Metric]:
        """Those of a dataset."""
        metrics: list[Metric] = self.content.get("metrics") or []
        return metrics

    @property
    def layout(self) -> dict[str, LayoutNode]:
        """A dashboard's rows, tabs and charts by their keys; its `position` also says of which version it is."""
        position: dict[str, LayoutNode | str] = self.content["position"]
        return {key: node for key, node in position.items() if not isinstance(node, str)}

    @property
    def chart_places(self) -> dict[str, ChartMeta]:
        """Which chart a dashboard shows under which key of its layout."""
        return {key: node["meta"] for key, node in self.layout.items() if node.get("type") == "CHART"}

    @property
    def filters(self) -> list[NativeFilter]:
        """Those of a dashboard."""
        metadata = self.content.get("metadata") or {}
        filters: list[NativeFilter] = metadata.get("native_filter_configuration") or []
        return filters


@dataclass(frozen=True)
class Assets:
    """Every asset of one folder or export."""

    all: tuple[Asset, ...]

    def of(self, kind: Kind) -> tuple[Asset, ...]:
        return tuple(asset for asset in self.all if asset.kind is kind)

    def by_uuid(self, kind: Kind) -> dict[str, Asset]:
        return {asset.uuid: asset for asset in self.of(kind)}


def add_assets(parser: argparse.ArgumentParser) -> None:
    """Gives a command the option that says where the files are."""
    parser.add_argument("--assets", type=Path, default=ASSETS, help="folder of the asset files")


def read_assets(directory: Path = ASSETS) -> Assets:
    """Read every asset below `directory`; AssetError names the file that cannot be one."""
    if not (directory / "metadata.yaml").is_file():
        raise AssetError(
            f"{directory}: no metadata.yaml, so this is not a folder of Superset assets\n"
            "  name the folder with --assets (in this repository: superset/assets)"
        )
    found = [_read_file(directory, path, kind) for kind in Kind for path in _files(directory, kind)]
    if not found:
        raise AssetError(
            f"{directory}: holds no assets\n  expected databases/, datasets/, charts/, dashboards/"
        )
    return Assets(tuple(found))


def pack(directory: Path = ASSETS) -> bytes:
    """The folder as the ZIP that Superset imports: everything below one top folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        paths = [directory / "metadata.yaml", *(p for kind in Kind for p in _files(directory, kind))]
        for path in paths:
            archive.writestr(f"assets/{path.relative_to(directory).as_posix()}", path.read_bytes())
    return buffer.getvalue()


def unpack(archive: bytes) -> Assets:
    """The assets in a ZIP that Superset exported."""
    found = []
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in sorted(opened.namelist()):
            _, _, path = name.partition("/")
            for kind in Kind:
                if path.startswith(f"{kind.folder}/"):
                    found.append(Asset(kind, path, yaml.safe_load(opened.read(name))))
    return Assets(tuple(found))


def as_yaml(content: Mapping[str, Any]) -> str:
    """The text of an asset's file, in its own order and with lists set in as people write them."""
    return yaml.dump(dict(content), Dumper=_Indented, sort_keys=False, allow_unicode=True, width=110)


class _Indented(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _files(directory: Path, kind: Kind) -> Iterator[Path]:
    yield from sorted((directory / kind.folder).rglob("*.yaml"))


def _read_file(directory: Path, path: Path, kind: Kind) -> Asset:
    relative = path.relative_to(directory).as_posix()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise AssetError(f"{relative}: invalid YAML: {error}") from error
    if not isinstance(content, dict):
        raise AssetError(f"{relative}: holds no mapping\n  start from another file in {kind.folder}/")
    for field in ("uuid", "version", kind.name_field):
        if not content.get(field):
            raise AssetError(
                f"{relative}: {field}: is missing\n  every {kind.value} has one; see its neighbours"
            )
    return Asset(kind, relative, content)
