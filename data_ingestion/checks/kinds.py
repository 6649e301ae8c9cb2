"""Kinds: which kind each record is of, and records of unknown kinds or without what their kind requires."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checks.texts import has_empty
from data_ingestion.contract.terms import Kinds
from data_ingestion.excerpts import quote

UNKNOWN = "unknown_kind"


def of_no_kind(kinds: Kinds, values: Mapping[str, Any]) -> dict[int, str]:
    """Rows of no known kind, with what they say that they are; `values` are those of the telling columns at least.

    A row that does not say what it is, is left out: such a column is required, so the row is refused anyway.
    """
    known = {kind.values for kind in kinds.known}
    said = _said(kinds, values)
    strange = [number for number, each in enumerate(said.each) if each not in known and None not in each]
    return {
        row: f"no kind of record has {_shown(kinds.columns, said.each[said.of_row[row]])}"
        for row in np.flatnonzero(np.isin(said.of_row, strange)).tolist()
    }


def missing_of_kind(
    kinds: Kinds, values: Mapping[str, Any], may_be_empty: Collection[str] = ()
) -> dict[str, dict[int, str]]:
    """By column the rows of a kind that must have a value there and has none.

    An empty text is not a value, except in the columns that `may_be_empty`.
    """
    wanted = dict.fromkeys(name for kind in kinds.known for name in kind.required)
    without = {name: _without_value(values[name], name in may_be_empty) for name in wanted}
    missing: dict[str, dict[int, str]] = {}
    said: _Said | None = None
    for name in (name for name in wanted if without[name].any()):
        said = said or _said(kinds, values)
        must = {kind.values for kind in kinds.known if name in kind.required}
        those = [number for number, each in enumerate(said.each) if each in must]
        lacking = np.isin(said.of_row, those) & without[name]
        missing[name] = {
            row: f"a record with {_shown(kinds.columns, said.each[said.of_row[row]])} requires a value"
            for row in np.flatnonzero(lacking).tolist()
        }
    return missing


def _without_value(values: Any, may_be_empty: bool) -> Any:
    """Which cells hold no value."""
    missing = np.asarray(pc.is_null(values))
    if may_be_empty or not pa.types.is_string(values.type) or not has_empty(values):
        return missing
    return missing | np.asarray(pc.fill_null(pc.equal(values, ""), False))


class _Said(NamedTuple):
    """What rows say that they are: each saying once, and which of them is each row's."""

    each: list[tuple[Any, ...]]
    of_row: Any


def _said(kinds: Kinds, values: Mapping[str, Any]) -> _Said:
    """Few sayings are those of many rows."""
    numbers: Any = 0
    meanings: list[list[Any]] = []
    for name in kinds.columns:
        coded = pc.dictionary_encode(values[name], null_encoding="encode")
        meanings.append(coded.dictionary.to_pylist())
        numbers = numbers * len(meanings[-1]) + np.asarray(coded.indices)
    found, of_row = np.unique(numbers, return_inverse=True)
    each = []
    for number in found.tolist():
        saying = []
        for texts in reversed(meanings):
            number, at = divmod(number, len(texts))
            saying.append(texts[at])
        each.append(tuple(reversed(saying)))
    return _Said(each, of_row)


def _shown(columns: Sequence[str], values: Sequence[str]) -> str:
    return ", ".join(f"{name} {quote(value)}" for name, value in zip(columns, values, strict=True))
