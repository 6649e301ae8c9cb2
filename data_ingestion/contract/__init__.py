"""Contract: what was agreed about a dataset, read from an ODCS document and checked strictly.

`read_contract` and `read_contracts` give facts that the rest of the loader trusts, or a ContractError that
lists everything wrong, with places and remedies; `read_folder` gives both, so that one faulty contract stops no other.
docs/reference/contract.md explains the settings.
"""

from data_ingestion.contract.faults import ContractError, Fault
from data_ingestion.contract.file_formats import (
    CsvFormat,
    Format,
    JsonFormat,
    JsonLinesFormat,
    ParquetFormat,
    SpreadsheetFormat,
)
from data_ingestion.contract.pattern import Match, Pattern
from data_ingestion.contract.read import (
    ContractFolder,
    FaultyContract,
    read_contract,
    read_contracts,
    read_folder,
)
from data_ingestion.contract.terms import (
    Acceptance,
    Allowance,
    Column,
    Contract,
    Key,
    KeyRule,
    LogicalType,
    Role,
)

__all__ = [
    "Acceptance",
    "Allowance",
    "Column",
    "Contract",
    "ContractError",
    "ContractFolder",
    "CsvFormat",
    "Fault",
    "FaultyContract",
    "Format",
    "JsonFormat",
    "JsonLinesFormat",
    "Key",
    "KeyRule",
    "LogicalType",
    "Match",
    "ParquetFormat",
    "Pattern",
    "Role",
    "SpreadsheetFormat",
    "read_contract",
    "read_contracts",
    "read_folder",
]
