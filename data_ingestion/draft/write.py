"""Write: a draft as the YAML of a contract, with a comment wherever a person has to decide. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from data_ingestion.contract import LogicalType
from data_ingestion.draft.infer import PERSONAL, ColumnDraft, infer, name_of, without_floats
from data_ingestion.draft.key import KeyDraft, find_key
from data_ingestion.draft.sample import Sample

TO_DECIDE = "TO DECIDE"
# Settings of the standard's own server; all others are custom properties.
OF_STANDARD = ("delimiter", "encoding")
# Texts that YAML takes for something else.
WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")


@dataclass(frozen=True)
class Draft:
    """A contract's text, and how much in it is left to a person."""

    text: str
    to_decide: int


def infer_columns(sample: Sample) -> list[ColumnDraft]:
    """The columns of the sample, each under a name of its own."""
    drafts: list[ColumnDraft] = []
    for header, texts in sample.columns.items():
        drafts.append(infer(header, texts, name_of(header, [draft.column.name for draft in drafts])))
    return drafts


def write_draft(
    sample: Sample,
    *,
    domain: str,
    dataset: str,
    path: str,
    drafts: Sequence[ColumnDraft] | None = None,
    key: KeyDraft | None = None,
    time_zone: str = "",
    parts: Mapping[str, str] = MappingProxyType({}),
) -> Draft:
    """The contract by which the sample would be loaded; columns and key are found, or given where they are settled.

    `parts` are those of its path, each with the sample's text.
    """
    drafts = drafts or infer_columns(sample)
    key = key or find_key(drafts, sample.columns, sample.rows)
    if not key.headers and all(draft.is_float for draft in drafts):
        drafts = [without_floats(draft, sample.columns[draft.header]) for draft in drafts]
    lines = [*_head(sample, domain, dataset, path), *_schema(sample, drafts, key, dataset, time_zone)]
    for part, text in parts.items():
        lines += _path_column(part, text, name_of(part, [draft.column.name for draft in drafts]))
    to_decide = sum(TO_DECIDE in line for line in lines[1:])  # the first line speaks of them
    return Draft("\n".join(lines) + "\n", to_decide)


def _head(sample: Sample, domain: str, dataset: str, path: str) -> Iterator[str]:
    whole = "all" if sample.is_whole else "the first"
    source = "a sample" if sample.files == 1 else f"{sample.files} files"
    yield f"# Drafted from {whole} {sample.rows:,} rows of {source}. Settle each '{TO_DECIDE}', then:"
    yield "# goldworks contract check"
    yield "apiVersion: v3.2.0"
    yield "kind: DataContract"
    yield f"id: {dataset}"
    yield "version: 1.0.0"
    yield "status: draft"
    yield f"domain: {domain}"
    yield "servers:"
    yield "  - server: landing"
    yield "    type: custom"
    yield f"    path: {_scalar(path)} # {TO_DECIDE}: where the files lie; {{YYYY}}/{{MM}} for a period in the key"
    yield f"    format: {sample.format}"
    for name in OF_STANDARD:
        if name in sample.settings:
            yield f"    {name}: {_scalar(sample.settings[name])}"
    custom = {name: value for name, value in sample.settings.items() if name not in OF_STANDARD}
    yield from _custom(custom, "    ")


def _schema(
    sample: Sample, drafts: Sequence[ColumnDraft], key: KeyDraft, dataset: str, time_zone: str
) -> Iterator[str]:
    yield "schema:"
    yield f"  - name: {dataset}"
    custom: dict[str, object] = {}
    if not key.headers:
        exact = [draft.column.name for draft in drafts if not draft.is_float]
        custom["key"] = {"rule": "occurrence", "columns": exact}
    if time_zone:
        custom["timeZone"] = time_zone
    if sample.left_out:
        custom["ignoredHeaders"] = list(sample.left_out)
    if not key.headers and key.evidence:
        yield f"    # {TO_DECIDE}: {key.evidence}. Equal rows are counted; name the key if there is one"
    for name, why in sample.left_out.items():
        yield f"    # {json.dumps(name)} {why}"
    yield from _custom(custom, "    ")
    yield "    properties:"
    for draft in drafts:
        yield from _property(draft, key, _of_several_files(sample, draft.header))


def _of_several_files(sample: Sample, header: str) -> dict[str, object]:
    """What a column's settings say of files that spell its header differently, or lack it."""
    said: dict[str, object] = {}
    if others := sample.spellings.get(header):
        said["headers"] = list(others)
    if header in sample.absent:
        said["mayBeAbsent"] = True
    return said


def _property(draft: ColumnDraft, key: KeyDraft, by_file: Mapping[str, object]) -> Iterator[str]:
    column = draft.column
    yield f"      - name: {_scalar(column.name)}"
    if draft.header != column.name:
        yield f"        physicalName: {_scalar(draft.header)}"
    yield f"        logicalType: {column.type}"
    if column.type is LogicalType.NUMBER or column.is_uuid:
        yield f"        physicalType: {column.physical_type}"
    if draft.header in key.headers:
        yield "        required: true"
        yield "        primaryKey: true"
        if len(key.headers) > 1:
            yield f"        primaryKeyPosition: {key.headers.index(draft.header) + 1}"
        if key.evidence:
            yield f"        # {TO_DECIDE}: is this the key? It is {key.evidence}"
    if PERSONAL.search(column.name):
        yield "        classification: personal"
    for remark in draft.open:
        yield f"        # {TO_DECIDE}: {remark}"
    for note in draft.notes:
        yield f"        # {note}"
    yield from _custom({**by_file, **draft.settings}, "        ")


def _path_column(part: str, text: str, name: str) -> Iterator[str]:
    yield f"      - name: {_scalar(name)}"
    yield "        logicalType: string"
    yield "        required: true"
    yield f"        # {TO_DECIDE}: is it part of the key? It stands in the path, here {_scalar(text)}"
    yield from _custom({"fromPath": part}, "        ")


def _custom(settings: Mapping[str, object], indent: str) -> Iterator[str]:
    if settings:
        yield f"{indent}customProperties:"
    for name, value in settings.items():
        yield f"{indent}  - {{property: {name}, value: {_scalar(value)}}}"


def _scalar(value: object) -> str:
    """A value as YAML, which takes JSON."""
    if isinstance(value, str) and re.fullmatch("[A-Za-z][A-Za-z0-9_]*", value) and value.lower() not in WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
