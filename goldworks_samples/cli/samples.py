"""Samples: invented drops, written to the landing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import JsonOption, LandingOption, TodayOption, day_of
from data_ingestion.settings import Settings

if TYPE_CHECKING:
    from goldworks_samples.drop import SampleDrop

MOST_SHOWN = 50  # drops of a domain that have a line each


def samples(
    landing: LandingOption = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="NAME", help="Only this domain; may be given again."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    scale: Annotated[float, typer.Option("--scale", min=0.01, help="Times the usual number of rows.")] = 1.0,
    faults: Annotated[
        bool, typer.Option("--faults/--no-faults", help="Include the faults that real files have.")
    ] = True,
    months: Annotated[
        int, typer.Option("--months", min=1, help="Number of files, for a domain that delivers by month.")
    ] = 3,
    corrected: Annotated[
        datetime | None,
        typer.Option(
            "--corrected",
            metavar="YYYY-MM",
            formats=["%Y-%m"],
            help="Deliver only this month again, under its own key, corrected: some rows changed, some removed.",
        ),
    ] = None,
    today: TodayOption = None,
    once: Annotated[
        Path | None,
        typer.Option(
            "--once",
            metavar="FILE",
            help="Skip domains that are listed in FILE, and add those that are written.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write invented drops to the landing, with all the faults of real ones."""
    from data_ingestion.landing import open_landing
    from goldworks_samples.domains import CORRECTED, DOMAINS, write_corrected, write_samples

    place = open_landing(Settings.from_environment(landing_url=landing, warehouse_url="unused").landing_url)
    known = {item.key: item.size for item in place.list_objects()}
    written: list[SampleDrop] = []

    def write(key: str, data: bytes | BinaryIO) -> None:
        size = len(data) if isinstance(data, bytes) else os.fstat(data.fileno()).st_size
        if known.get(key) != size:  # a second run touches nothing
            place.write(key, data)

    if corrected:
        for name in domain or CORRECTED:
            written.append(
                write_corrected(write, name, corrected.date(), seed=seed, scale=scale, today=day_of(today))
            )
    else:
        before = once.read_text().split() if once and once.exists() else []
        for name in domain or DOMAINS:
            if name not in before:
                written += write_samples(
                    write, name, seed=seed, scale=scale, faults=faults, months=months, today=day_of(today)
                )
                before.append(name)
                if once:
                    once.write_text("\n".join(before) + "\n")
    if as_json:
        output.say_json([asdict(drop) for drop in written])
        return
    shown = list(in_sight(written))
    width = max((len(where) for where, _ in shown), default=0)
    for where, text in shown:
        output.say("sample", f"{where:<{width}} {text}")


def in_sight(drops: Sequence[SampleDrop]) -> Iterator[tuple[str, str]]:
    """A line a drop; where a domain has many, one for all that lie in its folder."""
    for domain, members in groupby(drops, key=lambda drop: drop.key.partition("/")[0]):
        many = list(members)
        if len(many) > MOST_SHOWN:
            rows, bad = sum(drop.rows for drop in many), sum(drop.bad_rows for drop in many)
            noted = "; ".join(f"{count:,} {note}" for note, count in _notes(many).items())
            yield f"{domain}/…", f"{rows:>9,} rows, {bad} bad  in {len(many):,} files{noted and ', ' + noted}"
            continue
        for drop in many:
            yield drop.key, f"{drop.rows:>9,} rows, {drop.bad_rows} bad  {drop.note}"


def _notes(drops: Sequence[SampleDrop]) -> Counter[str]:
    return Counter(drop.note for drop in drops if drop.note)
