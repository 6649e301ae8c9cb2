"""Trial: what a contract makes of a file, found without a warehouse and without a trace.

The file is read and checked by the code of a load. What only a ledger knows is left out: earlier drops, what a person
accepted, and whether a file is a correction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checked_rows import read_checked
from data_ingestion.checks import LINE, BadRow
from data_ingestion.checks.rows import stage_schema
from data_ingestion.contract import Contract, KeyRule, LogicalType
from data_ingestion.drop_limits import (
    DropRefused,
    KnownShapes,
    check_conflicts,
    check_rows,
    check_same_shapes,
    find_same_shapes,
)
from data_ingestion.errors import UsageFault
from data_ingestion.quarantine import BadRows

# Exact sums of decimals, however many there are.
WIDEST_DECIMAL = 76


@dataclass(frozen=True)
class TriedRow:
    """A row for the quarantine: its line in the file, the column and rule that it breaks, and its text."""

    line: int
    column: str | None
    reason: str
    detail: str
    text: str


@dataclass(frozen=True)
class Trial:
    """What became of a file's rows: `read` = `rows` + `repeated` + `quarantined`.

    `conflicts` of the repeated rows differ from the later row of their key that stays. `sums` are of the rows that
    stay, by column of numbers. `bad` are the first of the quarantined rows. `refused` says why a first load would fail.
    """

    file: str
    dataset: str
    read: int
    rows: int
    repeated: int
    conflicts: int
    quarantined: int
    sums: dict[str, int | float | Decimal]
    bad: tuple[TriedRow, ...]
    refused: str | None


def try_file(path: Path, contract: Contract, key: str, most_bad: int) -> Trial:
    """Reads a file as a drop of the contract. Raises `DropFault` where it can't be read as one."""
    bad = BadRows()
    try:
        tables, read = _read(path, contract, key, bad)
        table = pa.Table.from_batches(tables, schema=stage_schema(contract))
        kept, conflicts = _without_repeated(table, contract)
        return Trial(
            file=str(path),
            dataset=contract.dataset,
            read=read,
            rows=kept.num_rows,
            repeated=table.num_rows - kept.num_rows,
            conflicts=conflicts,
            quarantined=bad.count,
            sums=_sums(kept, contract),
            bad=tuple(map(_as_tried, islice(bad, most_bad))),
            refused=_refusal(contract, key, read, bad, conflicts),
        )
    finally:
        bad.close()


def find_contract(contracts: Sequence[Contract], path: Path) -> tuple[Contract, str]:
    """The contract whose pattern matches the end of a path, and that end, which would be its key.

    Raises `UsageFault` where there is not exactly one.
    """
    for key in _ends(path):
        if found := [contract for contract in contracts if contract.match(key)]:
            break
    if len(found) != 1:
        names = ", ".join(contract.dataset for contract in found or contracts)
        what = "matches several contracts" if found else "lies where no contract looks for its files"
        raise UsageFault(f"{path}: {what}\n  say which contract is meant, by --dataset: {names}")
    return found[0], key


def key_under(contract: Contract, path: Path) -> str:
    """The end of a path that the contract's pattern matches; the file's name where none does."""
    return next((key for key in _ends(path) if contract.match(key)), path.name)


def _ends(path: Path) -> Iterator[str]:
    """What may be the key of a file, the longest first."""
    parts = path.resolve().parts
    return ("/".join(parts[-length:]) for length in range(len(parts) - 1, 0, -1))


def _read(path: Path, contract: Contract, key: str, bad: BadRows) -> tuple[list[Any], int]:
    """The checked rows, as record batches, and how many rows there were; the others go to `bad`."""
    tables, read = [], 0
    with path.open("rb") as stream:
        for checked in read_checked(stream, contract, key, bad):
            tables.append(checked.rows)
            read += checked.read
    return tables, read


def _without_repeated(table: Any, contract: Contract) -> tuple[Any, int]:
    """The last row of each key, and how many of the others differ from it."""
    keys = list(contract.key.columns)
    if contract.key.rule is KeyRule.OCCURRENCE or not table.num_rows:
        return table, 0
    last = table.group_by(keys).aggregate([(LINE, "max")])
    if last.num_rows == table.num_rows:
        return table, 0
    stays = pc.is_in(table.column(LINE), last.column(f"{LINE}_max").combine_chunks())
    kept, repeated = table.filter(stays), table.filter(pc.invert(stays))
    same_key = kept.join(repeated.select(keys), keys, join_type="left semi")
    content_of = {_values(row, keys): row for row in _rows(same_key)}
    return kept, sum(row != content_of[_values(row, keys)] for row in _rows(repeated))


def _as_tried(row: BadRow) -> TriedRow:
    return TriedRow(row.line, row.column, row.reason, row.detail, row.raw.decode("utf-8", "backslashreplace"))


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    for batch in table.drop_columns([LINE]).to_batches():
        yield from batch.to_pylist()


def _values(row: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _sums(table: Any, contract: Contract) -> dict[str, int | float | Decimal]:
    sums: dict[str, int | float | Decimal] = {}
    for column in contract.columns:
        if column.type not in (LogicalType.INTEGER, LogicalType.NUMBER):
            continue
        numbers = table.column(column.name)
        if pa.types.is_floating(numbers.type):
            sums[column.name] = pc.sum(numbers).as_py() or 0.0
            continue
        scale = column.scale or 0
        total = pc.sum(numbers.cast(pa.decimal256(WIDEST_DECIMAL, scale))).as_py() or Decimal(0)
        sums[column.name] = total if scale else int(total)
    return sums


def _refusal(contract: Contract, key: str, read: int, bad: BadRows, conflicts: int) -> str | None:
    """Why a first load of the file would fail."""
    facts = bad.facts(read)
    try:
        check_rows(contract, key, facts)
        check_same_shapes(find_same_shapes(contract, key, facts), KnownShapes(is_proven=False))
        check_conflicts(contract, key, read, conflicts)
    except DropRefused as refused:
        return str(refused)
    return None
