"""Faults: what keeps single datasets out of a run while the others go on, collected and raised at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_ingestion.errors import (
    ContractFault,
    DecisionNeeded,
    DropFault,
    GoldworksError,
    OperatorFault,
    WarehouseLost,
)

if TYPE_CHECKING:
    from data_ingestion.contract import Contract, FaultyContract


@dataclass(frozen=True)
class DatasetFault:
    """What keeps a dataset out of a run."""

    domain: str
    dataset: str
    error: Exception

    @property
    def message(self) -> str:
        """The fault, with the dataset's name where the error does not give it."""
        text = str(self.error)
        return text if self.dataset in text.partition("\n")[0] else f"{self.dataset}: {text}"


class DatasetFaults:
    """Faults of single datasets as they are found."""

    def __init__(self, found: Sequence[DatasetFault] = ()) -> None:
        self.found = [*found]

    @contextmanager
    def of(self, contract: Contract) -> Iterator[None]:
        """A block whose failure is a fault of this dataset alone; a lost session with the warehouse is not."""
        try:
            yield
        except WarehouseLost:
            raise
        except Exception as error:
            self.found.append(DatasetFault(contract.domain, contract.dataset, error))

    def raise_found(self) -> None:
        """Raises what was found, if anything was, as one error."""
        raise_all([fault.error for fault in self.found])

    @property
    def datasets(self) -> set[str]:
        """The datasets that have one."""
        return {fault.dataset for fault in self.found}


def faults_of_contracts(faulty: Iterable[FaultyContract]) -> list[DatasetFault]:
    """Contracts that can't be trusted, as faults of their datasets."""
    return [DatasetFault(one.domain, one.dataset, one.error) for one in faulty]


def combine(errors: Sequence[Exception]) -> Exception:
    """Several errors as one, of the class of who must act first: the contract's author, the operator, the sender.

    An unexpected error, which is a bug, goes before all others and carries them as notes of its traceback.
    """
    for error in errors:
        if not isinstance(error, GoldworksError):
            for other in errors:
                if other is not error:
                    error.add_note(str(other))
            return error
    if len(errors) == 1:
        return errors[0]
    classes = (ContractFault, OperatorFault, DropFault, DecisionNeeded, GoldworksError)
    kind = next(kind for kind in classes if any(isinstance(error, kind) for error in errors))
    return kind("\n".join(str(error) for error in errors))


def raise_all(errors: Sequence[Exception]) -> None:
    """Raises several errors as one, if there is any."""
    if errors:
        raise combine(errors)
