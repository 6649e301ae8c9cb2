"""Asset files: what `superset/assets` says should be in Superset, read and packed."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Assets:
    """Every asset of one folder or export."""

    all: tuple[Asset, ...]

    def of(self, kind: Kind) -> tuple[Asset, ...]:
        return tuple(asset for asset in self.all if asset.kind is kind)

    def by_uuid(self, kind: Kind) -> dict[str, Asset]:
        return {asset.uuid: asset for asset in self.of(kind)}


def read_assets(directory: Path = ASSETS) -> Assets:
    """Read every asset below `directory`; AssetError names the file that cannot be one."""
    if not (directory / "metadata.yaml").is_file():
        raise AssetError(
            f"{directory}: no metadata.yaml, so this is no folder of Superset assets\n"
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


def _files(directory: Path, kind: Kind) -> Iterator[Path]:
    yield from sorted((directory / kind.folder).rglob("*.yaml"))


def _read_file(directory: Path, path: Path, kind: Kind) -> Asset:
    relative = path.relative_to(directory).as_posix()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise AssetError(f"{relative}: is no YAML: {error}") from error
    if not isinstance(content, dict):
        raise AssetError(f"{relative}: holds no mapping\n  start from another file in {kind.folder}/")
    for field in ("uuid", "version", kind.name_field):
        if not content.get(field):
            raise AssetError(
                f"{relative}: {field}: is missing\n  every {kind.value} has one; see its neighbours"
            )
    return Asset(kind, relative, content)
