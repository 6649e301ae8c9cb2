"""Samples: invented drops with the shapes and faults of real ones, the same bytes for the same seed."""

from __future__ import annotations

from data_ingestion.errors import OperatorFault
from data_ingestion.samples.bank import write_bank
from data_ingestion.samples.drop import LandingWriter, SampleDrop

__all__ = ["DOMAINS", "LandingWriter", "SampleDrop", "write_samples"]

_WRITERS = {"bank": write_bank}
DOMAINS = tuple(_WRITERS)


def write_samples(
    landing_writer: LandingWriter, domain: str, seed: int = 7, scale: float = 1.0, faults: bool = True
) -> tuple[SampleDrop, ...]:
    """Writes the sample drops of a domain, in the order of their delivery, to keys relative to the landing.

    `scale` multiplies the number of rows. Without `faults`, no row is malformed and every object has its contract.
    """
    if domain not in _WRITERS:
        raise OperatorFault(
            f"samples: there are none of a domain '{domain}'\n  there are of: {', '.join(DOMAINS)}"
        )
    if scale <= 0:
        raise OperatorFault(f"samples: a scale of {scale} leaves no rows\n  give a number above 0")
    return _WRITERS[domain](landing_writer, seed, scale, faults)
