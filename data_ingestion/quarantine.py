"""Quarantine: the bad rows of a drop, kept aside while it is read, and the limit above which its load fails."""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, cast

from data_ingestion.checks import BadRow
from data_ingestion.contract import QuarantineLimit
from data_ingestion.errors import DropFault, OperatorFault

# In memory up to here, on disk beyond: a bad file must not cost more memory than a good one.
SPOOL_BYTES = 8 << 20
# Beyond so many, reasons are told without their column: a file may invent a key for each of its records.
REASONS_TOLD = 1000
# Of a failed load the ledger keeps this many bad rows.
KEPT_OF_FAILED = 1000


class BadRows:
    """Bad rows in the order of the file, however many there are."""

    def __init__(self) -> None:
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self._spool: IO[bytes] | None = None  # of a drop with bad rows alone: of many drops most have none

    def add(self, rows: Iterable[BadRow]) -> None:
        """Keeps rows aside."""
        for row in rows:
            if self._spool is None:
                # it lives as long as the load
                self._spool = cast(IO[bytes], tempfile.SpooledTemporaryFile(SPOOL_BYTES))  # noqa: SIM115
            try:
                pickle.dump(row, self._spool)
            except OSError as error:
                raise OperatorFault(
                    f"{tempfile.gettempdir()}: bad rows can't be kept aside here: {error.strerror}\n"
                    "  make room, or set TMPDIR to a folder that has it"
                ) from error
            self.count += 1
            reason = row.reason if row.column is None else f"{row.column}: {row.reason}"
            is_told = reason in self.reasons or len(self.reasons) < REASONS_TOLD
            self.reasons[reason if is_told else row.reason] += 1

    def __iter__(self) -> Iterator[BadRow]:
        if self._spool is None:
            return
        self._spool.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._spool)  # noqa: S301 - written by this process

    def close(self) -> None:
        """Lets go of the disk space."""
        if self._spool is not None:
            self._spool.close()


def check_limit(limit: QuarantineLimit, read: int, bad: BadRows, object_key: str) -> None:
    """Raises `DropFault` when more rows are bad than the contract bears, by its share and by its least number."""
    allowed = max(limit.least, limit.share * read)
    if bad.count <= allowed:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in bad.reasons.most_common(5))
    raise DropFault(
        f"{object_key}: {bad.count} of {read} rows break the contract, it bears {int(allowed)} ({reasons})\n"
        f"  correct the file, or the contract, and load again; see `goldworks quarantine`"
    )
