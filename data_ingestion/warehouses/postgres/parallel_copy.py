"""Parallel copy: a large drop's chunks copied into one stage by several sessions at once, for one merge.

What several sessions fill has to be committed first, so this stage is not a temporary table. The transaction that
merges it drops it; the stage of a load that was rolled back is dropped after the rollback, or by the next command.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from typing import Any

import psycopg
from psycopg import Connection, sql

from data_ingestion.engine.staged import Staged
from data_ingestion.errors import OperatorFault
from data_ingestion.merge.table import RawTable
from data_ingestion.staging.rows import StageRows
from data_ingestion.warehouses.postgres.copy_stage import BinaryCopy
from data_ingestion.warehouses.postgres.session import CANCEL_SECONDS
from data_ingestion.warehouses.postgres.stage_cleanup import claim_stage
from data_ingestion.warehouses.postgres.tables import create_stage


class ParallelCopyStage:
    """A stage filled by several threads, each with a session and a COPY of its own. One thread hands them chunks."""

    def __init__(
        self, connection: Connection, table: RawTable, open_another: Callable[[], Connection], sessions: int
    ) -> None:
        self._name = claim_stage(connection)
        self._rows = StageRows(table)
        self._under_way: deque[Future[None]] = deque()
        self._idle: SimpleQueue[BinaryCopy] = SimpleQueue()
        with ExitStack() as undo:
            self._sessions = _open_sessions(open_another, sessions, undo)
            first = self._sessions[0]
            first.execute(sql.SQL("drop table if exists {}").format(self._name))
            first.execute(create_stage(table, self._name, positions=False))
            self._copies = [BinaryCopy(session, self._name, self._rows.schema) for session in self._sessions]
            undo.pop_all()
        for copy in self._copies:
            self._idle.put(copy)
        self._threads = ThreadPoolExecutor(len(self._copies), thread_name_prefix="copy")

    def write(self, rows: Any, positions: Any = None) -> None:
        """Hands a record batch of checked rows over. Raises what went wrong with one that was handed over before."""
        assert positions is None, "small drops share no stage of several sessions"
        if rows.num_rows:
            if len(self._under_way) > len(self._copies):  # one a session is copied, one waits
                self._under_way.popleft().result()
            self._under_way.append(self._threads.submit(self._copy, rows))

    def finish(self) -> Staged:
        """Ends every COPY: the rows are there for the merge."""
        for handed_over in self._under_way:
            handed_over.result()
        rows = sum(self._threads.map(BinaryCopy.finish, self._copies))
        self._close()
        distinct = self._rows.are_distinct()
        return Staged(rows, distinct, self._name.as_string(), outlives_transaction=True)

    def abort(self) -> None:
        """Ends every COPY without its rows."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for session in self._sessions:
            with suppress(psycopg.Error):
                session.cancel_safe(timeout=CANCEL_SECONDS)
        self._close()

    def _copy(self, rows: Any) -> None:
        batch = self._rows.prepare(rows)
        copy = self._idle.get()  # there is one for each thread
        try:
            copy.write(batch)
        finally:
            self._idle.put(copy)

    def _close(self) -> None:
        self._threads.shutdown()
        for session in self._sessions:
            session.close()


def _open_sessions(
    open_another: Callable[[], Connection], wanted: int, undo: ExitStack
) -> Sequence[Connection]:
    """At least one; a server that gives no more than a few has the others do the work."""
    sessions = [undo.enter_context(open_another())]
    with suppress(OperatorFault):
        while len(sessions) < wanted:
            sessions.append(undo.enter_context(open_another()))
    return sessions
