"""Contract: what was agreed about one dataset, as facts that the rest of the loader reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from data_ingestion.contract.arrival import DoneMarker, Window
from data_ingestion.contract.pattern import Match, Pattern, Reach

Bound = int | Decimal | float | date | datetime

# Part of every fingerprint: raise it when the loader itself starts to turn the same bytes into other rows,
# so that every drop is read again.
RULES = 2


class LogicalType(StrEnum):
    """The types of ODCS that the loader can check."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class KeyRule(StrEnum):
    """How a row is recognised when it comes again."""

    NATURAL = "natural"  # the key columns name the row
    OCCURRENCE = "occurrence"  # the key columns and how many equal rows came before it in its drop


@dataclass(frozen=True)
class Column:
    """One column of raw, and the rules by which a cell of the file becomes its value."""

    name: str
    headers: tuple[str, ...]  # exact text; physicalName first, then the other headers it may come under
    type: LogicalType
    physical_type: str  # type of the column in Postgres, one of a closed list
    precision: int | None = None  # of numeric only
    scale: int | None = None
    required: bool = False
    cleaning: tuple[str, ...] = ()  # applied in this order, before typing
    formats: tuple[str, ...] = ()  # of dates and timestamps; the first that fits decides
    pattern: str | None = None  # regular expression that the whole value must match
    minimum: Bound | None = None
    maximum: Bound | None = None
    min_length: int | None = None
    max_length: int | None = None
    accepted_values: tuple[str, ...] = ()  # empty: any
    keep_text: bool = False  # keep the cell as it came in `<name>__text`
    may_be_absent: bool = False  # a file without this column is fine, its rows get null
    classification: str | None = None
    description: str = ""

    @property
    def is_uuid(self) -> bool:
        """Whether its texts are UUIDs, kept as the 128 bits that they write."""
        return self.physical_type == "uuid"


@dataclass(frozen=True)
class CsvFormat:
    """How the bytes of a CSV drop are cut into cells."""

    delimiter: str = ","
    encoding: str = "utf-8"
    skip_initial_space: bool = False
    max_record_bytes: int = 1_048_576


@dataclass(frozen=True)
class JsonLinesFormat:
    """How the bytes of a drop of JSON Lines are cut into records."""

    encoding: str = "utf-8"
    max_record_bytes: int = 1_048_576


@dataclass(frozen=True)
class ParquetFormat:
    """Parquet, which says itself how it is to be read."""


@dataclass(frozen=True)
class SpreadsheetFormat:
    """Which sheet of an xlsx file holds the rows, and how large a file may be: its texts are held in memory."""

    sheet: str | None = None  # by name; the first if none is named
    max_file_bytes: int = 67_108_864
    max_unpacked_bytes: int = 536_870_912


Format = CsvFormat | JsonLinesFormat | ParquetFormat | SpreadsheetFormat


@dataclass(frozen=True)
class Source:
    """Files in which a dataset lands, and how their bytes are read."""

    pattern: Pattern
    format: Format


@dataclass(frozen=True)
class Key:
    """What makes two rows the same row; `name` is what bronze calls `_key` ('' for a natural key)."""

    rule: KeyRule
    columns: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class RecordKind:
    """A kind of record, by what the telling columns say of it, and the columns that it has beside those of all kinds.

    Of another kind's columns a record may bring values, too: they are kept.
    """

    values: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kinds:
    """The kinds of records that a dataset holds, and the columns that tell them apart."""

    columns: tuple[str, ...]
    known: tuple[RecordKind, ...]

    def having(self, column: str) -> tuple[RecordKind, ...]:
        """The kinds that a column belongs to; none where it belongs to all."""
        return tuple(kind for kind in self.known if column in (*kind.required, *kind.optional))


@dataclass(frozen=True)
class QuarantineLimit:
    """A load fails when more rows are quarantined than `least` and than `share` of the rows read."""

    share: float = 0.05
    least: int = 20


@dataclass(frozen=True)
class Role:
    """A group of people and the innermost layer it may read: gold, silver, bronze or raw."""

    name: str
    access: str


CAPTURED = ".captured"  # in the folder of captured drops: how far the source was told that they are safe


@dataclass(frozen=True)
class Capture:
    """Tables of an operational database whose changes `goldworks capture` writes as drops of a dataset."""

    source: str
    """Which database: where it is and whose login is used, the settings say by this name."""
    tables: tuple[str, ...]
    schema: str = "public"


@dataclass(frozen=True)
class Contract:
    """Everything agreed about one dataset."""

    path: Path
    domain: str
    dataset: str
    version: str
    description: str
    pattern: Pattern
    format: Format
    columns: tuple[Column, ...]
    ignored_headers: tuple[str, ...]
    key: Key
    quarantine_limit: QuarantineLimit = QuarantineLimit()
    warn_after_hours: int | None = None
    error_after_hours: int | None = None
    roles: tuple[Role, ...] = ()
    settle_seconds: int = 0
    also: tuple[Source, ...] = ()  # other files that bring the same rows
    done_marker: DoneMarker | None = None
    recheck: Window | None = None  # None: every period
    kinds: Kinds | None = None  # None: all records are of one kind
    capture: Capture | None = None  # None: somebody else writes the drops
    archive: bool = False  # its records are kept in the lake, too

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All files that bring the dataset's rows; the first whose pattern matches an object says how it is read."""
        return (Source(self.pattern, self.format), *self.also)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The folders that the dataset's objects lie in, at any depth."""
        return tuple(source.pattern.prefix for source in self.sources)

    @property
    def capture_folder(self) -> str:
        """The folder that captured drops are written to."""
        return self.pattern.prefix.rstrip("/")

    @property
    def notes(self) -> tuple[str, ...]:
        """Keys among the dataset's drops that the platform writes for itself, and nobody delivers."""
        return (f"{self.capture_folder}/{CAPTURED}",) if self.capture else ()

    def reach(self, folder: str, since: str = "") -> Reach:
        """What a folder can hold of the dataset, of periods from a moment on."""
        return max(source.pattern.reach(folder, since) for source in self.sources)

    def match(self, key: str) -> Match | None:
        """The match of an object key with one of the patterns, or None."""
        for source in self.sources:
            if match := source.pattern.match(key):
                return match
        return None

    def format_of(self, key: str) -> Format:
        """How an object of this dataset is read."""
        if not self.also:
            return self.format
        return next((source.format for source in self.sources if source.pattern.match(key)), self.format)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what decides which rows a drop becomes; equal fingerprints need no second reading.

        Prose, roles, freshness, the quarantine limit, the landing pattern, who writes the drops and what a kind of
        record may have decide no row, so they are left out; so is the order of what has no order: columns and headers
        are found by name.
        """
        columns = []
        for column in sorted(self.columns, key=lambda column: column.name):
            rules = asdict(column)
            del rules["classification"], rules["description"]
            rules["headers"] = sorted(column.headers)
            rules["accepted_values"] = sorted(column.accepted_values)
            columns.append(rules)
        # A hash is of its columns in their order.
        is_hashed = self.key.rule is KeyRule.OCCURRENCE
        columns_of_key = self.key.columns if is_hashed else tuple(sorted(self.key.columns))
        decisive: dict[str, object] = {
            "rules": RULES,
            "format": _decisive_of_format(self.format),
            "columns": columns,
            "ignored_headers": sorted(self.ignored_headers),
            "key": {"rule": self.key.rule, "columns": columns_of_key},
        }
        if self.also:
            decisive["also"] = [
                (source.pattern.text, _decisive_of_format(source.format)) for source in self.also
            ]
        if self.kinds:
            decisive["kinds"] = {
                "columns": self.kinds.columns,
                "known": sorted((kind.values, sorted(kind.required)) for kind in self.kinds.known),
            }
        text = json.dumps(decisive, sort_keys=True, ensure_ascii=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()


def _decisive_of_format(form: Format) -> dict[str, object]:
    """What a format decides of the rows: all but the sizes from which on a file is refused as a whole."""
    match form:
        case CsvFormat():
            return asdict(form)
        case SpreadsheetFormat():
            return {"name": "xlsx", "sheet": form.sheet}
        case ParquetFormat():
            return {"name": "parquet"}
    return {"name": "jsonl", **asdict(form)}
