"""Samples: invented drops with the shapes and faults of real ones, the same bytes for the same seed."""

from __future__ import annotations

from datetime import date

from data_ingestion.errors import UsageFault
from data_ingestion.samples.bank import write_bank
from data_ingestion.samples.drop import LandingWriter, SampleDrop
from data_ingestion.samples.fleet import write_fleet
from data_ingestion.samples.sales import write_sales
from data_ingestion.samples.web import MONTHS, write_correction, write_web

__all__ = [
    "CORRECTED",
    "DOMAINS",
    "MONTHS",
    "LandingWriter",
    "SampleDrop",
    "write_corrected",
    "write_samples",
]

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
) -> tuple[SampleDrop, ...]:
    """Writes the sample drops of a domain, in the order of their delivery, to keys relative to the landing.

    `scale` multiplies the number of rows. Without `faults`, no row is malformed and every object has its contract.
    `months` counts the files of domains that come by the month.
    """
    _check(domain, DOMAINS, "samples", scale)
    if domain == "bank":
        return write_bank(landing_writer, seed, scale, faults)
    if domain == "fleet":
        return write_fleet(landing_writer, seed, scale, faults)
    if domain == "sales":
        return write_sales(landing_writer, seed, scale, faults)
    return write_web(landing_writer, seed, scale, faults, months)


def write_corrected(
    landing_writer: LandingWriter, domain: str, month: date, seed: int = 7, scale: float = 1.0
) -> SampleDrop:
    """Writes a month's sample drop again, put right: same key, some rows changed, some withdrawn.

    `month` is its first day; `seed` and `scale` are those of the drop that it corrects.
    """
    _check(domain, CORRECTED, "corrected months", scale)
    return write_correction(landing_writer, month, seed, scale)


def _check(domain: str, known: tuple[str, ...], what: str, scale: float) -> None:
    if domain not in known:
        raise UsageFault(
            f"samples: there are no {what} of a domain '{domain}'\n  there are of: {', '.join(known)}"
        )
    if scale <= 0:
        raise UsageFault(f"samples: a scale of {scale} leaves no rows\n  give a number above 0")
