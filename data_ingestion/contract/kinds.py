"""Kinds: which kinds of records a dataset holds, which columns distinguish them, and what each must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Column, Kinds, LogicalType, RecordKind

ANCHOR = "kinds-of-records"
PARTS = ("columns", "known")
PARTS_OF_KIND = ("is", "required", "optional")


def read_kinds(document: Document, given: Given | None, columns: Sequence[Column]) -> Kinds | None:
    """The setting `kinds`; None where all records are of one kind."""
    if given is None or not isinstance(given.value, dict):
        return None
    by_name = {column.name: column for column in columns}
    _check_parts(document, given.value, given.place, PARTS)
    kind_columns = _read_kind_columns(
        document, given.value.get("columns"), inside(given.place, "columns"), by_name
    )
    known = given.value.get("known")
    place = inside(given.place, "known")
    if not isinstance(known, list) or not known:
        remedy = "list the kinds, each by what its columns say: {is: [vehicle, update]}"
        document.add(place, "lists no kinds of records", remedy, ANCHOR)
        return None
    kinds: list[RecordKind] = []
    for index, item in enumerate(known):
        kind = _kind(document, item, inside(place, index), kind_columns, by_name)
        if kind and kind.values in {other.values for other in kinds}:
            document.add(inside(place, index), "is a kind that is listed already", "keep one", ANCHOR)
        elif kind:
            kinds.append(kind)
    return Kinds(kind_columns, tuple(kinds))


def _read_kind_columns(
    document: Document, listed: Value, place: str, by_name: Mapping[str, Column]
) -> tuple[str, ...]:
    """The columns that distinguish the kinds: texts that every record has."""
    names = _names(document, listed, place, by_name)
    if not names and not document.is_faulty(place):
        document.add(place, "names no columns", "name those that distinguish the kinds", ANCHOR)
    for index, name in enumerate(names):
        column = by_name[name]
        if column.type is not LogicalType.STRING or column.is_uuid:
            fault = f"'{name}' is not a column of text"
            document.add(inside(place, index), fault, "distinguish kinds by columns of text", ANCHOR)
        elif not column.required:
            fault = f"'{name}' may be null, so it can't say what a record is"
            document.add(inside(place, index), fault, "make it 'required: true'", ANCHOR)
    return names


def _kind(
    document: Document, item: Value, place: str, kind_columns: tuple[str, ...], by_name: Mapping[str, Column]
) -> RecordKind | None:
    parts = item if isinstance(item, dict) else {}
    _check_parts(document, parts, place, PARTS_OF_KIND)
    values = parts.get("is")
    if (
        not isinstance(values, list)
        or len(values) != len(kind_columns)
        or not all(isinstance(value, str) for value in values)
    ):
        remedy = f"write one text for each of {', '.join(kind_columns) or 'the columns'}"
        document.add(
            inside(place, "is"), f"{described(values)} does not name a kind of record", remedy, ANCHOR
        )
        return None
    for name, value in zip(kind_columns, values, strict=True):
        accepted = by_name[name].accepted_values
        if accepted and value not in accepted:
            fault = f"'{value}' is not an accepted value of '{name}'"
            document.add(inside(place, "is"), fault, choices(value, accepted), ANCHOR)
    fields: dict[str, tuple[str, ...]] = {}
    for part in ("required", "optional"):
        at = inside(place, part)
        fields[part] = _names(document, parts.get(part, []), at, by_name)
        for index, name in enumerate(fields[part]):
            if by_name[name].required:
                fault = f"'{name}' is required of every kind already"
                remedy = "leave it out here, or drop 'required' from the column"
                document.add(inside(at, index), fault, remedy, ANCHOR)
            elif part == "optional" and name in fields["required"]:
                document.add(inside(at, index), f"'{name}' is required as well", "keep one", ANCHOR)
    return RecordKind(tuple(map(str, values)), fields["required"], fields["optional"])


def _names(document: Document, listed: Value, place: str, by_name: Mapping[str, Column]) -> tuple[str, ...]:
    """Names of columns, each once; what is none goes to the document's faults."""
    if not isinstance(listed, list):
        document.add(place, f"{described(listed)} is not a list of columns", "list their names", ANCHOR)
        return ()
    names: list[str] = []
    for index, name in enumerate(listed):
        if not isinstance(name, str) or name not in by_name:
            fault = f"{described(name)} is not a column of the dataset"
            document.add(inside(place, index), fault, choices(name, tuple(by_name)), ANCHOR)
        elif name in names:
            document.add(inside(place, index), f"'{name}' is listed twice", "keep one", ANCHOR)
        else:
            names.append(name)
    return tuple(names)


def _check_parts(document: Document, parts: Mapping[str, Value], place: str, known: Sequence[str]) -> None:
    for unknown in (part for part in parts if part not in known):
        fault = "is not a part of a kind" if known is PARTS_OF_KIND else "is not a part of 'kinds'"
        document.add(inside(place, unknown), fault, choices(unknown, known), ANCHOR)
