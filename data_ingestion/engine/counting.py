"""Counting session: ids out of a table of counters, for warehouses without sequences, or whose are not in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from data_ingestion.engine.dialect import Given
from data_ingestion.engine.session import Session

# Rows that one statement writes.
ROWS_AT_ONCE = 10_000
# Ids that a table does not draw by itself.
DRAWN = {"ops.quarantine": "quarantine_id", "ops.findings": "finding_id"}


class CountingSession(Session):
    """A session whose ids are drawn from `ops.counters`, a row a kind."""

    is_read_only = False
    """Whether nothing is to be written, so that no lock has to be taken."""

    def draw(self, ids: str, count: int) -> list[int]:
        if not count:
            return []
        with self.transaction():
            self.run("update ops.counters set last = last + $count where name = $name", count=count, name=ids)
            last = int(self.one("select last from ops.counters where name = $name", name=ids))
        return list(range(last - count + 1, last + 1))

    def insert(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        left = iter(rows)
        while part := list(islice(left, ROWS_AT_ONCE)):
            given = {
                name: (kind, [row[place] for row in part])
                for place, (name, kind) in enumerate(columns.items())
            }
            if table in DRAWN:
                given[DRAWN[table]] = ("bigint", list(self.draw(DRAWN[table], len(part))))
            names = ", ".join(given)
            self.run(f"insert into {table} ({names}) select {names} from {{given}} g", Given(given))

    def insert_from(
        self,
        table: str,
        columns: Sequence[str],
        query: str,
        phrases: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        if table in DRAWN:
            count = int(self.one(f"select count(*) from ({query}) q", phrases, **values))
            values["before"] = next(iter(self.draw(DRAWN[table], count)), 1) - 1
            columns = (DRAWN[table], *columns)
            query = f"select $before + row_number() over (), q.* from ({query}) q"
        super().insert_from(table, columns, query, phrases, **values)
