"""Key: which columns of a sample tell its rows apart, with the evidence for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.contract import LogicalType
from data_ingestion.draft.infer import CODES, ColumnDraft

# Fewer rows show nothing.
LEAST_ROWS = 3
# Columns of which pairs are tried.
MOST_PAIRED = 12
SEPARATOR = "\x1f"


@dataclass(frozen=True)
class KeyDraft:
    """The headers of the key's columns, with the evidence; no headers if only the whole row is unique.

    Without evidence a person has decided it.
    """

    headers: tuple[str, ...]
    evidence: str


def find_key(drafts: Sequence[ColumnDraft], columns: Mapping[str, Any], rows: int) -> KeyDraft:
    """The likeliest key. In a small sample a column may be unique by chance, which is why the evidence is given."""
    if rows < LEAST_ROWS:
        return KeyDraft((), f"{rows} rows are too few to see a key in")
    able = [draft for draft in drafts if not draft.nulls and not draft.is_float]
    unique = [draft for draft in able if _distinct(columns[draft.header]) == rows]
    named = [draft for draft in unique if CODES.search(draft.column.name)]
    chosen = named or [draft for draft in unique if draft.column.type is LogicalType.STRING]
    if chosen:
        others = [f"'{draft.column.name}'" for draft in unique if draft is not chosen[0]]
        also = f"; so {'is' if len(others) == 1 else 'are'} {', '.join(others)}" if others else ""
        return KeyDraft((chosen[0].header,), f"unique in {rows:,} rows{also}")
    pairs = able[:MOST_PAIRED]
    for first, second in sorted(
        combinations(pairs, 2), key=lambda pair: -sum(bool(CODES.search(draft.column.name)) for draft in pair)
    ):
        joined = pc.binary_join_element_wise(columns[first.header], columns[second.header], SEPARATOR)
        if _distinct(joined) == rows:
            return KeyDraft(
                (first.header, second.header), f"together unique in {rows:,} rows; neither is alone"
            )
    return KeyDraft((), f"no column and no pair of columns is unique in {rows:,} rows")


def _distinct(texts: Any) -> int:
    return len(pc.unique(pc.drop_null(texts) if isinstance(texts, pa.Array) else texts))
