"""Domains: invented drops of each, with the shapes and faults of real ones, the same bytes for the same seed and day.

They end the day before `today`, which the caller gives: nothing in here reads a clock.
"""

from __future__ import annotations

from datetime import date

from data_ingestion.errors import UsageFault
from goldworks_samples.bank import write_bank
from goldworks_samples.drop import LandingWriter, SampleDrop
from goldworks_samples.events import MONTHS
from goldworks_samples.fleet import write_fleet
from goldworks_samples.sales import write_sales
from goldworks_samples.web import write_correction, write_web

DOMAINS = ("bank", "fleet", "sales", "web")
CORRECTED = (
    "web",
)  # domains whose files are by the month, so that a month is delivered again when it was wrong


def write_samples(
    landing_writer: LandingWriter,
    domain: str,
    seed: int = 7,
    scale: float = 1.0,
    faults: bool = True,
    months: int = MONTHS,
    *,
    today: date,
) -> tuple[SampleDrop, ...]:
    """Writes the sample drops of a domain, in the order of their delivery, to keys relative to the landing.

    The newest are of the day before `today`; the web's, which come by the month, of the month before.
    `scale` multiplies the number of rows. Without `faults`, no row is malformed and every object has its contract.
    `months` counts the files of domains that come by the month.
    """
    _check(domain, DOMAINS, "samples", scale)
    if domain == "bank":
        return write_bank(landing_writer, seed, scale, faults, today)
    if domain == "fleet":
        return write_fleet(landing_writer, seed, scale, faults, today)
    if domain == "sales":
        return write_sales(landing_writer, seed, scale, faults, today)
    return write_web(landing_writer, seed, scale, faults, today, months)


def write_corrected(
    landing_writer: LandingWriter, domain: str, month: date, seed: int = 7, scale: float = 1.0, *, today: date
) -> SampleDrop:
    """Writes a month's sample drop again, corrected: same key, some rows changed, some withdrawn.

    `month` is its first day; `seed`, `scale` and `today` are those of the drop that it corrects.
    """
    _check(domain, CORRECTED, "corrected months", scale)
    return write_correction(landing_writer, month, seed, scale, today)


def _check(domain: str, known: tuple[str, ...], what: str, scale: float) -> None:
    if domain not in known:
        raise UsageFault(f"no {what} for the domain '{domain}'\n  known domains: {', '.join(known)}")
    if scale <= 0:
        raise UsageFault(f"samples: a scale of {scale} leaves no rows\n  give a number above 0")
