"""Stages: where checked rows wait for their merge, and what one holds once it is filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class DirectCopy:
    """A drop that was copied straight into raw: the ids of its rows, the name of raw's key, what was moved before."""

    drop_id: int
    load_id: int
    key_name: str
    moved_before: int | None


@dataclass(frozen=True)
class Staged:
    """What a stage holds: its rows, whether no key can stand in it twice (False: it may), and its name in statements.

    With `direct`, it is raw itself. One that `outlives_transaction` has to be dropped.
    """

    rows: int
    distinct: bool
    table: str = ""
    direct: DirectCopy | None = None
    outlives_transaction: bool = False


class Stage(Protocol):
    """Where the checked rows of one drop wait for their merge. Gone with its transaction."""

    def write(self, rows: Any, positions: Any = None) -> None:
        """Copies a record batch of checked rows in, in a shared stage with the position of each one's drop."""

    def finish(self) -> Staged:
        """Ends the copy; what the server took."""
