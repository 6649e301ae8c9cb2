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
from data_ingestion.contract.file_formats import Format, decisive_of_format
from data_ingestion.contract.path_values import values_of
from data_ingestion.contract.pattern import Match, Pattern, Reach

Bound = int | Decimal | float | date | datetime

# Part of every fingerprint: raise it when the loader itself starts to turn the same bytes into other rows,
# so that every drop is read again.
RULES = 3


# Bytes of the hash of its path's values, which follows the hash of a drop's bytes where columns come from the path.
PATH_HASH_BYTES = 16

# Settings of a column that came after there were fingerprints: where they say nothing, none has changed.
LATER_SETTINGS = (
    "may_be_empty",
    "null_values",
    "true_values",
    "false_values",
    "number_format",
    "time_zone",
    "repeated_hour",
    "most_bytes",
    "month_names",
    "fill_down",
    "from_path",
)


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
class NumberFormat:
    """How the numbers of a column are written."""

    decimal: str = "."
    grouping: str = ""  # between thousands; '' for none
    negative: tuple[str, ...] = ()  # ways to write a minus beside the usual one
    currency: tuple[str, ...] = ()  # that may stand before or behind
    percent: str = ""  # of numbers with a percent sign: `divide` by a hundred, or `keep` as they are
    exponent: bool = False  # whether an exponent may follow, as in 1.2E+3; always in a double precision

    @property
    def example(self) -> str:
        """A number that is written so."""
        return f"1{self.grouping}234{self.decimal}50"


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
    may_be_empty: bool = False  # empty text is a value, also where one is required
    null_values: tuple[str, ...] = ()  # texts that are read as null
    true_values: tuple[str, ...] = ()  # of a boolean, in lower case; empty: the usual ones
    false_values: tuple[str, ...] = ()
    number_format: NumberFormat | None = None  # None: plain, as in 1234.50
    cleaning: tuple[str, ...] = ()  # applied in this order, before typing
    formats: tuple[str, ...] = ()  # of dates and timestamps; the first that fits decides
    month_names: tuple[
        str, ...
    ] = ()  # from January on, spellings with | between them; empty: the English ones
    time_zone: str = ""  # of times that carry no offset; '' for UTC
    repeated_hour: str = ""  # which of the two a local time is that comes twice; '' for neither
    pattern: str | None = None  # regular expression that the whole value must match
    minimum: Bound | None = None
    maximum: Bound | None = None
    min_length: int | None = None
    max_length: int | None = None
    most_bytes: int | None = None  # of a text, by the warehouses that the contract must fit
    accepted_values: tuple[str, ...] = ()  # empty: any
    keep_text: bool = False  # keep the cell as it came in `<name>__text`
    fill_down: bool = False  # an empty cell has the value of the one above it
    from_path: str = ""  # the part of an object's path that holds its value; '' where the file does
    may_be_absent: bool = False  # a file without this column is fine, its rows get null
    known_bad: tuple[str, ...] = ()  # texts like these are known not to be values; their rows are quarantined
    classification: str | None = None
    description: str = ""

    @property
    def is_uuid(self) -> bool:
        """Whether its texts are UUIDs, kept as the 128 bits that they write."""
        return self.physical_type == "uuid"


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

    A record may also have values in another kind's columns: they are kept.
    """

    values: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kinds:
    """The kinds of records that a dataset holds, and the columns that distinguish them."""

    columns: tuple[str, ...]
    known: tuple[RecordKind, ...]

    def having(self, column: str) -> tuple[RecordKind, ...]:
        """The kinds that a column belongs to; none where it belongs to all."""
        return tuple(kind for kind in self.known if column in (*kind.required, *kind.optional))


@dataclass(frozen=True)
class Allowance:
    """Rows that are accepted: up to `least`, or up to `share` of the rows read, whichever is more."""

    share: float
    least: int

    def rows(self, read: int) -> int:
        """How many of so many rows it allows."""
        return max(self.least, int(Decimal(str(self.share)) * read))


@dataclass(frozen=True)
class Acceptance:
    """How far a drop may depart from its contract. What each limit does beyond it: `data_ingestion.drop_limits`."""

    quarantined: Allowance = Allowance(0.05, 20)
    bad_share: float = 0.5  # of the rows read; 1 accepts even a drop without a good row
    same_shape: Allowance = Allowance(0.005, 20)  # rows that one column loses to texts of one shape
    conflicts: Allowance = Allowance(
        0.05, 20
    )  # rows that a later row of their drop with the same key contradicts
    withdrawn_share: float = (
        0.5  # of the rows that an object held, taken away by its correction; 1 holds nothing
    )


@dataclass(frozen=True)
class Role:
    """A group of people and the innermost layer it may read: gold, silver, bronze or raw. Agreed, not enforced yet."""

    name: str
    access: str


CAPTURED = ".captured"  # in the folder of captured drops: up to where they were confirmed to the source


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
    acceptance: Acceptance = Acceptance()
    warn_after_hours: int | None = None
    error_after_hours: int | None = None
    roles: tuple[Role, ...] = ()
    settle_seconds: int = 0
    also: tuple[Source, ...] = ()  # other files that bring the same rows
    done_marker: DoneMarker | None = None
    recheck: Window | None = None  # None: every period
    schedule: str | None = None  # a preset, a cron line or `never`; None: as often as the freshness asks
    kinds: Kinds | None = None  # None: all records are of one kind
    capture: Capture | None = None  # None: someone else writes the drops
    warehouses: tuple[str, ...] = ()  # that it must fit beside Postgres, DuckDB and DuckLake
    archive: bool = False  # its records are also kept in the lake

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All files that bring the dataset's rows; the first whose pattern matches an object says how it is read."""
        return (Source(self.pattern, self.format), *self.also)

    @property
    def has_periods(self) -> bool:
        """Whether its files are of periods."""
        return any(source.pattern.precision for source in self.sources)

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
        """Keys among the dataset's drops that the platform writes for itself, and no one delivers."""
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

    @cached_property
    def path_columns(self) -> tuple[Column, ...]:
        """The columns that have their values from an object's path, in their order."""
        return tuple(column for column in self.columns if column.from_path)

    def path_values(self, key: str) -> tuple[str, ...]:
        """What an object's path says for each of those columns."""
        match = self.match(key) if self.path_columns else None
        return values_of(self.path_columns, key, match) if match else ()

    def identity_of(self, key: str, digest: bytes) -> bytes:
        """What distinguishes an object's content from others: the hash of its bytes, and of what its path says.

        Equal bytes of two stores are two drops where the path says which store it is.
        """
        values = self.path_values(key)
        if not values:
            return digest
        said = hashlib.sha256(json.dumps(values).encode()).digest()
        return digest + said[:PATH_HASH_BYTES]

    def format_of(self, key: str) -> Format:
        """How an object of this dataset is read."""
        return self._source_of(key).format

    def _source_of(self, key: str) -> Source:
        if not self.also:
            return self.sources[0]
        return next((source for source in self.sources if source.pattern.match(key)), self.sources[0])

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of drops that come as the first source says."""
        return self.fingerprint_under(self.sources[0])

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """All that drops of the dataset may have, each once, in their order."""
        return tuple(sorted({self.fingerprint_under(source) for source in self.sources}))

    def fingerprint_of(self, key: str, ranked_by: str | None = None) -> str:
        """Hash of what decides which rows an object's drop becomes; equal fingerprints need no second reading.

        Prose, roles, freshness, the schedule, the limits of acceptance, who writes the drops and what a kind of record
        may have decide no row, so they are left out; so is the order of what has no order: columns and headers are
        found by name. A landing pattern is in it only where columns come from the path. Of several formats that of the
        object is in it. A drop that several objects hold is read as the one says that gives it its rank (`ranked_by`).
        """
        if len(self.fingerprints) == 1:
            return self.fingerprints[0]
        is_ranked = ranked_by is not None and self.match(ranked_by)
        return self.fingerprint_under(self._source_of(ranked_by if ranked_by and is_ranked else key))

    def fingerprint_under(self, source: Source) -> str:
        """The fingerprint of drops that come as a source says."""
        if source not in self._hashes:
            decisive = {**self._decisive, "format": decisive_of_format(source.format)}
            if self.path_columns:
                decisive["path"] = source.pattern.text
            text = json.dumps(decisive, sort_keys=True, ensure_ascii=True, default=repr)
            self._hashes[source] = hashlib.sha256(text.encode()).hexdigest()
        return self._hashes[source]

    @cached_property
    def _hashes(self) -> dict[Source, str]:
        return {}

    @cached_property
    def _decisive(self) -> dict[str, object]:
        """What decides rows whatever the format."""
        columns = []
        for column in sorted(self.columns, key=lambda column: column.name):
            rules = asdict(column)
            del rules["classification"], rules["description"], rules["known_bad"]
            for name in LATER_SETTINGS:
                if not rules[name]:
                    del rules[name]
                elif isinstance(rules[name], tuple) and name != "month_names":  # whose order says which
                    rules[name] = sorted(rules[name])
            rules["headers"] = sorted(column.headers)
            rules["accepted_values"] = sorted(column.accepted_values)
            columns.append(rules)
        # A hash is of its columns in their order.
        is_hashed = self.key.rule is KeyRule.OCCURRENCE
        columns_of_key = self.key.columns if is_hashed else tuple(sorted(self.key.columns))
        decisive: dict[str, object] = {
            "rules": RULES,
            "columns": columns,
            "ignored_headers": sorted(self.ignored_headers),
            "key": {"rule": self.key.rule, "columns": columns_of_key},
        }
        if self.kinds:
            decisive["kinds"] = {
                "columns": self.kinds.columns,
                "known": sorted((kind.values, sorted(kind.required)) for kind in self.kinds.known),
            }
        return decisive
