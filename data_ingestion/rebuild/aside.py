"""Aside: the tables in which a rebuild gathers what it reads, drop by drop, and statements over them.

Each batch commits by itself, so no transaction lasts as long as the reading, and no reader of raw notices anything
until `replace` has the new tables take the place of the old ones. A rebuild that is cut off leaves raw as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data_ingestion.checks import BadRow
from data_ingestion.contract import Contract
from data_ingestion.drop_limits import Finding, check_conflicts
from data_ingestion.engine.dialect import Given, as_bytes, given
from data_ingestion.engine.rebuilding import Rebuilding
from data_ingestion.engine.session import Row, Session
from data_ingestion.engine.staged import Staged
from data_ingestion.errors import LawBroken
from data_ingestion.landing import LandingObject
from data_ingestion.ledger.decisions import FINDING_COLUMNS, open_findings_of
from data_ingestion.ledger.model import Decision, Kind, LoadReport, LoadState, same_bytes
from data_ingestion.ledger.quarantine import COLUMNS as QUARANTINE_COLUMNS
from data_ingestion.ledger.quarantine import record_quarantine
from data_ingestion.merge.drops import DropRead
from data_ingestion.merge.fates import Stage
from data_ingestion.merge.fit import compare
from data_ingestion.merge.members import Member
from data_ingestion.merge.table import RawTable, TableStatements

# What is known of each drop that was read: as what the ledger has it, and as what it is known from now on. A load is
# given to it at the end.
DROP_COLUMNS = {
    "drop_id": "bigint", "sha256": "blob", "size_bytes": "bigint", "object_key": "text", "fingerprint": "text",
    "identity": "blob", "rows_read": "bigint", "quarantined": "bigint", "repeated": "bigint", "load_id": "bigint",
    "attempt_id": "bigint",
}  # fmt: skip
CONFLICT_COLUMNS = ("load_id", "dataset", "object_key", "line", "kept_line", "content")


@dataclass(frozen=True)
class Holder:
    """An object in force, and the drop that it holds with its hash.

    `decision` is what a person has said of a correction of it that was held.
    """

    object: LandingObject
    period: str
    drop_id: int
    sha256: bytes
    decision: Decision | None = None


@dataclass(frozen=True)
class RebuiltDrop:
    """A drop that was read again, by its position in the stage."""

    holder: Holder
    position: int
    object: LandingObject
    read: DropRead
    bad: Iterable[BadRow]
    findings: tuple[Finding, ...] = ()

    @property
    def drop_id(self) -> int:
        return self.holder.drop_id

    @property
    def as_known(self) -> bytes:
        """What the ledger knows it by; what was read, if these are other bytes."""
        read, known = self.read.sha256, self.holder.sha256
        return known if same_bytes(known, read) else read


class Aside:
    """The tables of one rebuild.

    `rows` are those of all drops read, each known by its drop and line; `bad`, `conflicts` and `findings` are noted
    under the drop's id until a load has one for them.
    """

    def __init__(self, session: Session, contract: Contract, engine: Rebuilding) -> None:
        self.session, self.contract, self.engine = session, contract, engine
        self.old, self.new = RawTable(contract), RawTable(contract, rebuilt_as=engine.prefix)
        self._statements = TableStatements(session, self.old)
        self._phrases = {
            "new_raw": session.dialect.quote(*self.new.name),
            "new_history": session.dialect.quote(*self.new.history),
            "same_key_rc": session.dialect.equal(self.old.key, "r", "c"),
        }
        with session.transaction():
            rows = {**self.old.stage_types(positions=False), "_drop_id": "bigint"}
            self._create("rows", self._columns(rows))
            self._create("drops", self._columns(DROP_COLUMNS))
            self._create("bad", f"{', '.join(QUARANTINE_COLUMNS)} from ops.quarantine")
            self._create("conflicts", f"{', '.join(CONFLICT_COLUMNS)} from ops.conflicts")
            self._create("findings", f"{', '.join(FINDING_COLUMNS)} from ops.findings")

    def _create(self, part: str, selected: str) -> None:
        self._phrases[part] = self.engine.create(part, f"select {selected} limit 0")

    def _columns(self, types: Mapping[str, str]) -> str:
        dialect = self.session.dialect
        return ", ".join(
            f"cast(null as {dialect.type_of(kind)}) as {dialect.quote(name)}" for name, kind in types.items()
        )

    def run(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None, **values: object
    ) -> int:
        """How many rows a statement has touched."""
        phrases = {**self._phrases, **(phrases or {})}
        return self._statements.run(text, rows, phrases, dataset=self.contract.dataset, **values)

    def ask(
        self, text: str, rows: Given | None = None, phrases: Mapping[str, str] | None = None
    ) -> list[Row]:
        """The rows that a statement returns."""
        phrases = {**self._phrases, **(phrases or {})}
        return self._statements.rows(text, rows, phrases, dataset=self.contract.dataset)

    def scratch(self, name: str, query: str) -> None:
        """Makes a table of this transaction alone."""
        self._statements.scratch(name, query, None, self._phrases)

    def insert_from(self, table: str, columns: Sequence[str], query: str) -> None:
        """Writes what a query returns to a table of the ledger."""
        self.session.insert_from(table, columns, query, self._phrases, dataset=self.contract.dataset)

    def analyze(self, *parts: str) -> None:
        """Tells the engine's planner what tables aside hold by now."""
        self.engine.analyze(*(self._phrases.get(part, part) for part in parts))

    def holders(self) -> list[Holder]:
        """Objects in force whose drop has not been taken in yet, as it is in force now; oldest first."""
        self._forget_stale()
        rows = self.ask(
            """select o.object_key, o.size_bytes, o.etag, o.last_modified, o.period, o.drop_id, d.sha256, h.decision
               from ops.objects o join ops.drops d on d.drop_id = o.drop_id
               left join ops.held h on h.object_key = o.object_key
               where d.dataset = $dataset and d.ended_at is null
                 and not exists (select 1 from {drops} t where t.drop_id = d.drop_id)
               order by d.rank, o.object_key"""
        )
        return [
            Holder(
                LandingObject(key, size, etag, modified), period, drop_id, as_bytes(sha256),
                Decision(decision) if decision else None,
            )
            for key, size, etag, modified, period, drop_id, sha256, decision in rows
        ]  # fmt: skip

    def can_keep(self, drop_ids: Sequence[int]) -> bool:
        """Whether rows of drops can stay as an earlier contract made them.

        No key and no type is another, and no value is missing that has to be there.
        """
        if compare(self.old, self.engine.look()).is_refused:
            return False
        required = [name for name in self.old.content if self.old.is_required(name)]
        if not required:
            return True
        lacking = self.ask(
            """select 1 from (
                   select {content} from {raw} where _drop_id in (select g.drop_id from {given} g)
                   union all
                   select {content} from {history}
                   where _drop_id in (select g.drop_id from {given} g) and _fate = 'waiting') c
               where {lacks} limit 1""",
            given(drop_id=("bigint", drop_ids)),
            {"lacks": " or ".join(f"{self.session.dialect.quote(name)} is null" for name in required)},
        )
        return not lacking

    def rows_of(self, drop_ids: Sequence[int]) -> dict[int, int]:
        """How many rows of raw and history are a drop's, by its id."""
        if not drop_ids:
            return {}
        rows = self.ask(
            """select g.drop_id, count(c._drop_id)
               from {given} g left join (
                   select _drop_id from {raw}
                   union all
                   select _drop_id from {history} where _fate = 'waiting') c on c._drop_id = g.drop_id
               group by 1""",
            given(drop_id=("bigint", drop_ids)),
        )
        return dict(rows)

    def take_in(self, drops: Sequence[RebuiltDrop], staged: Staged) -> None:
        """Moves the stage to the tables aside, inside a transaction; nothing of it is in force yet.

        Raises `DropRefused` for a drop whose rows contradict each other.
        """
        if not drops:
            return
        members = [Member(drop.position, drop.drop_id, drop.drop_id, drop.read.staged.rows) for drop in drops]
        stage = Stage(
            self.session, self.old, members, staged.table, staged.rows, staged.distinct,
            conflicts=self._phrases["conflicts"],
        )  # fmt: skip
        repeated, conflicts = stage.remove_repeated()
        for drop in drops:
            check_conflicts(self.contract, drop.object.key, drop.read.read, conflicts.get(drop.position, 0))
        claimed = stage.run(
            """insert into {aside} ({content}, {line}, _drop_id)
               select {content_of_s}, s.{line}, {drop} from {stage} s""",
            aside=self._phrases["rows"],
        )
        expected = staged.rows - sum(repeated.values())
        if claimed != expected:
            raise LawBroken(f"{claimed} rows taken in, the stage says {expected}")
        self.session.insert(
            self._phrases["drops"],
            DROP_COLUMNS,
            [
                (
                    drop.drop_id, drop.as_known, drop.read.size, drop.object.key,
                    self.contract.fingerprint_of(drop.object.key), drop.read.sha256, drop.read.read,
                    drop.read.quarantined,
                    repeated.get(drop.position, 0), None, None,
                )
                for drop in drops
            ],
        )  # fmt: skip
        reports = [self._report(drop) for drop in drops]
        bad = zip(reports, (drop.bad for drop in drops), strict=True)
        record_quarantine(self.session, bad, into=self._phrases["bad"])
        open_findings_of(self.session, reports, into=self._phrases["findings"])
        self.session.drop_stage(staged)

    def _report(self, drop: RebuiltDrop) -> LoadReport:
        dataset, key = self.contract.dataset, drop.object.key
        return LoadReport(
            dataset, key, Kind.REPLAY, LoadState.STARTED, load_id=drop.drop_id, findings=drop.findings
        )

    def _forget_stale(self) -> None:
        """Drops that were taken in and are not in force any more, or with other bytes, are as if never read."""
        stale = self.ask(
            """select t.drop_id from {drops} t where not exists (
                   select 1 from ops.drops d
                   where d.drop_id = t.drop_id and d.ended_at is null and d.sha256 = t.sha256)"""
        )
        if not stale:
            return
        gone = given(drop_id=("bigint", [drop_id for (drop_id,) in stale]))
        with self.session.transaction():
            self.run("delete from {drops} where drop_id in (select g.drop_id from {given} g)", gone)
            self.run("delete from {rows} where _drop_id in (select g.drop_id from {given} g)", gone)
            for part in ("bad", "conflicts", "findings"):
                text = f"delete from {{{part}}} where load_id in (select g.drop_id from {{given}} g)"
                self.run(text, gone)
