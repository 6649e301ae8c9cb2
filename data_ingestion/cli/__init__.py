"""Command line: `goldworks`, the loader for a shell, a cron job or a task. One module a group of commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from data_ingestion import events
from data_ingestion.cli import (
    capture,
    contracts,
    lake,
    loads,
    output,
    profiles,
    quarantine,
    samples,
    status,
    traffic,
    withdrawal,
)
from data_ingestion.errors import GoldworksError
from data_ingestion.settings import log_target

app = typer.Typer(
    epilog="Exit codes: 0 done · 2 wrong usage · 3 a contract is wrong · 4 a drop failed "
    "· 5 the platform needs its operator.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# In the order of `goldworks --help`.
app.command()(capture.capture)
app.command()(loads.discover)
app.command()(loads.plan)
app.command()(loads.load)
app.command()(loads.replay)
app.command()(withdrawal.withdraw)
app.command()(lake.archive)
app.command()(profiles.profile)
app.command()(status.status)
app.command()(samples.samples)
app.command()(traffic.traffic)
app.add_typer(contracts.app, name="contract")
app.add_typer(quarantine.app, name="quarantine")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        output.console.print(f"goldworks {metadata.version('goldworks')}")
        raise typer.Exit


@app.callback()
def goldworks(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Bring files from a landing into a warehouse: exactly once, every row accounted for."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; errors that a person can put right are told without a traceback."""
    output.escape_unspellable()
    try:
        events.send_to(log_target())
        app(arguments, standalone_mode=True)
    except GoldworksError as error:
        events.tell("command", "failed", error=type(error).__name__, exit_code=error.exit_code)
        output.errors.print(f"error: {error}", style="red", markup=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
