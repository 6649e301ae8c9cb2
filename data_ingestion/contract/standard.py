"""Standard: a contract checked by the JSON Schema of ODCS that the library open-data-contract-standard ships.

Stricter than the standard in one thing: an object whose names are listed has no others, at any depth. The
library's own pydantic model lets unknown names pass below the top, and importing it takes 0.2 s; reading its
schema takes 3 ms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import open_data_contract_standard

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.terms import LogicalType

Schema = dict[str, Any]

# What the platform takes of the values that the standard lists.
SUPPORTED: dict[str, tuple[str, ...]] = {
    "apiVersion": ("v3.2.0", "v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0"),
    "schema[].properties[].logicalType": tuple(LogicalType),
    "servers[].type": ("custom",),
}
_NOUNS = {
    "apiVersion": "version of the standard that Goldworks reads",
    "kind": "kind of document",
    "logicalType": "logical type",
    "servers[].type": "type of server that Goldworks reads",
}
_EXAMPLES = {
    "apiVersion": ": v3.2.0",
    "kind": ": DataContract",
    "version": ", e.g. 1.0.0",
    "id": ", any unique text",
}
_ANCHORS = (
    (r"servers.*", "landing"),
    (r"schema\[\d+\]\.properties\[\d+\]\.logicalType", "types"),
    (r"schema\[\d+\]\.properties\[\d+\]\.logicalTypeOptions.*", "limits"),
    (r"schema\[\d+\]\.properties\[\d+\]\.(quality|enum).*", "accepted-values"),
    (r"schema\[\d+\]\.properties.*", "columns"),
    (r"schema.*", "dataset"),
    (r"slaProperties.*", "freshness"),
    (r"roles.*", "roles"),
)
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "text"),
    "integer": ((int,), "a whole number"),
    "number": ((int, Decimal), "a number"),
    "boolean": ((bool,), "true or false"),
    "array": ((list,), "a list"),
    "object": ((dict,), "a mapping of names to values"),
    "null": ((type(None),), "null"),
}

Finding = tuple[str, str, str]  # place, fault, remedy


def check_standard(document: Document) -> None:
    """Add to the document's faults whatever the standard does not allow."""
    for place, fault, remedy in _findings(document.root, _standard(), "", closed=True):
        document.add(place, fault, remedy, anchor_of(place))


def anchor_of(place: str) -> str:
    """The section of the reference that explains a place."""
    return next((anchor for shape, anchor in _ANCHORS if re.fullmatch(shape, place)), "document")


def described(value: Value) -> str:
    """A value as its author wrote it, shortened."""
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}…'"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else str(value)


@cache
def _standard() -> Schema:
    package = Path(open_data_contract_standard.__file__).parent
    schema: Schema = json.loads((package / "schema.json").read_text(encoding="utf-8"))
    return schema


def _findings(value: Value, schema: Schema, place: str, closed: bool) -> Iterator[Finding]:
    """What is wrong with a value; `closed` forbids names that no applying part of the schema knows."""
    rules = list(_applying(schema, value))
    for rule in rules:
        if "type" in rule and not _is_of(value, rule["type"]):
            names = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
            wanted = " or ".join(_TYPES[name][1] for name in names)
            quotes = " (put it in quotes)" if names == ["string"] and isinstance(value, int | Decimal) else ""
            yield place, f"{described(value)} is not {wanted}", f"write {wanted}{quotes}"
            return
    if isinstance(value, dict):
        yield from _findings_of_names(value, rules, place, closed)
    elif isinstance(value, list):
        yield from _findings_of_items(value, rules, place)
    else:
        yield from _findings_of_scalar(value, rules, place)
    for rule in rules:
        if "not" in rule and _fits(value, rule["not"]):
            yield place, "has a setting that is not allowed together with the others", "see the standard"


def _findings_of_items(value: list[Value], rules: list[Schema], place: str) -> Iterator[Finding]:
    for rule in rules:
        if len(value) < rule.get("minItems", 0):
            yield place, "the list is too short", f"write at least {rule['minItems']}"
        if len(value) > rule.get("maxItems", len(value)):
            yield place, "the list is too long", f"write at most {rule['maxItems']}"
        for index, item in enumerate(value if rule.get("uniqueItems") else []):
            if item in value[:index]:
                yield inside(place, index), "is listed twice", "keep one of the two"
    if items := [rule["items"] for rule in rules if "items" in rule]:
        for index, item in enumerate(value):
            yield from _findings(item, {"allOf": items}, inside(place, index), closed=True)


def _findings_of_names(
    value: dict[str, Value], rules: list[Schema], place: str, closed: bool
) -> Iterator[Finding]:
    known: dict[str, list[Schema]] = {}
    for rule in rules:
        for name, schema in rule.get("properties", {}).items():
            known.setdefault(name, []).append(schema)
    for name, item in value.items():
        if name in known:
            yield from _findings(item, {"allOf": known[name]}, inside(place, name), closed=True)
        elif closed and known:
            yield inside(place, name), "is not a setting of the standard", choices(name, known)
    missing = dict.fromkeys(name for rule in rules for name in rule.get("required", ()) if name not in value)
    for name in missing:
        yield inside(place, name), "is missing", f"add it{_EXAMPLES.get(name, '')}"


def _findings_of_scalar(value: Value, rules: list[Schema], place: str) -> Iterator[Finding]:
    shape = re.sub(r"\[\d+\]", "[]", place)
    noun = _NOUNS.get(shape) or _NOUNS.get(shape.rpartition(".")[2], f"value of {shape.rpartition('.')[2]}")
    for rule in rules:
        allowed = [rule["const"]] if "const" in rule else rule.get("enum")
        if allowed is not None:
            allowed = [one for one in allowed if one in SUPPORTED.get(shape, allowed)]
            if value not in allowed:
                yield place, f"{described(value)} is not a {noun}", choices(value, map(str, allowed))
        if isinstance(value, str):
            if "pattern" in rule and not re.search(rule["pattern"], value):
                yield (
                    place,
                    f"{described(value)} is not of the form {rule['pattern']}",
                    "write it in that form",
                )
            if len(value) < rule.get("minLength", 0):
                yield place, "is too short", f"write at least {rule['minLength']} characters"
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            if value < rule.get("minimum", value):
                yield place, f"{value} is too small", f"write at least {rule['minimum']}"
            if "exclusiveMinimum" in rule and value <= rule["exclusiveMinimum"]:
                yield place, f"{value} is too small", f"write more than {rule['exclusiveMinimum']}"


def _applying(schema: Schema, value: Value) -> Iterator[Schema]:
    """The schema and every part of it that speaks about this value: references, conditions, alternatives."""
    yield schema
    if "$ref" in schema:
        yield from _applying(_referred(schema["$ref"]), value)
    for part in schema.get("allOf", ()):
        yield from _applying(part, value)
    if "if" in schema and _is_decided(value, schema["if"]) and _fits(value, schema["if"]):
        yield from _applying(schema["then"], value)
    for alternatives in (schema.get("anyOf"), schema.get("oneOf")):
        if alternatives:
            yield from _applying(_nearest(alternatives, value), value)


def _is_decided(value: Value, condition: Schema) -> bool:
    """Whether a setting that the condition asks about is there at all.

    By the letter of JSON Schema an absent setting fulfils every condition on it, so that a column without a
    type would get faults about the options of all types.
    """
    asked = [condition, *condition.get("anyOf", ())]
    names = {name for part in asked for name in part.get("properties", {})}
    return isinstance(value, dict) and not names.isdisjoint(value)


def _fits(value: Value, schema: Schema) -> bool:
    return next(_findings(value, schema, "", closed=False), None) is None


def _nearest(alternatives: list[Schema], value: Value) -> Schema:
    """The alternative with the fewest faults, an alternative of another type being the farthest."""
    ranked = []
    for index, schema in enumerate(alternatives):
        findings = list(_findings(value, schema, "", closed=False))
        other_type = any(place == "" and " is not " in fault for place, fault, _ in findings)
        ranked.append((other_type, len(findings), index))
    return alternatives[min(ranked)[2]]


@cache
def _referred(reference: str) -> Schema:
    schema = _standard()
    for name in reference.removeprefix("#/").split("/"):
        schema = schema[name]
    return schema


def _is_of(value: Value, names: str | list[str]) -> bool:
    wanted = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in wanted
    return any(isinstance(value, _TYPES[name][0]) for name in wanted)
