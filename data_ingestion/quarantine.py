"""Quarantine: the bad rows of a drop, kept aside while it is read, and what they have in common."""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, cast

from data_ingestion.checks import BadRow
from data_ingestion.drop_limits import RowFacts, Shape
from data_ingestion.errors import OperatorFault

# In memory up to here, on disk beyond: a bad file must not cost more memory than a good one.
SPOOL_BYTES = 8 << 20
# Beyond so many, reasons are counted without their column (a file may invent a key for each of its records), and no
# new shapes of text are counted: one that many rows have comes early.
REASONS_COUNTED, SHAPES_COUNTED = 1000, 10_000
# Of a failed load the ledger keeps this many bad rows.
KEPT_OF_FAILED = 1000


class BadRows:
    """Bad rows in the order of the file, however many there are."""

    def __init__(self) -> None:
        self._spool: IO[bytes] | None = None  # of a drop with bad rows alone: of many drops most have none
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self.shapes: Counter[tuple[Shape, str]] = Counter()
        self.remark = ""  # what the reader has to say of all of them

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
                    f"{tempfile.gettempdir()}: bad rows can't be stored temporarily here: {error.strerror}\n"
                    "  make room, or set TMPDIR to a folder that has it"
                ) from error
            self.count += 1
            reason = row.reason if row.column is None else f"{row.column}: {row.reason}"
            is_counted = reason in self.reasons or len(self.reasons) < REASONS_COUNTED
            self.reasons[reason if is_counted else row.reason] += 1
            self._count_shape(row)

    def facts(self, read: int) -> RowFacts:
        """What a drop of so many rows is checked by."""
        return RowFacts(read, self.count, self.reasons, self.shapes, self.remark)

    def _count_shape(self, row: BadRow) -> None:
        if row.shape is None or row.column is None:
            return
        shape = Shape(row.column, row.shape), row.reason
        if shape in self.shapes or len(self.shapes) < SHAPES_COUNTED:
            self.shapes[shape] += 1

    def __iter__(self) -> Iterator[BadRow]:
        if self._spool is None:
            return
        self._spool.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._spool)  # noqa: S301 - written by this process

    def clear(self) -> None:
        """Forgets the rows: the drop is read once more."""
        self.close()
        self._spool = None
        self._begin()

    def close(self) -> None:
        """Lets go of the disk space."""
        if self._spool is not None:
            self._spool.close()
