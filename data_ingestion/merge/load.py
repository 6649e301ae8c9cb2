"""Load: staged drops made true for their objects, one or a thousand, in one transaction under the dataset's lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from data_ingestion.contract import Contract
from data_ingestion.drop_limits import check_conflicts, check_withdrawal
from data_ingestion.engine.dialect import as_bytes
from data_ingestion.engine.session import Session
from data_ingestion.engine.staged import Staged
from data_ingestion.errors import GoldworksError, PlanStale
from data_ingestion.ledger import decisions
from data_ingestion.ledger.model import Decision, Fates, Kind, LoadReport, MergePlan
from data_ingestion.merge.apply import apply, finish_direct
from data_ingestion.merge.close import RawBefore, close
from data_ingestion.merge.contested import find_contested
from data_ingestion.merge.drops import BatchDrop, DropRead, LoadingDrop, Outcome
from data_ingestion.merge.fates import Stage
from data_ingestion.merge.identify import Action, check_plan, decide, find_standings
from data_ingestion.merge.members import Member, Merged
from data_ingestion.merge.record import rank_drops, record_versions, release_drop
from data_ingestion.merge.release import Claims, Owner
from data_ingestion.merge.table import POSITION, RawTable
from data_ingestion.plan import PlannedDrop


def load_batch(
    session: Session, contract: Contract, batch: Sequence[BatchDrop], staged: Staged
) -> list[LoadReport | None]:
    """Makes the staged drops true, in the caller's transaction; a report a drop, in their order.

    None for a drop that has to do with others, or not only with its own rows: nothing was done for it, it has to be
    loaded alone. Of a drop alone it raises what keeps it out: `PlanStale` if the ledger has moved on since the plan was
    made, `DropRefused`, `DropHeld`; always `LawBroken` if rows don't add up.
    """
    before = RawBefore.lock(session, contract)
    if staged.direct:  # what was copied straight into raw was counted already
        before = replace(before, moved=staged.direct.moved_before)
    return _Loading(before).load(batch, staged)


def load_known(
    session: Session,
    contract: Contract,
    planned: PlannedDrop,
    attempt_id: int,
    sha256: bytes | None,
    size: int,
) -> LoadReport | None:
    """The same for an object of which no row has been read, if its bytes are known; else None, and nothing done.

    Without a hash, the bytes are those of the object that the plan names as its twin.
    """
    loading = _Loading(RawBefore.lock(session, contract))
    sha256 = sha256 or _hash_of_twin(session, planned)
    (standing,) = find_standings(session, contract.dataset, [(planned, sha256)])
    check_plan(planned, standing)
    action = decide(contract, planned, sha256, standing)
    if planned.kind is Kind.REPLAY or action.reads:
        return None
    read = DropRead(sha256, size, 0, Staged(0, distinct=True), 0)
    return loading.load_alone(LoadingDrop(BatchDrop(planned, attempt_id, 0, read), standing, action))


def _hash_of_twin(session: Session, planned: PlannedDrop) -> bytes:
    """The hash of what the twin held when the plan was made. Raises `PlanStale` if it holds something else by now."""
    seen = planned.object
    row = session.row(
        """select d.sha256 from ops.objects o join ops.drops d on d.drop_id = o.drop_id
           where o.object_key = $twin and o.dataset = $dataset and o.etag = $etag and o.size_bytes = $size""",
        twin=planned.twin,
        dataset=planned.dataset,
        etag=seen.etag,
        size=seen.size,
    )
    if row is None:
        raise PlanStale(
            f"{seen.key}: {planned.twin}, whose bytes it was planned to share, has changed meanwhile"
        )
    return as_bytes(row[0])


@dataclass(frozen=True)
class _Loading:
    """A batch on its way, under the dataset's lock."""

    before: RawBefore

    @property
    def session(self) -> Session:
        return self.before.session

    @property
    def table(self) -> RawTable:
        return self.before.table

    @property
    def contract(self) -> Contract:
        return self.before.table.contract

    def load(self, batch: Sequence[BatchDrop], staged: Staged) -> list[LoadReport | None]:
        """All of the batch that can be loaded by one merge."""
        standings = find_standings(
            self.session, self.contract.dataset, [(each.planned, each.read.sha256) for each in batch]
        )
        drops = [
            LoadingDrop(each, standing, decide(self.contract, each.planned, each.read.sha256, standing))
            for each, standing in zip(batch, standings, strict=True)
        ]
        if len(drops) == 1:
            check_plan(drops[0].planned, drops[0].standing)
            return [self.load_alone(drops[0], staged)]
        chosen = self._choose(drops, staged)
        touched = [drop for drop in drops if drop.action is Action.TOUCH and _is_as_planned(drop)]
        load_ids = self.session.draw("loads", len(touched))
        touched = [replace(drop, load_id=load_id) for drop, load_id in zip(touched, load_ids, strict=True)]
        if chosen and len(chosen) < len(drops):
            staged = replace(staged, rows=staged.rows - self._unstage(staged, chosen))
        done = [*self._touch_together(touched), *(self._load_together(chosen, staged) if chosen else [])]
        reports = close(self.before, done) if done else {}
        return [reports.get(each.position) for each in batch]

    def load_alone(self, drop: LoadingDrop, staged: Staged = Staged(0, distinct=True)) -> LoadReport:
        """One drop, whatever has to be done for it."""
        direct = staged.direct
        (load_id,) = [direct.load_id] if direct else self.session.draw("loads", 1)
        drop = replace(drop, load_id=load_id)
        if (
            direct and not drop.action.reads
        ):  # raw is empty though such bytes were loaded before: nothing is in them
            self.session.run(f"delete from {self.session.dialect.quote(*self.table.name)}")
            self.session.accelerators.finish_direct(self.table, direct)
        match drop.action:
            case Action.TOUCH | Action.STAY_WITHDRAWN | Action.STAY_REJECTED:
                outcome = self._touch(drop)
            case Action.JOIN:
                outcome = self._join(drop)
            case _:
                outcome = self._read(drop, staged)
        self.session.drop_stage(staged)
        return close(self.before, [(drop, outcome)])[drop.batch.position]

    def _touch_together(self, touched: Sequence[LoadingDrop]) -> list[tuple[LoadingDrop, Outcome]]:
        """Bytes in force, which were read in vain: the next plan knows these versions."""
        drops = []
        for drop in touched:
            assert drop.standing.held is not None, "what is touched holds the drop with its bytes"
            unread = replace(drop.batch.read, read=0, staged=Staged(0, distinct=True), quarantined=0)
            batch = replace(drop.batch, read=unread, bad=())
            drops.append(replace(drop, batch=batch, drop_id=drop.standing.held.drop_id))
        if drops:
            record_versions(self.session, self.contract, [drop.entry for drop in drops])
        reason = "the bytes are those in force"
        return [
            (drop, Outcome(Fates(), Kind.KNOWN, MergePlan.NOTHING, reason, drop.drop_id)) for drop in drops
        ]

    def _touch(self, drop: LoadingDrop) -> Outcome:
        """Bytes that are known under this key: the next plan knows this version."""
        if drop.action is Action.TOUCH:
            ((_, outcome),) = self._touch_together([drop])
            return outcome
        seen, held = drop.planned.object, drop.standing.held
        drop_id = held.drop_id if held else None
        if drop.action is Action.STAY_REJECTED:
            decisions.touch_held(self.session, seen.key, seen.etag, seen.size)
            reason = "the same bytes were rejected before"
            return Outcome(Fates(), Kind.KNOWN, MergePlan.NOTHING, reason, drop_id, is_rejected=True)
        self.session.run(
            "update ops.objects set etag = $etag, last_modified = $modified where object_key = $key",
            etag=seen.etag,
            modified=seen.last_modified,
            key=seen.key,
        )
        return Outcome(
            Fates(), Kind.KNOWN, MergePlan.NOTHING, "the bytes are those that were withdrawn", None
        )

    def _join(self, drop: LoadingDrop) -> Outcome:
        """Another object holds this content already: one drop, which may rank higher now."""
        twin, held = drop.standing.twin, drop.standing.held
        assert twin is not None
        if held and held.holders == 1:
            claims = Claims.of(self.session, self.table, [Owner(held.drop_id, drop.load_id)])
            before = claims.count_all()
            self._hold_if_most_leave(
                drop, before, before - claims.count_shared_with(twin), "has the same bytes as another file"
            )
        record_versions(self.session, self.contract, [replace(drop.entry, drop_id=twin)])
        fates = self._leave(drop, held.drop_id) if held else Fates()
        rank_drops(self.session, [twin])
        settled = Claims.of(self.session, self.table, [Owner(twin, drop.load_id)]).settle()
        reason = "another object holds the same bytes"
        if settled:
            reason = f"{reason}; rows it provides now: {settled:,}"
        # Releasing its previous drop may also have moved rows.
        plan = MergePlan.SETTLE if settled or held else MergePlan.NOTHING
        return Outcome(fates, Kind.DUPLICATE, plan, reason, twin)

    def _read(self, drop: LoadingDrop, staged: Staged) -> Outcome:
        """Rows come in: of a new drop, of a correction, or of the same bytes once more."""
        drop = self._with_drop_id(drop, staged)
        record_versions(self.session, self.contract, [drop.entry])
        held = drop.standing.held
        left = self._leave(drop, held.drop_id) if held and drop.action is Action.PART else Fates()
        before = self._claims_before(drop)
        merged = self._merge([drop], staged)
        if drop.action is Action.CORRECT:
            self._check_correction(drop, before, merged)
        corrects = drop.action in (Action.CORRECT, Action.READ_AGAIN)
        if corrects and (drop.action is Action.READ_AGAIN or drop.standing.period != drop.planned.period):
            # A changed pattern may have moved the drop to another period.
            Claims.of(self.session, self.table, [Owner(drop.drop_id, drop.load_id)]).settle()
        return self._outcome(drop, merged, merged.reason, left)

    def _load_together(
        self, chosen: Sequence[LoadingDrop], staged: Staged
    ) -> list[tuple[LoadingDrop, Outcome]]:
        load_ids = self.session.draw("loads", len(chosen))
        new = iter(self.session.draw("drops", sum(drop.action is Action.NEW for drop in chosen)))
        drops = [
            replace(
                drop, load_id=load_id, drop_id=held.drop_id if (held := drop.standing.held) else next(new)
            )
            for drop, load_id in zip(chosen, load_ids, strict=True)
        ]
        before = {drop.batch.position: self._claims_before(drop) for drop in drops}
        record_versions(self.session, self.contract, [drop.entry for drop in drops])
        merged = self._merge(drops, staged)
        for drop in drops:
            if drop.action is Action.CORRECT:
                self._check_correction(drop, before[drop.batch.position], merged)
        reason = f"{len(drops)} drops at once, {merged.reason}"
        return [(drop, self._outcome(drop, merged, reason)) for drop in drops]

    def _choose(self, drops: Sequence[LoadingDrop], staged: Staged) -> list[LoadingDrop]:
        """Drops that have only to do with their own rows, or with older ones of others; the newest first.

        As if they had been loaded one by one in that order: what an older one shares with a newer one then waits
        behind it from the start.
        """
        known: set[bytes] = set()
        chosen = []
        for drop in drops:
            if drop.batch.read.sha256 not in known and _can_share(drop):
                known.add(drop.batch.read.sha256)
                chosen.append(drop)
        rereads = {
            drop.batch.position: held.drop_id for drop in chosen if (held := drop.standing.held) is not None
        }
        if rereads:
            contested = find_contested(self.session, self.table, staged.table, rereads)
            chosen = [drop for drop in chosen if drop.batch.position not in contested]
        return sorted(chosen, key=lambda drop: drop.entry.rank, reverse=True)

    def _unstage(self, staged: Staged, chosen: Sequence[LoadingDrop]) -> int:
        """Takes the rows of all other drops out of the stage; how many there were."""
        dialect = self.session.dialect
        positions = ", ".join(str(drop.batch.position) for drop in chosen)
        return self.session.run(
            f"delete from {staged.table} where {dialect.quote(POSITION)} not in ({positions})"
        )

    def _with_drop_id(self, drop: LoadingDrop, staged: Staged) -> LoadingDrop:
        held = drop.standing.held
        if held and drop.action is not Action.PART:
            return replace(drop, drop_id=held.drop_id)
        return replace(
            drop, drop_id=staged.direct.drop_id if staged.direct else self.session.draw("drops", 1)[0]
        )

    def _claims_before(self, drop: LoadingDrop) -> int:
        """How many claims a drop has that is to be corrected."""
        held = drop.standing.held
        if held is None or drop.action is not Action.CORRECT:
            return 0
        if held.claims is not None:
            return held.claims
        return Claims.of(self.session, self.table, [Owner(held.drop_id, drop.load_id)]).count_all()

    def _merge(self, drops: Sequence[LoadingDrop], staged: Staged) -> Merged:
        stage = self._stage(drops, staged)
        if staged.direct:
            merged = finish_direct(stage, "raw was empty")
            self.session.accelerators.finish_direct(self.table, staged.direct)
        else:
            merged = apply(stage, self.before.rows)
        for drop in drops:
            conflicts = merged.conflicts.get(drop.batch.position, 0)
            check_conflicts(self.contract, drop.key, drop.batch.read.read, conflicts)
        return merged

    def _stage(self, drops: Sequence[LoadingDrop], staged: Staged) -> Stage:
        members = [
            Member(
                drop.batch.position, drop.drop_id, drop.load_id, drop.batch.read.staged.rows,
                drop.action in (Action.CORRECT, Action.READ_AGAIN),
            )
            for drop in drops
        ]  # fmt: skip
        return Stage(self.session, self.table, members, staged.table, staged.rows, staged.distinct)

    def _check_correction(self, drop: LoadingDrop, before: int, merged: Merged) -> None:
        read = drop.batch.read.read
        ended = merged.ended.get(drop.batch.position, 0)
        self._hold_if_most_leave(drop, before, ended, f"has {read:,} rows" if read else "is empty")

    def _hold_if_most_leave(self, drop: LoadingDrop, before: int, ended: int, correction: str) -> None:
        """Raises `DropHeld` for a correction that would withdraw most of its rows, if no person has accepted it."""
        if drop.decision is not Decision.ACCEPTED:
            check_withdrawal(self.contract, drop.key, before, ended, correction, drop.batch.read.sha256)

    def _leave(self, drop: LoadingDrop, drop_id: int) -> Fates:
        return release_drop(self.session, self.table, drop_id, drop.load_id, drop.key)[0]

    def _outcome(self, drop: LoadingDrop, merged: Merged, reason: str, left: Fates = Fates()) -> Outcome:
        read = drop.batch.read
        fates = merged.fates[drop.batch.position] + Fates(read=read.read, quarantined=read.quarantined) + left
        match drop.action:
            case Action.READ_AGAIN:
                kind, why = Kind.REPLAY, f"same bytes, {drop.planned.reason}"
            case Action.CORRECT:
                kind, why = Kind.CORRECTED, "corrected in place"
            case Action.PART:
                kind, why = Kind.CORRECTED, "no longer shares its drop with others"
            case _:
                kind, why = drop.planned.kind, drop.planned.reason
        return Outcome(fates, kind, merged.plan, f"{why}; {reason}", drop.drop_id)


def _can_share(drop: LoadingDrop) -> bool:
    """Whether a drop can be loaded beside others: as it was planned, in its period, its object alone holding it."""
    if drop.action not in (Action.NEW, Action.CORRECT, Action.READ_AGAIN) or not _is_as_planned(drop):
        return False
    held = drop.standing.held
    return held is None or (held.holders == 1 and drop.standing.period == drop.planned.period)


def _is_as_planned(drop: LoadingDrop) -> bool:
    try:
        check_plan(drop.planned, drop.standing)
    except GoldworksError:
        return False
    return True
