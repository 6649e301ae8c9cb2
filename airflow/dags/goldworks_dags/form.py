"""Form: what a person can choose when starting a run by hand; a scheduled run takes everything.

Airflow takes a field as required unless its type has `null`, and starts no run while such a field is empty.
So all of them have it, and nothing chosen is `None`; callers of the API may say `""` and `[]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow.sdk import Param

from data_ingestion.periods import EXAMPLES, PERIOD, UNITS
from goldworks_dags.domain import Domain

if TYPE_CHECKING:
    from data_ingestion.contract import Contract


def form(domain: Domain) -> dict[str, Param]:
    """The parameters of a run, as the trigger form shows them: none that could match nothing."""
    refresh = Param(
        False,
        type=["boolean", "null"],
        title="Full refresh",
        description="Load the chosen files again even if nothing has changed, and rebuild every model from scratch."
        if domain.contracts
        else "Rebuild every model from scratch.",
    )
    if not domain.contracts:
        return {"full_refresh": refresh}
    return {
        "datasets": Param(
            None,
            type=["array", "null"],
            items={"type": "string", "enum": list(domain.datasets)},
            examples=list(domain.datasets),
            title="Datasets",
            description="Only these datasets. Empty: all.",
        ),
        **_periods(domain.contracts),
        "full_listing": Param(
            False,
            type=["boolean", "null"],
            title="Full listing",
            description="List the whole landing, including folders of periods older than their contracts look back "
            "(recheck).",
        ),
        "full_refresh": refresh,
        "accept": Param(
            None,
            type=["array", "null"],
            items={"type": "string"},
            title="Accept",
            description="Files whose held correction is right, or whose failing texts are known: their paths on the "
            "landing, one per line. Each is accepted before this run looks for files.",
        ),
    }


def _periods(contracts: Sequence[Contract]) -> dict[str, Param]:
    """The ends of a range of periods, where a dataset has any."""
    precision = {
        contract.dataset: max(source.pattern.precision for source in contract.sources)
        for contract in contracts
    }
    finest = max(precision.values())
    if not finest:
        return {}
    units = [*UNITS[:finest]]
    written = f"{', '.join(units[:-1])} or {units[-1]}" if units[1:] else units[0]
    kind = f"a {written}, such as {EXAMPLES[finest - 1]}"
    without = ", ".join(dataset for dataset, parts in precision.items() if not parts)
    note = f" Files of {without} have no period and are left out then." if without else ""
    period_schema = {"type": ["string", "null"], "pattern": f"^({PERIOD})?$"}
    return {
        "first_period": Param(
            None,
            title="First period",
            description=f"Only files of this period and later: {kind}. Empty: no lower limit.{note}",
            **period_schema,
        ),
        "last_period": Param(
            None,
            title="Last period",
            description=f"Only files up to and including this period: {kind}. Empty: no upper limit.{note}",
            **period_schema,
        ),
    }
