"""Describe: what the datasets and their columns are called and mean, written into their files from dbt's.

    python superset/describe.py            write superset/assets/datasets/
    python superset/describe.py --check    write nothing; exit 1 when a file does not say what dbt says

A description is dbt's. A label is the column's `label` in dbt (`config: {meta: {label: …}}`), or else is made of the
column's name. Columns that Superset calculates (`expression`) are no columns of dbt: they keep what the file says.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asset_files import Asset, AssetError, Kind, add_assets, as_yaml, read_assets
from dbt_project import MODELS, Model, Project, project_from_yaml

_UNITS = {"inr": "INR", "km": "km", "at": "UTC"}
_ABBREVIATIONS = {"ip": "IP", "ips": "IPs", "id": "id"}


def label_of(name: str) -> str:
    """A column's name as people write it.

    `closing_balance_inr` is "Closing balance, INR", `first_event_date` is "First event", `is_tied` is "Tied".
    """
    words = name.removeprefix("is_").split("_")
    if len(words) > 2 and words[-1] == "date":
        words.pop()
    unit = f", {_UNITS[words.pop()]}" if len(words) > 1 and words[-1] in _UNITS else ""
    text = " ".join(_ABBREVIATIONS.get(word, word) for word in words)
    return text[:1].upper() + text[1:] + unit


def described(content: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """The dataset with the labels and descriptions that dbt gives it."""
    columns = []
    for column in content.get("columns") or []:
        known = model.columns.get(column["column_name"])
        if known is None or column.get("expression"):
            columns.append(dict(column))
            continue
        known_facts = {
            "column_name": column["column_name"],
            "verbose_name": known.label or label_of(column["column_name"]),
            "description": known.description,
        }
        columns.append(
            known_facts | {name: value for name, value in column.items() if name not in known_facts}
        )
    return {**content, "description": model.description, "columns": columns}


def drift(dataset: Asset, model: Model) -> list[str]:
    """What the file says otherwise than dbt, a line each."""
    wanted = described(dataset.content, model)
    faults = []
    if wanted["description"] != dataset.content.get("description"):
        faults.append("description")
    for one, other in zip(dataset.columns, wanted["columns"], strict=True):
        different = [name for name in ("verbose_name", "description") if one.get(name) != other.get(name)]
        faults += [f"columns: {one['column_name']}: {name}" for name in different]
    return [f"{dataset.path}: {fault}: differs from dbt's\n  run `make generate`" for fault in faults]


def rewritten(text: str, content: Mapping[str, Any]) -> str:
    """The file's text with another description and other columns; all else stays as it was written."""
    head, rest = re.split(r"^columns:\n", text, maxsplit=1, flags=re.MULTILINE)
    after = re.search(r"^[^\s-]", rest, re.MULTILINE)  # some set no list in
    tail = rest[after.start() :] if after else ""
    head = re.sub(r"^description:.*\n(?:[ ].*\n)*", "", head, flags=re.MULTILINE)
    head = re.sub(r"^(schema:.*\n)", lambda m: m[1] + as_yaml({"description": content["description"]}), head,
                  flags=re.MULTILINE)  # fmt: skip
    columns = "\n".join(
        as_yaml({"columns": [column]}).removeprefix("columns:\n") for column in content["columns"]
    )
    return f"{head}columns:\n{columns.replace(chr(10) * 2, chr(10))}{tail}"


def write(directory: Path, project: Project) -> list[str]:
    """Bring the files to what dbt says; answers with those that changed."""
    changed = []
    for dataset in read_assets(directory).of(Kind.DATASET):
        model = project.models.get(dataset.name)
        if model is None:
            continue
        file = directory / dataset.path
        text = file.read_text(encoding="utf-8")
        new = rewritten(text, described(dataset.content, model))
        if new != text:
            file.write_text(new, encoding="utf-8")
            changed.append(dataset.path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Write dbt's labels and descriptions into Superset's datasets."
    )
    add_assets(parser)
    parser.add_argument("--models", type=Path, default=MODELS, help="dbt's models folder")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    options = parser.parse_args(arguments)
    project = project_from_yaml(options.models)
    try:
        if options.check:
            datasets = read_assets(options.assets).of(Kind.DATASET)
            faults = [
                f for d in datasets if d.name in project.models for f in drift(d, project.models[d.name])
            ]
            print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
            return 1 if faults else 0
        for path in write(options.assets, project):
            print(path)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
