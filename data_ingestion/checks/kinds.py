"""Kinds: records told apart by what they are, and those of no kind, or without what their kind must bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc

from data_ingestion.contract.terms import Kinds

UNKNOWN = "unknown_kind"
_MOST_SHOWN = 60


def of_no_kind(kinds: Kinds, values: Mapping[str, Any]) -> dict[int, str]:
    """Rows of no known kind, with what they say that they are; `values` are those of the telling columns at least.

    Of a row that does not say what it is, nothing is told: a telling column is required, so the row has its reason.
    """
    known = {kind.values for kind in kinds.known}
    said = _said(kinds, values)
    strange = [number for number, each in enumerate(said.each) if each not in known and None not in each]
    return {
        row: f"no kind of record has {_shown(kinds.columns, said.each[said.of_row[row]])}"
        for row in np.flatnonzero(np.isin(said.of_row, strange)).tolist()
    }


def missing_of_kind(kinds: Kinds, values: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    """By column the rows of a kind that must have a value there and has none."""
    wanted = dict.fromkeys(name for kind in kinds.known for name in kind.required)
    missing: dict[str, dict[int, str]] = {}
    said: _Said | None = None
    for name in (name for name in wanted if values[name].null_count):
        said = said or _said(kinds, values)
        must = {kind.values for kind in kinds.known if name in kind.required}
        those = [number for number, each in enumerate(said.each) if each in must]
        lacking = np.isin(said.of_row, those) & np.asarray(pc.is_null(values[name]))
        missing[name] = {
            row: f"a record with {_shown(kinds.columns, said.each[said.of_row[row]])} requires a value"
            for row in np.flatnonzero(lacking).tolist()
        }
    return missing


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
    short = [value if len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 3]}..." for value in values]
    return ", ".join(f"{name} {value!r}" for name, value in zip(columns, short, strict=True))
