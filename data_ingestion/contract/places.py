"""Places: where in its file a contract says something, for messages about a contract that is sound by itself."""

from __future__ import annotations

from data_ingestion.contract.document import Document, inside, read_document
from data_ingestion.contract.faults import ContractError
from data_ingestion.contract.terms import Contract

_PROPERTIES = "schema[0].properties"


def place_of_column(contract: Contract, column: str) -> str:
    """`FILE:LINE: schema[0].properties[3]`, the place of a column's type; the file alone where it can't be found."""
    document = _read(contract)
    if document is None or not isinstance(document.root, dict):
        return str(contract.path)
    schema = document.root.get("schema")
    first = schema[0] if isinstance(schema, list) and schema else None
    properties = first.get("properties") if isinstance(first, dict) else None
    for index, item in enumerate(properties if isinstance(properties, list) else []):
        if isinstance(item, dict) and item.get("name") == column:
            place = inside(_PROPERTIES, index)
            setting = next((name for name in ("physicalType", "logicalType") if name in item), "name")
            line = document.lines.get(inside(place, setting), document.lines.get(place))
            return f"{contract.path}:{line}: {place}" if line else f"{contract.path}: {place}"
    return str(contract.path)


def _read(contract: Contract) -> Document | None:
    try:
        return read_document(contract.path)
    except ContractError:  # changed since it was read, or never a file
        return None
