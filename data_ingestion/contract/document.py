"""Document: the YAML of a contract as plain values, and the line that each was written on.

Read by the rules of YAML 1.2, not of 1.1 that PyYAML follows by itself: `no` and `on` are words, `2026-01-01`
and `12:30` are text, and a number with a point keeps every digit (Decimal).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import yaml

from data_ingestion.contract.faults import ContractError, Fault

Value = None | bool | int | Decimal | str | list["Value"] | dict[str, "Value"]

MOST_VALUES = 100_000  # aliases of aliases can make a small file an endless one


@dataclass
class Document:
    """The root value, the lines of its places, and the faults found in it so far."""

    file: Path
    root: Value = None
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, place: str, fault: str, remedy: str, anchor: str) -> None:
        """Note a fault, at the line of its place or of the nearest thing around it."""
        self.faults.append(Fault(self.file, self._line(place), place, fault, remedy, anchor))

    def is_faulty(self, place: str) -> bool:
        """Whether the place, or anything inside it, has a fault already: more about it would be noise."""
        return any(_lies_in(fault.place, place) for fault in self.faults)

    def _line(self, place: str) -> int | None:
        while place and place not in self.lines:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        return self.lines.get(place)


def read_document(file: Path) -> Document:
    """The values of a contract file; ContractError when it can't be read as one YAML mapping."""
    document = Document(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
        node = yaml.compose(text, Loader=_Loader)
        document.root = _value(node, "", document, _Guard()) if node else None
    except OSError as error:
        document.add("", f"can't be read: {error.strerror}", "check the path and its permissions", "files")
    except UnicodeDecodeError as error:
        document.add(
            "",
            f"is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}",
            "save the file as UTF-8",
            "files",
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = ", ".join(filter(None, (error.context, error.problem)))
        document.faults.append(
            Fault(
                file,
                mark.line + 1 if mark else None,
                at,
                f"is not valid YAML: {said}",
                "fix the YAML there",
                "files",
            )
        )
    except yaml.reader.ReaderError as error:
        fault = (
            f"is not valid YAML: character {error.character!r} at position {error.position} is not allowed"
        )
        document.add("", fault, "remove the control character", "files")
    except RecursionError:
        document.add("", "is nested too deeply to be a contract", "start from the example", "files")
    if not document.faults and not isinstance(document.root, dict):
        what = "is empty" if document.root is None else "has no settings at its top level"
        document.add("", what, "start from the example: one name and value per line", "files")
    if document.faults:
        raise ContractError(document.faults)
    return document


def inside(place: str, name: str | int) -> str:
    """The place of a named setting or of a list's item inside a place."""
    if isinstance(name, int):
        return f"{place}[{name}]"
    return f"{place}.{name}" if place else name


def _lies_in(place: str, outer: str) -> bool:
    return place == outer or place.startswith((f"{outer}.", f"{outer}["))


_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc, valid-type]
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


for _tag, _expression, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_expression})\\Z"), _first)


@dataclass
class _Guard:
    """Stops a document that aliases blow up or close into a ring."""

    values: int = 0
    open_nodes: set[int] = field(default_factory=set)


def _value(node: yaml.Node, place: str, document: Document, guard: _Guard) -> Value:
    guard.values += 1
    if id(node) in guard.open_nodes or guard.values > MOST_VALUES:
        raise yaml.composer.ComposerError(None, None, "its aliases are endless", node.start_mark)
    document.lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, place, document)
    guard.open_nodes.add(id(node))
    try:
        if isinstance(node, yaml.SequenceNode):
            return [_value(item, inside(place, i), document, guard) for i, item in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        return dict(_items(node, place, document, guard))
    finally:
        guard.open_nodes.discard(id(node))


def _items(
    node: yaml.MappingNode, place: str, document: Document, guard: _Guard
) -> Iterator[tuple[str, Value]]:
    seen: dict[str, int] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.composer.ComposerError(None, None, "a name must be plain text", key.start_mark)
        name = inside(place, key.value)
        if key.value in seen:
            document.lines[name] = line
            document.add(
                name, f"is set twice, first on line {seen[key.value]}", "keep one of the two", "files"
            )
            continue
        seen[key.value] = line
        value = _value(item, name, document, guard)
        document.lines[name] = line
        yield key.value, value


def _scalar(node: yaml.ScalarNode, place: str, document: Document) -> Value:
    text: str = node.value
    match node.tag.removeprefix("tag:yaml.org,2002:"):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if text.lstrip("+-").isdigit() and len(text) <= 40:
            return int(text)
        case "int" | "float" if re.fullmatch(r"[-+.0-9eE]{1,60}", text):
            return Decimal(text)
    document.add(place, f"the tag {node.tag} is not for contracts", "write the value plainly", "files")
    return None
