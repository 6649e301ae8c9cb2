"""Captured: of which tables of which database a dataset is the change log."""

from __future__ import annotations

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.file_formats import JsonLinesFormat
from data_ingestion.contract.names import faults_of_name
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Capture, Source

ANCHOR = "capture"
PARTS = ("source", "tables", "schema")
DROPS = "/{YYYY}/{MM}/{DD}/*.jsonl"  # how captured drops lie below their folder


def read_capture(document: Document, given: Given | None, drops: Source) -> Capture | None:
    """The setting `capture`; None where other programs write the drops."""
    if given is None or not isinstance(given.value, dict):
        return None
    for unknown in (part for part in given.value if part not in PARTS):
        document.add(
            inside(given.place, unknown), "is not a part of 'capture'", choices(unknown, PARTS), ANCHOR
        )
    if not drops.pattern.text.endswith(DROPS) or not isinstance(drops.format, JsonLinesFormat):
        fault, remedy = "captured drops are JSON Lines, by the day", f"let the path end with '{DROPS}'"
        document.add("servers[0].path", fault, remedy, ANCHOR)
    return Capture(
        _source(document, given.value.get("source"), inside(given.place, "source")),
        _tables(document, given.value.get("tables"), inside(given.place, "tables")),
        _schema(document, given.value.get("schema", "public"), inside(given.place, "schema")),
    )


def _source(document: Document, name: Value, place: str) -> str:
    if not isinstance(name, str):
        fault, remedy = f"{described(name)} names no source", "write a name: erp"
        document.add(place, fault, f"{remedy}; GOLDWORKS_SOURCE_ERP_URL then says where it is", ANCHOR)
    else:
        for fault, remedy in faults_of_name(name, "source"):
            document.add(place, fault, remedy, ANCHOR)
    return str(name)


def _tables(document: Document, listed: Value, place: str) -> tuple[str, ...]:
    names = listed if isinstance(listed, list) else []
    if not names or not all(isinstance(name, str) and name for name in names):
        fault = f"{described(listed)} names no tables"
        document.add(place, fault, "list their names as the source has them", ANCHOR)
        return ()
    if len(set(names)) < len(names):
        document.add(place, "names a table twice", "name each once", ANCHOR)
    return tuple(map(str, names))


def _schema(document: Document, name: Value, place: str) -> str:
    if not isinstance(name, str) or not name:
        remedy = "write its name, or leave it out: public"
        document.add(place, f"{described(name)} is not a name of a schema", remedy, ANCHOR)
    return str(name)
