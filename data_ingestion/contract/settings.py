"""Settings: what a contract says in `customProperties`, because the standard has no place for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.standard import described


@dataclass(frozen=True)
class Setting:
    """A setting's kind (`flag`, `count`, `text`, `texts`, `mapping`) and the section that explains it."""

    kind: str
    anchor: str


_WANTED = {
    "flag": "true or false",
    "count": "a whole number from 0",
    "text": "text",
    "texts": "a list of texts, numbers in quotes",
    "mapping": "a mapping of names to values",
}

SETTINGS: dict[str, dict[str, Setting]] = {
    r"servers\[\d+\]": {
        "skipInitialSpace": Setting("flag", "format"),
        "maxRecordBytes": Setting("count", "format"),
        "sheet": Setting("text", "format"),
        "records": Setting("text", "json-documents"),
        "headerLine": Setting("count", "header-line"),
        "columnNames": Setting("texts", "header-line"),
        "headerMatch": Setting("text", "header-names"),
        "repeatedHeaders": Setting("text", "header-names"),
        "quote": Setting("text", "quotes"),
        "escape": Setting("text", "quotes"),
        "commentPrefix": Setting("text", "lines-that-are-not-rows"),
        "skipEmptyRows": Setting("flag", "lines-that-are-not-rows"),
        "footer": Setting("texts", "lines-that-are-not-rows"),
        "maxFileBytes": Setting("count", "format"),
        "maxUnpackedBytes": Setting("count", "format"),
        "settleSeconds": Setting("count", "landing"),
        "doneMarker": Setting("text", "landing"),
        "recheck": Setting("text", "landing"),
        "schedule": Setting("text", "schedule"),
        "capture": Setting("mapping", "capture"),
    },
    r"schema\[\d+\]": {
        "key": Setting("mapping", "key"),
        "keyName": Setting("text", "key"),
        "kinds": Setting("mapping", "kinds-of-records"),
        "ignoredHeaders": Setting("texts", "headers"),
        "nullValues": Setting("texts", "null-values"),
        "numberFormat": Setting("mapping", "number-format"),
        "monthNames": Setting("texts", "month-names"),
        "timeZone": Setting("text", "time-zone"),
        "repeatedHour": Setting("text", "time-zone"),
        "quarantineLimit": Setting("mapping", "quarantine-limit"),
        "acceptance": Setting("mapping", "acceptance"),
        "warehouses": Setting("texts", "warehouses"),
        "archive": Setting("flag", "archive"),
    },
    r"schema\[\d+\]\.properties\[\d+\]": {
        "headers": Setting("texts", "headers"),
        "mayBeAbsent": Setting("flag", "headers"),
        "mayBeEmpty": Setting("flag", "empty-text"),
        "fillDown": Setting("flag", "fill-down"),
        "nullValues": Setting("texts", "null-values"),
        "trueValues": Setting("texts", "truth-values"),
        "falseValues": Setting("texts", "truth-values"),
        "numberFormat": Setting("mapping", "number-format"),
        "cleaning": Setting("texts", "cleaning"),
        "formats": Setting("texts", "formats"),
        "monthNames": Setting("texts", "month-names"),
        "timeZone": Setting("text", "time-zone"),
        "repeatedHour": Setting("text", "time-zone"),
        "keepText": Setting("flag", "keep-text"),
        "fromPath": Setting("text", "columns-from-the-path"),
        "knownBad": Setting("texts", "acceptance"),
    },
    r"slaProperties\[\d+\]": {
        "errorAfter": Setting("count", "freshness"),
    },
}
_HOLDERS = {
    r"servers\[\d+\]": "a server",
    r"schema\[\d+\]": "a dataset",
    r"schema\[\d+\]\.properties\[\d+\]": "a column",
    r"slaProperties\[\d+\]": "a service level",
}
VENDOR = "goldworks"


@dataclass(frozen=True)
class Given:
    """The value of a setting and its place."""

    value: Value
    place: str


def check_settings(document: Document) -> None:
    """Add a fault for each custom property, at any depth, that is unknown there or of the wrong kind."""
    _check_within(document, document.root, "")


def settings_of(document: Document, holder: Value, place: str) -> dict[str, Given]:
    """The sound settings in the customProperties of a holder, by name."""
    given = {}
    for index, item in enumerate(_custom_properties(holder)):
        at = inside(inside(inside(place, "customProperties"), index), "value")
        if _is_ours(item) and not document.is_faulty(inside(inside(place, "customProperties"), index)):
            given[str(item["property"])] = Given(item.get("value"), at)
    return given


def _check_within(document: Document, value: Value, place: str) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check_within(document, item, inside(place, index))
    if not isinstance(value, dict):
        return
    _check_holder(document, value, place)
    for name, item in value.items():
        if name != "customProperties":
            _check_within(document, item, inside(place, name))


def _check_holder(document: Document, holder: dict[str, Value], place: str) -> None:
    shape = next((shape for shape in SETTINGS if re.fullmatch(shape, place)), None)
    known = SETTINGS[shape] if shape else {}
    seen: set[str] = set()
    for index, item in enumerate(_custom_properties(holder)):
        at = inside(inside(place, "customProperties"), index)
        name = item.get("property")
        if not isinstance(name, str) or not _is_ours(item):
            continue
        where = _HOLDERS[shape] if shape else "this place"
        if name not in known:
            elsewhere = [f"{_HOLDERS[other]}" for other, names in SETTINGS.items() if name in names]
            remedy = f"it belongs to {elsewhere[0]}" if elsewhere else choices(name, known)
            fault = f"'{name}' is not a setting of {where}"
            document.add(inside(at, "property"), fault, remedy, "custom-properties")
        elif name in seen:
            document.add(inside(at, "property"), f"'{name}' is set twice", "keep one", known[name].anchor)
        elif "value" in item and not _is_of_kind(item["value"], known[name].kind):
            wanted = _WANTED[known[name].kind]
            fault = f"{described(item['value'])} is not {wanted}"
            document.add(inside(at, "value"), fault, f"write {wanted}", known[name].anchor)
        seen.add(name)


def _custom_properties(holder: Value) -> list[dict[str, Value]]:
    listed = holder.get("customProperties") if isinstance(holder, dict) else None
    return [item if isinstance(item, dict) else {} for item in listed] if isinstance(listed, list) else []


def _is_ours(item: dict[str, Value]) -> bool:
    return item.get("vendor", VENDOR) == VENDOR


def _is_of_kind(value: Value, kind: str) -> bool:
    match kind:
        case "flag":
            return isinstance(value, bool)
        case "count":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "text":
            return isinstance(value, str)
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, dict)
