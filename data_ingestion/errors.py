"""Errors, as a small tree by who must act; the command line's exit codes follow it."""


class GoldworksError(Exception):
    """Something a person can put right; its message names the place, the fault and the way out."""

    exit_code = 1


class UsageFault(GoldworksError):
    """Whoever typed the command, or filled in the form, must act."""

    exit_code = 2


class ContractFault(GoldworksError):
    """The author of a contract must act."""

    exit_code = 3


class DropFault(GoldworksError):
    """The sender of a file must act: the drop as it lies on the landing can't be loaded."""

    exit_code = 4


class OperatorFault(GoldworksError):
    """Whoever runs the platform must act: an address, a login, a permission, a version."""

    exit_code = 5


class WarehouseLost(OperatorFault):
    """The session with the warehouse is gone, and with it what was under way; nothing more can be recorded."""


class ObjectChanged(GoldworksError):
    """An object is no longer what was planned; planning again puts it right."""

    exit_code = 6


class PlanStale(ObjectChanged):
    """The ledger has moved since the plan was made, by a loader that ran at the same time."""


class LawBroken(Exception):
    """Rows don't add up. A bug of ours: nothing was committed, and the traceback is wanted."""
