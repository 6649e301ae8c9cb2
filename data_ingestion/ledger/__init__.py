"""Ledger: what happened to every object and drop, kept in the warehouse beside the data it speaks of."""

from data_ingestion.ledger.model import (
    Decision,
    Fates,
    HeldVersion,
    Kind,
    KnownObject,
    LedgerView,
    LoadReport,
    LoadState,
    MergePlan,
    ObjectState,
    check_laws,
)
from data_ingestion.ledger.rank import Rank

__all__ = [
    "Decision",
    "Fates",
    "HeldVersion",
    "Kind",
    "KnownObject",
    "LedgerView",
    "LoadReport",
    "LoadState",
    "MergePlan",
    "ObjectState",
    "Rank",
    "check_laws",
]
