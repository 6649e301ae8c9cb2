"""Header: where each of the contract's columns stands in a file, or all that keeps its header from fitting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from data_ingestion.contract import Column, Contract, CsvFormat, SpreadsheetFormat
from data_ingestion.errors import DropFault
from data_ingestion.excerpts import MOST_LISTED, listed, quote
from data_ingestion.reading.first_rows import nearest
from data_ingestion.reading.likeness import Likeness

MOST_ON_A_LINE = 120

# What the file of a header that does not fit looks like, given the headers that were expected.
Look = Callable[[Collection[str]], Likeness | None]


def find_columns(
    contract: Contract, header: Sequence[str], object_key: str, look: Look | None = None
) -> dict[str, int]:
    """Where each of the contract's columns stands in the file, by any of its headers.

    Raises `DropFault` for headers that repeat, that the contract does not know, or that are missing: to guess
    would be to load the wrong column. It names all of them, or what the file looks like instead.
    """
    by_header = {text: column for column in contract.columns for text in column.headers}
    positions: dict[str, int] = {}
    unknown: list[str] = []
    twice: list[str] = []
    for text, times in Counter(header).items():
        if times > 1 and text not in contract.ignored_headers:
            twice.append(f"{quote(text)} stands {times} times")
    for position, text in enumerate(header):
        column = by_header.get(text)
        if column is None:
            if text not in contract.ignored_headers:
                unknown.append(text)
            continue
        first = header[positions.setdefault(column.name, position)]
        if first != text:
            twice.append(f"{quote(first)} and {quote(text)} are both headers of '{column.name}'")
    absent = [column for column in contract.columns if column.name not in positions]
    missing = [column for column in absent if not column.may_be_absent]
    if not (unknown or twice or missing):
        return positions
    expected = [*by_header, *contract.ignored_headers]
    if look and (likeness := look(expected)):
        raise DropFault(f"{object_key}: {likeness}")
    raise DropFault(_message(contract, object_key, list(dict.fromkeys(unknown)), twice, missing, absent))


def _message(
    contract: Contract,
    object_key: str,
    unknown: Sequence[str],
    twice: Sequence[str],
    missing: Sequence[Column],
    absent: Sequence[Column],
) -> str:
    """All faults on the first line if they are few, else their numbers there and a line for each kind of fault.

    An unknown header may be meant for a column that is `absent`, be it missing or not.
    """
    wanted = [header for column in absent for header in column.headers]
    remedies = ["correct the file"]
    faults: list[tuple[str, Sequence[str]]] = []
    if missing:
        faults.append(("missing", [" or ".join(map(quote, column.headers[:3])) for column in missing]))
        if not all(column.required for column in missing):
            remedies.append("allow `mayBeAbsent` for what is missing")
    if unknown:
        faults.append(("unknown", [_with_hint(text, wanted) for text in unknown[:MOST_LISTED]]))
        remedies.append("add what is unknown to a column's `headers` or to `ignoredHeaders`")
    if twice:
        faults.append(("repeated", twice))
        if isinstance(contract.format_of(object_key), CsvFormat | SpreadsheetFormat):
            remedies.append("tell columns of one name apart by `repeatedHeaders: numbered`")
    counts = {"missing": len(missing), "unknown": len(unknown), "repeated": len(twice)}
    shown = {kind: listed(names, total=counts[kind]) for kind, names in faults}
    lines = ["; ".join(f"{kind} {names}" for kind, names in shown.items())]
    if len(lines[0]) > MOST_ON_A_LINE:
        lines = [
            ", ".join(f"{counts[kind]:,} {kind}" for kind in shown),
            *(f"  {kind}: {names}" for kind, names in shown.items()),
        ]
    lines[0] = f"{object_key}:1: the header does not fit {contract.path}: {lines[0]}"
    remedy = ", ".join(remedies[:-1]) + ", or " + remedies[-1] if len(remedies) > 1 else remedies[0]
    return "\n".join([*lines, f"  {remedy}  (docs/reference/contract.md#headers)"])


def _with_hint(text: str, wanted: Collection[str]) -> str:
    near = nearest(text, wanted)
    return quote(text) + (f" (did you mean {quote(near)}?)" if near else "")
