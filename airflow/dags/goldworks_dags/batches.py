"""Batches: planned drops on their way from `discover` to the tasks that load them, as small JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_ingestion.plan import PlannedDrop

Batch = list[dict[str, Any]]

# A task costs two seconds before it does anything, so small drops share one. Past so many bytes or drops another
# task pays, on another worker.
BYTES_A_BATCH = 32 << 20
DROPS_A_BATCH = 200


def cut(drops: Sequence[PlannedDrop]) -> list[list[PlannedDrop]]:
    """The drops as batches: as few as are worth a task each, and never more than 64."""
    from data_ingestion.plan import MAX_BATCHES, cut_batches

    size = sum(drop.object.size for drop in drops)
    worth = max(ceil(size / BYTES_A_BATCH), ceil(len(drops) / DROPS_A_BATCH), 1)
    return cut_batches(drops, min(worth, MAX_BATCHES))


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
