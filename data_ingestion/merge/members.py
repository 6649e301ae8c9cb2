"""Members: the drops that one merge brings in, and what became of the rows of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from data_ingestion.ledger.model import Fates, MergePlan


@dataclass(frozen=True)
class Member:
    """A drop that is merged: its place in the batch, its ids, and how many rows of it were staged.

    One that `corrects` has claims of an earlier reading, of which those that it does not renew end.
    """

    position: int
    drop_id: int
    load_id: int
    staged: int
    corrects: bool = False


@dataclass(frozen=True)
class Merged:
    """What a merge did: each drop's fates by its position, by which plan and why.

    `conflicts` are the rows of each drop that differ from a later one of the same key, `ended` the claims that a
    correction gave up.
    """

    fates: Mapping[int, Fates]
    plan: MergePlan
    reason: str
    conflicts: Mapping[int, int] = field(default_factory=dict)
    ended: Mapping[int, int] = field(default_factory=dict)


def complete_fates(counted: Mapping[str, int], plan: MergePlan, claims: int) -> Fates:
    """All fates of a drop's claims: those that were not computed are of the one kind that the plan leaves out."""
    counts = Counter(counted)
    counts["unchanged" if plan is MergePlan.DIFFERENCE else "inserted"] += claims - sum(counted.values())
    return Fates(
        superseded=counts["superseded"],
        inserted=counts["inserted"],
        updated=counts["updated"],
        unchanged=counts["unchanged"] + counts["taken_over"],
    )
