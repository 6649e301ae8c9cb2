"""Form: what a person can choose when starting a run by hand; a scheduled run takes everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from goldworks_dags.domain import Domain

if TYPE_CHECKING:
    from data_ingestion.plan import Choice

PERIOD = r"^(\d{4}(-\d{2}(-\d{2})?)?)?$"


def form(domain: Domain) -> dict[str, Param]:
    """The parameters of a run, as the trigger form shows them."""
    refresh = Param(
        False,
        type="boolean",
        title="Full refresh",
        description="Read the chosen drops again even if they are in force, and rebuild every model from scratch."
        if domain.contracts
        else "Rebuild every model from scratch.",
    )
    if not domain.contracts:
        return {"full_refresh": refresh}
    return {
        "datasets": Param(
            [],
            type="array",
            items={"type": "string", "enum": list(domain.datasets)},
            examples=list(domain.datasets),
            title="Datasets",
            description="Only these datasets; none chosen means all.",
        ),
        "first_period": Param(
            "",
            type="string",
            pattern=PERIOD,
            title="First period",
            description="Only drops of this period and later: a year, month or day, such as 2026-01. Empty: all.",
        ),
        "last_period": Param(
            "",
            type="string",
            pattern=PERIOD,
            title="Last period",
            description="Only drops up to this period, itself included, such as 2026-03. Empty: all.",
        ),
        "full_listing": Param(
            False,
            type="boolean",
            title="Full listing",
            description="List the whole landing, also folders of periods that the contracts look back on no more.",
        ),
        "full_refresh": refresh,
    }


def choice_of(params: Mapping[str, Any]) -> Choice:
    """Which drops the form asks for."""
    from data_ingestion.plan import Choice

    return Choice(params["first_period"], params["last_period"], params["full_refresh"])
