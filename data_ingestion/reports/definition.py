"""Definition: which tables of gold a report shows, as a YAML file in `reports/<domain>/` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data_ingestion.errors import ContractFault

NAME = r"[a-z][a-z0-9_]*"


@dataclass(frozen=True)
class Plot:
    """Bars of `y` over `x`, stacked by the values of another column if there is one; the first `most` rows.

    `key` is the column that distinguishes rows of an equal `x`, where there can be such.
    """

    x: str
    y: str
    by: str | None = None
    most: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class ReportTable:
    """A relation of gold as a person reads it: `columns` are its columns with their headings, in their order."""

    name: str
    title: str
    relation: str
    columns: Mapping[str, str]
    order: tuple[str, ...]
    description: str = ""
    most: int | None = None
    plot: Plot | None = None


@dataclass(frozen=True)
class Report:
    """A report by domain and name."""

    domain: str
    name: str
    title: str
    description: str
    tables: tuple[ReportTable, ...]


@dataclass(frozen=True)
class FaultyReport:
    """A report that can't be written as it is defined."""

    domain: str
    name: str
    error: ContractFault


@dataclass(frozen=True)
class ReportFolder:
    """The reports of a folder by domain and name, the faulty ones beside those that can be written."""

    sound: tuple[Report, ...]
    faulty: tuple[FaultyReport, ...] = ()


def read_reports(folder: Path) -> ReportFolder:
    """All reports of a folder; one that is not what it should be, or has the name of another, is faulty."""
    paths: dict[str, Path] = {}
    sound: list[Report] = []
    faulty: list[FaultyReport] = []
    for path in sorted(folder.glob("*/*.yaml")):
        try:
            if (other := paths.setdefault(path.stem, path)) is not path:
                raise ContractFault(
                    f"{path}: {other} is also called {path.stem}, so `goldworks report {path.stem}` "
                    "would mean both\n  rename one of the files  (docs/guides/reports.md)"
                )
            sound.append(read_report(path))
        except ContractFault as error:
            faulty.append(FaultyReport(path.parent.name, path.stem, error))
    return ReportFolder(tuple(sound), tuple(faulty))


def read_report(path: Path) -> Report:
    """A report from its file, `<domain>/<name>.yaml`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ContractFault(f"{path}: invalid YAML: {error}") from error
    holder = _Holder(path, "", content, required=("title", "tables"), optional=("description",))
    listed = holder.content["tables"]
    if not isinstance(listed, list) or not listed:
        raise holder.fault("tables", "lists no tables", "name at least one")
    tables = tuple(_table(path, f"tables[{number}]", item) for number, item in enumerate(listed))
    names = [table.name for table in tables]
    if twice := {name for name in names if names.count(name) > 1}:
        raise holder.fault("tables", f"two tables are called {min(twice)}", "give each a name of its own")
    return Report(
        path.parent.name, path.stem, str(holder.content["title"]), str(holder.content.get("description", "")), tables
    )  # fmt: skip


class _Holder:
    """A mapping of the file, checked: it has what it needs and nothing unknown."""

    def __init__(
        self, path: Path, place: str, content: Any, required: tuple[str, ...], optional: tuple[str, ...]
    ) -> None:
        self._path, self._place = path, place
        if not isinstance(content, dict):
            raise self.fault("", "is not a mapping", f"write {', '.join(required)}")
        self.content: dict[str, Any] = content
        for name in required:
            if content.get(name) is None:
                raise self.fault(name, "is missing", "add it")
        for name in content:
            if name not in (*required, *optional):
                raise self.fault(
                    str(name), "is not a part of a report", f"there are {', '.join((*required, *optional))}"
                )

    def fault(self, name: str, fault: str, remedy: str) -> ContractFault:
        place = ".".join(part for part in (self._place, name) if part) or "the file"
        return ContractFault(f"{self._path}: {place}: {fault}\n  {remedy}  (docs/guides/reports.md)")

    def name(self, of: str) -> str:
        value = self.content[of]
        if not isinstance(value, str) or not re.fullmatch(NAME, value):
            raise self.fault(of, f"{value!r} is not a name", "use lower-case letters, digits and '_'")
        return value

    def count(self, of: str) -> int | None:
        value = self.content.get(of)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise self.fault(of, f"{value!r} is not a number of rows", "write a whole number from 1")
        return value


def _table(path: Path, place: str, content: Any) -> ReportTable:
    required = ("name", "title", "relation", "columns", "order")
    holder = _Holder(path, place, content, required, optional=("description", "most", "plot"))
    columns, order = holder.content["columns"], holder.content["order"]
    if not isinstance(columns, dict) or not columns:
        raise holder.fault(
            "columns", "is not a mapping of columns to headings", "write delivery_date: Delivery date"
        )
    if not isinstance(order, list) or (unknown := [name for name in order if name not in columns]):
        named = ", ".join(map(str, unknown)) if isinstance(order, list) else "it"
        raise holder.fault(
            "order", f"{named} is not a column of the table", f"there are {', '.join(columns)}"
        )
    return ReportTable(
        name=holder.name("name"),
        title=str(holder.content["title"]),
        relation=holder.name("relation"),
        columns={str(column): str(heading) for column, heading in columns.items()},
        order=tuple(order),
        description=str(holder.content.get("description", "")),
        most=holder.count("most"),
        plot=_plot(path, f"{place}.plot", holder.content["plot"], columns)
        if "plot" in holder.content
        else None,
    )


def _plot(path: Path, place: str, content: Any, columns: Mapping[str, str]) -> Plot:
    holder = _Holder(path, place, content, required=("x", "y"), optional=("by", "most", "key"))
    for part in ("x", "y", "by", "key"):
        if (name := holder.content.get(part)) is not None and name not in columns:
            raise holder.fault(
                part, f"{name!r} is not a column of the table", f"there are {', '.join(columns)}"
            )
    said = holder.content
    return Plot(said["x"], said["y"], said.get("by"), holder.count("most"), said.get("key"))
