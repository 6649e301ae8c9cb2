"""Summary: by which columns a new dataset is looked at first, found in a sample of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from data_ingestion.contract import Column, Contract, KeyRule, LogicalType
from data_ingestion.draft.infer import CODES

MOST_CATEGORIES, MOST_MEASURES = 2, 4
# Values of a category: fewer tell nothing apart, more are no bars of a chart.
LEAST_VALUES, MOST_VALUES = 2, 25
# Days that many rows lack are not what the rows are about.
MOST_MISSING = 0.1
NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
# Names of numbers whose sum means nothing.
NOT_ADDED = re.compile(
    r"(^|_)(year|month|day|hour|week|minute|lat|lon|lng|latitude|longitude|alt|rate|share|percent|pct|ratio|rating"
    r"|score|rank|age|version|line|position|index|level)($|_)"
)


@dataclass(frozen=True)
class Summary:
    """Names of columns: the day of a row ('' where it has none), what rows are grouped by, and what is added up."""

    day: str = ""
    categories: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choices:
    """The columns that each part of a summary may be taken from."""

    days: tuple[str, ...]
    categories: tuple[str, ...]
    measures: tuple[str, ...]


def choices_of(contract: Contract) -> Choices:
    """What may be chosen; personal columns are left out of what many people see."""
    columns = [column for column in contract.columns if column.classification != "personal"]
    return Choices(
        _names(columns, LogicalType.DATE, LogicalType.TIMESTAMP),
        _names(columns, LogicalType.STRING, LogicalType.BOOLEAN),
        _names(columns, *NUMBERS),
    )


def summarize(contract: Contract, texts: Mapping[str, Any]) -> Summary:
    """The likeliest summary. `texts` has the cells of a sample by the name of their column."""
    choices, key = choices_of(contract), contract.key.columns if contract.key.rule is KeyRule.NATURAL else ()
    days = [name for name in choices.days if name in texts and _missing(texts[name]) <= MOST_MISSING]
    values = {
        name: len(pc.unique(pc.drop_null(texts[name])))
        for name in choices.categories
        if name in texts and name not in key
    }
    categories = [name for name in values if LEAST_VALUES <= values[name] <= MOST_VALUES]
    measures = [
        name
        for name in choices.measures
        if name not in key and not CODES.search(name) and not NOT_ADDED.search(name)
    ]
    return Summary(
        days[0] if days else "",
        tuple(sorted(categories, key=lambda name: values[name])[:MOST_CATEGORIES]),
        tuple(measures[:MOST_MEASURES]),
    )


def _names(columns: list[Column], *types: LogicalType) -> tuple[str, ...]:
    return tuple(column.name for column in columns if column.type in types)


def _missing(texts: Any) -> float:
    return texts.null_count / len(texts) if len(texts) else 1.0
