"""Model of the ledger: states, kinds, fates, ranks and the laws of conservation. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from operator import add
from typing import TYPE_CHECKING

from data_ingestion.errors import LawBroken
from data_ingestion.excerpts import shorten_line

if TYPE_CHECKING:
    from data_ingestion.drop_limits import Finding

# A drop is known by the SHA-256 of its bytes; what may follow in the ledger is a hash of what its path says.
HASH_BYTES = 32
# Lines of an error that are shown to a person: it may quote a file.
LINES_OF_ERROR = 20


class LoadState(StrEnum):
    """How far a load came. `started`, `failed` and `held` commit alone, `loaded` together with the data."""

    STARTED = "started"
    LOADED = "loaded"
    FAILED = "failed"
    HELD = "held"  # a correction that waits for a person's yes: nothing has changed
    ABANDONED = "abandoned"


class Kind(StrEnum):
    """What an object is to the ledger."""

    NEW = "new"
    CORRECTED = "corrected"
    DUPLICATE = "duplicate"
    LATE = "late"
    REPLAY = "replay"
    KNOWN = "known"
    WITHDRAWAL = "withdrawal"
    REBUILD = "rebuild"


class ObjectState(StrEnum):
    """How an object stands in the ledger."""

    SEEN = "seen"  # claimed by a contract, not loaded
    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"
    UNRESOLVED = "unresolved"  # no contract claims it


class Decision(StrEnum):
    """What a person has said of a correction that was held."""

    NONE = "held"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version of an object in force that did not take its place, and the contract it was checked under."""

    etag: str
    size: int
    decision: Decision
    fingerprint: str
    sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object with its row in the ledger: the version last dealt with, and the drop it holds if it is in force.

    `fingerprint` is that of the contract which the drop was loaded under. `held` is a correction of it that waits for a
    person, or was decided on.
    """

    key: str
    state: ObjectState
    etag: str
    size: int
    last_modified: datetime
    dataset: str | None
    _: KW_ONLY
    period: str = ""
    drop_id: int | None = None
    fingerprint: str = ""
    open_quarantine: bool = False
    is_gone: bool = False
    open_failure: bool = False  # bad rows of a later load that failed are open
    ranked_by: str | None = None  # the object that gives its drop its rank, another with the same bytes maybe
    held: HeldVersion | None = None


@dataclass(frozen=True)
class LedgerView:
    """What the ledger holds about the objects that were seen, and about a dataset's drops in force beside them.

    `newest` is the newest period in force that had begun by the last load: a file that says it is of next year makes
    none that comes after it late. It is asked for only where something seen is not in force. `twins` names, for an
    object seen in a version that is not in force under its own key, another in force of the same ETag and size. `alike`
    are the keys seen in a version as large as some drop that is in force or was withdrawn, where the ETags don't show
    whether it is that drop.
    """

    objects: Mapping[str, KnownObject] = field(default_factory=dict)
    newest: str = ""
    twins: Mapping[str, str] = field(default_factory=dict)
    alike: frozenset[str] = frozenset()


class MergePlan(StrEnum):
    """How the rows of a drop came into raw, or left it."""

    NOTHING = "nothing"  # the same version: no row moves
    COPY = "copy"  # into an empty table without its key, which is built last
    DIFFERENCE = "difference"  # one hash join with raw finds the few rows that differ
    MERGE = "merge"  # in the order of the key, by its index
    SETTLE = "settle"  # nothing read; rows change hands because a drop ranks otherwise now
    WITHDRAW = "withdraw"  # the rows of a drop that no object holds now leave raw
    REBUILD = "rebuild"  # raw and history are made again from the landing
    REKEY = "rekey"  # the same, by another key: incremental models that followed the old one have to be built whole


@dataclass(frozen=True)
class Fates:
    """How many rows of a drop met which fate, and what its load moved in raw."""

    read: int = 0
    quarantined: int = 0
    repeated: int = 0
    superseded: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    restored: int = 0
    withdrawn: int = 0

    def __add__(self, other: Fates) -> Fates:
        return Fates(*map(add, vars(self).values(), vars(other).values()))

    def describe(self) -> str:
        """`10 read = 8 inserted + 2 quarantined`, and what a correction took back or brought back."""
        counts = vars(self)
        parts = [
            f"{count:,} {name}"
            for name, count in counts.items()
            if count and name not in ("read", "restored", "withdrawn")
        ]
        moved = self.describe_moved()
        text = f"{self.read:,} read = {' + '.join(parts) or '0'}"
        return f"{text} ({moved})" if moved else text

    def describe_moved(self) -> str:
        """`2 withdrawn, 1 restored`; '' where no row left raw or came back."""
        moved = (("withdrawn", self.withdrawn), ("restored", self.restored))
        return ", ".join(f"{count:,} {name}" for name, count in moved if count)

    @property
    def accounted(self) -> int:
        """Rows with a fate; the first law says it is `read`."""
        return (
            self.quarantined + self.repeated + self.superseded + self.inserted + self.updated + self.unchanged
        )


def check_laws(fates: Fates, raw_before: int, raw_after: int) -> None:
    """The laws of conservation. Raises `LawBroken` where rows came from nowhere or went there."""
    if fates.read != fates.accounted:
        raise LawBroken(f"{fates.read} rows read, {fates.accounted} accounted for: {fates}")
    expected = raw_before + fates.inserted + fates.restored - fates.withdrawn
    if raw_after != expected:
        raise LawBroken(f"raw holds {raw_after} rows, by the fates it should hold {expected}: {fates}")


@dataclass(frozen=True)
class LoadReport:
    """One attempt to bring one drop in, as the ledger holds it."""

    dataset: str
    object_key: str
    kind: Kind
    state: LoadState
    _: KW_ONLY
    fates: Fates = Fates()
    attempt_id: int | None = None
    load_id: int | None = None
    drop_id: int | None = None
    sha256: str | None = None
    plan: MergePlan | None = None
    plan_reason: str | None = None
    raw_before: int | None = None
    raw_after: int | None = None
    seconds: float = 0.0
    error: str | None = None
    findings: tuple[Finding, ...] = ()

    def failure_message(self) -> str:
        """The error for a person, with the object it is about, which most errors name themselves.

        Bounded in length, since it may quote the file: each line of it, so that the way out is still read.
        """
        error = self.error or ""
        message = error if self.object_key in error.split("\n")[0] else f"{self.object_key}: {error}"
        lines = message.split("\n")
        shown = [shorten_line(line) for line in lines[:LINES_OF_ERROR]]
        left_out = [f"  … and {len(lines) - LINES_OF_ERROR:,} more lines"] * (len(lines) > LINES_OF_ERROR)
        return "\n".join([*shown, *left_out])

    @property
    def failure_kind(self) -> str:
        """The error without what differs from drop to drop, so that many with the same error are reported as one."""
        return re.sub(r"\d+", "9", (self.error or "").replace(self.object_key, ""))

    def ended(self, state: LoadState, **changes: object) -> LoadReport:
        """The report of the same attempt at its end."""
        return replace(self, state=state, **changes)  # type: ignore[arg-type]


def same_bytes(one: bytes | None, other: bytes | None) -> bool:
    """Whether two drops, by what the ledger knows them by, have equal bytes, whatever the paths of these say."""
    return one is not None and other is not None and one[:HASH_BYTES] == other[:HASH_BYTES]
