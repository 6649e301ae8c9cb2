"""Listing: which folders of the landing a run looks into. Pure: patterns and times in, decisions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from data_ingestion.contract import Contract
from data_ingestion.contract.pattern import Reach, start_of
from data_ingestion.landing import Walk


@dataclass(frozen=True)
class Listing:
    """What a run lists: what its contracts may claim, and with `whole_landing` also what none does.

    Not listed are folders that hold only periods older than a contract's window (`since`, by dataset), and folders
    that the contracts of other domains name (`neighbours`), since their own runs list them. Folders with unfinished
    business (`pending`) are listed in any case, those of the platform itself (`reserved`) in none.
    """

    contracts: Sequence[Contract]
    neighbours: Sequence[Contract] = ()
    since: Mapping[str, str] = field(default_factory=dict)
    pending: Iterable[str] = ()
    whole_landing: bool = True
    reserved: tuple[str, ...] = ()

    @property
    def starts(self) -> list[str]:
        """The folders to begin at; none lies in another."""
        if self.whole_landing:
            return [""]
        prefixes = {prefix for contract in self.contracts for prefix in contract.prefixes}
        return sorted(
            prefix
            for prefix in prefixes
            if not any(prefix != other and prefix.startswith(other) for other in prefixes)
        )

    def choose(self, folder: str) -> Walk:
        """Whether a folder is listed, and whether its folders have to be asked about."""
        if self.is_reserved(folder):
            return Walk.SKIP
        how = self._choose(folder)
        if how is Walk.SKIP and folder in self._with_pending:
            return Walk.DEEPER
        return how

    def covers(self, key: str) -> bool:
        """Whether an object would have been listed, had it been there."""
        for start in self.starts:
            if key.startswith(start):
                for folder in _folders_of(key, start):
                    how = self.choose(folder)
                    if how is not Walk.DEEPER:
                        return how is Walk.WHOLE
                return True
        return False

    def is_reserved(self, key: str) -> bool:
        """Whether an object or a folder lies where the platform writes, so that no one has delivered it."""
        return bool(self.reserved) and key.startswith(self.reserved)

    def _choose(self, folder: str) -> Walk:
        reaches = {
            contract.reach(folder, self.since.get(contract.dataset, "")) for contract in self.contracts
        }
        found = max(reaches, default=Reach.NONE)
        if Reach.SOME in reaches:  # what all of is wanted of one contract may hold old folders of another
            return Walk.DEEPER
        if found is Reach.ALL:
            return Walk.DEEPER if self._is_shared(folder) else Walk.WHOLE
        if found is Reach.OLD or not self.whole_landing or self._is_neighbours(folder):
            return Walk.SKIP
        return Walk.DEEPER if self._is_shared(folder) else Walk.WHOLE

    def _is_shared(self, folder: str) -> bool:
        """Whether a folder that a neighbour names lies deeper, and is to be passed over."""
        return any(prefix != folder and prefix.startswith(folder) for prefix in self._others)

    def _is_neighbours(self, folder: str) -> bool:
        return any(folder.startswith(prefix) for prefix in self._others) and not any(
            folder.startswith(prefix) for prefix in self._own
        )

    @cached_property
    def _own(self) -> set[str]:
        return {prefix for contract in self.contracts for prefix in contract.prefixes} - {""}

    @cached_property
    def _others(self) -> set[str]:
        return {prefix for contract in self.neighbours for prefix in contract.prefixes} - {""}

    @cached_property
    def _with_pending(self) -> set[str]:
        """Every folder with unfinished business, and those above it."""
        return {above for folder in self.pending for above in _folders_of(folder, "")}


def window_start(contract: Contract, now: datetime, newest: str) -> str:
    """The moment from which on a contract has its periods listed again; '' for all of them.

    It is counted back from now, or from the newest period loaded where that is older: the clock behind a source's
    folders may be hours behind ours, and after a time without runs nothing since the last one is passed over.
    `newest` is the newest that had begun by the last load (`Warehouse.newest_begun`), so that a file that says it is of
    next year does not shorten the window of all who come before it.
    """
    if contract.recheck is None or not newest:  # the first load takes all there is
        return ""
    return min(contract.recheck.since(now), contract.recheck.since(start_of(newest)))


def _folders_of(key: str, start: str) -> Iterator[str]:
    """The folders from `start` down to the one that a key lies in; of a folder, down to itself."""
    yield start
    at = key.find("/", len(start))
    while at >= 0:
        yield key[: at + 1]
        at = key.find("/", at + 1)
