"""Samples: invented drops, written to the landing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import JsonOption, LandingOption
from data_ingestion.settings import Settings


def samples(
    landing: LandingOption = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="NAME", help="Only this domain; may be given again."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    scale: Annotated[float, typer.Option("--scale", min=0.01, help="Times the usual number of rows.")] = 1.0,
    faults: Annotated[
        bool, typer.Option("--faults/--no-faults", help="With the faults that real files have.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Write invented drops to the landing, with all the faults of real ones."""
    from data_ingestion.landing import open_landing
    from data_ingestion.samples import DOMAINS, SampleDrop, write_samples

    place = open_landing(Settings.from_environment(landing_url=landing, warehouse_url="unused").landing_url)
    known = {item.key: item.size for item in place.list_objects()}
    written: list[SampleDrop] = []

    def write(key: str, data: bytes) -> None:
        if known.get(key) != len(data):  # a second run touches nothing
            place.write(key, data)

    for name in domain or DOMAINS:
        written += write_samples(write, name, seed=seed, scale=scale, faults=faults)
    if as_json:
        output.say_json([asdict(drop) for drop in written])
        return
    width = max((len(drop.key) for drop in written), default=0)
    for drop in written:
        output.say("sample", f"{drop.key:<{width}} {drop.rows:>9,} rows, {drop.bad_rows} bad  {drop.note}")
