"""Drop limits: at which share of bad rows, and at what else, a load fails or a correction is held. Pure.

A row is checked by the checks, a drop by these rules, so that no load is green that has lost what it should hold. The
limits are the contract's (docs/reference/contract.md#acceptance).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from data_ingestion.contract import Contract
from data_ingestion.errors import DropFault

SHAPE_LENGTH = 40
_LETTERS, _DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")
# What can be changed in a contract when a column fails for this reason.
_SETTINGS = {
    "missing": "`required`",
    "not_a_date": "`formats`",
    "not_a_timestamp": "`formats`",
    "not_a_number": "`numberFormat`, `cleaning` or the type",
    "not_an_integer": "`numberFormat`, `cleaning` or the type",
    "not_a_boolean": "`trueValues` or `falseValues`",
    "not_accepted": "the accepted values",
    "pattern": "`pattern`",
    "out_of_bounds": "`minimum` or `maximum`",
    "out_of_range": "`physicalType`",
    "too_precise": "`physicalType`",
    "too_long": "`maxLength`",
    "too_short": "`minLength`",
    "unknown_kind": "`kinds`",
}


class Rule(StrEnum):
    """What a drop is checked by."""

    NO_GOOD_ROW = "no_good_row"
    MOST_ROWS_BAD = "most_rows_bad"
    QUARANTINE_LIMIT = "quarantine_limit"
    SAME_SHAPE = "same_shape"
    CONFLICTS = "conflicts"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, order=True)
class Shape:
    """A kind of text that a column failed for: letters as `a`, digits as `9`, runs of them as one."""

    column: str
    shape: str

    def __str__(self) -> str:
        return f"like '{self.shape}'" if self.shape else "that are empty"


@dataclass(frozen=True)
class Finding:
    """A rule that a drop breaks: of `read` rows, how many; in words for a person; of one shape, which."""

    rule: Rule
    message: str
    rows: int
    read: int
    shape: Shape | None = None


@dataclass(frozen=True)
class RowFacts:
    """What checking a drop's rows has shown: `reasons` by column and reason, `shapes` by column, text and reason.

    `remark` is what the reader has to say of all the bad ones.
    """

    read: int
    bad: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    shapes: Mapping[tuple[Shape, str], int] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class KnownShapes:
    """What the ledger knows of a dataset: whether a drop came in under its contract, and what a person accepted."""

    is_proven: bool
    accepted: frozenset[Shape] = frozenset()


class DropRefused(DropFault):
    """A drop that may not come in as it is: nothing of it is loaded."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class DropHeld(DropFault):
    """A correction that would take away most of what its object held: these bytes wait for a person's yes."""

    def __init__(self, finding: Finding, sha256: bytes) -> None:
        super().__init__(finding.message)
        self.finding, self.sha256 = finding, sha256


def shape_of(text: str) -> str:
    """`12.34-` is `9.9-`, `NA` is `a`, `2026-01-31T10:00Z` is `9-9-9a9:9a`; cut after 40 signs."""
    shape = _DIGITS.sub("9", _LETTERS.sub("a", text))
    return shape if len(shape) <= SHAPE_LENGTH else f"{shape[:SHAPE_LENGTH]}…"


def check_rows(contract: Contract, key: str, facts: RowFacts) -> None:
    """Raises `DropRefused` when too many of a drop's rows are bad."""
    limits, counted = contract.acceptance, _counted(facts.reasons)
    remedy = f"correct the file or {contract.path}, then load again; see `goldworks quarantine`"
    if facts.remark:
        remedy = f"{facts.remark}\n  {remedy}"
    if facts.read and facts.bad == facts.read and limits.bad_share < 1:
        all_rows = "the only row violates" if facts.read == 1 else f"all {facts.read:,} rows violate"
        message = f"{key}: {all_rows} the contract {counted}\n  {remedy}"
        raise DropRefused(Finding(Rule.NO_GOOD_ROW, message, facts.bad, facts.read))
    if facts.bad > limits.bad_share * facts.read:
        message = (
            f"{key}: {facts.bad:,} of {facts.read:,} rows violate the contract, more than {limits.bad_share:.0%} "
            f"{counted}\n  {remedy}"
        )
        raise DropRefused(Finding(Rule.MOST_ROWS_BAD, message, facts.bad, facts.read))
    allowed = limits.quarantined.rows(facts.read)
    if facts.bad > allowed:
        message = (
            f"{key}: {facts.bad:,} of {facts.read:,} rows violate the contract; the limit is {allowed:,} {counted}\n"
            f"  {remedy}; the limit is the contract's `quarantineLimit`"
        )
        raise DropRefused(Finding(Rule.QUARANTINE_LIMIT, message, facts.bad, facts.read))


def find_same_shapes(contract: Contract, key: str, facts: RowFacts) -> tuple[Finding, ...]:
    """Columns that lose many rows to texts of one shape, unknown to the contract; those that lose most first.

    One such text is a row's fault, many of them are the contract's: it does not say how to read them.
    """
    allowed = contract.acceptance.same_shape.rows(facts.read)
    known = shapes_known(contract)
    found = [
        _same_shape(contract, key, shape, reason, rows, facts.read)
        for (shape, reason), rows in facts.shapes.items()
        if rows > allowed and shape not in known
    ]
    return tuple(sorted(found, key=lambda finding: (-finding.rows, finding.shape)))


def shapes_known(contract: Contract) -> set[Shape]:
    """The shapes of the texts that a contract's columns list as `knownBad`."""
    return {Shape(column.name, shape_of(text)) for column in contract.columns for text in column.known_bad}


def check_same_shapes(found: Sequence[Finding], known: KnownShapes) -> tuple[Finding, ...]:
    """Those that a person has not accepted, with which a drop comes in and its run is red.

    Raises `DropRefused` while no drop has come in under this contract: it may never have fitted the files.
    """
    open_ones = tuple(finding for finding in found if finding.shape not in known.accepted)
    if open_ones and not known.is_proven:
        raise DropRefused(open_ones[0])
    return open_ones


def check_conflicts(contract: Contract, key: str, read: int, conflicts: int) -> None:
    """Raises `DropRefused` when many rows contradict a later row of the same key: then it is not a key."""
    allowed = contract.acceptance.conflicts.rows(read)
    if conflicts <= allowed:
        return
    columns = ", ".join(contract.key.columns)
    message = (
        f"{key}: {conflicts:,} of {read:,} rows differ from a later row with the same key ({columns}); "
        f"the limit is {allowed:,}\n"
        f"  the key does not identify a row: correct it in {contract.path}, "
        "or raise the limit `conflicts` of its `acceptance`"
    )
    raise DropRefused(Finding(Rule.CONFLICTS, message, conflicts, read))


def check_withdrawal(
    contract: Contract, key: str, held: int, withdrawn: int, correction: str, sha256: bytes
) -> None:
    """Raises `DropHeld` when a correction takes away most of the `held` rows that its object had.

    `correction` says what it is instead: "is empty", "has 12 rows".
    """
    if withdrawn <= contract.acceptance.withdrawn_share * held:
        return
    quoted = shlex.quote(key)
    message = (
        f"{key}: held: its correction {correction} and would withdraw {withdrawn:,} of {held:,} rows\n"
        f"  these stay until `goldworks accept {quoted}` accepts the correction, "
        f"or `goldworks withdraw {quoted}` rejects it"
    )
    raise DropHeld(Finding(Rule.WITHDRAWAL, message, withdrawn, held), sha256)


def _same_shape(contract: Contract, key: str, shape: Shape, reason: str, rows: int, read: int) -> Finding:
    setting = _SETTINGS.get(reason, "its rules")
    is_word = "9" not in shape.shape and reason != "missing"
    null_values = "list them in `nullValues` if they mean no value, or " if is_word else ""
    message = (
        f"{key}: {rows:,} of {read:,} rows fail in '{shape.column}' for texts {shape} ({reason})\n"
        f"  {null_values}correct {setting} of '{shape.column}' in {contract.path}; if such rows belong in quarantine, "
        f"list an example in its `knownBad`, or run `goldworks accept {shlex.quote(key)}`"
    )
    return Finding(Rule.SAME_SHAPE, message, rows, read, shape)


def _counted(reasons: Mapping[str, int]) -> str:
    most = sorted(reasons.items(), key=lambda item: -item[1])[:5]
    return f"({', '.join(f'{count:,} {reason}' for reason, count in most)})" if most else ""
