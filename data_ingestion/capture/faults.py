"""Faults: what a source answers instead of its changes, as errors with a way out.

Whatever it is, nothing is lost: the slot keeps what is not acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from data_ingestion.errors import OperatorFault

_GUIDE = "docs/guides/capture.md#what-the-source-must-allow"


class SourceBusy(OperatorFault):
    """Someone else captures from the same slot at this moment."""


class SourceReplaced(OperatorFault):
    """The source is not the one that was captured before; waiting does not help."""


class Faults:
    """Faults of single sources, raised when all others have been captured."""

    def __init__(self) -> None:
        self._found: dict[str, OperatorFault] = {}

    @contextmanager
    def of(self, dataset: str) -> Iterator[None]:
        """Lets whoever captures one dataset after the other go on with the next."""
        try:
            yield
        except OperatorFault as fault:
            self._found[dataset] = fault

    def raise_found(self) -> None:
        """Raises the one fault that was found, or one with the messages of all."""
        if len(self._found) > 1:
            raise OperatorFault("\n".join(f"{dataset}: {fault}" for dataset, fault in self._found.items()))
        for fault in self._found.values():
            raise fault


@contextmanager
def translated_faults(slot: str) -> Iterator[None]:
    """Turns the errors of a source's server into ours."""
    try:
        yield
    except psycopg.Error as error:
        raise fault_of(error, slot) from error


def fault_of(error: psycopg.Error, slot: str) -> OperatorFault:
    """What an error of the server means for whoever captures."""
    said = (error.diag.message_primary or str(error)).strip()
    match error:
        case psycopg.errors.ObjectInUse():
            return SourceBusy(
                f"another process is reading the slot '{slot}': {said}\n  one capture at a time: wait for it to end"
            )
        case psycopg.errors.InsufficientPrivilege():
            return OperatorFault(
                f"no permission to capture '{slot}' from the source: {said}\n  grant what is missing: {_GUIDE}"
            )
        case psycopg.errors.ConfigurationLimitExceeded():
            return OperatorFault(
                f"the source has no free replication slot: {said}\n"
                "  drop an unused slot, or raise max_replication_slots and max_wal_senders"
            )
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return OperatorFault(
                f"the source ended the capture of '{slot}': {said}\n"
                "  nothing is lost: capture again once the source answers; its own log says why"
            )
    return OperatorFault(
        f"the source can't be captured as '{slot}': {said} (SQLSTATE {error.sqlstate})\n"
        "  nothing is lost: capture again once that is fixed; the source's own log may say more"
    )
