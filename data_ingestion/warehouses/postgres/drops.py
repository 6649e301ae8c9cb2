"""Drops on Postgres: what an object that was read is to the ledger now, and what follows for raw."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import Connection, sql

from data_ingestion.contract import Contract
from data_ingestion.errors import ContractFault, PlanStale
from data_ingestion.ledger import Fates, Kind, MergePlan, check_laws
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.base import DropRead, Staged
from data_ingestion.warehouses.postgres.claims import Claims
from data_ingestion.warehouses.postgres.holders import let_go, rank
from data_ingestion.warehouses.postgres.ledger import (
    draw_drop_id,
    draw_load_id,
    open_dataset,
    record_raw_rows,
    rows_moved,
)
from data_ingestion.warehouses.postgres.members import Member
from data_ingestion.warehouses.postgres.merge import Merge
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.warehouses.postgres.session import by_order
from data_ingestion.warehouses.postgres.straight import StagedStraight, StraightCopy, build_key
from data_ingestion.warehouses.postgres.tables import RawTable, drop_stage, staged_rows
from data_ingestion.warehouses.postgres.withdrawal import stays_withdrawn


@dataclass(frozen=True)
class BroughtIn:
    """What bringing a drop in has done."""

    load_id: int
    drop_id: int | None
    kind: Kind
    fates: Fates
    plan: MergePlan
    plan_reason: str
    raw_before: int
    raw_after: int


def bring_in(
    connection: Connection, contract: Contract, planned: PlannedDrop, drop: DropRead, limits: PlanLimits
) -> BroughtIn:
    """Makes the staged drop true for its object, in the caller's transaction, under the dataset's lock.

    Raises `PlanStale` if another loader has changed the object's
    ledger row since the plan was made, and `LawBroken` if rows don't add up.
    """
    table = RawTable(contract)
    raw_before = open_dataset(connection, contract)
    held = held_object(connection, planned)
    straight = drop.staged.copy if isinstance(drop.staged, StagedStraight) else None
    moved_before = straight.moved_before if straight else rows_moved(connection, table.name)
    load_id = straight.load_id if straight else draw_load_id(connection)
    bringing = _Bringing(connection, table, planned, drop, load_id, raw_before, limits, straight)
    if is_known(connection, contract, planned, held, drop.sha256):
        if straight:  # raw is empty though such bytes were loaded before: there is nothing in them
            connection.execute(sql.SQL("delete from {}").format(table.name))
            build_key(connection, table, straight)
        outcome = bringing.known_content(held)
    else:
        outcome = bringing.new_content(held)
    drop_stage(connection, drop.staged)
    return _close(connection, table, load_id, outcome, raw_before, moved_before)


def bring_in_known(
    connection: Connection, contract: Contract, planned: PlannedDrop, sha256: bytes | None, size: int
) -> tuple[BroughtIn, DropRead] | None:
    """The same for an object of which no row has been read, if its bytes are known; else None, and nothing done."""
    table = RawTable(contract)
    raw_before = open_dataset(connection, contract)
    held = held_object(connection, planned)
    sha256 = sha256 or _hash_of_twin(connection, planned)
    if planned.kind is Kind.REPLAY or not is_known(connection, contract, planned, held, sha256):
        return None
    moved_before = rows_moved(connection, table.name)
    drop = DropRead(sha256, size, 0, Staged(0, distinct=True), 0)
    load_id = draw_load_id(connection)
    bringing = _Bringing(connection, table, planned, drop, load_id, raw_before, PlanLimits(), None)
    if held is not None and held.sha256 == sha256 and not bringing.is_as_loaded(held):
        return None
    return _close(connection, table, load_id, bringing.known_content(held), raw_before, moved_before), drop


def _close(
    connection: Connection,
    table: RawTable,
    load_id: int,
    outcome: Outcome,
    raw_before: int,
    moved_before: int,
) -> BroughtIn:
    """Holds what was done against the server's own count of rows."""
    fates, kind, plan, reason, drop_id = outcome
    raw_after = raw_before + rows_moved(connection, table.name) - moved_before
    check_laws(fates, raw_before, raw_after)
    record_raw_rows(connection, table.contract.dataset, raw_after)
    return BroughtIn(load_id, drop_id, kind, fates, plan, reason, raw_before, raw_after)


@dataclass(frozen=True)
class Held:
    """The drop that the object holds in force."""

    drop_id: int
    sha256: bytes
    fingerprint: str
    period: str
    holders: int


Outcome = tuple[Fates, Kind, MergePlan, str, int | None]


@dataclass(frozen=True)
class _Bringing:
    connection: Connection
    table: RawTable
    planned: PlannedDrop
    drop: DropRead
    load_id: int
    raw_before: int
    limits: PlanLimits
    straight: StraightCopy | None

    def known_content(self, held: Held | None) -> Outcome:
        """Bytes that are in force, under this key or another, or that were withdrawn under it."""
        if held is not None and held.sha256 == self.drop.sha256:
            return self.same_bytes(held)
        twin = find_twin(self.connection, self.table.contract, self.drop.sha256)
        withdrawn = held is None and stays_withdrawn(
            self.connection, self.planned.dataset, self.planned.object.key, self.drop.sha256
        )
        return self.withdrawn_bytes() if withdrawn or twin is None else self.join_twin(twin, held)

    def is_as_loaded(self, held: Held) -> bool:
        """Whether the contract makes of the drop what it made of it when it was loaded."""
        return (held.fingerprint, held.period) == (self.table.contract.fingerprint, self.planned.period)

    def same_bytes(self, held: Held) -> Outcome:
        """The object was touched, or its contract has changed."""
        if self.is_as_loaded(held) and self.planned.kind is not Kind.REPLAY:
            self._set_object(held.drop_id, same_bytes=True)
            return Fates(), Kind.KNOWN, MergePlan.NOTHING, "the bytes are those in force", held.drop_id
        self._set_drop(held.drop_id)
        self._set_object(held.drop_id, same_bytes=True)
        fates, plan, reason = self._merge(held.drop_id, corrects=True)
        # A changed pattern may have moved the drop to another period.
        self._claims(held.drop_id).settle()
        return fates, Kind.REPLAY, plan, f"same bytes, {self.planned.reason}; {reason}", held.drop_id

    def withdrawn_bytes(self) -> Outcome:
        """A withdrawn object was touched: it stays withdrawn, and the next plan knows this version."""
        seen = self.planned.object
        self.connection.execute(
            "update ops.objects set etag = %s, last_modified = %s where object_key = %s",
            [seen.etag, seen.last_modified, seen.key],
        )
        return Fates(), Kind.KNOWN, MergePlan.NOTHING, "the bytes are those that were withdrawn", None

    def join_twin(self, twin: int, held: Held | None) -> Outcome:
        """Another object holds this content already: one drop, which may rank higher now."""
        self._set_object(twin)
        fates = self._leave(held.drop_id) if held else Fates()
        rank(self.connection, twin)
        settled = self._claims(twin).settle()
        reason = "another object holds the same bytes"
        if settled:
            return (
                fates,
                Kind.DUPLICATE,
                MergePlan.SETTLE,
                f"{reason}; rows it now comes first in: {settled:,}",
                twin,
            )
        # Leaving the drop it held before may have moved rows, too.
        plan = MergePlan.NOTHING if held is None else MergePlan.SETTLE
        return fates, Kind.DUPLICATE, plan, reason, twin

    def new_content(self, held: Held | None) -> Outcome:
        """Bytes that no object holds: a new drop, or the correction of one that only this object held."""
        kind = self.planned.kind if held is None else Kind.CORRECTED
        if held is not None and held.holders == 1:
            # The drop keeps its id, so what the correction leaves as it was is not rewritten.
            self._set_drop(held.drop_id)
            self._set_object(held.drop_id)
            fates, plan, reason = self._merge(held.drop_id, corrects=True)
            if held.period != self.planned.period:  # so has the pattern, and the drop may rank lower now
                self._claims(held.drop_id).settle()
            return fates, kind, plan, f"corrected in place; {reason}", held.drop_id
        drop_id = self._new_drop()
        self._set_object(drop_id)
        left = self._leave(held.drop_id) if held else Fates()
        fates, plan, reason = self._merge(drop_id, corrects=False)
        told = "parts from the drop it shared" if held else self.planned.reason
        return left + fates, kind, plan, f"{told}; {reason}", drop_id

    def _merge(self, drop_id: int, *, corrects: bool) -> tuple[Fates, MergePlan, str]:
        rank(self.connection, drop_id)
        member = Member(0, drop_id, self.load_id, self.drop.staged.rows)
        merge = Merge(self.connection, self.table, [member], staged_rows(self.drop.staged), self.limits)
        if self.straight:
            merged = merge.finish_straight(self.straight)
        else:
            merged = merge.merge(self.raw_before, corrects=corrects)
        read = Fates(read=self.drop.read, quarantined=self.drop.quarantined)
        return merged.fates[0] + read, merged.plan, merged.reason

    def _claims(self, drop_id: int) -> Claims:
        return Claims(self.connection, self.table, drop_id, self.load_id)

    def _leave(self, drop_id: int) -> Fates:
        return let_go(self._claims(drop_id), self.planned.object.key)[0]

    def _new_drop(self) -> int:
        seen, contract = self.planned.object, self.table.contract
        drop_id = self.straight.drop_id if self.straight else draw_drop_id(self.connection)
        self.connection.execute(
            """insert into ops.drops (drop_id, dataset, sha256, size_bytes, fingerprint, load_id,
                                      rank_period, rank_delivered_at, rank_object_key)
               overriding system value values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [drop_id, contract.dataset, self.drop.sha256, self.drop.size, contract.fingerprint, self.load_id,
             self.planned.period, seen.last_modified, seen.key],
        )  # fmt: skip
        return drop_id

    def _set_drop(self, drop_id: int) -> None:
        self.connection.execute(
            "update ops.drops set sha256 = %s, size_bytes = %s, fingerprint = %s, load_id = %s where drop_id = %s",
            [self.drop.sha256, self.drop.size, self.table.contract.fingerprint, self.load_id, drop_id],
        )

    def _set_object(self, drop_id: int, *, same_bytes: bool = False) -> None:
        """The object holds this drop in the version seen. Its delivery time moves only with its content, never back."""
        seen = self.planned.object
        self.connection.execute(
            """insert into ops.objects as o (object_key, dataset, period, state, etag, size_bytes,
                                             last_modified, delivered_at, drop_id)
               values (%(key)s, %(dataset)s, %(period)s, 'in_force', %(etag)s, %(size)s,
                       %(modified)s, %(modified)s, %(drop)s)
               on conflict (object_key) do update set
                   dataset = excluded.dataset, period = excluded.period, state = 'in_force', etag = excluded.etag,
                   size_bytes = excluded.size_bytes, last_modified = excluded.last_modified, drop_id = excluded.drop_id,
                   delivered_at = case when %(same)s or o.withdrawn_sha256 = %(sha256)s then o.delivered_at
                                       when o.state = 'in_force' then greatest(o.delivered_at, excluded.delivered_at)
                                       else excluded.delivered_at end,
                   withdrawn_sha256 = null, gone_at = null""",
            {"key": seen.key, "dataset": self.table.contract.dataset, "period": self.planned.period, "etag": seen.etag,
             "size": seen.size, "modified": seen.last_modified, "drop": drop_id,
             "same": same_bytes, "sha256": self.drop.sha256},
        )  # fmt: skip


def held_object(connection: Connection, planned: PlannedDrop) -> Held | None:
    """The drop that the planned object holds in force. Raises `PlanStale` if that is not what the plan was made on."""
    row = connection.execute(
        """select o.etag, o.dataset, d.drop_id, d.sha256, d.fingerprint, o.period,
                  (select count(*) from ops.objects h where h.drop_id = d.drop_id)
           from ops.objects o join ops.drops d using (drop_id) where o.object_key = %s""",
        [planned.object.key],
    ).fetchone()
    if row and row[1] != planned.dataset:
        raise ContractFault(
            f"{planned.object.key}: its rows are in raw.{row[1]}, and a pattern now gives it to '{planned.dataset}'\n"
            f"  take them out of there with `goldworks withdraw {planned.object.key}` and load again, "
            f"or let the pattern of '{row[1]}' alone match it"
        )
    if (row[0] if row else None) != planned.ledger_etag:
        raise PlanStale(f"{planned.object.key}: another load has changed its ledger row since it was planned")
    return Held(row[2], bytes(row[3]), *row[4:]) if row else None


def find_twin(connection: Connection, contract: Contract, sha256: bytes) -> int | None:
    """The drop in force that has these bytes."""
    with by_order(connection):
        row = connection.execute(
            """select drop_id, sha256 from ops.drops where dataset = %s and sha256 >= %s and ended_at is null
               order by sha256 limit 1""",
            [contract.dataset, sha256],
        ).fetchone()
    return int(row[0]) if row and bytes(row[1]) == sha256 else None


def is_known(
    connection: Connection, contract: Contract, planned: PlannedDrop, held: Held | None, sha256: bytes
) -> bool:
    """Whether the bytes are in force, under this key or another, or were withdrawn under this one."""
    return (
        (held is not None and held.sha256 == sha256)
        or (held is None and stays_withdrawn(connection, contract.dataset, planned.object.key, sha256))
        or find_twin(connection, contract, sha256) is not None
    )


def _hash_of_twin(connection: Connection, planned: PlannedDrop) -> bytes:
    """The hash of what the twin held when the plan was made. Raises `PlanStale` if it holds something else by now."""
    seen = planned.object
    row = connection.execute(
        """select d.sha256 from ops.objects o join ops.drops d using (drop_id)
           where o.object_key = %s and o.dataset = %s and o.etag = %s and o.size_bytes = %s""",
        [planned.twin, planned.dataset, seen.etag, seen.size],
    ).fetchone()
    if row is None:
        raise PlanStale(
            f"{seen.key}: {planned.twin}, whose bytes it was planned to share, holds others by now"
        )
    return bytes(row[0])
