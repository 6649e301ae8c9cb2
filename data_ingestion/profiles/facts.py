"""Facts of a profile: relations with their columns, what may be shown of each, and what was found in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# How types begin whose values are numbers, days and moments, yes and no.
NAMELESS = ("bigint", "integer", "smallint", "numeric", "double", "real", "boolean", "date", "timestamp")


@dataclass(frozen=True)
class Relation:
    """A table or view of a domain.

    `shown` are the columns whose values may be shown, `shown_if_nameless` those whose values may if their type can't
    name a person; every other has counts only. `marks` are the classifications that columns were given.
    """

    domain: str
    layer: str
    schema: str
    name: str
    shown: frozenset[str]
    shown_if_nameless: frozenset[str] = frozenset()
    marks: tuple[tuple[str, str], ...] = ()

    @property
    def qualified_name(self) -> str:
        return f"{self.schema}.{self.name}"

    def may_show(self, column: str, type_: str) -> bool:
        """Whether values of a column may be shown."""
        return column in self.shown or (column in self.shown_if_nameless and type_.startswith(NAMELESS))


@dataclass(frozen=True)
class Present:
    """What a relation is like in the warehouse: columns with their types, and a mark that moves with its data."""

    columns: tuple[tuple[str, str], ...]
    mark: str


@dataclass(frozen=True)
class ColumnProfile:
    """What was found in a column. Of a masked one `minimum`, `maximum` and `top_values` were never asked for.

    `distinct_values` are those of the sample where there was one; `top_values` are those that occur more than once,
    the most frequent first.
    """

    name: str
    type: str
    classification: str | None
    is_masked: bool
    nulls: int
    distinct_values: int
    minimum: str | None = None
    maximum: str | None = None
    top_values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Profile:
    """What was found in a relation: all rows counted, distinct and top values from `sampled` rows if that is set."""

    relation: Relation
    mark: str
    rows: int
    sampled: int | None
    columns: tuple[ColumnProfile, ...]
    seconds: float = 0.0
    profiled_at: datetime | None = None

    @property
    def masked(self) -> int:
        """How many columns are masked."""
        return sum(column.is_masked for column in self.columns)
