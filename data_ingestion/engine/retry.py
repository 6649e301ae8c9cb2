"""Retry: a transaction that met another one is run again as a whole, after a pause of random length."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from random import uniform
from typing import Concatenate, ParamSpec, TypeVar

from data_ingestion.engine.session import Session
from data_ingestion.errors import TransactionConflict

TRIES = 6
# The longest pause after the first conflict; after each further one, it is that much longer.
PAUSE_SECONDS = 2.0

Answer = TypeVar("Answer")
Given = ParamSpec("Given")
OfSession = TypeVar("OfSession", bound=Session)

log = logging.getLogger(__name__)


def until_committed(session: Session, act: Callable[[], Answer], task: str) -> Answer:
    """What `act` returns, which is a transaction as a whole: tried `TRIES` times while others conflict with it.

    Within another transaction it is tried once: that one has to be repeated.
    """
    tries = 1 if session.in_transaction else TRIES
    for attempt in range(1, tries):
        try:
            return act()
        except TransactionConflict as conflict:
            pause = uniform(0, PAUSE_SECONDS * attempt)  # noqa: S311 - spreads those that met
            log.warning(
                "%s: another transaction was in the way (%s); try %d of %d follows in %.1f s",
                task, str(conflict).splitlines()[0], attempt + 1, tries, pause,
            )  # fmt: skip
            time.sleep(pause)
    return act()


def whole_transaction(
    function: Callable[Concatenate[OfSession, Given], Answer],
) -> Callable[Concatenate[OfSession, Given], Answer]:
    """A function of a session whose statements are one transaction, run again where others conflict with it."""

    @wraps(function)
    def run(session: OfSession, /, *arguments: Given.args, **named: Given.kwargs) -> Answer:
        task = function.__name__.replace("_", " ")
        return until_committed(session, lambda: function(session, *arguments, **named), task)

    return run
