"""Drops of a batch: what reading them has shown, how their objects stand, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from data_ingestion.checks import BadRow
from data_ingestion.drop_limits import Finding
from data_ingestion.engine.staged import Staged
from data_ingestion.ledger.model import Decision, Fates, Kind, MergePlan, same_bytes
from data_ingestion.merge.identify import Action, Standing
from data_ingestion.merge.record import Bytes, Entry
from data_ingestion.plan import PlannedDrop


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
    bad: Iterable[BadRow] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a drop."""

    fates: Fates
    kind: Kind
    plan: MergePlan
    reason: str
    drop_id: int | None
    is_rejected: bool = False  # a correction that a person has rejected: it was only touched


@dataclass(frozen=True)
class LoadingDrop:
    """A drop of the batch with how its object stands, what follows, and its ids."""

    batch: BatchDrop
    standing: Standing
    action: Action
    drop_id: int = 0
    load_id: int = 0

    @property
    def planned(self) -> PlannedDrop:
        return self.batch.planned

    @property
    def key(self) -> str:
        return self.batch.planned.object.key

    @property
    def decision(self) -> Decision | None:
        """What a person has said of these bytes as a correction of this object."""
        is_meant = same_bytes(self.standing.decided, self.batch.read.sha256)
        return self.standing.decision if is_meant else None

    @property
    def entry(self) -> Entry:
        read = self.batch.read
        return Entry(
            self.planned,
            self.standing,
            self.action,
            Bytes(read.sha256, read.size),
            self.drop_id,
            self.load_id,
        )
