"""Choice: what of a domain a run was asked to take, as the form or a caller of the API says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_ingestion.contract import Contract
from data_ingestion.discovery import refuse_without_periods
from data_ingestion.errors import UsageFault
from data_ingestion.plan import Choice
from goldworks_dags.domain import Domain


def chosen(domain: Domain, params: Mapping[str, Any]) -> tuple[list[Contract], Choice]:
    """The contracts and drops that the form asks for. Raises `UsageFault` where nothing could match."""
    names = params.get("datasets") or []
    if unknown := sorted(set(names) - set(domain.datasets)):
        raise UsageFault(
            f"no valid contract for {', '.join(unknown)}\n"
            f"  datasets of {domain.name}: {', '.join(domain.datasets) or 'none'}"
        )
    contracts = [contract for contract in domain.contracts if not names or contract.dataset in names]
    choice = Choice(
        params.get("first_period") or "", params.get("last_period") or "", bool(params.get("full_refresh"))
    )
    refuse_without_periods(contracts, choice)
    return contracts, choice


def left_out(contract: Contract, choice: Choice, outside: int, seen: int) -> str:
    """How much of a dataset lies outside the chosen periods, and why if it is all; empty where nothing does."""
    if not outside:
        return ""
    why = "" if contract.has_periods else ": this dataset has no periods"
    ends = f"{choice.first_period or 'the first'} to {choice.last_period or 'the last'}"
    return f"{contract.dataset}: {outside:,} of {seen:,} files are outside the chosen periods ({ends}){why}"
