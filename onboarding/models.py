"""Models: the first silver and gold model of a new dataset, which are the user's to change. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from data_ingestion.contract import Column, Contract, LogicalType
from data_ingestion.quoting import quoted
from data_ingestion.yaml_text import yaml_text
from onboarding.summary import Summary

OWN = "Made by `make onboard` as a beginning; change it as you like, it is not written again."


@dataclass(frozen=True)
class Place:
    """What the models and the dashboard of a dataset are called."""

    domain: str
    dataset: str
    slug: str

    @property
    def name(self) -> str:
        if self.dataset.startswith(self.domain):
            return self.dataset
        return f"{self.domain}_{self.dataset}"

    @property
    def silver(self) -> str:
        return f"int_{self.name}"

    @property
    def mart(self) -> str:
        return f"mart_{self.name}"

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class MartColumn:
    """A column of the mart: how it is computed, and what it is."""

    name: str
    sql: str
    type: str
    description: str
    classification: str | None = None
    is_grouped: bool = False


def models_of(contract: Contract, place: Place, summary: Summary) -> dict[PurePosixPath, str]:
    """Every file by its path in the dbt project."""
    columns = list(mart_columns(contract, summary))
    silver, gold = (PurePosixPath("models", layer, place.domain) for layer in ("silver", "gold"))
    return {
        silver / f"{place.silver}.sql": _silver(contract),
        silver / f"_{place.name}__silver.yml": _silver_yml(contract, place),
        gold / f"{place.mart}.sql": _gold(columns, place),
        gold / f"_{place.name}__gold.yml": _gold_yml(columns, place),
    }


def mart_columns(contract: Contract, summary: Summary) -> Iterator[MartColumn]:
    """The day, the categories, the number of rows and the sums of the mart."""
    known = {column.name: column for column in contract.columns}
    if summary.day:
        column = known[summary.day]
        is_day = column.type is LogicalType.DATE
        sql = quoted(column.name) if is_day else f"{{{{ utc_date('{quoted(column.name)}') }}}}"
        told = column.description or f"Day by `{column.name}`{'' if is_day else ', in UTC'}."
        yield MartColumn("day", sql, "date", told, column.classification, is_grouped=True)
    for name in summary.categories:
        column = known[name]
        kind = "boolean" if column.type is LogicalType.BOOLEAN else "text"
        told = column.description or f"As the sender writes `{name}`."
        yield MartColumn(name, quoted(name), kind, told, column.classification, is_grouped=True)
    yield MartColumn("row_count", "cast(count(*) as bigint)", "bigint", "How many rows there are.")
    for name in summary.measures:
        column = known[name]
        kind = _type_of_sum(column)
        told = f"Sum of `{name}`; rows without it count as nothing."
        yield MartColumn(
            f"{name}_total", f"cast(sum({quoted(name)}) as {kind})", kind, told, column.classification
        )


def _silver(contract: Contract) -> str:
    columns = ",\n    ".join(quoted(column.name) for column in contract.columns)
    return f"-- {OWN}\nselect\n    {columns}\nfrom {{{{ ref('stg_{contract.dataset}') }}}}\n"


def _gold(columns: list[MartColumn], place: Place) -> str:
    selected = ",\n    ".join(
        column.sql if column.sql == quoted(column.name) else f"{column.sql} as {quoted(column.name)}"
        for column in columns
    )
    grouped = ", ".join(column.sql for column in columns if column.is_grouped)
    return (
        f"-- {OWN}\n{{{{ config(contract={{'enforced': true}}) }}}}\n\n"
        f"select\n    {selected}\nfrom {{{{ ref('{place.silver}') }}}}\n"
        + (f"group by {grouped}\n" if grouped else "")
    )


def _silver_yml(contract: Contract, place: Place) -> str:
    described = [
        {
            "name": column.name,
            "description": _prose(column.description or f"As the sender writes `{column.name}`."),
        }
        | ({"quote": True} if quoted(column.name) != column.name else {})
        | _config(column.classification)
        for column in contract.columns
    ]
    told = _prose(contract.description or f"One row per row of `{contract.dataset}`.")
    return _yml({"version": 2, "models": [{"name": place.silver, "description": told, "columns": described}]})


def _gold_yml(columns: list[MartColumn], place: Place) -> str:
    grouped = [column.name for column in columns if column.is_grouped]
    told = f"One row per {' and '.join(grouped)}." if grouped else "One row with the totals."
    model: dict[str, Any] = {"name": place.mart, "description": told}
    if grouped:
        model["data_tests"] = [
            {"unique_together": {"arguments": {"columns": [quoted(name) for name in grouped]}}}
        ]
    model["columns"] = [
        {"name": column.name, "description": _prose(column.description), "data_type": column.type}
        | ({"quote": True} if quoted(column.name) != column.name else {})
        | _config(column.classification)
        | ({"data_tests": ["not_null"]} if column.name == "row_count" else {})
        for column in columns
    ]
    exposure = {
        "name": place.name,
        "label": place.title,
        "type": "dashboard",
        "url": f"{{{{ env_var('SUPERSET_URL', 'http://127.0.0.1:8088') }}}}/superset/dashboard/{place.slug}/",
        "owner": {
            "name": f"{place.domain.capitalize()} data team",
            "email": f"{place.domain}-data@example.com",
        },
        "depends_on": [f"ref('{place.mart}')"],
    }
    return _yml({"version": 2, "models": [model], "exposures": [exposure]})


def _type_of_sum(column: Column) -> str:
    if column.type is LogicalType.INTEGER:
        return "numeric(38, 0)"
    return "double precision" if column.scale is None else f"numeric(38, {column.scale})"


def _config(classification: str | None) -> dict[str, Any]:
    return {"config": {"meta": {"classification": classification}}} if classification else {}


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #")


def _yml(content: dict[str, Any]) -> str:
    return f"# {OWN}\n{yaml_text(content)}"
