"""Events: a line of JSON for each step of the journey: what was done, how much of it, how long it took, how it ended.

Never a value of the data, nor an error's text, which may quote one: a fact is a number, or a word of which this module
knows what it means. Keys of objects are not facts either, since senders put names into them; the ledger has them.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data_ingestion.errors import OperatorFault

if TYPE_CHECKING:
    from data_ingestion.discovery import Discovery
    from data_ingestion.ledger import LoadReport

# In a task of Airflow its lines go into the task's log, like any other's; in a shell they go nowhere by default.
log = logging.getLogger("goldworks.events")

WORDS = ("dataset", "domain", "relation", "report", "kind", "plan", "outcome", "error")
Fact = int | float | str | None
# Commands and tasks of one run share its id: Airflow's own, or one drawn for this process.
_DRAWN = uuid.uuid4().hex[:12]


def send_to(target: str | None, *, into_log: bool = False) -> None:
    """Where lines go: `-` to standard error, else to the end of a file; None nowhere.

    `into_log` also passes them to the parent loggers, whatever their level: a task's log, for example.
    Raises `OperatorFault` for a file that can't be written.
    """
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    log.setLevel(logging.INFO if target or into_log else logging.NOTSET)
    if not target:
        return
    try:
        handler = logging.StreamHandler() if target == "-" else logging.FileHandler(target, encoding="utf-8")
    except OSError as error:
        raise OperatorFault(f"GOLDWORKS_LOG: {target} can't be written: {error.strerror}") from error
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)


def write_event(step: str, outcome: str = "done", /, **facts: Fact) -> None:
    """Writes the line of a step that has ended."""
    if not log.isEnabledFor(logging.INFO):
        return
    line: dict[str, Fact] = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "run": os.environ.get("AIRFLOW_CTX_DAG_RUN_ID") or _DRAWN,
        "step": step,
        "outcome": outcome,
    }
    for name, fact in facts.items():
        if isinstance(fact, str) and name not in WORDS:
            raise TypeError(f"{name}: an event may have numbers, and as words only {', '.join(WORDS)}")
        if fact is not None:
            line[name] = round(fact, 3) if isinstance(fact, float) else fact
    log.info(json.dumps(line, ensure_ascii=True))


@contextmanager
def step(name: str, /, **facts: Fact) -> Iterator[dict[str, Fact]]:
    """A step from its beginning to its end, however it ends; what it finds out meanwhile is put into the facts."""
    started = time.monotonic()
    found = dict(facts)
    try:
        yield found
    except BaseException as error:
        write_event(name, "failed", **found, seconds=time.monotonic() - started, error=type(error).__name__)
        raise
    write_event(name, "done", **found, seconds=time.monotonic() - started)


def write_discovery_events(found: Discovery, seconds: float, *, dry: bool) -> None:
    """A line a dataset with what is to be done, and one for what belongs to none."""
    name = "plan" if dry else "discover"
    for plan in found.plans:
        kinds: dict[str, int] = {}
        for drop in plan.drops:
            kinds[drop.kind.value] = kinds.get(drop.kind.value, 0) + 1
        write_event(
            name,
            dataset=plan.dataset,
            to_load=len(plan.drops),
            known=plan.known,
            left_alone=len(plan.left),
            **kinds,
        )
    write_event(
        name,
        unresolved=len(found.unresolved),
        unfinished=len(found.ignored),
        passed_over=len(found.passed_over),
        seconds=seconds,
    )


def write_load_events(reports: Sequence[LoadReport]) -> None:
    """The line of a batch: drops that one transaction loaded, or one that failed."""
    if not reports or not log.isEnabledFor(logging.INFO):
        return
    first, *others = reports
    fates = sum((report.fates for report in others), first.fates)
    loads = [report.load_id for report in reports if report.load_id is not None]
    write_event(
        "load",
        first.state.value,
        dataset=first.dataset,
        kind=None if others else first.kind.value,
        plan=first.plan.value if first.plan else None,
        drops=len(reports),
        first_load=min(loads, default=None),
        last_load=max(loads, default=None),
        **vars(fates),
        seconds=sum(report.seconds for report in reports),
    )
