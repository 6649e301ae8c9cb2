"""The warehouse that the loader works with: the ledger and the merge over a session; adapters add the rest.

What merges is imported when something is merged: most runs find nothing new.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from data_ingestion.engine.retry import until_committed
from data_ingestion.engine.session import Session
from data_ingestion.errors import OperatorFault
from data_ingestion.ledger import (
    KnownObject,
    LedgerView,
    LoadReport,
    ObjectState,
    decisions,
    loads,
    objects,
    quarantine,
)
from data_ingestion.ledger import faults as ledger_faults
from data_ingestion.merge.fit import TableFit

if TYPE_CHECKING:
    from data_ingestion.checks import BadRow
    from data_ingestion.contract import Contract
    from data_ingestion.drop_limits import KnownShapes
    from data_ingestion.engine.rebuilding import Rebuilding
    from data_ingestion.engine.staged import Stage, Staged
    from data_ingestion.faults import DatasetFault
    from data_ingestion.landing import LandingObject
    from data_ingestion.merge.drops import BatchDrop
    from data_ingestion.plan import PlannedDrop
    from data_ingestion.warehouses.raw_tables import RawTables


class Warehouse(ABC):
    """A warehouse and the ledger in it, over one session. Adapters say how tables are made and rows are staged."""

    session: Session
    is_made = True  # whether the ledger is there: a session that only reads may find none

    @abstractmethod
    def migrate(self) -> None:
        """Brings the ledger's tables to this version; does nothing when they are."""

    @abstractmethod
    def read_only(self) -> None:
        """Instead of `migrate`: nothing can be written from now on, and a ledger that is not there yet is empty.

        Raises `OperatorFault` where the ledger is of another version.
        """

    @property
    @abstractmethod
    def tables(self) -> RawTables:
        """Its raw tables."""

    def fit(self, contract: Contract) -> TableFit:
        """What `prepare` would do, or why it can't; changes nothing."""
        return self.tables.fit(contract) if self.is_made else TableFit(contract.dataset)

    def prepare(self, contract: Contract) -> tuple[str, ...]:
        """Makes or widens a dataset's raw tables, in one transaction; what was changed, in sentences.

        Raises `ContractFault` where what is there can't be made to fit without losing data: only a rebuild can.
        """
        return until_committed(
            self.session, lambda: self.tables.prepare(contract), f"preparing raw.{contract.dataset}"
        )

    @abstractmethod
    def rebuild(self, contract: Contract) -> AbstractContextManager[Rebuilding]:
        """The engine's part in a rebuild of the dataset. Raises `OperatorFault` where another session is at it."""

    @abstractmethod
    def stage(self, contract: Contract, planned: PlannedDrop) -> AbstractContextManager[Stage]:
        """A new, empty stage for one drop, inside the transaction."""

    @abstractmethod
    def shared_stage(self, contract: Contract) -> AbstractContextManager[Stage]:
        """A new, empty stage for several drops, which differ in their positions."""

    @abstractmethod
    def remove_abandoned(self) -> None:
        """Removes what loads and rebuilds have left that were cut off."""

    def known_objects(self, dataset: str, seen: Iterable[LandingObject]) -> LedgerView:
        """What the ledger holds about these objects; its cost follows their number, not that of all there are."""
        return objects.known_objects(self.session, dataset, seen) if self.is_made else LedgerView()

    def newest_begun(self, dataset: str) -> str:
        """The newest period in force that had begun when something was loaded last; '' if there is none.

        A file that says it is of a later one tells nothing of how far the landing was looked at.
        """
        return objects.newest_begun(self.session, dataset) if self.is_made else ""

    def pending_objects(self, contract: Contract) -> dict[str, ObjectState]:
        """The dataset's objects that lay there and are still to be dealt with, with their states.

        Those not loaded yet, and those in force under another contract; not those known to be gone.
        """
        return objects.pending_objects(self.session, contract) if self.is_made else {}

    def record_gone(self, keys: Iterable[str]) -> None:
        """Notes that objects lie on the landing no more. Seen again, they are there again."""
        objects.record_gone(self.session, keys)

    def find_object(self, key: str) -> KnownObject | None:
        """An object's row in the ledger."""
        return objects.find_object(self.session, key)

    def similar_objects(self, key: str) -> list[str]:
        """Keys of a few known objects whose file has the same name."""
        return objects.similar_objects(self.session, key)

    def record_seen(self, dataset: str | None, seen: Iterable[LandingObject]) -> None:
        """Gives every object its ledger row; without a dataset it is unresolved."""
        objects.record_seen(self.session, dataset, seen)

    def record_faults(
        self, step: str, datasets: Sequence[str] | None, faults: Sequence[DatasetFault]
    ) -> None:
        """Notes what kept datasets out of a step (`contract`, `discover` or `load`); what is not among it is mended.

        The step was tried for `datasets`; None stands for all there are.
        """
        ledger_faults.record_faults(self.session, step, datasets, faults)

    def faults(self) -> list[dict[str, Any]]:
        """What keeps datasets out at present, by domain and dataset."""
        return ledger_faults.faults(self.session)

    def abandon_lost_attempts(self) -> int:
        """Closes attempts whose session is gone, and removes what they left; how many there were."""
        self.remove_abandoned()
        return loads.abandon_lost_attempts(self.session)

    @contextmanager
    def attempts(self, drops: Sequence[PlannedDrop]) -> Iterator[list[int]]:
        """Attempts to load drops, recorded as started, by their ids; alive as long as this session is."""
        attempt_ids = loads.start_attempts(self.session, drops)
        try:
            yield attempt_ids
        finally:
            self.session.release_attempts(attempt_ids)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The one transaction in which a drop's rows, history, quarantine and ledger become true, or none of them."""
        try:
            with self.session.transaction():
                yield
        except BaseException:
            with suppress(OperatorFault):  # of a lost session, the next command does it
                self.remove_abandoned()
            raise

    def forget_attempts(self, attempt_ids: Sequence[int]) -> None:
        """Takes back attempts that came to nothing and will be made again: no effect, no failure."""
        loads.forget_attempts(self.session, attempt_ids)

    def load_batch(
        self, contract: Contract, batch: Sequence[BatchDrop], staged: Staged
    ) -> list[LoadReport | None]:
        """Merges a stage into raw and records it, inside the transaction; a report a drop, in their order.

        Takes the dataset's lock until the transaction ends. None stands for a drop that has to be loaded alone: nothing
        was done for it. Of a drop alone it raises `PlanStale` if the ledger has moved on since the drop was planned,
        `DropRefused` if its rows contradict each other, `DropHeld` for a correction that would withdraw most of its
        object's rows and was not accepted; always `LawBroken` if rows don't add up.
        """
        from data_ingestion.merge.load import load_batch

        return load_batch(self.session, contract, batch, staged)

    def load_known(
        self, contract: Contract, planned: PlannedDrop, attempt_id: int, sha256: bytes | None, size: int
    ) -> LoadReport | None:
        """Records an object whose bytes are in force already, with no row read; None if they are not.

        Without a hash, the bytes are those of the object that the plan names as its twin. Otherwise as `load_batch`.
        """
        from data_ingestion.merge.load import load_known

        return load_known(self.session, contract, planned, attempt_id, sha256, size)

    def withdraw(
        self, contract: Contract, planned: PlannedDrop, attempt_id: int, sha256: bytes | None
    ) -> LoadReport:
        """Ends the object's hold on its drop and records it, inside the transaction.

        Of an object that holds none, the planned version is the one withdrawn, whose bytes have the hash.
        Takes the dataset's lock until the transaction ends. Rows that no other object in force holds leave raw, and
        what waited behind them comes back. Raises `LawBroken` if rows don't add up.
        """
        from data_ingestion.merge import withdraw

        return withdraw.withdraw(self.session, contract, planned, attempt_id, sha256)

    def undo_withdrawal(self, dataset: str, key: str) -> bool:
        """Has a withdrawn object loaded again by the next run, in the rank it had; whether it was withdrawn."""
        from data_ingestion.merge import withdraw

        return withdraw.undo_withdrawal(self.session, dataset, key)

    def record_failure(self, report: LoadReport, planned: PlannedDrop, bad: Iterable[BadRow]) -> LoadReport:
        """Records a failed attempt with its counts and first bad rows, after the rollback.

        Takes the dataset's lock, as a load that takes effect does. Raises `PlanStale`, with the attempt taken back, if
        the planned version has been withdrawn meanwhile: nothing of it is recorded.
        """
        from data_ingestion.merge import unloaded

        return unloaded.record_failure(self.session, report, planned, list(bad))

    def record_held(
        self,
        contract: Contract,
        planned: PlannedDrop,
        report: LoadReport,
        sha256: bytes,
        bad: Iterable[BadRow],
    ) -> LoadReport:
        """Records a correction that waits for a person, as `record_failure` does; no run reads this version again."""
        from data_ingestion.merge import unloaded

        return unloaded.record_held(self.session, contract, planned, report, sha256, list(bad))

    def known_shapes(self, contract: Contract) -> KnownShapes:
        """Whether a drop came in under this contract, and which shapes of text a person has accepted."""
        return decisions.known_shapes(self.session, contract)

    def accept(self, dataset: str, key: str) -> bool:
        """Accepts the object's held correction, and the shapes of text found in it; whether there was either."""
        return decisions.accept(self.session, dataset, key)

    def forget_rejection(self, dataset: str, key: str) -> bool:
        """Has the next run judge a rejected correction again; whether one was rejected."""
        return decisions.forget_rejection(self.session, dataset, key)

    def held(self, dataset: str | None = None) -> list[dict[str, Any]]:
        """Corrections that wait for a person, were accepted and not loaded yet, or were rejected."""
        return decisions.held(self.session, dataset)

    def open_findings(self, dataset: str | None = None) -> list[dict[str, Any]]:
        """Columns that lost many rows to texts of one shape, not accepted yet."""
        return decisions.open_findings(self.session, dataset)

    def close_finding(self, finding_id: int) -> None:
        """The contract knows the shape by now."""
        decisions.close_finding(self.session, finding_id)

    def conflicts(
        self, dataset: str | None = None, load_id: int | None = None, *, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Rows that a later row of their drop with the same key replaced."""
        return decisions.conflicts(self.session, dataset, load_id, limit)

    def loads(self, dataset: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """The newest attempts, newest first."""
        return loads.loads(self.session, dataset, limit)

    def summary(self) -> list[dict[str, Any]]:
        """A row a dataset: objects, drops, rows in raw, open quarantine, last load."""
        return loads.summary(self.session)

    def withdrawn(self, dataset: str | None = None) -> list[str]:
        """Keys of objects that were withdrawn."""
        return objects.withdrawn(self.session, dataset)

    def unresolved(self) -> list[str]:
        """Keys of objects that no contract claims, and that were there when last looked for."""
        return objects.unresolved(self.session)

    def quarantined(
        self,
        dataset: str | None = None,
        load_id: int | None = None,
        *,
        everything: bool = False,
        limit: int = 100,
    ) -> list[dict[str, Any]]:
        """Quarantined rows, the open ones unless `everything` is asked for."""
        return quarantine.quarantined(self.session, dataset, load_id, everything, limit)

    def unbuilt_datasets(self, domain: str, datasets: Sequence[str]) -> Mapping[str, int]:
        """Datasets whose newest load no build of the domain has included yet, with that load's id."""
        return loads.unbuilt_datasets(self.session, domain, datasets)

    def record_build(self, domain: str, marks: Mapping[str, int]) -> None:
        """Notes that a domain's models now include each dataset up to the given load."""
        loads.record_build(self.session, domain, marks)

    def query_as_of(self, load_id: int, query: str) -> list[dict[str, Any]]:
        """What a query returns of the warehouse as it was right after a load.

        Raises `OperatorFault` for a load that is not known, and where the warehouse keeps nothing of its past.
        """
        raise OperatorFault(
            "this warehouse does not keep what it was after each load\n  a DuckLake does: give a --warehouse ducklake:…"
        )

    def close(self) -> None:
        """Ends the session."""
        self.session.close()
