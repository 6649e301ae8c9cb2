"""Leases: an attempt is alive while its lease is renewed, on warehouses that don't show other sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread

from data_ingestion.engine.dialect import given
from data_ingestion.engine.session import Session
from data_ingestion.errors import OperatorFault

# How long an attempt counts as alive after it was last renewed, and how often that is done.
SECONDS, RENEWED_EVERY = 600, 120.0


def take_leases(session: Session, attempt_ids: Sequence[int]) -> None:
    """Has attempts count as alive for `SECONDS` from now on."""
    session.run(
        """update ops.loads set lease_until = {until}
           where state = 'started' and attempt_id in (select g.attempt_id from {given} g)""",
        given(attempt_id=("bigint", attempt_ids)),
        {"until": session.dialect.in_seconds(SECONDS)},
    )


class LeaseKeeper:
    """Renews the leases of a session's attempts while it works, in a thread and by a session of its own.

    That one is opened when a lease is to be renewed for the first time: most loads are over before.
    """

    def __init__(self, open_another: Callable[[], Session]) -> None:
        self._open_another = open_another
        self._held: frozenset[int] = frozenset()  # replaced as a whole: the thread reads it
        self._ended = Event()
        self._thread: Thread | None = None

    def hold(self, attempt_ids: Sequence[int]) -> None:
        """Keeps attempts alive from now on, whose leases have been taken."""
        self._held |= frozenset(attempt_ids)
        if self._thread is None:
            self._ended = Event()
            self._thread = Thread(target=self._renew, args=(self._ended,), daemon=True, name="leases")
            self._thread.start()

    def release(self, attempt_ids: Sequence[int]) -> None:
        """These have ended."""
        self._held -= frozenset(attempt_ids)

    def close(self) -> None:
        """Nothing is renewed any more."""
        self._ended.set()
        self._thread = None
        self._held = frozenset()

    def _renew(self, ended: Event) -> None:
        session: Session | None = None
        while not ended.wait(RENEWED_EVERY):
            if held := sorted(self._held):
                with suppress(OperatorFault):  # tried again before the lease is over
                    session = session or self._open_another()
                    take_leases(session, held)
        if session:
            session.close()
