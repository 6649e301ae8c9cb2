"""Batches: planned drops on their way from `discover` to the tasks that load them, as small JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_ingestion.plan import PlannedDrop

Batch = list[dict[str, Any]]


def pack(batches: Iterable[Sequence[PlannedDrop]]) -> list[Batch]:
    """Batches as plain values. What is null is left out: a run may carry ten thousand drops."""
    return [[_without_nulls(drop.as_json()) for drop in batch] for batch in batches]


def unpack(batch: Iterable[Mapping[str, Any]]) -> list[PlannedDrop]:
    """The drops of a batch, in their order."""
    from data_ingestion.plan import PlannedDrop

    return [PlannedDrop.from_json(plain) for plain in batch]


def _without_nulls(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, Mapping) else value
        for name, value in plain.items()
        if value is not None
    }
