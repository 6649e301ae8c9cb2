"""Copying session: for warehouses that take many rows only as files, copied into temporary tables of a transaction."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice

from data_ingestion.engine.counting import DRAWN, ROWS_AT_ONCE, CountingSession
from data_ingestion.engine.dialect import Given
from data_ingestion.engine.lease import LeaseKeeper, take_leases
from data_ingestion.landing import Landing, open_store
from data_ingestion.staging.csv_parts import PREFIX, CsvFiles

# As many rows are handed over in a statement's own parameters; more of them as a file.
FEW_ROWS = 50
# No load that is alive has files that are as old.
STAGED_FOR = timedelta(days=2)


class CopyingSession(CountingSession):
    """A session to which rows are handed over by COPY, so that no statement grows with what is loaded."""

    text_bytes: int
    """The longest text that a column takes."""

    def __init__(self, staging_url: str) -> None:
        super().__init__()
        self.staging_url = staging_url
        # Tables to be dropped where the transaction ends, or the next one does.
        self.temporary: list[str] = []
        self._handed_over: list[tuple[Given, str]] = []
        self._leases = LeaseKeeper(self.another)

    @abstractmethod
    def copy_in(self, files: CsvFiles, types: Mapping[str, str]) -> str:
        """The temporary table with the rows of files, whose columns are given with their types."""

    @cached_property
    def staging(self) -> Landing:
        """Where files wait for their COPY."""
        return open_store(self.staging_url)

    def new_files(self) -> CsvFiles:
        """Files to be filled."""
        return CsvFiles(self.staging, self.text_bytes)

    @abstractmethod
    def another(self) -> CopyingSession:
        """A further session with the same warehouse."""

    def hold_attempts(self, attempt_ids: Sequence[int]) -> None:
        take_leases(self, attempt_ids)
        self._leases.hold(attempt_ids)

    def release_attempts(self, attempt_ids: Sequence[int]) -> None:
        self._leases.release(attempt_ids)

    def close(self) -> None:
        self._leases.close()

    def remove_old_files(self) -> None:
        """Takes the files of loads away that were killed."""
        oldest = datetime.now(UTC) - STAGED_FOR
        for file in self.staging.list_objects():
            if file.key.startswith(PREFIX) and file.last_modified < oldest:
                self.staging.delete(file.key)

    def forget_temporary(self) -> None:
        """The transaction has ended, and its temporary tables with it."""
        self._scratch.clear()
        self.temporary.clear()
        self._handed_over.clear()

    def insert(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """By one COPY, however many there are."""
        left = iter(rows)
        part = list(islice(left, ROWS_AT_ONCE))
        if len(part) <= FEW_ROWS:
            super().insert(table, columns, part)
            return
        files = self.new_files()
        try:
            while part:
                files.write(list(zip(*part, strict=True)))
                part = list(islice(left, ROWS_AT_ONCE))
            with self.transaction():
                names, taken = ", ".join(columns), ", ".join(columns)
                name = self.copy_in(files, columns)
                if table in DRAWN:
                    before = self.draw(DRAWN[table], files.rows)[0] - 1
                    names, taken = f"{DRAWN[table]}, {names}", f"{before} + row_number() over (), {taken}"
                self.run(f"insert into {table} ({names}) select {taken} from {name}")
        finally:
            files.remove()

    def _hand_over(self, rows: Given) -> tuple[str, Mapping[str, object]]:
        if max((len(column) for _, column in rows.columns.values()), default=0) > FEW_ROWS:
            return self._hand_over_file(rows), {}
        return super()._hand_over(rows)

    def _hand_over_file(self, rows: Given) -> str:
        """The temporary table with the rows; those that several statements of a transaction use are copied once."""
        for handed_over, name in self._handed_over:
            if _holds(handed_over, rows):
                return name
        files = self.new_files()
        files.write([column for _, column in rows.columns.values()])
        try:
            name = self.copy_in(files, {column: kind for column, (kind, _) in rows.columns.items()})
        finally:
            files.remove()
        if self.in_transaction:
            self._handed_over.append((rows, name))
        return name


def _holds(table: Given, rows: Given) -> bool:
    """Whether a table has just these rows, in whatever order, perhaps with further columns."""
    if any(table.columns.get(name, ("",))[0] != kind for name, (kind, _) in rows.columns.items()):
        return False
    held = zip(*(table.columns[name][1] for name in rows.columns), strict=True)
    return Counter(held) == Counter(zip(*(column for _, column in rows.columns.values()), strict=True))
