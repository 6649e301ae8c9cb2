"""Traffic: an invented shop at work on an operational database, for `goldworks capture` to take from."""

from __future__ import annotations

import os
import time
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import TodayOption, day_of
from data_ingestion.settings import read_setting, readable

if TYPE_CHECKING:
    import psycopg


def traffic(
    shop: Annotated[
        str | None,
        typer.Option(
            "--shop", metavar="URL", help="The shop's database, as its owner. \\[env: GOLDWORKS_SHOP_URL]"
        ),
    ] = None,
    minutes: Annotated[
        int, typer.Option("--minutes", min=0, help="Number of minutes to simulate.")
    ] = 60,
    until: Annotated[
        int | None,
        typer.Option("--until", min=1, metavar="MINUTES", help="Stop once the shop has this age."),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="One minute in this many seconds, until interrupted."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same rows.")] = 7,
    today: TodayOption = None,
) -> None:  # fmt: skip
    """Simulate a shop that takes, advances and cancels orders: one transaction per simulated minute."""
    import psycopg

    from data_ingestion.errors import OperatorFault
    from goldworks_samples.traffic import age, make_traffic

    url = readable(shop or read_setting(os.environ, "GOLDWORKS_SHOP_URL", "--shop"), "GOLDWORKS_SHOP_URL")
    try:
        session = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise OperatorFault(f"the shop does not answer: {str(error).strip()}\n  check its URL") from error
    with session:
        if every is not None:
            _live(session, every, seed, day_of(today))
            return
        passing = minutes if until is None else max(until - age(session), 0)
        last = make_traffic(session, passing, seed, today=day_of(today)) if passing else age(session)
        output.say("traffic", f"{passing:,} minutes simulated; the shop is {last:,} minutes old")


def _live(session: psycopg.Connection, every: float, seed: int, today: date) -> None:
    from goldworks_samples.traffic import make_traffic

    try:
        while True:
            output.say("traffic", f"minute {make_traffic(session, 1, seed, today=today) - 1:,}")
            time.sleep(every)
    except KeyboardInterrupt:
        return
