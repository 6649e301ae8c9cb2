"""Grouping: which planned drops share a transaction, and which share a task. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from data_ingestion.plan import PlannedDrop

MAX_BATCHES = 64
# A drop up to that size shares its transaction with others, so many of them and so many bytes at most. Each holds
# one of the server's locks meanwhile, of which there are some 14,000 by default: enough for several such loads at once.
SMALL_BYTES, MOST_TOGETHER, TOGETHER_BYTES = 4 << 20, 1000, 32 << 20


def cut_batches(drops: Sequence[PlannedDrop], limit: int = MAX_BATCHES) -> list[list[PlannedDrop]]:
    """The drops in at most `limit` runs of neighbours, of nearly equal bytes, in their order."""
    if not drops:
        return []
    total, batches, filled = (
        sum(drop.object.size + 1 for drop in drops),
        [[drops[0]]],
        drops[0].object.size + 1,
    )
    for drop in drops[1:]:
        if len(batches) < limit and (len(drops) <= limit or filled >= total * len(batches) / limit):
            batches.append([])
        batches[-1].append(drop)
        filled += drop.object.size + 1
    return batches


def group_drops(drops: Iterable[PlannedDrop]) -> Iterator[list[PlannedDrop]]:
    """Drops by batches, each for one transaction: small ones that follow each other together, others alone.

    Together are new ones, or such as take the place of others.
    """
    together: list[PlannedDrop] = []
    filled = 0
    for planned in drops:
        size = planned.object.size
        if not (planned.is_new or planned.replaces) or size > SMALL_BYTES:
            if together:
                yield together
            yield [planned]
            together, filled = [], 0
            continue
        is_full = len(together) >= MOST_TOGETHER or filled + size > TOGETHER_BYTES
        if together and (is_full or planned.replaces is not together[0].replaces):
            yield together
            together, filled = [], 0
        together.append(planned)
        filled += size
    if together:
        yield together
