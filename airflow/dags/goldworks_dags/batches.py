"""Batches: planned drops on their way from `discover` to the tasks that load them.

A batch travels as one message of its own (an XCom), which only its task fetches: a mapped task is handed the whole
list that it is mapped over, so that list names the batches and no more. Packed, a drop is about 40 bytes: of 20,000
drops, 5.2 MB as JSON, 0.8 MB travel.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from data_ingestion.plan import PlannedDrop

# A task costs two seconds before it does anything, so small drops share one. Past so many bytes or drops another
# task pays, on another worker.
BYTES_A_BATCH = 32 << 20
DROPS_A_BATCH = 500

# What a run takes at most, so that no message outgrows a megabyte; a landing with more is taken in by several runs.
DROPS_A_RUN = 1_000_000


class Ticket(TypedDict):
    """What a task gets to know of its batch before it fetches it."""

    message: str
    name: str


def cut(drops: Sequence[PlannedDrop]) -> list[list[PlannedDrop]]:
    """The drops as batches: as few as are worth a task each, and never more than 64."""
    from data_ingestion.grouping import MAX_BATCHES, cut_batches

    size = sum(drop.object.size for drop in drops)
    worth = max(ceil(size / BYTES_A_BATCH), ceil(len(drops) / DROPS_A_BATCH), 1)
    return cut_batches(drops, min(worth, MAX_BATCHES))


def ticket(number: int, batch: Sequence[PlannedDrop]) -> Ticket:
    """The ticket of a run's n-th batch, with the name that the grid of the web page shows."""
    first = batch[0].object.key
    name = first if len(batch) == 1 else f"{first} and {len(batch) - 1:,} more"
    return {"message": f"batch_{number:02}", "name": name}


def pack(batch: Iterable[PlannedDrop]) -> str:
    """A batch as a short text."""
    plain = [_without_nulls(drop.as_json()) for drop in batch]
    return b64encode(zlib.compress(json.dumps(plain).encode())).decode()


def unpack(packed: str) -> list[PlannedDrop]:
    """The drops of a batch, in their order."""
    from data_ingestion.plan import PlannedDrop

    return [PlannedDrop.from_json(plain) for plain in json.loads(zlib.decompress(b64decode(packed)))]


def _without_nulls(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, Mapping) else value
        for name, value in plain.items()
        if value is not None
    }
