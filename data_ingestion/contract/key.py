"""Key: which columns, and by which rule, make two rows the same row."""

from __future__ import annotations

from collections.abc import Sequence

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.names import faults_of_column
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Column, Key, KeyRule

PARTS = ("rule", "columns")


def read_key(
    document: Document, schema: dict[str, Value], columns: Sequence[Column], settings: dict[str, Given]
) -> Key:
    """The key: columns marked `primaryKey` name a row by themselves, else the setting `key` says how."""
    marked = _primary_key(document, schema)
    given, name = settings.get("key"), settings.get("keyName")
    if given is None:
        if not marked:
            remedy = "mark its columns 'primaryKey: true', or give the setting 'key' the rule 'occurrence'"
            document.add("schema[0]", "says nothing about the key of its rows", remedy, "key")
        if name:
            fault = "a natural key has no name of its own"
            document.add(name.place, fault, "leave 'keyName' out", "key")
        _check_columns(document, KeyRule.NATURAL, marked, schema, columns)
        return Key(KeyRule.NATURAL, tuple(marked), "")
    if marked:
        document.add(given.place, "columns are marked 'primaryKey' as well", "keep one of the two", "key")
    listed = _listed(document, given)
    _check_columns(document, KeyRule.OCCURRENCE, listed, schema, columns)
    key_name = str(name.value) if name else f"{schema.get('name')}_id"
    _check_name(document, name, key_name, columns)
    return Key(KeyRule.OCCURRENCE, tuple(listed), key_name)


def _primary_key(document: Document, schema: dict[str, Value]) -> dict[str, str]:
    """The names of the columns marked `primaryKey` in the order of their positions, with their places."""
    marked = []
    for index, item in enumerate(_properties(schema)):
        place = f"schema[0].properties[{index}]"
        position = item.get("primaryKeyPosition")
        if item.get("primaryKey") is True and isinstance(item.get("name"), str):
            marked.append((position if isinstance(position, int) else index + 1, str(item["name"]), place))
        elif position not in (None, -1):
            fault = "has a position in the key, but the column is not part of it"
            document.add(inside(place, "primaryKeyPosition"), fault, "add 'primaryKey: true'", "key")
    positions = [position for position, _, _ in marked]
    for position, name, place in marked:
        if positions.count(position) > 1:
            fault = f"'{name}' shares its position in the key with another column"
            document.add(inside(place, "primaryKey"), fault, "number 'primaryKeyPosition' from 1", "key")
    return {name: place for _, name, place in sorted(marked)}


def _listed(document: Document, given: Given) -> dict[str, str]:
    """The columns that the setting `key` lists, with their places."""
    parts = given.value if isinstance(given.value, dict) else {}
    for unknown in (part for part in parts if part not in PARTS):
        document.add(inside(given.place, unknown), "is not a part of a key", choices(unknown, PARTS), "key")
    rule = parts.get("rule")
    if rule != KeyRule.OCCURRENCE:
        near = choices(rule, [KeyRule.OCCURRENCE], "write 'occurrence'")
        remedy = f"{near}; for a natural key mark its columns 'primaryKey: true' instead"
        document.add(inside(given.place, "rule"), f"{described(rule)} is not a rule for a key", remedy, "key")
    names, place = parts.get("columns"), inside(given.place, "columns")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        remedy = "list the columns whose values identify a row"
        document.add(place, "is not a list of columns", remedy, "key")
        return {}
    listed: dict[str, str] = {}
    for index, name in enumerate(map(str, names)):
        if name in listed:
            document.add(inside(place, index), f"'{name}' is listed twice", "keep one", "key")
        listed.setdefault(name, inside(place, index))
    return listed


def _check_columns(
    document: Document,
    rule: KeyRule,
    listed: dict[str, str],
    schema: dict[str, Value],
    columns: Sequence[Column],
) -> None:
    written = [str(item.get("name")) for item in _properties(schema)]
    sound = {column.name: column for column in columns}
    for name, place in listed.items():
        column = sound.get(name)
        if name not in written:
            document.add(place, f"'{name}' is not a column of the dataset", choices(name, written), "key")
        elif column is None:
            continue
        elif column.physical_type == "double precision":
            fault = f"'{name}' is a floating-point number, which may differ where it should be equal"
            remedy = "keep it as numeric(precision,scale), or leave it out of the key"
            document.add(place, fault, remedy, "key")
        elif document.is_faulty(inside(place, "required")):
            continue
        elif rule is KeyRule.NATURAL and (column.may_be_absent or not column.required):
            fault = (
                f"'{name}' may be {'absent' if column.may_be_absent else 'null'}, so it can't identify a row"
            )
            remedy = "make it 'required: true' in every file, or use a key of the rule 'occurrence'"
            document.add(place, fault, remedy, "key")


def _check_name(document: Document, given: Given | None, name: str, columns: Sequence[Column]) -> None:
    if given:
        for fault, remedy in faults_of_column(name, keep_text=False):
            document.add(given.place, fault, remedy, "key")
    if name in {column.name for column in columns}:
        place = given.place if given else "schema[0]"
        document.add(place, f"the key is named '{name}', as a column is", "set another 'keyName'", "key")


def _properties(schema: dict[str, Value]) -> list[dict[str, Value]]:
    """The columns as written; what is none counts as empty, so that positions stay."""
    properties = schema.get("properties")
    listed = properties if isinstance(properties, list) else []
    return [item if isinstance(item, dict) else {} for item in listed]
