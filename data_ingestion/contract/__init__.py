"""Contract: what was agreed about a dataset, read from an ODCS document and judged without mercy.

`read_contract` and `read_contracts` give facts that the rest of the loader trusts, or a ContractError that
lists everything wrong, with places and remedies. docs/reference/contract.md explains the settings.
"""

from data_ingestion.contract.faults import ContractError, Fault
from data_ingestion.contract.pattern import Match, Pattern
from data_ingestion.contract.read import read_contract, read_contracts
from data_ingestion.contract.terms import (
    Column,
    Contract,
    CsvFormat,
    Format,
    JsonLinesFormat,
    Key,
    KeyRule,
    LogicalType,
    ParquetFormat,
    QuarantineLimit,
    Role,
    SpreadsheetFormat,
)

__all__ = [
    "Column",
    "Contract",
    "ContractError",
    "CsvFormat",
    "Fault",
    "Format",
    "JsonLinesFormat",
    "Key",
    "KeyRule",
    "LogicalType",
    "Match",
    "ParquetFormat",
    "Pattern",
    "QuarantineLimit",
    "Role",
    "SpreadsheetFormat",
    "read_contract",
    "read_contracts",
]
