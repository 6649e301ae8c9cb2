"""Trials: what a terminal shows of a file that was tried under a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_ingestion.cli import output
from data_ingestion.excerpts import shorten_line

if TYPE_CHECKING:
    from data_ingestion.trial import Trial


def say_trial(trial: Trial) -> None:
    """The rows by what would become of them, the sums of their numbers, and the first bad ones with their places."""
    parts = [f"{trial.rows:,} would come in"]
    if trial.repeated:
        differ = f" ({trial.conflicts:,} of them differ)" if trial.conflicts else ""
        parts.append(f"{trial.repeated:,} repeated by a later row of the same key{differ}")
    if trial.quarantined:
        parts.append(f"{trial.quarantined:,} quarantined")
    output.say("try", f"{trial.file}  as {trial.dataset}: {trial.read:,} rows = {' + '.join(parts)}")
    if trial.sums:
        output.say("sums", " · ".join(f"{name} {total:,}" for name, total in trial.sums.items()))
    for row in trial.bad:
        column = f"{row.column}: " if row.column else ""
        output.say(
            "bad", f"{trial.file}:{row.line}: {column}{row.reason}: {shorten_line(row.detail)}", "yellow"
        )
        output.say_line(f"            {shorten_line(row.text)}")
    if trial.quarantined > len(trial.bad):
        output.say_line(
            f"            and {trial.quarantined - len(trial.bad):,} more; --bad N shows N of them"
        )
