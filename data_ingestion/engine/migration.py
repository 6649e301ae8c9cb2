"""Migration: the numbered steps that bring a ledger to this version, and what their numbers say. None ever changes."""

from __future__ import annotations

from importlib.resources import files

from data_ingestion.errors import OperatorFault


def read_steps(package: str) -> list[tuple[int, str, str]]:
    """Number, name and SQL of each step of a package, in order."""
    found = sorted(item.name for item in files(package).iterdir() if item.name.endswith(".sql"))
    return [
        (int(name[:4]), name, files(package).joinpath(name).read_text(encoding="utf-8")) for name in found
    ]


def refuse_newer(done: int, known: int) -> None:
    """Raises `OperatorFault` if a ledger was brought to a step by a newer version."""
    if done > known:
        raise OperatorFault(
            f"the warehouse's ledger is at step {done}, this version knows {known}\n  upgrade goldworks"
        )


def is_current(done: int, known: int) -> bool:
    """Whether a ledger is there (step 0: it is not). Raises `OperatorFault` if it is of another version."""
    refuse_newer(done, known)
    if done not in (0, known):
        raise OperatorFault(
            f"the warehouse's ledger is at step {done}, this version knows {known}\n"
            "  `goldworks status` brings it to this step"
        )
    return done == known
