"""dbt's manifest: which models there are, of which domain and layer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_ingestion.errors import OperatorFault

LAYERS = ("bronze", "silver", "gold")

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """A model of `models/<layer>/<domain>/`: its relation, and what is said of each column that it describes."""

    domain: str
    layer: str
    name: str
    schema: str
    relation: str
    columns: Mapping[str, Any]


def read_manifest(file: Path) -> Manifest | None:
    """dbt's manifest; None where there is none, so models are unknown."""
    try:
        manifest: Manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise OperatorFault(
            f"{file}: can't be read as dbt's manifest\n  write it again with `dbt parse`"
        ) from error
    return manifest


def models_of(manifest: Manifest) -> Iterator[Model]:
    """The models of all domains, in the manifest's order."""
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model":
            continue
        parts = Path(node["original_file_path"]).parts
        if len(parts) > 3 and parts[0] == "models" and parts[1] in LAYERS:
            yield Model(
                parts[2], parts[1], node["name"], node["schema"], node.get("alias") or node["name"], node["columns"]
            )  # fmt: skip
