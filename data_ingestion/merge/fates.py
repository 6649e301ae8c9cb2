"""Fates: what becomes of each row of a stage, computed as sets before anything moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from data_ingestion.checks import LINE
from data_ingestion.engine.dialect import Given, given
from data_ingestion.engine.session import Row, Session
from data_ingestion.ledger.model import MergePlan
from data_ingestion.merge.members import Member
from data_ingestion.merge.table import POSITION, RawTable, TableStatements


@dataclass(frozen=True)
class Stage:
    """Staged drops of a dataset, inside a transaction that holds the dataset's lock.

    Several drops at once: their load ids ascend from the newest drop to the oldest, and no two share a key of which
    one of them has an earlier claim. The stage of one alone has no positions.
    """

    session: Session
    table: RawTable
    members: Sequence[Member]
    name: str
    rows: int
    distinct: bool
    conflicts: str = "ops.conflicts"

    @property
    def many(self) -> bool:
        return len(self.members) > 1

    def remove_repeated(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """Has each drop hold each key once: by number of occurrence, or else its last row of a key stays.

        By position, how many rows were removed, and how many of them differ from the one that stays.
        """
        if self.distinct:
            return {}, {}
        if self.table.by_occurrence:
            # What tells the second of equal rows from the first must be theirs in every drop.
            self.run(
                """update {stage} s set {occurrence} = r._n, {own_key} = {occurrence_key}
                   from (select {row_columns}, cast(row_number() over (partition by {within}{key} order by {line})
                                as integer) as _n from {stage} t) r
                   where {same_row} and r._n > 1""",
                occurrence_key=self.session.dialect.occurrence_key(f"s.{self._quoted_key}", "r._n"),
            )
            return {}, {}
        self.scratch(
            "_repeated",
            """select * from (select {row_columns}, first_value({line}) over (
                                         partition by {within}{key} order by {line} desc
                                         rows between unbounded preceding and current row) as kept_line
                              from {stage} t) r
               where {line} <> kept_line""",
        )
        differing = self.run(
            """insert into {conflicts} (load_id, dataset, object_key, line, kept_line, content)
               select {load}, $dataset, o.rank_object_key, s.{line}, r.kept_line, {content_as_json}
               from {stage} s join _repeated r on {same_row} join {stage} k on {kept_row}
               join ops.drops o on o.drop_id = {drop}
               where {s_differs_from_k}""",
            content_as_json=self.session.dialect.as_json(
                "s", {name: self.table.types[name] for name in (*self.table.identity, *self.table.content)}
            ),
        )
        self.run("delete from {stage} s using _repeated r where {same_row}")
        repeated = self.count("select {position_of_r}, count(*) from _repeated r group by 1")
        return repeated, self._count_conflicts() if differing else {}

    def _count_conflicts(self) -> dict[int, int]:
        """Rows that differ from a later one of their key, by the position of their drop."""
        position_of = {member.load_id: member.position for member in self.members}
        rows = self.ask(
            "select c.load_id, count(*) from {conflicts} c join {given} g on g.load_id = c.load_id group by 1",
            given(load_id=("bigint", position_of)),
        )
        return {position_of[load_id]: count for load_id, count in rows}

    def supersede_each_other(self) -> dict[int, int]:
        """Of a key that several drops hold, the newest claim goes on; the others wait behind it. By position."""
        if self.distinct or not self.many:
            return {}
        self.scratch(
            "_older",
            """select {row_columns} from (
                   select s.*, row_number() over (partition by {key_of_s} order by {load}) as _n from {stage} s) r
               where _n > 1""",
        )
        self.run(
            """insert into {history} ({columns}, _fate, _by_load_id)
               select {content_of_s}, {drop}, {load}, s.{line}, 'waiting', {load}
               from {stage} s join _older r on {same_row}"""
        )
        self.run("delete from {stage} s using _older r where {same_row}")
        return self.count("select {position_of_r}, count(*) from _older r group by 1")

    def compute(self, plan: MergePlan) -> dict[int, dict[str, int]]:
        """Notes in `_fates`, of the difference, all that moves; else, all that raw knows: the rest of the stage is new.

        How many rows of each drop have which fate, by position.
        """
        by_difference = plan is MergePlan.DIFFERENCE
        self.scratch(
            "_fates",
            """select * from (
                   select s.*, {drop} as _own_drop, {load} as _own_load, r._drop_id as _held_by, case
                       when r._drop_id is null then 'inserted'
                       when o.rank > d.rank then 'superseded'
                       when {s_differs_from_r} then 'updated'
                       when r._drop_id <> {drop} then 'taken_over'
                       else 'unchanged' end as _fate
                   from {stage} s {join} {raw} r on {same_key_rs}
                   left join ops.drops o on o.drop_id = r._drop_id
                   left join ops.drops d on d.drop_id = {drop}) f
               where {wanted}""",
            join="left join" if by_difference else "join",
            wanted="_fate <> 'unchanged'" if by_difference else "true",
        )
        counts: dict[int, dict[str, int]] = {}
        for position, fate, count in self.ask(
            "select {position_of_f}, _fate, count(*) from _fates f group by 1, 2"
        ):
            counts.setdefault(position, {})[fate] = count
        return counts

    # Statements over the stage

    def run(self, text: str, rows: Given | None = None, **phrases: str) -> int:
        """How many rows a statement has touched."""
        return self.statements.run(text, rows, {**self._phrases, **phrases}, **self._values)

    def ask(self, text: str, rows: Given | None = None, **phrases: str) -> list[Row]:
        """The rows that a statement returns."""
        return self.statements.rows(text, rows, {**self._phrases, **phrases}, **self._values)

    def scratch(self, name: str, query: str, rows: Given | None = None, **phrases: str) -> None:
        """Makes a table of this transaction alone."""
        self.statements.scratch(name, query, rows, {**self._phrases, **phrases}, **self._values)

    def count(self, text: str) -> dict[int, int]:
        """Counts by position."""
        return dict(self.ask(text))

    @cached_property
    def statements(self) -> TableStatements:
        """Statements over the dataset's tables alone."""
        return TableStatements(self.session, self.table)

    @property
    def _quoted_key(self) -> str:
        return self.session.dialect.quote(self.table.key[0])

    @cached_property
    def _phrases(self) -> dict[str, str]:
        dialect = self.session.dialect
        line, position = dialect.quote(LINE), dialect.quote(POSITION)
        place = (POSITION, LINE) if self.many else (LINE,)
        phrases = {
            "stage": self.name,
            "conflicts": self.conflicts,
            "row_columns": dialect.names(place),
            "within": f"{position}, " if self.many else "",
            "same_row": dialect.equal(place, "s", "r"),
            "kept_row": f"k.{line} = r.kept_line"
            + (f" and k.{position} = r.{position}" if self.many else ""),
        }
        if self.many:
            at = f"s.{position}"
            return {
                **phrases,
                "drop": dialect.at_position("drops", at),
                "load": dialect.at_position("loads", at),
                **{f"position_of_{alias}": f"{alias}.{position}" for alias in "rfs"},
            }
        return {
            **phrases,
            "drop": "cast($drop as bigint)",
            "load": "cast($load as bigint)",
            **{f"position_of_{alias}": str(self.members[0].position) for alias in "rfs"},
        }

    @cached_property
    def _values(self) -> dict[str, object]:
        return {
            "dataset": self.table.contract.dataset,
            "drop": self.members[0].drop_id,
            "load": self.members[0].load_id,
            "drops": self._at_positions(lambda member: member.drop_id),
            "loads": self._at_positions(lambda member: member.load_id),
        }

    def _at_positions(self, value: Callable[[Member], int]) -> list[int]:
        """A value of each member at the place of its position in the batch, 0 for drops that were left out."""
        values = [0] * (1 + max(member.position for member in self.members))
        for member in self.members:
            values[member.position] = value(member)
        return values
