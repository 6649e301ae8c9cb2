"""Fast merge on Postgres: plans chosen by a sample of the stage, first drops copied straight into raw.

What each gains is measured by `make bench` (docs/reference/performance.md); all of them end in the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_ingestion.engine.staged import DirectCopy
from data_ingestion.ledger.model import MergePlan
from data_ingestion.merge.accelerators import Accelerators
from data_ingestion.merge.fates import Stage
from data_ingestion.merge.table import RawTable
from data_ingestion.warehouses.postgres.direct_copy import build_key
from data_ingestion.warehouses.postgres.merge_plan import MergeFacts, choose_plan

if TYPE_CHECKING:
    from data_ingestion.warehouses.postgres.session import PostgresSession


class PostgresAccelerators(Accelerators):
    """Postgres' own ways."""

    def __init__(self, session: PostgresSession) -> None:
        self._session = session

    def choose_plan(self, stage: Stage, raw_rows: int) -> tuple[MergePlan, str]:
        """By how much of the stage raw knows, in a sample of its pages: its first rows need not be like the others."""
        limits = self._session.plan_limits
        if not raw_rows or not stage.rows:
            return choose_plan(MergeFacts(stage.rows, raw_rows, 0, 0), limits)
        share = min(100.0, 100.0 * limits.sample_rows / stage.rows)
        ((sampled, known),) = stage.ask(
            f"""select count(*), count(r._drop_id)
                from (select {{key}} from {{stage}} tablesample system ({share}) limit {limits.sample_rows}) s
                left join {{raw}} r on {{same_key_rs}}"""
        )
        return choose_plan(MergeFacts(stage.rows, raw_rows, sampled, known), limits)

    def finish_direct(self, table: RawTable, copy: DirectCopy) -> None:
        build_key(self._session, table, copy)
