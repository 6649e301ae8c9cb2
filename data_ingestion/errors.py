"""Errors, as a small tree by who must act; the command line's exit codes follow it."""


class GoldworksError(Exception):
    """Something a person can fix; its message names the place, the fault and the remedy."""

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


class DecisionNeeded(GoldworksError):
    """A person must decide: a correction is held, or rows of a drop that came in fail for one reason."""

    exit_code = 7


class OperatorFault(GoldworksError):
    """Whoever runs the platform must act: an address, a login, a permission, a version."""

    exit_code = 5


class WarehouseLost(OperatorFault):
    """The session with the warehouse is gone, and with it what was under way; nothing more can be recorded."""


class TransactionConflict(OperatorFault):
    """Another session has changed the same tables: nothing was committed, and the transaction is to be tried again."""


class ObjectChanged(GoldworksError):
    """An object has changed since it was planned; it has to be planned again."""

    exit_code = 6


class PlanStale(ObjectChanged):
    """The ledger has moved since the plan was made, by a loader that ran at the same time."""


class LawBroken(Exception):
    """Rows don't add up. A bug of ours: nothing was committed, and the traceback is wanted."""
