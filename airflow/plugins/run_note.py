"""Run note: what a run left out, shown on the run's own page.

A task of Airflow 3 can't write the note of its run (https://github.com/apache/airflow/pull/69403 is to bring that), so
`discover` and `gate` leave it as a message, and the scheduler, which ends the run, puts it there. What a person has
noted stays.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

MESSAGE = "note"  # as goldworks_dags.messages.NOTE
MOST_CHARACTERS = 1000  # as many as Airflow's page takes from a person


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:
    _write_note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    _write_note(dag_run)


def _write_note(dag_run: DagRun) -> None:
    """Sets the note in the scheduler's own transaction, in which the run ends."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None or dag_run.note:
        return
    left = select(XComModel.value).where(
        XComModel.dag_id == dag_run.dag_id, XComModel.run_id == dag_run.run_id, XComModel.key == MESSAGE
    )
    texts = dict.fromkeys(text for text in session.scalars(left.order_by(XComModel.timestamp)) if text)
    if texts:
        dag_run.note = "\n\n".join(texts)[:MOST_CHARACTERS]


class RunNote(AirflowPlugin):
    """Has Airflow listen to the ends of runs."""

    name = "run_note"
    listeners = (sys.modules[__name__],)
