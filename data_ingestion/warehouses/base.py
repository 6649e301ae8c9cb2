"""What every warehouse must do for a load; one adapter each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from data_ingestion.checks import BadRow
from data_ingestion.contract import Contract
from data_ingestion.lake.files import Archived, DropVersion, LakeFile
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import KnownObject, LedgerView, LoadReport, ObjectState
from data_ingestion.plan import PlannedDrop
from data_ingestion.profiles.facts import Present, Profile, Relation


@dataclass(frozen=True)
class Staged:
    """What a stage holds: its rows, and whether no key can stand in it twice (False: it may)."""

    rows: int
    distinct: bool


@dataclass(frozen=True)
class DropRead:
    """What reading a drop to its end has shown."""

    sha256: bytes
    size: int
    read: int
    staged: Staged
    quarantined: int


@dataclass(frozen=True)
class BatchDrop:
    """A drop of a batch, and what reading it to its end has shown."""

    planned: PlannedDrop
    attempt_id: int
    position: int
    read: DropRead
    bad: Iterable[BadRow]


class Stage(Protocol):
    """Where the checked rows of one drop wait for their merge. Gone with its transaction."""

    def write(self, rows: Any, positions: Any = None) -> None:
        """Copies a record batch of checked rows in, in a shared stage with the position of each one's drop."""

    def finish(self) -> Staged:
        """Ends the copy; what the server took."""


class LakeLedger(Protocol):
    """What the ledger holds about the lake: files announced before they are written, and drops archived in them."""

    @property
    def is_lost(self) -> bool:
        """Whether the session is gone, so that nobody can tell what was committed last."""

    def exclusive(self, dataset: str) -> AbstractContextManager[None]:
        """One run a dataset at a time; another waits for its turn. Ends with the session at the latest."""

    def to_archive(self, dataset: str) -> list[DropVersion]:
        """The next versions of drops in force that no archive run has looked at, in the order of their loads."""

    def announce(self, files: Sequence[LakeFile]) -> list[LakeFile]:
        """Notes files that are to be written, before anything is; the files with their ids."""

    def record_archived(
        self, dataset: str, files: Sequence[LakeFile], archived: Sequence[Archived], load_id: int
    ) -> None:
        """Makes announced files part of the lake, with what is in them, and moves the mark to the load, all at once."""

    def record_joined(self, files: Sequence[LakeFile], joined: LakeFile) -> None:
        """Lets an announced file take the place of others at once. Those are still to be deleted."""

    def leftovers(self, dataset: str) -> list[LakeFile]:
        """Files that are no part of the lake and may still lie there: of runs that were cut off, or replaced."""

    def record_deleted(self, files: Sequence[LakeFile]) -> None:
        """Notes that leftovers lie there no more."""

    def files(self, dataset: str) -> list[LakeFile]:
        """The files that are the lake now."""


class ProfileLedger(Protocol):
    """Relations of the warehouse as they are, and what was found in them."""

    def look(self, relation: Relation) -> Present | None:
        """The relation as it is in the warehouse; None if it is not there, or not for this login to read."""

    def newest_mark(self, relation: Relation) -> str | None:
        """The mark of the relation's newest profile."""

    def profile(self, relation: Relation, present: Present) -> Profile:
        """Counts a relation. Values of columns that may not be shown never leave the server."""

    def record(self, profile: Profile) -> None:
        """Keeps a profile. What is masked now loses its values in earlier ones of the relation, too."""

    def newest(self, relations: Sequence[Relation]) -> list[Profile]:
        """The newest profile of each relation that has one, in their order."""


class Warehouse(Protocol):
    """A warehouse and the ledger in it, over one connection."""

    @property
    def lake(self) -> LakeLedger:
        """The lake's part of the ledger."""

    @property
    def profiles(self) -> ProfileLedger:
        """What was found in relations, and how to find it."""

    def one_moment(self) -> AbstractContextManager[None]:
        """A block in which all that is read is of one moment."""

    def read_gold(
        self, relation: str, columns: Sequence[str], order: Sequence[str], most: int | None
    ) -> list[tuple[Any, ...]]:
        """The first rows of a relation of gold in an order, nulls last; all of them where `most` is None.

        Raises `OperatorFault` where the relation or a column is not there, or not for this login to read.
        """

    def migrate(self) -> None:
        """Brings the ledger's tables to this version; does nothing when they are."""

    def read_only(self) -> None:
        """Instead of `migrate`: nothing can be written from now on, and a ledger that is not there yet is empty.

        Raises `OperatorFault` where the ledger is of another version.
        """

    def prepare(self, contract: Contract) -> None:
        """Makes or widens a dataset's raw tables; does nothing when they fit the contract.

        Raises `OperatorFault` where what is there can't be made to fit without losing data.
        """

    def known_objects(self, dataset: str, seen: Iterable[LandingObject]) -> LedgerView:
        """What the ledger holds about these objects; its cost follows their number, not that of all there are."""

    def newest_begun(self, dataset: str) -> str:
        """The newest period in force that had begun when something was loaded last; '' if there is none.

        A file that says it is of a later one tells nothing of how far the landing was looked at.
        """

    def pending_objects(self, contract: Contract) -> dict[str, ObjectState]:
        """The dataset's objects that lay there and are still to be dealt with, with their states.

        Those not loaded yet, and those in force under another contract; not those known to be gone.
        """

    def record_gone(self, keys: Iterable[str]) -> None:
        """Notes that objects lie on the landing no more. Seen again, they are there again."""

    def find_object(self, key: str) -> KnownObject | None:
        """An object's row in the ledger."""

    def similar_objects(self, key: str) -> list[str]:
        """Keys of a few known objects whose file has the same name."""

    def record_seen(self, dataset: str | None, seen: Iterable[LandingObject]) -> None:
        """Gives every object its ledger row; without a dataset it is unresolved."""

    def abandon_lost_attempts(self) -> int:
        """Closes attempts whose session is gone, and removes what they left; how many there were."""

    def attempts(self, drops: Sequence[PlannedDrop]) -> AbstractContextManager[list[int]]:
        """Attempts to load drops, recorded as started, by their ids; alive as long as this session is."""

    def transaction(self) -> AbstractContextManager[None]:
        """The one transaction in which a drop's rows, history, quarantine and ledger become true, or none of them."""

    def forget_attempts(self, attempt_ids: Sequence[int]) -> None:
        """Takes back attempts that came to nothing and will be made again: no effect, no failure."""

    def stage(self, contract: Contract, planned: PlannedDrop) -> AbstractContextManager[Stage]:
        """A new, empty stage for one drop, inside the transaction."""

    def shared_stage(self, contract: Contract) -> AbstractContextManager[Stage]:
        """A new, empty stage for several drops, which are told apart by their positions."""

    def bring_in(
        self, contract: Contract, planned: PlannedDrop, attempt_id: int, drop: DropRead, bad: Iterable[BadRow]
    ) -> LoadReport:
        """Merges the stage into raw and records it, inside the transaction.

        Takes the dataset's lock until the transaction ends. Raises `PlanStale` if the ledger has moved on since
        the drop was planned, `LawBroken` if rows don't add up.
        """

    def bring_in_known(
        self, contract: Contract, planned: PlannedDrop, attempt_id: int, sha256: bytes | None, size: int
    ) -> LoadReport | None:
        """Records an object whose bytes are in force already, with no row read; None if they are not.

        Without a hash, the bytes are those of the object that the plan names as its twin. Otherwise as `bring_in`.
        """

    def bring_in_together(
        self, contract: Contract, batch: Sequence[BatchDrop], staged: Staged
    ) -> list[LoadReport | None]:
        """Merges the shared stage into raw and records it, inside the transaction; a report a drop, in their order.

        They are all new, or all read again. None stands for one that is not new after all, or whose new reading has to
        do with other drops: nothing was done for it, it has to be loaded alone.
        """

    def withdraw(self, contract: Contract, planned: PlannedDrop, attempt_id: int) -> LoadReport:
        """Ends the object's hold on its drop and records it, inside the transaction.

        Takes the dataset's lock until the transaction ends. Rows that no other object in force holds leave raw, and
        what waited behind them comes back. Raises `LawBroken` if rows don't add up.
        """

    def undo_withdrawal(self, dataset: str, key: str) -> bool:
        """Has a withdrawn object loaded again by the next run, in the rank it had; whether it was withdrawn."""

    def record_failure(self, report: LoadReport, bad: Iterable[BadRow]) -> LoadReport:
        """Records a failed attempt with its counts and first bad rows, after the rollback."""

    def loads(self, dataset: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """The newest attempts, newest first."""

    def summary(self) -> list[dict[str, Any]]:
        """A row a dataset: objects, drops, rows in raw, open quarantine, last load."""

    def withdrawn(self, dataset: str | None = None) -> list[str]:
        """Keys of objects that were withdrawn."""

    def unresolved(self) -> list[str]:
        """Keys of objects that no contract claims, and that were there when last looked for."""

    def quarantined(
        self, dataset: str | None, load_id: int | None, *, everything: bool, limit: int
    ) -> list[dict[str, Any]]:
        """Quarantined rows, the open ones unless `everything` is asked for."""

    def unbuilt_datasets(self, domain: str, datasets: Sequence[str]) -> Mapping[str, int]:
        """Datasets whose newest load no build of the domain has included yet, with that load's id."""

    def record_build(self, domain: str, marks: Mapping[str, int]) -> None:
        """Notes that a domain's models now include each dataset up to the given load."""

    def close(self) -> None:
        """Ends the session."""
