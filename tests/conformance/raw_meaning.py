"""Meaning: what raw must be, in one line (`meaning`), and what a drop's content becomes under a contract.

claim     a drop in force says: this key has this value
rank      of an object: period, delivery time, key; of a drop: the greatest rank of the objects that hold it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from data_ingestion.ledger import Fates

Content = tuple[tuple[str, str, str], ...]
"""The bytes of a drop, as lines of id, amount and note. Equal contents are equal bytes."""
Key = tuple[object, ...]
Value = tuple[object, ...]
LEAST_TO_FAIL, SHARE_TO_FAIL = 1, 0.5


@dataclass(frozen=True)
class Terms:
    """A contract, as far as raw depends on it."""

    occurrence: bool = False
    least: int | None = None
    trims: bool = False
    dated: bool = True

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """What decides which rows a drop becomes."""
        return self.occurrence, self.least, self.trims

    def period(self, key: str) -> str:
        """`things/2026-01/a.csv` is of 2026-01, if the contract's pattern has dates."""
        return key.split("/")[1] if self.dated else ""


class Bad(NamedTuple):
    """A row for the quarantine."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """What a content becomes under a contract."""

    claims: dict[Key, Value]
    bad: tuple[Bad, ...]
    read: int
    repeated: int
    conflicts: int

    @property
    def fails(self) -> bool:
        """Whether more rows are bad than the contract allows: more than half of them, or all."""
        return len(self.bad) > SHARE_TO_FAIL * self.read


def read(content: Content, terms: Terms) -> Reading:
    """Natural key: `id`; the last row of a key stays. Occurrence key: `id`, `note` and how often they came before."""
    rows: list[tuple[int, int, str | None]] = []
    bad: list[Bad] = []
    for line, (number, amount, note) in enumerate(content, start=2):
        if not amount.lstrip("-").isdigit():
            bad.append(Bad(line, "amount", "not_a_number"))
        elif terms.least is not None and int(amount) < terms.least:
            bad.append(Bad(line, "amount", "out_of_bounds"))
        else:
            rows.append((int(number), int(amount), (note.strip() if terms.trims else note) or None))
    if terms.occurrence:
        seen: Counter[Key] = Counter()
        occurring: dict[Key, Value] = {}
        for number, amount, note in rows:
            seen[number, note] += 1
            occurring[number, note, seen[number, note]] = (amount,)
        return Reading(occurring, tuple(bad), len(content), 0, 0)
    claims: dict[Key, Value] = {(number,): (amount, note) for number, amount, note in rows}
    conflicts = sum((amount, note) != claims[number,] for number, amount, note in rows)
    return Reading(claims, tuple(bad), len(content), len(rows) - len(claims), conflicts)


class Rank(NamedTuple):
    """Which of two objects is the newer."""

    period: str
    delivered: int
    key: str


def meaning(
    in_force: Mapping[str, tuple[Rank, Content]], terms_of: Mapping[Content, Terms]
) -> dict[Key, Value]:
    """The specification: for each key, the row of the newest drop in force that holds it."""
    raw: dict[Key, Value] = {}
    for _, content in sorted(in_force.values()):
        raw.update(read(content, terms_of[content]).claims)
    return raw


def check_laws(fates: Fates, before: int, after: int) -> None:
    """The two laws of conservation."""
    counts = asdict(fates)
    read_, restored, withdrawn = (counts.pop(name) for name in ("read", "restored", "withdrawn"))
    assert read_ == sum(counts.values()), fates
    assert after == before + fates.inserted + restored - withdrawn, (fates, before, after)
