"""Plain rebuilding: what is read waits in temporary tables, and new tables take the names of the old ones."""

from __future__ import annotations

from contextlib import suppress

from data_ingestion.engine.session import Session
from data_ingestion.merge.fit import There
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.plain.tables import PlainTables


class PlainRebuilding:
    """A rebuild under way. No other process writes, and temporary tables are gone with this one."""

    prefix = "_rebuild"

    def __init__(self, session: Session, table: RawTable) -> None:
        self._session, self._table = session, table
        self._made: list[str] = []

    def look(self) -> There:
        there = PlainTables(self._session).look(self._table)
        assert there is not None, "a load or `prepare` has made it"
        return there

    def create(self, part: str, query: str) -> str:
        name = f"{self.prefix}_{part}"
        self._session.run(f"drop table if exists {name}")
        self._session.run(f"create temporary table {name} as {query}")
        self._made.append(name)
        return name

    def make(self, new: RawTable) -> None:
        PlainTables(self._session).make(new)

    def complete(self, new: RawTable) -> None:
        """Nothing is indexed."""

    def take_place(self, old: RawTable, new: RawTable) -> tuple[str, ...]:
        """Views find their tables by name when they are read."""
        quote = self._session.dialect.quote
        for name, made in ((old.name, new.name), (old.history, new.history)):
            self._session.run(f"drop table {quote(*name)}")
            self._session.run(f"alter table {quote(*made)} rename to {quote(name[1])}")
        return ()

    def analyze(self, *tables: str) -> None:
        """The engine counts by itself."""

    def end(self) -> None:
        """Removes the tables aside; those of a session that has ended are gone."""
        with suppress(Exception):  # of a session that has ended, they are gone
            for name in self._made:
                self._session.run(f"drop table if exists {name}")
