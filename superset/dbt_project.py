"""dbt's project: what its files say there is to show, and what each model and column means."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "dbt" / "models"


@dataclass(frozen=True)
class Column:
    """A documented column; `label` is what people call it, where its name does not say it."""

    description: str = ""
    label: str = ""


@dataclass(frozen=True)
class Model:
    """A dbt model that is documented: `layer` is its folder (bronze, silver, gold), which is its schema."""

    name: str
    layer: str
    description: str
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Exposure:
    """A dashboard as dbt knows it."""

    name: str
    url: str
    models: frozenset[str]


@dataclass(frozen=True)
class Project:
    """What dbt's files say there is to show."""

    models: Mapping[str, Model]
    exposures: tuple[Exposure, ...]


def project_from_yaml(models: Path = MODELS) -> Project:
    """What the `.yml` files beside the models document: always as new as the files themselves."""
    found: dict[str, Model] = {}
    exposures = []
    docs = _doc_blocks(models)
    for path in sorted(models.rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        layer = path.relative_to(models).parts[0]
        for model in content.get("models") or []:
            columns = {c["name"]: _column(c, docs) for c in model.get("columns") or []}
            found[model["name"]] = Model(model["name"], layer, _described(model, docs), columns)
        for exposure in content.get("exposures") or []:
            names = re.findall(r"ref\(\s*['\"](\w+)['\"]\s*\)", " ".join(exposure.get("depends_on") or []))
            exposures.append(Exposure(exposure["name"], exposure.get("url", ""), frozenset(names)))
    return Project(found, tuple(exposures))


def project_from_manifest(manifest: Path) -> Project:
    """What `dbt parse` made of the project (`dbt/target/manifest.json`)."""
    content = json.loads(manifest.read_text(encoding="utf-8"))
    models = {
        node["name"]: Model(
            node["name"],
            node["fqn"][1],
            _described(node, {}),
            {name: _column(column, {}) for name, column in node["columns"].items()},
        )
        for node in content["nodes"].values()
        if node["resource_type"] == "model"
    }
    exposures = tuple(
        Exposure(e["name"], e.get("url") or "", frozenset(n.split(".")[-1] for n in e["depends_on"]["nodes"]))
        for e in content["exposures"].values()
    )
    return Project(models, exposures)


def _column(column: Mapping[str, Any], docs: Mapping[str, str]) -> Column:
    meta = (column.get("config") or {}).get("meta") or {}
    return Column(_described(column, docs), meta.get("label", ""))


def _described(node: Mapping[str, Any], docs: Mapping[str, str]) -> str:
    """The description in one line, its references to doc blocks resolved."""
    text = node.get("description") or ""
    resolved = re.sub(r"\{\{\s*doc\(\s*['\"](\w+)['\"]\s*\)\s*\}\}", lambda m: docs.get(m[1], m[0]), text)
    return " ".join(resolved.split())


def _doc_blocks(models: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(models.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        found |= re.findall(r"\{%\s*docs (\w+)\s*%\}(.*?)\{%\s*enddocs\s*%\}", text, re.DOTALL)
    return found
