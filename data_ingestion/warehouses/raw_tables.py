"""Raw tables: how those that are there follow their contracts, and what only a rebuild can do; the same everywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from data_ingestion.contract import Contract
from data_ingestion.engine.session import Session
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.ledger.objects import ensure_dataset
from data_ingestion.merge.fit import Difference, TableFit, There, compare, describe_faults, remade
from data_ingestion.merge.table import RawTable
from data_ingestion.merge.widening import Widening


class RawTables(ABC):
    """The raw tables of a warehouse with their histories. An adapter says how they are looked at, made and altered."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @abstractmethod
    def look(self, table: RawTable) -> There | None:
        """The raw table that is there, or None."""

    @abstractmethod
    def make(self, table: RawTable) -> None:
        """Makes the raw table and its history, without rows."""

    @abstractmethod
    def alter(self, table: RawTable, there: There, difference: Difference) -> None:
        """Adds columns, and loosens and widens those that are there. A new one is null until its drops are replayed."""

    def make_again(self, table: RawTable) -> tuple[str, ...]:
        """Tables without rows, dropped and made as the contract says; what went with them, in sentences."""
        self._drop(table)
        self.make(table)
        return ()

    def cost_of_widening(self, table: RawTable, how: Widening) -> str:
        """What a column that is widened costs the server, after a colon; '' where that is nothing."""
        return ""

    def fit(self, contract: Contract) -> TableFit:
        """What `prepare` would do, or why it can't."""
        table = RawTable(contract)
        there = self.look(table)
        if there is None:
            return TableFit(contract.dataset)
        difference = compare(table, there)
        if difference.is_other and self._is_empty(table):
            return TableFit(contract.dataset, (remade(table),))
        changes = tuple(self._describe(table, there, difference))
        return TableFit(contract.dataset, changes, describe_faults(table, there, difference))

    def prepare(self, contract: Contract) -> tuple[str, ...]:
        """Makes the raw table and its history, or has those that are there follow the contract; what was changed.

        Tables without rows are made again. Else columns that the contract has gained are added, and types that only
        widen are widened. A column that the contract no longer has stays, and is null in new rows. Raises
        `ContractFault` for a type or a key that the table holds otherwise: that is a rebuild.
        """
        table = RawTable(contract)
        if (there := self.look(table)) and self._fits(table, there):
            return ()
        with self._session.transaction():
            self._session.lock(contract.dataset)
            there = self.look(table)
            if there is None:
                self._make_first(table)
                return ()
            difference = compare(table, there)
            if difference.is_other and self._is_empty(table):
                return (remade(table), *self.make_again(table))
            if difference.is_refused:
                faults = describe_faults(table, there, difference)
                raise ContractFault(TableFit(contract.dataset, (), faults).faults_message)
            self.alter(table, there, difference)
            return tuple(self._describe(table, there, difference))

    def _make_first(self, table: RawTable) -> None:
        dataset = table.contract.dataset
        if self._session.describe(*table.history):
            raise OperatorFault(
                f"{'.'.join(table.history)} exists, but its raw table does not: it was dropped\n"
                "  also drop the history: the next two loads load the files on the landing again"
            )
        ensure_dataset(self._session, dataset)
        self._session.run("update ops.datasets set raw_rows = 0 where dataset = $dataset", dataset=dataset)
        # Drops of a table that was dropped are as no contract made them: the next plan replays them.
        self._session.run(
            "update ops.drops set fingerprint = '' where dataset = $dataset and ended_at is null",
            dataset=dataset,
        )
        self.make(table)

    def _drop(self, table: RawTable) -> None:
        for name in (table.name, table.history):
            self._session.run(f"drop table {self._session.dialect.quote(*name)}")

    def _is_empty(self, table: RawTable) -> bool:
        quote = self._session.dialect.quote
        return all(
            self._session.row(f"select 1 from {quote(*name)} limit 1") is None
            for name in (table.name, table.history)
        )

    def _fits(self, table: RawTable, there: There) -> bool:
        """Whether there is nothing to do. Columns that left the contract stay in a table with rows."""
        if table.by_occurrence and not there.hashed:
            return False
        difference = compare(table, there)
        if difference == Difference():
            return True
        return difference == Difference(left=difference.left) and not self._is_empty(table)

    def _describe(self, table: RawTable, there: There, difference: Difference) -> Iterator[str]:
        raw = f"raw.{table.contract.dataset}"
        for column in difference.gained:
            yield f"{raw} gains the column {column}"
        for column, how in difference.widened.items():
            cost = self.cost_of_widening(table, how)
            yield f"{raw}.{column} is widened from {there.types[column]} to {table.types[column]}{cost}"
