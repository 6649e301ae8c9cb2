"""Fault: what is wrong in a contract, where, and what its author can do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from data_ingestion.errors import ContractFault

REFERENCE = "docs/reference/contract.md"


@dataclass(frozen=True)
class Fault:
    """One thing wrong at one place; `place` is a path such as `schema[0].properties[3].logicalType`."""

    file: Path
    line: int | None
    place: str
    fault: str
    remedy: str
    anchor: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else str(self.file)
        place = f" {self.place}:" if self.place else ""
        return f"{where}:{place} {self.fault}\n  {self.remedy}  ({REFERENCE}#{self.anchor})"


class ContractError(ContractFault):
    """The author of a contract has to act; `faults` holds everything that was found, not only the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def choices(given: object, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy that names the likeliest of the known names, else `otherwise`, else all of them."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(str(given).lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{by_lower[near[0]]}'?"
    if otherwise:
        return otherwise
    return "choose one of: " + ", ".join(names) if names else "leave it out"
