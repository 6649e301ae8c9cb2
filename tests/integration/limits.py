"""Limits: contracts that fail or hold nothing, for tests of drops of a few rows, most of which a step may take away."""

from dataclasses import replace

from data_ingestion.contract import Acceptance, Allowance, Contract

ANY = Allowance(1, 1_000)


def without_limits(contract: Contract) -> Contract:
    """The contract with no limit on bad rows, conflicts and what a correction withdraws."""
    return replace(contract, acceptance=Acceptance(ANY, 1, ANY, ANY, 1))
