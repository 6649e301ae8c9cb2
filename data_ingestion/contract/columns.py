"""Columns: the properties of a contract, each checked and turned into a column of raw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from data_ingestion.contract import bounds
from data_ingestion.contract import formats as forms
from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.meanings import check_null_values, read_null_values, read_truth_values
from data_ingestion.contract.month_names import NAMED, check_month_names, read_month_names
from data_ingestion.contract.names import faults_of_column
from data_ingestion.contract.number_format import (
    OF_NUMBERS,
    RIVALS,
    check_number_format,
    read_number_format,
)
from data_ingestion.contract.path_parts import check_setting, header_of
from data_ingestion.contract.settings import Given, settings_of
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import Bound, Column, LogicalType, NumberFormat
from data_ingestion.contract.time_zone import LOCAL_FORMATS, LocalTime, check_local_time, read_local_time

CLASSIFICATIONS = ("public", "internal", "confidential", "personal")
MOST_DIGITS = 38  # of a decimal in Arrow, Redshift and Snowflake

PHYSICAL_TYPES: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.STRING: ("text", "uuid"),
    LogicalType.INTEGER: ("bigint", "integer", "smallint"),
    LogicalType.NUMBER: ("numeric(18,2)", "double precision"),
    LogicalType.BOOLEAN: ("boolean",),
    LogicalType.DATE: ("date",),
    LogicalType.TIMESTAMP: ("timestamptz",),
}
_OPTIONS: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.STRING: ("minLength", "maxLength", "pattern"),
    LogicalType.INTEGER: ("minimum", "maximum"),
    LogicalType.NUMBER: ("minimum", "maximum"),
    LogicalType.BOOLEAN: (),
    LogicalType.DATE: ("minimum", "maximum"),
    LogicalType.TIMESTAMP: ("minimum", "maximum"),
}
_OPTION_REMEDIES = {
    "format": "write the forms of dates in the setting 'formats', those of text as a 'pattern'",
    "timezone": "leave it out: raw holds an instant; where times were written says the setting 'timeZone'",
    "defaultTimezone": "say it by the setting 'timeZone'",
    "exclusiveMinimum": "use 'minimum'",
    "exclusiveMaximum": "use 'maximum'",
    "multipleOf": "leave it out, or test it in dbt",
}
# Settings of the standard that promise something about the data which nothing here would keep.
_UNKEPT = {
    "unique": "leave it out; the loader keeps the key unique, other columns are tested in dbt",
    "partitioned": "leave it out; raw tables are not partitioned",
    "partitionKeyPosition": "leave it out; raw tables are not partitioned",
    "encryptedName": "leave it out; mark sensitive columns by 'classification'",
    "properties": "leave it out; a column holds one value",
    "items": "leave it out; a column holds one value",
    "map": "leave it out; a column holds one value",
    "relationships": "leave it out; relationships are tested in dbt",
}


@dataclass(frozen=True)
class Placed:
    """A column, its place in the contract, and the places of its headers."""

    column: Column
    place: str
    header_places: tuple[str, ...]


@dataclass(frozen=True)
class Common:
    """What the dataset says for all columns that don't say it themselves."""

    null_values: tuple[str, ...] = ()
    number_format: NumberFormat | None = None
    local_time: LocalTime | None = None
    most_bytes: int | None = None  # of a text
    month_names: tuple[str, ...] = ()


def read_columns(
    document: Document, properties: list[Value], place: str, common: Common = Common()
) -> list[Placed]:
    """The columns of a dataset; what is wrong with them goes to the document's faults."""
    placed = []
    for index, item in enumerate(properties):
        if isinstance(item, dict):
            reader = _PropertyReader(document, item, inside(place, index), common)
            column = reader.read()
            placed += [Placed(column, reader.place, reader.header_places())] if column else []
    return placed


class _PropertyReader:
    """One property of the contract on its way to a column."""

    def __init__(self, document: Document, item: dict[str, Value], place: str, common: Common) -> None:
        self.document = document
        self.common = common
        self.item = item
        self.place = place
        self.settings = settings_of(document, item, place)
        self.options: dict[str, Value] = {}

    def read(self) -> Column | None:
        name = self.item.get("name")
        keep_text = self.flag("keepText")
        if not isinstance(name, str):
            return None
        for fault, remedy in faults_of_column(name, keep_text):
            self.add("name", fault, remedy, "names")
        for setting, remedy in _UNKEPT.items():
            if self.item.get(setting) not in (None, False) and not self.is_faulty(setting):
                self.add(setting, f"'{setting}' is not supported by the loader", remedy, "unkept")
        type_ = self.type()
        if type_ is None:
            return None
        physical_type, precision, scale = self.physical_type(type_)
        is_uuid = type_ is LogicalType.STRING and physical_type == "uuid"
        self.read_options(type_, is_uuid)
        required = self.item.get("required") is True
        may_be_absent = self.flag("mayBeAbsent")
        if required and may_be_absent:
            fault = "a required column can't be absent"
            self.add("required", fault, "remove 'required' or 'mayBeAbsent'", "headers")
        pattern = self.pattern()
        minimum, maximum = (self.bound(name, type_, physical_type) for name in ("minimum", "maximum"))
        min_length, max_length = self.length("minLength"), self.length("maxLength")
        self.ordered("minimum", minimum, "maximum", maximum)
        self.ordered("minLength", min_length, "maxLength", max_length)
        accepted = self.accepted_values(type_, is_uuid)
        null_values = self.common.null_values
        if "nullValues" in self.settings:
            null_values = read_null_values(self.document, self.settings["nullValues"])
        local = self.local_time(type_)
        truth = read_truth_values(self.document, self.settings, type_)
        check_null_values(self.document, inside(self.place, "name"), null_values, (*accepted, *truth.words))
        description = self.item.get("description")
        formats = self.formats(type_, local)
        from_path = check_setting(self.document, self.place, self.settings, "physicalName" in self.item)
        return Column(
            name=name,
            headers=(header_of(name),) if from_path else self.headers(name),
            from_path=from_path,
            type=type_,
            physical_type=physical_type,
            precision=precision,
            scale=scale,
            required=required,
            may_be_empty=self.may_be_empty(type_, is_uuid),
            null_values=null_values,
            true_values=truth.true,
            false_values=truth.false,
            number_format=self.number_format(type_),
            cleaning=self.cleaning(type_),
            formats=formats,
            month_names=self.month_names(formats),
            time_zone=local.zone,
            repeated_hour=local.repeated_hour,
            pattern=pattern,
            minimum=minimum,
            maximum=maximum,
            min_length=min_length,
            max_length=max_length,
            most_bytes=self.common.most_bytes if keep_text or self.is_text(type_, is_uuid) else None,
            accepted_values=accepted,
            keep_text=keep_text,
            fill_down=self.flag("fillDown"),
            may_be_absent=may_be_absent,
            known_bad=self.texts("knownBad"),
            classification=self.classification(),
            description=" ".join(description.split()) if isinstance(description, str) else "",
        )

    def add(self, name: str, fault: str, remedy: str, anchor: str) -> None:
        self.document.add(inside(self.place, name), fault, remedy, anchor)

    def is_faulty(self, name: str) -> bool:
        return self.document.is_faulty(inside(self.place, name))

    def flag(self, name: str) -> bool:
        return name in self.settings and self.settings[name].value is True

    def is_text(self, type_: LogicalType, is_uuid: bool) -> bool:
        return type_ is LogicalType.STRING and not is_uuid

    def may_be_empty(self, type_: LogicalType, is_uuid: bool) -> bool:
        if self.flag("mayBeEmpty") and not self.is_text(type_, is_uuid):
            fault = f"an empty cell of a {'uuid' if is_uuid else type_} is always null"
            remedy = "leave it out; only a column of text can hold an empty text"
            self.document.add(self.settings["mayBeEmpty"].place, fault, remedy, "empty-text")
        return self.flag("mayBeEmpty")

    def texts(self, name: str) -> tuple[str, ...]:
        given = self.settings.get(name)
        return tuple(str(item) for item in given.value) if given and isinstance(given.value, list) else ()

    def at(self, given: Given, index: int) -> str:
        return inside(given.place, index)

    def type(self) -> LogicalType | None:
        text = self.item.get("logicalType")
        if text is None:
            known = ", ".join(LogicalType)
            self.add("logicalType", "is missing", f"add it: {known}", "types")
            return None
        return LogicalType(str(text)) if text in tuple(LogicalType) else None

    def physical_type(self, type_: LogicalType) -> tuple[str, int | None, int | None]:
        given = self.item.get("physicalType")
        known = PHYSICAL_TYPES[type_]
        if not isinstance(given, str):
            if type_ is LogicalType.NUMBER:
                fault = "a number needs its physicalType, which says how many digits it keeps"
                self.add("physicalType", fault, "add e.g. 'numeric(18,2)' or 'double precision'", "types")
            return known[0], None, None
        if type_ is LogicalType.NUMBER and (found := re.fullmatch(r"numeric\((\d+), ?(\d+)\)", given)):
            precision, scale = int(found[1]), int(found[2])
            if not 1 <= precision <= MOST_DIGITS or scale > precision:
                remedy = f"write 1 to {MOST_DIGITS} digits, at most all of them after the point"
                self.add("physicalType", f"'{given}' is not a valid size for a number", remedy, "types")
            return f"numeric({precision},{scale})", precision, scale
        if given not in known:
            article = "an" if type_ is LogicalType.INTEGER else "a"
            fault = f"'{given}' is not a physical type for {article} {type_}"
            self.add("physicalType", fault, choices(given, known), "types")
        return given, None, None

    def headers(self, name: str) -> tuple[str, ...]:
        physical = self.item.get("physicalName")
        headers = (physical if isinstance(physical, str) else name, *self.texts("headers"))
        for header, place in zip(headers, self.header_places(), strict=True):
            if not header.strip():
                remedy = "write it as it is in the file; a column without a name can only be ignored"
                self.document.add(place, "the header is blank", remedy, "headers")
        return headers

    def header_places(self) -> tuple[str, ...]:
        own = inside(self.place, "physicalName" if "physicalName" in self.item else "name")
        if "headers" not in self.settings or "fromPath" in self.settings:
            return (own,)
        listed = self.settings["headers"].place
        return (own, *(inside(listed, index) for index in range(len(self.texts("headers")))))

    def cleaning(self, type_: LogicalType) -> tuple[str, ...]:
        names = self.texts("cleaning")
        for index, fault, remedy in forms.faults_of_cleaning(names, type_):
            self.document.add(self.at(self.settings["cleaning"], index), fault, remedy, "cleaning")
        return names

    def number_format(self, type_: LogicalType) -> NumberFormat | None:
        given, cleaning = self.settings.get("numberFormat"), self.texts("cleaning")
        check_number_format(self.document, given, type_, cleaning)
        if type_ not in OF_NUMBERS:
            return None
        if given is not None:
            return read_number_format(self.document, given)
        return None if set(cleaning) & set(RIVALS) else self.common.number_format

    def local_time(self, type_: LogicalType) -> LocalTime:
        check_local_time(self.document, self.settings, type_)
        own = read_local_time(self.document, self.settings)
        return (
            (own or self.common.local_time or LocalTime()) if type_ is LogicalType.TIMESTAMP else LocalTime()
        )

    def formats(self, type_: LogicalType, local: LocalTime) -> tuple[str, ...]:
        given = self.settings.get("formats")
        if given is None:
            return LOCAL_FORMATS if local.zone else forms.DEFAULT_FORMATS.get(type_, ())
        if type_ not in forms.DEFAULT_FORMATS:
            fault = f"a {type_} has no formats"
            self.document.add(
                given.place, fault, "leave it out, or make the column a date or timestamp", "formats"
            )
            return ()
        texts = self.texts("formats")
        if not texts:
            self.document.add(given.place, "the list is empty", "name a form, e.g. '%Y-%m-%d'", "formats")
        for index, text in enumerate(texts):
            for fault, remedy in forms.faults_of_format(text, type_, is_local=bool(local.zone)):
                self.document.add(self.at(given, index), fault, remedy, "formats")
        for index, text, twin in forms.twins(texts):
            fault = f"'{text}' reads texts that '{twin}' reads too"
            self.document.add(self.at(given, index), fault, "keep the one that the source writes", "formats")
        return texts

    def month_names(self, formats: tuple[str, ...]) -> tuple[str, ...]:
        given = self.settings.get("monthNames")
        check_month_names(self.document, given, formats)
        names = read_month_names(self.document, given) if given else self.common.month_names
        return names if any(name in form for form in formats for name in NAMED) else ()

    def read_options(self, type_: LogicalType, is_uuid: bool) -> None:
        options = self.item.get("logicalTypeOptions")
        if not isinstance(options, dict):
            return
        for name, value in options.items():
            place = inside("logicalTypeOptions", name)
            if self.is_faulty(place):
                continue
            if is_uuid:
                remedy = "leave it out: its form is checked anyway"
                self.add(place, f"'{name}' is not checked on a uuid", remedy, "limits")
            elif name in _OPTIONS[type_]:
                self.options[name] = value
            else:
                remedy = _OPTION_REMEDIES.get(name) or choices(name, _OPTIONS[type_])
                self.add(place, f"'{name}' is not checked on a {type_}", remedy, "limits")

    def length(self, name: str) -> int | None:
        value = self.options.get(name)
        return value if isinstance(value, int) else None

    def bound(self, name: str, type_: LogicalType, physical_type: str) -> Bound | None:
        value = self.options.get(name)
        if value is None or self.is_faulty("physicalType"):
            return None
        bound, wanted = bounds.read_bound(value, type_, physical_type)
        if bound is None:
            fault = f"{described(value)} is not a valid {name} for this column"
            self.add(inside("logicalTypeOptions", name), fault, f"write {wanted}", "limits")
        return bound

    def ordered(self, low_name: str, low: Any, high_name: str, high: Any) -> None:
        if low is not None and high is not None and low > high:
            place = inside("logicalTypeOptions", low_name)
            self.add(place, f"{low_name} {low} is above {high_name} {high}", "swap them", "limits")

    def pattern(self) -> str | None:
        text = self.options.get("pattern")
        if not isinstance(text, str):
            return None
        for fault, remedy in bounds.faults_of_expression(text):
            self.add(inside("logicalTypeOptions", "pattern"), fault, remedy, "limits")
            self.options.pop("pattern", None)
        return text

    def accepted_values(self, type_: LogicalType, is_uuid: bool) -> tuple[str, ...]:
        """The values of `enum`, or of the quality rule that said the same before ODCS 3.2."""
        listed = {f"enum[{i}].value": entry.get("value") for i, entry in enumerate(self.dicts("enum"))}
        for index, rule in enumerate(self.dicts("quality")):
            place = f"quality[{index}]"
            if rule.get("type") == "text":
                continue
            arguments = rule.get("arguments")
            values = arguments.get("validValues") if isinstance(arguments, dict) else None
            if (
                rule.get("metric") != "invalidValues"
                or rule.get("mustBe") != 0
                or not isinstance(values, list)
            ):
                remedy = (
                    "list accepted values by 'enum', forbid nulls by 'required'; test everything else in dbt"
                )
                self.add(place, "the loader does not check this rule", remedy, "accepted-values")
            elif listed:
                self.add(place, "values are accepted in two places", "keep one of them", "accepted-values")
            else:
                at = inside(place, "arguments.validValues")
                listed = {inside(at, i): value for i, value in enumerate(values)}
        if listed and is_uuid:
            fault = "a uuid has no accepted values"
            remedy = "leave them out, or keep the column as 'physicalType: text'"
            self.add(next(iter(listed)), fault, remedy, "accepted-values")
            return ()
        if listed and type_ is not LogicalType.STRING:
            fault = f"a {type_} has no accepted values"
            self.add(next(iter(listed)), fault, "bound it by 'minimum' and 'maximum'", "accepted-values")
            return ()
        for at, value in listed.items():
            if not isinstance(value, str):
                fault = f"{described(value)} is not text as the column is"
                self.add(at, fault, "put it in quotes", "accepted-values")
            elif limit := bounds.limit_that_refuses(value, self.options):
                fault = f"'{value}' is accepted here but rejected by the {limit} of the column"
                self.add(at, fault, f"correct the value or the {limit}", "accepted-values")
        accepted = [value for value in listed.values() if isinstance(value, str)]
        if len(set(accepted)) < len(accepted) and not self.is_faulty("enum"):
            self.add(next(iter(listed)), "an accepted value is listed twice", "keep one", "accepted-values")
        return tuple(accepted)

    def dicts(self, name: str) -> list[dict[str, Value]]:
        listed = self.item.get(name)
        return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []

    def classification(self) -> str | None:
        given = self.item.get("classification")
        if not isinstance(given, str):
            return None
        if given not in CLASSIFICATIONS:
            fault = f"'{given}' is not a classification"
            self.add("classification", fault, choices(given, CLASSIFICATIONS), "classification")
        return given
