"""Fits: how the warehouse's tables stand to their contracts, printed before a load and after one has changed them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from data_ingestion.cli import output
from data_ingestion.errors import ContractFault

if TYPE_CHECKING:
    from data_ingestion.merge.fit import TableFit


def say_changes(changes: Iterable[str]) -> None:
    """What was changed, or would be, to have a table follow its contract."""
    for change in changes:
        output.say("table", change)


def say_fits(fits: Iterable[TableFit]) -> None:
    """What a load would do to tables; what it can't do is left to `misfits`."""
    for fit in fits:
        say_changes(fit.changes)


def misfits(fits: Iterable[TableFit]) -> list[ContractFault]:
    """The tables that can't follow their contracts, as faults of these."""
    return [ContractFault(fit.faults_message) for fit in fits if fit.faults]
