"""Fit: how a raw table that is there stands to its contract, and what only a rebuild can change. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from data_ingestion.contract.places import place_of_column
from data_ingestion.merge.table import RawTable
from data_ingestion.merge.widening import Widening, widening


@dataclass(frozen=True)
class TableFit:
    """How a dataset's raw table stands to its contract, in sentences.

    `changes` is what `prepare` does to have it follow, `faults` is what only a rebuild can do.
    """

    dataset: str
    changes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def faults_message(self) -> str:
        """All faults, and the way out of them."""
        remedy = f"run `goldworks rebuild {self.dataset}`, which makes raw again from the landing"
        return "\n".join((*self.faults, f"  {remedy}, or change the contract back"))


@dataclass(frozen=True)
class There:
    """What a dataset's raw table is like by now: types of its columns, those that can't be null, its key."""

    types: dict[str, str]
    required: frozenset[str]
    key: tuple[str, ...]
    hashed: str | None


@dataclass(frozen=True)
class Difference:
    """What sets a raw table apart from its contract. `others` are columns of types that no widening leads to."""

    gained: tuple[str, ...] = ()
    loosened: tuple[str, ...] = ()
    left: tuple[str, ...] = ()  # columns that the contract has no longer
    widened: dict[str, Widening] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    other_key: str | None = None  # how the two differ, as a sentence

    @property
    def is_refused(self) -> bool:
        """Whether a table with rows can't follow."""
        return bool(self.others or self.other_key)

    @property
    def is_other(self) -> bool:
        """Whether a table without rows is better made again."""
        return self.is_refused or bool(self.left or self.widened)


def compare(table: RawTable, there: There) -> Difference:
    """How a table differs from what its contract asks for. Pure."""
    hashed = frozenset(table.contract.key.columns) if table.by_occurrence else frozenset[str]()
    widened, others = {}, []
    for column, wanted in table.types.items():
        held = there.types.get(column)
        if held in (None, wanted):
            continue
        found = widening(str(held), wanted, is_hashed=column in hashed)
        if found:
            widened[column] = found
        else:
            others.append(column)
    return Difference(
        tuple(column for column in table.types if column not in there.types),
        tuple(sorted(name for name in there.required if not table.is_required(name))),
        tuple(column for column in there.types if column not in table.types),
        widened,
        tuple(others),
        _other_key(table, there),
    )


def _other_key(table: RawTable, there: There) -> str | None:
    raw, path = f"raw.{table.contract.dataset}", table.contract.path
    if set(there.key) != set(table.key):  # in another order it is the same key, by the index as it was made
        return f"{path}: the key of {raw} is {', '.join(there.key)}, the contract says {', '.join(table.key)}"
    if there.hashed and there.hashed != table.hashed:
        return f"{path}: the key of {raw} is a {there.hashed}; by the contract it is a {table.hashed}"
    return None


def remade(table: RawTable) -> str:
    """What is done to a table without rows, in a sentence."""
    return f"raw.{table.contract.dataset} has no rows: it is created again as the contract says"


def describe_faults(table: RawTable, there: There, difference: Difference) -> tuple[str, ...]:
    """What only a rebuild can do, in sentences."""
    dataset = table.contract.dataset
    faults = [
        f"{place_of_column(table.contract, column)}: raw.{dataset}.{column} is {there.types[column]}, "
        f"the contract says {table.types[column]}"
        for column in difference.others
    ]
    faults += [difference.other_key] if difference.other_key else []
    return tuple(faults)
