"""Acceptance: how far a drop may depart from its contract before it fails or is held, as the contract sets it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Acceptance, Allowance

ALLOWANCE = ("share", "least")
LIMITS = ("badShare", "sameShape", "conflicts", "withdrawnShare")


def read_acceptance(document: Document, settings: Mapping[str, Given]) -> Acceptance:
    """The limits that `quarantineLimit` and `acceptance` set; defaults for the rest. Faults go to the document."""
    defaults = Acceptance()
    quarantine, limits = settings.get("quarantineLimit"), settings.get("acceptance")
    given: dict[str, Given] = {}
    if limits is not None and isinstance(limits.value, dict):
        for name, value in limits.value.items():
            place = inside(limits.place, name)
            if name in LIMITS:
                given[name] = Given(value, place)
            else:
                document.add(place, "is not a limit", choices(name, LIMITS), "acceptance")
    return Acceptance(
        quarantined=_allowance(document, quarantine, defaults.quarantined, "quarantine-limit"),
        bad_share=_share(document, given.get("badShare"), defaults.bad_share, "acceptance"),
        same_shape=_allowance(document, given.get("sameShape"), defaults.same_shape, "acceptance"),
        conflicts=_allowance(document, given.get("conflicts"), defaults.conflicts, "acceptance"),
        withdrawn_share=_share(document, given.get("withdrawnShare"), defaults.withdrawn_share, "acceptance"),
    )


def _allowance(document: Document, given: Given | None, default: Allowance, anchor: str) -> Allowance:
    if given is None:
        return default
    if not isinstance(given.value, dict):
        remedy = "write {share: 0.05, least: 20}: a share of the rows, and a number of rows"
        document.add(given.place, f"{described(given.value)} is not a limit", remedy, anchor)
        return default
    parts: dict[str, Given] = {}
    for name, value in given.value.items():
        place = inside(given.place, name)
        if name in ALLOWANCE:
            parts[name] = Given(value, place)
        else:
            document.add(place, "is not a part of this limit", choices(name, ALLOWANCE), anchor)
    share = _share(document, parts.get("share"), default.share, anchor)
    return Allowance(share, _count(document, parts.get("least"), default.least, anchor))


def _share(document: Document, given: Given | None, default: float, anchor: str) -> float:
    if given is None:
        return default
    value: Value = given.value
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1:
        remedy = "write a share from 0 to 1: 0.05 is one row in twenty"
        document.add(given.place, f"{described(value)} is not a share", remedy, anchor)
        return default
    return float(value)


def _count(document: Document, given: Given | None, default: int, anchor: str) -> int:
    if given is None:
        return default
    value: Value = given.value
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        document.add(given.place, f"{described(value)} is not a count", "write a whole number from 0", anchor)
        return default
    return value
