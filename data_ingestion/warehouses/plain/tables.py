"""Plain tables: raw as contracts ask for it, on warehouses without indexes.

No key is enforced and nothing is indexed: the merge finds rows by joins. With which key a table was made stands in
`ops.datasets`.
"""

from __future__ import annotations

from data_ingestion.contract import Contract
from data_ingestion.engine.session import Session
from data_ingestion.merge.fit import Difference, There
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.raw_tables import RawTables


class PlainTables(RawTables):
    """Columns and types, and nothing else."""

    def look(self, table: RawTable) -> There | None:
        types = {
            name: _as_asked_for(self._session, kind, table.types.get(name, kind))
            for name, kind in _columns(self._session, table.name).items()
        }
        if not types:
            return None
        row = self._session.row(
            "select raw_key from ops.datasets where dataset = $dataset", dataset=table.contract.dataset
        )
        key = row[0] if row else None
        if key and key.startswith("hash of "):
            return There(types, frozenset(), ("_key",), key)
        return There(types, frozenset(), tuple(key.split(", ")) if key else table.key, None)

    def make(self, table: RawTable) -> None:
        dialect = self._session.dialect
        columns = ", ".join(
            f"{dialect.quote(name)} {dialect.type_of(kind)}" for name, kind in table.types.items()
        )
        self._session.run(f"create table {dialect.quote(*table.name)} ({columns})")
        of_history = f"{columns}, _by_load_id bigint, _fate {dialect.type_of('text')}"
        self._session.run(f"create table {dialect.quote(*table.history)} ({of_history})")
        self._session.run(
            "update ops.datasets set raw_key = $key where dataset = $dataset",
            key=table.hashed if table.by_occurrence else ", ".join(table.key),
            dataset=table.contract.dataset,
        )

    def alter(self, table: RawTable, there: There, difference: Difference) -> None:
        dialect = self._session.dialect
        for name in (table.name, table.history):
            altered = f"alter table {dialect.quote(*name)}"
            for column in (*difference.gained, *difference.widened):
                how = "add column {} {}" if column in difference.gained else "alter column {} type {}"
                kind = dialect.type_of(table.types[column])
                self._session.run(f"{altered} {how.format(dialect.quote(column), kind)}")


def _as_asked_for(session: Session, kind: str, wanted: str) -> str:
    """A column's type; the wanted one if the engine does not tell the two apart."""
    return wanted if session.dialect.type_of(kind) == session.dialect.type_of(wanted) else kind


def raw_table(session: Session, contract: Contract) -> RawTable:
    """The dataset's raw table with its former columns."""
    table = RawTable(contract)
    former = [name for name in _columns(session, table.name) if name not in table.types]
    return RawTable(contract, tuple(former))


def _columns(session: Session, name: tuple[str, str]) -> dict[str, str]:
    found = session.describe(*name)
    return dict(found.columns) if found else {}
