"""Messages: what `discover` and `gate` leave for the run's verdict and for its page (../../plugins/run_note.py)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_ingestion.faults import DatasetFault

# What makes the run red at its end, and what its page says of it.
FAULTS, NOTE = "faults", "note"


def leave_messages(
    log: logging.Logger,
    context: Mapping[str, Any],
    faults: Sequence[DatasetFault],
    notes: Sequence[str] = (),
    waiting: Sequence[str] = (),
) -> None:
    """Logs what keeps datasets out or waits for a person; leaves it for the verdict and, with notes, the run's page."""
    messages = [*(fault.message for fault in faults), *waiting]
    for fault in faults:
        log.error("%s is left out: %s", fault.dataset, fault.error, exc_info=fault.error)
    for message in waiting:
        log.error("%s", message)
    context["ti"].xcom_push(key=FAULTS, value=messages)
    leave_note(context, "\n\n".join([*messages, *notes]))


def leave_note(context: Mapping[str, Any], note: str) -> None:
    """Leaves a text for the run's page."""
    context["ti"].xcom_push(key=NOTE, value=note)


def collect_faults(context: Mapping[str, Any]) -> list[str]:
    """What was left that makes the run red, each once."""
    left = (context["ti"].xcom_pull(task_ids=task, key=FAULTS) for task in ("discover", "gate"))
    return list(dict.fromkeys(message for messages in left for message in messages or []))
