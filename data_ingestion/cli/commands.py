"""Commands of `goldworks`, the loader for a shell, a cron job or a task. One module a group of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated

import typer

from data_ingestion import events
from data_ingestion.cli import (
    as_of,
    capture,
    contracts,
    decisions,
    delivery,
    lake,
    loads,
    output,
    pages,
    profiles,
    quarantine,
    rebuild,
    reports,
    status,
    withdrawal,
)
from data_ingestion.errors import GoldworksError
from data_ingestion.settings import log_target

app = typer.Typer(
    epilog="Exit codes: 0 done · 2 wrong usage · 3 a contract is wrong · 4 a drop failed "
    "· 5 a connection or setup problem · 7 a file needs a decision.",
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
app.command()(decisions.accept)
app.command()(withdrawal.withdraw)
app.command()(rebuild.rebuild)
app.command()(as_of.as_of)
app.command()(lake.archive)
app.command()(profiles.profile)
app.command()(reports.report)
app.command()(pages.pages)
app.command()(status.status)
app.command()(delivery.deliver)
if find_spec("goldworks_samples"):  # invented drops belong to a checkout; the package has none
    from goldworks_samples.cli import samples, traffic

    app.command()(samples.samples)
    app.command()(traffic.traffic)
app.add_typer(contracts.app, name="contract")
app.add_typer(quarantine.app, name="quarantine")
app.command()(decisions.conflicts)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        output.say_line(f"goldworks {metadata.version('goldworks')}")
        raise typer.Exit


@app.callback()
def goldworks(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Load files from a landing into a warehouse: exactly once, with every row accounted for."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; errors that a person can fix are printed without a traceback."""
    output.escape_unspellable()
    try:
        events.send_to(log_target())
        app(arguments, standalone_mode=True)
    except GoldworksError as error:
        events.write_event("command", "failed", error=type(error).__name__, exit_code=error.exit_code)
        output.say_error(f"error: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
