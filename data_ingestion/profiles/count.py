"""Counting a relation: two statements, whatever it has of columns."""

from __future__ import annotations

import time
from collections.abc import Sequence

from data_ingestion.engine.dialect import Dialect
from data_ingestion.engine.session import Session
from data_ingestion.profiles.facts import NAMELESS, ColumnProfile, Present, Profile, Relation

# Up to so many rows all of them are grouped, of more about so many: memory and time follow the number of groups.
MOST_GROUPED = 1_000_000
TOP, LONGEST_VALUE = 5, 120
# `grouping()` takes fewer than 32 columns.
COLUMNS_AT_ONCE = 30
# Types that can be compared as they are; values of any other as their text.
COMPARABLE = (*NAMELESS, "time")

# Of a column: how many rows are filled, least and greatest value.
Counted = tuple[int, str | None, str | None]
# Of a column: how many values it has, and the most frequent ones.
Grouped = tuple[int, tuple[tuple[str, int], ...]]


def count(session: Session, relation: Relation, present: Present) -> Profile:
    """Counts a relation. Values of columns that may not be shown never leave the server."""
    started = time.monotonic()
    columns = [_Column(session.dialect, relation, name, kind) for name, kind in present.columns]
    with session.snapshot():  # both statements see the same rows
        rows, counted = _count(session, relation, columns)
        share = min(1.0, MOST_GROUPED / max(rows, 1))
        grouped: dict[str, Grouped] = {}
        sampled = None
        for start in range(0, len(columns), COLUMNS_AT_ONCE):
            sampled, found = _group(session, relation, columns[start : start + COLUMNS_AT_ONCE], share)
            grouped |= found
    marks = dict(relation.marks)
    return Profile(
        relation, present.mark, rows, sampled if share < 1 else None,
        tuple(
            ColumnProfile(
                column.name, column.kind, marks.get(column.name.removesuffix("__text"), marks.get(column.name)),
                not column.is_shown, rows - filled, grouped[column.name][0], least, most, grouped[column.name][1],
            )
            for column, (filled, least, most) in zip(columns, counted, strict=True)
        ),
        time.monotonic() - started,
    )  # fmt: skip


class _Column:
    """A column of a relation as its statements name it."""

    def __init__(self, dialect: Dialect, relation: Relation, name: str, kind: str) -> None:
        self.name, self.kind, self.is_shown = name, kind, relation.may_show(name, kind)
        self.quoted = self.comparable = dialect.quote(name)
        if kind.startswith(("text", "character")):
            self.comparable = dialect.bytewise(self.quoted)
        elif not kind.startswith(COMPARABLE) or kind.startswith("boolean") or kind.endswith(("[]", "range")):
            self.comparable = dialect.bytewise(dialect.as_text(self.quoted, kind))


def _count(session: Session, relation: Relation, columns: Sequence[_Column]) -> tuple[int, list[Counted]]:
    """All rows, and of each column how many are filled, least and greatest value."""
    asked = ["count(*)"]
    for column in columns:
        asked.append(f"count({column.quoted})")
        for ask in ("min", "max"):
            value = f"left(cast({ask}({column.comparable}) as text), {LONGEST_VALUE})"
            asked.append(value if column.is_shown else "cast(null as text)")
    row = session.row(
        "select {asked} from {relation}",
        phrases={
            "asked": ", ".join(asked),
            "relation": session.dialect.quote(relation.schema, relation.name),
        },
    )
    assert row is not None
    rows, *found = row
    return rows, [(found[at], found[at + 1], found[at + 2]) for at in range(0, len(found), 3)]


def _group(
    session: Session, relation: Relation, columns: Sequence[_Column], share: float
) -> tuple[int, dict[str, Grouped]]:
    """Of each column how many values it has, and the most frequent ones; and of how many rows that was counted."""
    keys = {column.name: _bits(index, len(columns)) for index, column in enumerate(columns)}
    shown = " ".join(
        f"when {keys[column.name]} then left(cast({column.quoted} as text), {LONGEST_VALUE})"
        for column in columns
        if column.is_shown
    )
    rows = session.rows(
        """with counted as {materialized}(
               select grouping({names}) as which, {names}, count(*) as n
               from (select {taken} from {relation} where {share} >= 1 or random() < {share}) as taken
               group by grouping sets ({sets}, ())
           ),
           listed as (
               select which, n, {value} as value,
                      row_number() over (partition by which order by n desc, {value}) as place
               from counted where n > 1 and which <> {all} and case which {filled} end
           )
           select which, count(case when case which {filled} else true end then 1 end), sum(n), null, null
           from counted group by which
           union all
           select which, null, null, value, n from listed where place <= {top} and value is not null
           order by 1, 5 desc nulls first, 4""",
        phrases={
            "names": ", ".join(column.quoted for column in columns),
            "taken": ", ".join(f"{column.comparable} as {column.quoted}" for column in columns),
            "relation": session.dialect.quote(relation.schema, relation.name),
            "share": repr(share),
            "sets": ", ".join(f"({column.quoted})" for column in columns),
            "value": f"case which {shown} end" if shown else "cast(null as text)",
            "filled": " ".join(f"when {keys[column.name]} then {column.quoted} is not null" for column in columns),
            "all": str((1 << len(columns)) - 1),
            "top": str(TOP),
            "materialized": session.dialect.materialized,
        },
    )  # fmt: skip
    distinct: dict[int, int] = {}
    top: dict[int, list[tuple[str, int]]] = {}
    sampled = 0
    for which, values, counted, value, times in rows:
        if values is not None:
            distinct[which], sampled = values, int(counted)
        else:
            top.setdefault(which, []).append((value, times))
    return sampled, {name: (distinct.get(bits, 0), tuple(top.get(bits, ()))) for name, bits in keys.items()}


def _bits(index: int, count: int) -> int:
    """What `grouping()` gives for the groups of one column of several."""
    return ((1 << count) - 1) & ~(1 << (count - 1 - index))
