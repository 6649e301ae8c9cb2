"""Withdrawal on Postgres: an object lets go of its drop because a person says so."""

from __future__ import annotations

from psycopg import Connection

from data_ingestion.contract import Contract
from data_ingestion.ledger import Fates, LoadReport, LoadState, MergePlan, ObjectState, check_laws
from data_ingestion.plan import PlannedDrop
from data_ingestion.warehouses.postgres import ledger
from data_ingestion.warehouses.postgres.claims import Claims
from data_ingestion.warehouses.postgres.holders import let_go
from data_ingestion.warehouses.postgres.session import lock_dataset
from data_ingestion.warehouses.postgres.tables import RawTable


def withdraw(connection: Connection, contract: Contract, planned: PlannedDrop, attempt_id: int) -> LoadReport:
    """Ends the object's hold on the drop that it holds now, in the caller's transaction, under the dataset's lock.

    An object that was not loaded is withdrawn, too: no run takes it until its bytes change.
    """
    table, key = RawTable(contract), planned.object.key
    raw_before = ledger.open_dataset(connection, contract)
    moved_before = ledger.rows_moved(connection, table.name)
    drop_id, sha256 = _take_out(connection, contract.dataset, key)
    load_id = ledger.draw_load_id(connection)
    if drop_id is None:
        fates, plan, reason = Fates(), MergePlan.NOTHING, "not in force; not loaded until its bytes change"
    else:
        fates, settled = let_go(Claims(connection, table, drop_id, load_id), key)
        plan, reason = _tell(connection, drop_id, settled)
    raw_after = raw_before + ledger.rows_moved(connection, table.name) - moved_before
    check_laws(fates, raw_before, raw_after)
    ledger.record_raw_rows(connection, contract.dataset, raw_after)
    report = LoadReport(
        contract.dataset, key, planned.kind, LoadState.LOADED, fates, attempt_id, load_id, drop_id,
        sha256.hex() if sha256 else None, plan, reason, raw_before, raw_after,
    )  # fmt: skip
    ledger.record_end(connection, report, None, planned.object.size)
    ledger.close_quarantine(connection, report, of_failed_only=False)
    return report


def undo_withdrawal(connection: Connection, dataset: str, key: str) -> bool:
    """Has the next run load a withdrawn object again; its delivery time, and so its rank, is what it was."""
    with connection.transaction():
        lock_dataset(connection, dataset)
        undone = connection.execute(
            """update ops.objects set state = 'seen', gone_at = null
               where object_key = %s and dataset = %s and state = 'withdrawn'""",
            [key, dataset],
        )
        return undone.rowcount == 1


def stays_withdrawn(connection: Connection, dataset: str, key: str, sha256: bytes) -> bool:
    """Whether an object was withdrawn from the dataset with these very bytes."""
    row = connection.execute(
        """select from ops.objects
           where object_key = %s and dataset = %s and state = 'withdrawn' and withdrawn_sha256 = %s""",
        [key, dataset, sha256],
    ).fetchone()
    return row is not None


def _take_out(connection: Connection, dataset: str, key: str) -> tuple[int | None, bytes | None]:
    """Marks the object as withdrawn; the drop it held and that drop's hash, if it held one."""
    row = connection.execute(
        """select o.drop_id, d.sha256 from ops.objects o left join ops.drops d using (drop_id)
           where o.object_key = %s and o.dataset = %s""",
        [key, dataset],
    ).fetchone()
    drop_id, sha256 = row or (None, None)
    connection.execute(
        """update ops.objects set state = %s, drop_id = null, withdrawn_sha256 = coalesce(%s, withdrawn_sha256)
           where object_key = %s""",
        [ObjectState.WITHDRAWN, sha256, key],
    )
    return drop_id, bytes(sha256) if sha256 else None


def _tell(connection: Connection, drop_id: int, settled: int) -> tuple[MergePlan, str]:
    """What was done, in a word and in a sentence."""
    holder = connection.execute(
        "select object_key from ops.objects where drop_id = %s order by 1 limit 1", [drop_id]
    ).fetchone()
    if holder is None:
        return MergePlan.WITHDRAW, "no other object holds its bytes"
    reason = f"{holder[0]} holds the same bytes, its rows stay"
    if settled:
        return MergePlan.SETTLE, f"{reason}; rows it now comes second in: {settled:,}"
    return MergePlan.NOTHING, reason
