"""Kinds: records told apart by what they are, and those of no kind, or without what their kind must bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from data_ingestion.contract.terms import Kinds

UNKNOWN = "unknown_kind"
_MOST_SHOWN = 60


def of_no_kind(kinds: Kinds, values: Mapping[str, Any]) -> dict[int, str]:
    """Rows of no known kind, with what they say that they are; `values` are those of the telling columns at least.

    Of a row that does not say what it is, nothing is told: a telling column is required, so the row has its reason.
    """
    known = {kind.values for kind in kinds.known}
    return {
        row: f"no kind of record has {_shown(kinds.columns, said)}"
        for row, said in enumerate(_said(kinds, values))
        if said not in known and None not in said
    }


def missing_of_kind(kinds: Kinds, values: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    """By column the rows of a kind that must have a value there and has none."""
    wanted = dict.fromkeys(name for kind in kinds.known for name in kind.required)
    missing: dict[str, dict[int, str]] = {}
    said: list[tuple[str, ...]] = []
    for name in (name for name in wanted if values[name].null_count):
        said = said or _said(kinds, values)
        must = {kind.values for kind in kinds.known if name in kind.required}
        missing[name] = {
            row: f"a record with {_shown(kinds.columns, said[row])} requires a value"
            for row in pc.indices_nonzero(pc.is_null(values[name])).to_pylist()
            if said[row] in must
        }
    return missing


def _said(kinds: Kinds, values: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return list(zip(*(values[name].to_pylist() for name in kinds.columns), strict=True))


def _shown(columns: Sequence[str], values: Sequence[str]) -> str:
    short = [value if len(value) <= _MOST_SHOWN else f"{value[: _MOST_SHOWN - 3]}..." for value in values]
    return ", ".join(f"{name} {value!r}" for name, value in zip(columns, short, strict=True))
