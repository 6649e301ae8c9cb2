"""Gate: lets a run go on to the models, or skips everything up to the verdict at once.

Airflow's own short circuit skips what directly follows and leaves the rest to the scheduler, which skips one model
after the other in the order in which they depend: twelve of the thirty seconds of a run with nothing new.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.utils.skipmixin import SkipMixin
from airflow.sdk.bases.xcom import BaseXCom

VERDICT = "verdict"


class Gate(PythonOperator, SkipMixin):
    """Gives what its function finds: whether the models are to be built, and which tasks have not written yet.

    With nothing to build, all that follows is skipped, those tasks and the verdict excepted.
    """

    def execute(self, context: Any) -> Any:
        """Runs the function, with the run's events of assets at hand."""
        found = super().execute(context)
        if not found["builds"]:
            followers = self.get_flat_relatives(upstream=False)
            left = {VERDICT, *found["behind"]}
            # Skipping ends the task by an exception, and what it found would not be sent.
            context["ti"].xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=found)
            self.skip(ti=context["ti"], tasks=[task for task in followers if task.task_id not in left])
        return found
