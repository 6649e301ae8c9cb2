"""Path values: the texts that columns have from an object's path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data_ingestion.contract.pattern import Match, start_of

if TYPE_CHECKING:
    from data_ingestion.contract.terms import Column


def values_of(columns: Sequence[Column], key: str, match: Match) -> tuple[str, ...]:
    """The texts of the columns that come from the path of an object, in their order."""
    name = key.rpartition("/")[2]
    unpacked = name.removesuffix(".gz")
    texts = {
        **dict(match.parts),
        "path": key,
        "name": name,
        "stem": unpacked.rpartition(".")[0] or unpacked,
    }
    return tuple(
        _period(column, match.period) if column.from_path == "period" else texts[column.from_path]
        for column in columns
    )


def _period(column: Column, period: str) -> str:
    """A period as a text, or as the first day or moment of it where the column is of such a type."""
    if column.type == "date":
        return start_of(period).date().isoformat()
    if column.type == "timestamp":
        return start_of(period).replace(tzinfo=None).isoformat() + ("" if column.time_zone else "Z")
    return period
